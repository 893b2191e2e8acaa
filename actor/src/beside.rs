//! Tables beside the scheduler's slots: a place for each process that needs one, found by the index of its slot without a
//! lock and by anybody. Made where it is first needed, a table at a time, and kept.

use std::sync::OnceLock;

use crate::pid::Pid;

/// Places of one table.
const TABLE: usize = 1024;
/// Tables of one row, and rows: a place for each slot there can be.
const ROW: usize = 256;

type Table<P> = Box<[P]>;
type Row<P> = Box<[OnceLock<Table<P>>]>;

/// Places for all slots of the program. A place serves the tenants of its slot one after the other: what is in it must
/// say whose it is.
pub(crate) struct Beside<P: 'static>([OnceLock<Row<P>>; ROW]);

fn row_and_table(index: u32) -> (usize, usize) {
    let table = index as usize / TABLE;
    (table / ROW % ROW, table % ROW)
}

impl<P: Default> Beside<P> {
    pub(crate) const fn new() -> Self {
        Beside([const { OnceLock::new() }; ROW])
    }

    /// The process's place, if one was made already.
    #[inline]
    pub(crate) fn find(&self, pid: Pid) -> Option<&P> {
        let index = pid.address().index();
        let (row, table) = row_and_table(index);
        let table = self.0[row].get()?[table].get()?;
        Some(&table[index as usize % TABLE])
    }

    /// The process's place.
    #[inline]
    pub(crate) fn of(&self, pid: Pid) -> &P {
        self.find(pid).unwrap_or_else(|| self.make(pid))
    }

    #[cold]
    #[inline(never)]
    fn make(&self, pid: Pid) -> &P {
        let index = pid.address().index();
        let (row, table) = row_and_table(index);
        let row = self.0[row].get_or_init(|| (0..ROW).map(|_| OnceLock::new()).collect());
        let table = row[table].get_or_init(|| (0..TABLE).map(|_| P::default()).collect());
        &table[index as usize % TABLE]
    }

    /// All places that were made.
    pub(crate) fn all(&self) -> impl Iterator<Item = &P> {
        let rows = self.0.iter().filter_map(OnceLock::get);
        let tables = rows.flat_map(|row| row.iter().filter_map(OnceLock::get));
        tables.flat_map(|table| table.iter())
    }
}
