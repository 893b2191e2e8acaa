//! What the operating system knows of our program and its machine. Linux; elsewhere nothing is known.

use std::fs;

/// Clock ticks a second in `/proc`: the kernel shows these to programs whatever it uses itself.
const TICKS_PER_SECOND: f64 = 100.0;

/// Our program and its machine, as the system sees them. What is not known is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct System {
    /// Bytes of memory that are in use, all kinds together.
    pub resident_bytes: Option<u64>,
    /// Bytes of addresses that are reserved.
    pub virtual_bytes: Option<u64>,
    /// Seconds of processor time used so far.
    pub cpu_seconds: Option<f64>,
    /// Threads.
    pub threads: Option<u64>,
    /// Descriptors that are open.
    pub descriptors: Option<u64>,
    /// Descriptors that may be open at a time.
    pub descriptors_max: Option<u64>,
    /// Programs that ran or wanted to, in the mean of the last minute; the whole machine.
    pub load_1m: Option<f64>,
}

impl System {
    /// Asks the system: a dozen calls, about 50 us and more with many descriptors. Blocks.
    pub fn read() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let descriptors = fs::read_dir("/proc/self/fd").ok();
        System {
            resident_bytes: kib(&status, "VmRSS:"),
            virtual_bytes: kib(&status, "VmSize:"),
            cpu_seconds: cpu(&stat),
            threads: number(&status, "Threads:"),
            // One of them is for looking.
            descriptors: descriptors.map(|all| (all.count() as u64).saturating_sub(1)),
            descriptors_max: number(&limits, "Max open files"),
            load_1m: load.split(' ').next().and_then(|text| text.parse().ok()),
        }
    }
}

/// What the processors call themselves.
pub(crate) fn cpu_name() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(':').map(|(_, name)| name.trim().to_owned())
}

/// The number behind the beginning of a line.
fn number(text: &str, begin: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(begin))?;
    rest.split_whitespace().next()?.parse().ok()
}

fn kib(text: &str, begin: &str) -> Option<u64> {
    number(text, begin).map(|kib| kib * 1024)
}

/// Time in user and system mode: the 14th and 15th field. The second one is our name in parentheses,
/// which may hold anything.
fn cpu(stat: &str) -> Option<f64> {
    let (_, behind_name) = stat.rsplit_once(')')?;
    let ticks = behind_name.split_whitespace().skip(11).take(2);
    let ticks: Vec<u64> = ticks.map_while(|text| text.parse().ok()).collect();
    (ticks.len() == 2).then(|| ticks.iter().sum::<u64>() as f64 / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_by_the_beginning_of_their_line() {
        let status = "Name:\trusm\nVmRSS:\t    5512 kB\nThreads:\t4\n";
        assert_eq!(kib(status, "VmRSS:"), Some(5512 * 1024));
        assert_eq!(number(status, "Threads:"), Some(4));
        assert_eq!(number(status, "VmSize:"), None);
        let limits = "Limit   Soft Limit  Hard Limit  Units\nMax open files   1024  4096  files\n";
        assert_eq!(number(limits, "Max open files"), Some(1024));
    }

    #[test]
    fn processor_time_is_read_behind_a_name_that_looks_like_anything() {
        let stat = "7 (a) 1 2 (b) S 1 7 7 0 -1 0 5 0 0 0 250 50 0 0 20 0 4 0";
        assert_eq!(cpu(stat), Some(3.0));
        assert_eq!(cpu("7 (a) S 1"), None);
        assert_eq!(cpu(""), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_system_knows_this_very_program() {
        let system = System::read();
        assert!(system.resident_bytes.is_some_and(|bytes| bytes > 100_000));
        assert!(system.threads.is_some_and(|threads| threads >= 1));
        assert!(system.descriptors.is_some_and(|open| open >= 3));
        assert!(system.cpu_seconds.is_some() && system.load_1m.is_some());
    }
}
