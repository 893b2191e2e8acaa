//! How machine code is made from a guest, and hence which engines can run it: the settings that
//! change code are here and nowhere else. Each make has its own compile, kept apart in the cache,
//! which serves all engines of that make.

use wasmparser::{ComponentType, Parser, Payload};
use wasmtime::{Config, WasmBacktraceDetails};

use crate::pool::{GUEST_STACK_BYTES_MAX, STACK_BYTES};

/// What a guest's code is good at. Results, traps and limits are the same in both.
///
/// **Speculative execution.** [`Spawn`](Self::Spawn) code checks bounds by comparing and branching, and
/// wasmtime then leaves out its masking of speculative accesses: a guest may train the processor to
/// read beyond its memory, speculatively, and learn about the host's through timing. In
/// [`Compute`](Self::Compute) code a 32-bit address cannot leave the reservation, not even
/// speculatively, and accesses to tables are masked. Guests that must not learn the secrets of
/// others in the same program belong in a program of their own in either case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flavour {
    /// Starting, growing and ending without a system call, and room for very many guests at a time;
    /// bounds are checked by instructions, which costs hot loops over memory a fifth to a half of
    /// their speed.
    #[default]
    Spawn,
    /// Bounds are checked by the processor, through guard pages: for guests that work on their
    /// memory for long. Each memory takes 4 GiB of address space, so there is room for a few
    /// thousand, and growing one is a system call that stops all threads for a moment.
    Compute,
}

/// Data up to this size is copied into each new memory, more is mapped. Copying 3 KB adds 2 to 5 %
/// to a spawn, and such code runs in the pools and in the dense tier alike; copying a megabyte
/// would take 400 us instead of 5, and would not be shared.
const COPIED_BYTES_MAX: u64 = 32 << 10;
/// Address space of one memory in [`Make::Guarded`]: all that 32 bits can name.
const GUARDED_RESERVATION_BYTES: u64 = 4 << 30;
/// What follows it, so that constant offsets need no check either.
const GUARDED_GUARD_BYTES: u64 = 32 << 20;

/// One set of settings that change code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Make {
    /// Checks by instructions; data segments are copied.
    Copied,
    /// Checks by instructions; data segments are mapped copy-on-write.
    Imaged,
    /// Checks by guard pages; data segments are mapped copy-on-write.
    Guarded,
    /// As [`Imaged`](Self::Imaged), with what async functions, streams and futures of components
    /// need; it costs each spawn of a component 2.7 us, hence not for others.
    Concurrent,
}

impl Make {
    pub(crate) const ALL: [Self; 4] = [Self::Copied, Self::Imaged, Self::Guarded, Self::Concurrent];

    /// What `wasm`, a module or component in its binary form, is to be compiled as.
    pub(crate) fn of(flavour: Flavour, wasm: &[u8]) -> Self {
        match flavour {
            _ if is_concurrent(wasm) => Self::Concurrent,
            Flavour::Compute => Self::Guarded,
            Flavour::Spawn if data_bytes(wasm) > COPIED_BYTES_MAX => Self::Imaged,
            Flavour::Spawn => Self::Copied,
        }
    }

    /// Address space that one memory takes, at least.
    pub(crate) fn reserved_bytes(self, memory_bytes_max: u64) -> u64 {
        match self {
            Self::Copied | Self::Imaged | Self::Concurrent => memory_bytes_max,
            Self::Guarded => GUARDED_RESERVATION_BYTES + GUARDED_GUARD_BYTES,
        }
    }

