//! Where a figure was measured: processor, cores, kernel, compiler; and what this process's memory is.

use std::process::Command;

use serde_json::{Value, json};

/// The source that this program was built from, as git names it.
pub(crate) const COMMIT: &str = env!("RUSM_BENCH_COMMIT");

/// What a reader must know before comparing figures.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(crate) cpu: String,
    pub(crate) cores: usize,
    pub(crate) kernel: String,
    pub(crate) rustc: &'static str,
}

impl Machine {
    pub(crate) fn look() -> Self {
        let cpu = line_of("/proc/cpuinfo", "model name")
            .map(|rest| rest.trim_start_matches([' ', '\t', ':']).to_string())
            .or_else(|| output("sysctl", &["-n", "machdep.cpu.brand_string"]));
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease")
            .ok()
            .map(|text| text.trim().to_string())
            .or_else(|| output("uname", &["-r"]));
        Machine {
            cpu: cpu.unwrap_or_else(|| "unknown".to_string()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: kernel.unwrap_or_else(|| "unknown".to_string()),
            rustc: env!("RUSM_BENCH_RUSTC"),
        }
    }

    pub(crate) fn json(&self) -> Value {
        json!({ "cpu": self.cpu, "cores": self.cores, "kernel": self.kernel, "rustc": self.rustc })
    }
}

/// Resident memory in KiB; 0 where the system has no `/proc`.
pub(crate) fn rss_kb() -> u64 {
    status_kb("VmRSS:")
}

/// The most that was ever resident, in KiB; 0 where the system has no `/proc`.
pub(crate) fn peak_rss_kb() -> u64 {
    status_kb("VmHWM:")
}

/// What the kernel's page tables of this process take, in KiB; 0 where the system has no `/proc`.
pub(crate) fn page_tables_kb() -> u64 {
    status_kb("VmPTE:")
}

/// Mappings of this process; 0 where the system has no `/proc`.
pub(crate) fn mappings() -> u64 {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    maps.lines().count() as u64
}

/// How many files this process may have open; 1,024 where the system does not say.
pub(crate) fn open_files_max() -> u64 {
    line_of("/proc/self/limits", "Max open files")
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or(1024)
}

fn status_kb(field: &str) -> u64 {
    line_of("/proc/self/status", field)
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

fn line_of(path: &str, start: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let rest = text.lines().find_map(|line| line.strip_prefix(start))?;
    Some(rest.to_string())
}

fn output(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_has_a_processor_cores_a_kernel_and_a_compiler() {
        let machine = Machine::look();
        assert!(machine.cores >= 1);
        for text in [&machine.cpu, &machine.kernel, machine.rustc] {
            assert!(!text.is_empty() && !text.contains('\n'), "{text:?}");
        }
        assert!(machine.json()["cores"].is_number());
    }

    #[test]
    fn memory_is_known_where_the_system_has_proc() {
        let proc = std::path::Path::new("/proc/self/status").exists();
        assert_eq!(rss_kb() > 0, proc);
        assert_eq!(peak_rss_kb() > 0, proc);
    }
}
