//! Code that a guest brings at run time: compiled away from the workers, started under what the
//! guest may do itself or less, and handed on to others, who start it under what they may do.

use rusm_actor::{Message, Pid};
use rusm_sched::blocking;

use crate::guest::{Prepared, State};
use crate::host::message::Event;
use crate::host::spawn::{self, Options};
use crate::host::things::{Came, Thing};
use crate::host::{Refusal, power};

/// Bytes of a module that a guest brings: some ten seconds of compiling.
pub(crate) const MODULE_BYTES_MAX: usize = 8 << 20;
/// Bytes of all modules that one guest holds, as it brought them. Compiled they are a few times as
/// large.
pub(crate) const MODULES_BYTES_MAX: usize = 32 << 20;

/// Compiled code in a guest's hands.
#[derive(Clone)]
pub(crate) struct Code {
    pub(crate) guest: Prepared,
    /// Its length before it was compiled.
    pub(crate) bytes: usize,
}

/// Code on its way to another process.
struct Sent {
    from: Pid,
    tag: u64,
    code: Code,
}

fn held(thing: &Thing) -> usize {
    match thing {
        Thing::Module(code) => code.bytes,
        _ => 0,
    }
}

fn room(state: &mut State, bytes: usize) -> Result<(), Refusal> {
    let things = state.things();
    things.room()?;
    if things.iter().map(held).sum::<usize>() + bytes > MODULES_BYTES_MAX {
        return Err(Refusal::Limit {
            what: "bytes of modules at a time",
            max: MODULES_BYTES_MAX,
        });
    }
    Ok(())
}

/// Compiles a core module or a component; its number. Bytes that are owned already are not copied.
pub(crate) async fn compile(
    state: &mut State,
    bytes: impl AsRef<[u8]> + Into<Vec<u8>>,
) -> Result<u32, Refusal> {
    power::may_load_modules(state)?;
    let len = bytes.as_ref().len();
    if len > MODULE_BYTES_MAX {
        return Err(Refusal::TooLong {
            what: "a module",
            len,
            max: MODULE_BYTES_MAX,
        });
    }
    room(state, len)?;
    let standing = state.standing.as_ref().ok_or_else(nobody)?;
    let engine = standing.component.guest.engine().clone();
    let bytes = bytes.into();
    let compiled = blocking::run(move || engine.load(&bytes)?.prepare(None)).await;
    let compiled = compiled.map_err(|refused| Refusal::Failed(refused.to_string()))?;
    let guest = compiled.map_err(|error| Refusal::BadModule(error.to_string()))?;
    state
        .things()
        .hold(Thing::Module(Code { guest, bytes: len }))
}

/// Starts a process of a module, with what the guest itself may do, or less.
pub(crate) fn start(
    state: &mut State,
    module: u32,
    options: Options,
) -> Result<(Pid, Option<u64>), Refusal> {
    power::may_load_modules(state)?;
    let code = code(state, module)?;
    let own = state.standing.as_ref().ok_or_else(nobody)?;
    let standing = own.running(code.guest, state.grants().clone());
    spawn::start_code(state, standing, options)
}

/// Hands a module to another process, and keeps it.
pub(crate) fn send(state: &mut State, to: u64, tag: u64, module: u32) -> Result<(), Refusal> {
    rusm_sched::spend(1);
    let sent = Sent {
        from: state.pid(),
        tag,
        code: code(state, module)?,
    };
    state
        .context
        .send(Pid::from_bits(to), Message::native(sent));
    Ok(())
}

/// Lets go of a module; processes that run it go on. False: it holds no such one.
pub(crate) fn close(state: &mut State, module: u32) -> bool {
    let things = state.things();
    let is_module = matches!(things.get(module), Some(Thing::Module(_)));
    is_module && things.release(module).is_some()
}

/// What a module in a message is about, if the value is one.
pub(crate) fn tag_of(value: &(dyn std::any::Any + Send)) -> Option<u64> {
    value.downcast_ref().map(|sent: &Sent| sent.tag)
}

/// Takes a module that came; the message itself, if it is anything else.
pub(crate) fn came(state: &mut State, message: Message) -> Result<Event, Message> {
    let Sent { from, tag, code } = message.downcast()?;
    let number = match room(state, code.bytes) {
        Ok(()) => state.things().hold(Thing::Module(code)).unwrap_or(0),
        Err(_) => 0,
    };
    Ok(Event::Module(Came {
        sender: from,
        tag,
        number,
    }))
}

fn code(state: &mut State, module: u32) -> Result<Code, Refusal> {
    match state.things().get(module) {
        Some(Thing::Module(code)) => Ok(code.clone()),
        _ => Err(Refusal::NotHeld),
    }
}

fn nobody() -> Refusal {
    Refusal::Failed("only a component of a catalogue can start others".into())
}
