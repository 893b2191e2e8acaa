//! The options of a socket, with the standard's rules on top of the system's: zero is no value,
//! and what is too large is the largest there is.

use std::os::fd::AsFd;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};

use super::{Family, NetError};

/// The kernel's limits on the times and the number of probes.
const KEEP_ALIVE_SECONDS_MAX: u64 = i16::MAX as u64;
const KEEP_ALIVE_PROBES_MAX: u32 = i8::MAX as u32;
const SECOND_NANOS: u64 = 1_000_000_000;

type Result<T> = std::result::Result<T, NetError>;

/// The options of one open socket.
pub(crate) struct Options<'a> {
    socket: SockRef<'a>,
    family: Family,
}

impl<'a> Options<'a> {
    pub(super) fn new(socket: &'a impl AsFd, family: Family) -> Self {
        let socket = SockRef::from(socket);
        Self { socket, family }
    }

    pub(crate) fn keep_alive(&self) -> Result<bool> {
        Ok(self.socket.keepalive()?)
    }

    pub(crate) fn set_keep_alive(&self, on: bool) -> Result<()> {
        Ok(self.socket.set_keepalive(on)?)
    }

    /// In nanoseconds, as all times here; the system counts seconds.
    pub(crate) fn keep_alive_idle(&self) -> Result<u64> {
        Ok(nanos(self.socket.tcp_keepalive_time()?))
    }

    pub(crate) fn set_keep_alive_idle(&self, nanos: u64) -> Result<()> {
        self.set_probes(|probes| probes.with_time(seconds(nanos)), nanos)
    }

    pub(crate) fn keep_alive_interval(&self) -> Result<u64> {
        Ok(nanos(self.socket.tcp_keepalive_interval()?))
    }

    pub(crate) fn set_keep_alive_interval(&self, nanos: u64) -> Result<()> {
        self.set_probes(|probes| probes.with_interval(seconds(nanos)), nanos)
    }

    pub(crate) fn keep_alive_count(&self) -> Result<u32> {
        Ok(self.socket.tcp_keepalive_retries()?)
    }

    pub(crate) fn set_keep_alive_count(&self, count: u32) -> Result<()> {
        let probes = count.min(KEEP_ALIVE_PROBES_MAX);
        self.set_probes(|settings| settings.with_retries(probes), count.into())
    }

    pub(crate) fn hop_limit(&self) -> Result<u8> {
        let hops = match self.family {
            Family::V4 => self.socket.ttl_v4()?,
            Family::V6 => self.socket.unicast_hops_v6()?,
        };
        u8::try_from(hops).map_err(|_| NetError::NotSupported)
    }

    pub(crate) fn set_hop_limit(&self, hops: u8) -> Result<()> {
        not_zero(hops.into())?;
        match self.family {
            Family::V4 => self.socket.set_ttl_v4(hops.into())?,
            Family::V6 => self.socket.set_unicast_hops_v6(hops.into())?,
        }
        Ok(())
    }

    pub(crate) fn receive_buffer(&self) -> Result<u64> {
        Ok(asked(self.socket.recv_buffer_size()?))
    }

    pub(crate) fn set_receive_buffer(&self, bytes: u64) -> Result<()> {
        not_zero(bytes)?;
        Ok(self.socket.set_recv_buffer_size(clamped(bytes))?)
    }

    pub(crate) fn send_buffer(&self) -> Result<u64> {
        Ok(asked(self.socket.send_buffer_size()?))
    }

    pub(crate) fn set_send_buffer(&self, bytes: u64) -> Result<()> {
        not_zero(bytes)?;
        Ok(self.socket.set_send_buffer_size(clamped(bytes))?)
    }

    /// Sets one number of the probes without turning them on, as `set_tcp_keepalive` of the library
    /// does.
    fn set_probes(&self, change: impl Fn(TcpKeepalive) -> TcpKeepalive, value: u64) -> Result<()> {
        not_zero(value)?;
        let was_on = self.socket.keepalive()?;
        self.socket
            .set_tcp_keepalive(&change(TcpKeepalive::new()))?;
        Ok(self.socket.set_keepalive(was_on)?)
    }
}

fn not_zero(value: u64) -> Result<()> {
    if value == 0 {
        Err(NetError::InvalidArgument)
    } else {
        Ok(())
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// The system's unit. Less than one would be rounded down to none.
fn seconds(nanos: u64) -> Duration {
    Duration::from_secs((nanos / SECOND_NANOS).clamp(1, KEEP_ALIVE_SECONDS_MAX))
}

fn clamped(bytes: u64) -> usize {
    bytes.min(i32::MAX as u64) as usize
}

/// Linux reserves twice what is asked for, for its own bookkeeping, and says so when asked.
fn asked(reserved: usize) -> u64 {
    let bytes = if cfg!(target_os = "linux") {
        reserved / 2
    } else {
        reserved
    };
    bytes as u64
}
