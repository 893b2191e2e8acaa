//! Who may touch a worker's private half: the thread that leases it, unless it was taken away.
//!
//! A thread inside a task's turn is *outside* the private half; it *enters* to push a task and
//! between turns. A turn that never ends holds up what lies there (claimed tasks, the
//! hand-off slot), so the watcher may take the lease away from a thread that is outside. The
//! question "is it outside?" is Dekker's, with the cost on the watcher: the owner pays two
//! plain stores and a load, the watcher a `membarrier` system call where there is one.

use crate::sync::{AtomicU32, Ordering, fence, spin_loop};

const OUTSIDE: u32 = 0;
const INSIDE: u32 = 1;

const FREE: u32 = 0;
const ASKED: u32 = 1;
const TAKEN: u32 = 2;

/// One thread's lease of one worker. A lease that was taken is never given back.
pub(crate) struct Lease {
    place: AtomicU32,
    claim: AtomicU32,
}

impl Lease {
    /// A new lease; the thread starts inside.
    pub(crate) fn new() -> Self {
        Lease {
            place: AtomicU32::new(INSIDE),
            claim: AtomicU32::new(FREE),
        }
    }

    /// Enters from outside. False once the lease is lost. Owner only.
    #[inline]
    #[must_use]
    pub(crate) fn enter(&self) -> bool {
        self.place.store(INSIDE, Ordering::Relaxed);
        barrier::light();
        if self.claim.load(Ordering::Relaxed) == FREE {
            return true;
        }
        self.enter_contended()
    }

    /// Leaves; the watcher may take the lease from now on. Owner only. The release pairs with
    /// the watcher's acquire in `take`: it sees all that was done inside.
    #[inline]
    pub(crate) fn leave(&self) {
        self.place.store(OUTSIDE, Ordering::Release);
    }

    /// Is the owner outside? A glance without ordering.
    pub(crate) fn is_outside(&self) -> bool {
        self.place.load(Ordering::Relaxed) == OUTSIDE
    }

    #[cold]
    fn enter_contended(&self) -> bool {
        loop {
            self.leave();
            while self.claim.load(Ordering::Acquire) == ASKED {
                spin_loop();
            }
            if self.claim.load(Ordering::Acquire) == TAKEN {
                return false;
            }
            self.place.store(INSIDE, Ordering::Relaxed);
            barrier::light();
            if self.claim.load(Ordering::Relaxed) == FREE {
                return true;
            }
        }
    }

    /// Takes the lease away if its owner is outside, and if that can be seen: true when the
    /// private half now belongs to the caller. One watcher only.
    #[must_use]
    pub(crate) fn take(&self) -> bool {
        self.claim.store(ASKED, Ordering::Relaxed);
        // Without the barrier the owner may be inside unseen: the claim is withdrawn then.
        let outside = barrier::heavy() && self.place.load(Ordering::Acquire) == OUTSIDE;
        let verdict = if outside { TAKEN } else { FREE };
        self.claim.store(verdict, Ordering::Release);
        outside
    }
}

#[cfg(any(loom, not(target_os = "linux")))]
mod barrier {
    use super::{Ordering, fence};

    pub(super) fn light() {
        fence(Ordering::SeqCst);
    }

    pub(super) fn heavy() -> bool {
        fence(Ordering::SeqCst);
        true
    }
}

#[cfg(all(not(loom), target_os = "linux"))]
mod barrier {
    //! `membarrier(2)` makes every running thread of this program pass a full fence, so the
    //! frequent side only has to keep the compiler from reordering.

    use super::{Ordering, fence};
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicBool, compiler_fence};

    const REGISTER_PRIVATE_EXPEDITED: libc::c_int = 16;
    const PRIVATE_EXPEDITED: libc::c_int = 8;

    /// Set once the kernel has agreed, before which both sides use real fences.
    static ASYMMETRIC: AtomicBool = AtomicBool::new(false);

    static REGISTERED: LazyLock<bool> = LazyLock::new(|| {
        let agreed = membarrier(REGISTER_PRIVATE_EXPEDITED);
        ASYMMETRIC.store(agreed, Ordering::SeqCst);
        agreed
    });

    /// Asks the kernel once. Before any lease exists, so that no owner is caught between the
    /// two ways.
    pub(super) fn prepare() {
        LazyLock::force(&REGISTERED);
    }

    #[inline]
    pub(super) fn light() {
        if ASYMMETRIC.load(Ordering::Relaxed) {
            compiler_fence(Ordering::SeqCst);
        } else {
            fence(Ordering::SeqCst);
        }
    }

    /// False: the kernel had no memory for it, as it may say of a machine with many processors.
    #[must_use]
    pub(super) fn heavy() -> bool {
        fence(Ordering::SeqCst);
        !*REGISTERED || membarrier(PRIVATE_EXPEDITED)
    }

    fn membarrier(command: libc::c_int) -> bool {
        // JUSTIFICATION: a fence on the frequent side costs 5 ns a push and 5 ns a turn,
        // against 13 ns for a whole spawn and exit; std has no safe way to this call.
        // SAFETY: `membarrier` takes three integers and touches no memory of ours.
        unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
    }
}

/// Prepares the cheap way of entering; called before the first lease is made.
pub(crate) fn prepare() {
    #[cfg(all(not(loom), target_os = "linux"))]
    barrier::prepare();
}

#[cfg(loom)]
mod models {
    //! Can the owner and the watcher ever be inside at once?

    use super::Lease;
    use loom::cell::UnsafeCell;
    use loom::sync::Arc;
    use loom::thread;

    #[test]
    fn loom_owner_and_watcher_never_hold_the_private_half_together() {
        loom::model(|| {
            let shared = Arc::new((Lease::new(), UnsafeCell::new(0)));
            shared.0.leave();
            let owner = {
                let shared = shared.clone();
                thread::spawn(move || {
                    if shared.0.enter() {
                        // SAFETY: inside; loom checks that nobody else is.
                        shared.1.with_mut(|it| unsafe { *it += 1 });
                        shared.0.leave();
                    }
                })
            };
            if shared.0.take() {
                // SAFETY: taken; loom checks that the owner is not inside.
                shared.1.with_mut(|it| unsafe { *it += 1 });
            }
            owner.join().expect("the owner does not panic");
        });
    }

    #[test]
    fn loom_a_taken_lease_is_never_entered_again() {
        loom::model(|| {
            let lease = Arc::new(Lease::new());
            lease.leave();
            let owner = {
                let lease = lease.clone();
                thread::spawn(move || {
                    let first = lease.enter();
                    if first {
                        lease.leave();
                    }
                    let second = lease.enter();
                    assert!(first || !second, "a lost lease came back");
                })
            };
            let _ = lease.take();
            owner.join().expect("the owner does not panic");
        });
    }
}