    /// Everything that changes what a module compiles to.
    pub(crate) fn settings(self, memory_bytes_max: u64) -> Config {
        let mut settings = Config::new();
        settings
            .epoch_interruption(true)
            .memory_reservation_for_growth(0)
            .memory_may_move(false)
            .async_stack_size(STACK_BYTES)
            .max_wasm_stack(GUEST_STACK_BYTES_MAX)
            .concurrency_support(self == Self::Concurrent)
            .native_unwind_info(false)
            .wasm_backtrace_details(WasmBacktraceDetails::Enable)
            .memory_init_cow(self != Self::Copied);
        match self {
            Self::Copied | Self::Imaged | Self::Concurrent => settings
                .signals_based_traps(false)
                .memory_guard_size(0)
                .memory_reservation(memory_bytes_max),
            Self::Guarded => settings
                .signals_based_traps(true)
                .memory_guard_size(GUARDED_GUARD_BYTES)
                .memory_reservation(GUARDED_RESERVATION_BYTES),
        };
        settings
    }
}

/// The data of all modules in `wasm`. What does not parse counts as none: the compiler will say
/// what is wrong with it.
fn data_bytes(wasm: &[u8]) -> u64 {
    let sections = Parser::new(0).parse_all(wasm).map_while(Result::ok);
    let data = sections.filter_map(|section| match section {
        Payload::DataSection(data) => Some(data.range().len() as u64),
        _ => None,
    });
    data.sum()
}

/// Whether `wasm` is a component that imports or exports WASI 0.3, or has async functions.
fn is_concurrent(wasm: &[u8]) -> bool {
    let of_wasi_3 = |name: &str| name.starts_with("wasi:") && name.contains("@0.3.");
    let mut sections = Parser::new(0).parse_all(wasm).map_while(Result::ok);
    sections.any(|section| match section {
        Payload::ComponentImportSection(imports) => imports
            .into_iter()
            .flatten()
            .any(|import| of_wasi_3(import.name.name)),
        Payload::ComponentExportSection(exports) => exports
            .into_iter()
            .flatten()
            .any(|export| of_wasi_3(export.name.name)),
        Payload::ComponentTypeSection(types) => types
            .into_iter()
            .flatten()
            .any(|ty| matches!(ty, ComponentType::Func(ty) if ty.async_)),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(data: u64) -> String {
        let data = "x".repeat(usize::try_from(data).unwrap());
        format!(r#"(module (memory 2) (data (i32.const 0) "{data}"))"#)
    }

    #[test]
    fn much_data_is_mapped_and_little_is_copied_in_modules_and_components() {
        for (bytes, make) in [
            (0, Make::Copied),
            (COPIED_BYTES_MAX / 2, Make::Copied),
            (COPIED_BYTES_MAX + 1, Make::Imaged),
        ] {
            let module = module(bytes);
            let component = format!("(component (core {})", &module[1..]);
            for text in [module, component] {
                let wasm = wat::parse_str(&text).unwrap();
                assert_eq!(Make::of(Flavour::Spawn, &wasm), make, "{bytes}");
                assert_eq!(Make::of(Flavour::Compute, &wasm), Make::Guarded);
            }
        }
    }

    #[test]
    fn components_of_wasi_3_and_with_async_functions_are_told_by_what_they_say() {
        let make = |text: &str| Make::of(Flavour::Spawn, &wat::parse_str(text).unwrap());
        for concurrent in [
            r#"(component (import "wasi:random/random@0.3.0" (instance)))"#,
            r#"(component (instance $i) (export "wasi:cli/run@0.3.1" (instance $i)))"#,
            r#"(component (type (func async)))"#,
        ] {
            assert_eq!(make(concurrent), Make::Concurrent, "{concurrent}");
        }
        for plain in [
            r#"(component (import "wasi:random/random@0.2.3" (instance)))"#,
            r#"(component (import "acme:shop/till@0.3.0" (instance)))"#,
            r#"(component (type (func)))"#,
        ] {
            assert_eq!(make(plain), Make::Copied, "{plain}");
        }
    }

    #[test]
    fn what_is_no_wasm_counts_as_having_no_data() {
        for wasm in [&b""[..], b"\0asm", b"\0asm\x01\0\0\0\x0b\xff\xff"] {
            assert_eq!(data_bytes(wasm), 0);
        }
    }
}
