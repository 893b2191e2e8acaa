//! What slots, stacks and memories promise, looked at from below.

use std::io::pipe;
use std::os::fd::AsRawFd;

use super::*;

const MEMORY_BYTES: usize = 1 << 20;

fn memories(slots: u32) -> Memories {
    Memories {
        slab: Slab::new(slots, MEMORY_BYTES).unwrap(),
    }
}

fn stacks(slots: u32, guards: Guards) -> Stacks {
    Stacks {
        slab: Slab::new(slots, STACK_BYTES + page_bytes()).unwrap(),
        guards,
    }
}

/// Those this kernel has.
fn all_guards() -> Vec<Guards> {
    let mut all = vec![Guards::probe().unwrap(), Guards::Mappings];
    all.dedup();
    all
}

fn write(at: *mut u8, byte: u8) {
    // JUSTIFICATION: wasmtime and guests write through these addresses, and 300,000 guests depend on what becomes of it.
    // SAFETY: the tests pass addresses in slots they hold.
    #[allow(unsafe_code)]
    unsafe {
        at.write_volatile(byte);
    }
}

/// Whether the kernel can read this byte of ours; touching it ourselves would be the end of the
/// test.
fn is_readable(at: *const u8) -> bool {
    let (_reader, writer) = pipe().unwrap();
    // JUSTIFICATION: as above; a guard that is none would be found by nobody.
    // SAFETY: the kernel checks the address, and refuses where there is nothing to read.
    #[allow(unsafe_code)]
    let written = unsafe { libc::write(writer.as_raw_fd(), at.cast(), 1) };
    written == 1
}

fn is_zero(memory: &Memory, bytes: usize) -> bool {
    // JUSTIFICATION: as above.
    // SAFETY: the slot is mapped and held by `memory`, and nobody writes to it meanwhile.
    #[allow(unsafe_code)]
    let bytes = unsafe { std::slice::from_raw_parts(memory.as_ptr(), bytes) };
    bytes.iter().all(|byte| *byte == 0)
}

#[test]
fn a_memory_that_is_used_again_is_zero_also_where_it_had_grown() {
    let memories = memories(1);
    let mut first = memories.memory(64 << 10, Some(MEMORY_BYTES), 0).unwrap();
    first.grow_to(MEMORY_BYTES).unwrap();
    let at = first.as_ptr();
    for offset in [0, (64 << 10) - 1, 64 << 10, MEMORY_BYTES - 1] {
        write(at.wrapping_add(offset), 7);
    }
    drop(first);
    let second = memories.memory(64 << 10, Some(MEMORY_BYTES), 0).unwrap();
    assert_eq!(second.as_ptr(), at, "there is only one slot");
    assert!(is_zero(&second, MEMORY_BYTES));
}

#[test]
fn a_wipe_reaches_its_range_and_not_the_neighbours() {
    let memories = memories(2);
    let memory = || memories.memory(MEMORY_BYTES, None, 0).unwrap();
    let (left, mut right) = (memory(), memory());
    write(left.as_ptr().wrapping_add(MEMORY_BYTES - 1), 1);
    write(right.as_ptr().wrapping_add(page_bytes()), 2);
    right.slot.wipe(0..page_bytes());
    assert!(!is_zero(&left, MEMORY_BYTES) && !is_zero(&right, MEMORY_BYTES));
    right.slot.wipe(0..MEMORY_BYTES);
    assert!(!is_zero(&left, MEMORY_BYTES) && is_zero(&right, MEMORY_BYTES));
}

#[test]
fn a_memory_grows_to_the_end_of_its_slot_and_never_moves() {
    let memories = memories(1);
    let mut memory = memories.memory(0, None, 0).unwrap();
    let at = memory.as_ptr();
    memory.grow_to(MEMORY_BYTES).unwrap();
    assert!(memory.grow_to(MEMORY_BYTES + 1).is_err());
    assert_eq!((memory.byte_size(), memory.as_ptr()), (MEMORY_BYTES, at));
}

#[test]
fn what_needs_guard_pages_or_more_than_a_slot_is_refused() {
    let memories = memories(1);
    for (bytes, reserved, guard) in [
        (0, None, 1),
        (MEMORY_BYTES + 1, None, 0),
        (0, Some(MEMORY_BYTES + 1), 0),
    ] {
        assert!(memories.memory(bytes, reserved, guard).is_err());
    }
    assert!(memories.memory(0, Some(MEMORY_BYTES), 0).is_ok());
    let stacks = stacks(1, Guards::Mappings);
    assert!(stacks.stack(STACK_BYTES + 1).is_err());
    assert!(stacks.stack(STACK_BYTES).is_ok());
}

#[test]
fn slots_that_are_all_taken_are_an_error_until_one_is_given_back() {
    let (memories, stacks) = (memories(2), stacks(2, Guards::Mappings));
    let one = (memories.memory(0, None, 0), stacks.stack(STACK_BYTES));
    let two = (memories.memory(0, None, 0), stacks.stack(STACK_BYTES));
    let why = memories.memory(0, None, 0).err().unwrap();
    assert_eq!(why, "all 2 memories are in use");
    assert!(stacks.stack(STACK_BYTES).is_err());
    drop(one);
    assert!(memories.memory(0, None, 0).is_ok() && stacks.stack(STACK_BYTES).is_ok());
    drop(two);
}

#[test]
fn a_stack_is_guarded_below_at_its_first_use_and_at_all_others() {
    for guards in all_guards() {
        let stacks = stacks(2, guards);
        for _ in 0..3 {
            let stack = stacks.stack(STACK_BYTES).unwrap();
            let guard = stack.guard_range();
            assert_eq!(stack.range().len(), STACK_BYTES);
            assert_eq!(guard.end.addr(), stack.range().start);
            write(guard.end, 1);
            write(stack.top().wrapping_sub(1), 1);
            assert!(is_readable(guard.end), "{guards:?}");
            assert!(!is_readable(guard.end.wrapping_sub(1)), "{guards:?}");
            assert!(!is_readable(guard.start), "{guards:?}");
        }
    }
}

#[test]
fn a_guard_stays_when_the_pages_of_its_stack_go() {
    for guards in all_guards() {
        let stacks = stacks(1, guards);
        let mut stack = stacks.stack(STACK_BYTES).unwrap();
        write(stack.top().wrapping_sub(1), 1);
        let used = stack.page..stack.slot.slab.slot_bytes;
        stack.slot.give_back(used, 0);
        std::mem::forget(stack);
        let again = stacks.new_stack(STACK_BYTES, true).unwrap();
        assert!(!is_readable(again.guard_range().start), "{guards:?}");
        assert!(is_readable(again.top().wrapping_sub(1)), "{guards:?}");
    }
}

#[test]
fn a_guest_counts_with_all_its_memories_and_without_one() {
    let room = Room::new(3);
    let (none, two) = (room.admit(0).unwrap(), room.admit(2).unwrap());
    assert!(room.admit(1).is_none());
    drop(two);
    assert!(room.admit(3).is_none());
    drop(none);
    assert!(room.admit(3).is_some());
}
