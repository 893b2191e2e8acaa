//! `wasi:io/poll` and `wasi:io/streams`: the stock ones, where those calls that may wait are noted, so that whoever looks at a
//! process sees what it waits for.

use rusm_actor::Pid;
use wasmtime::Result;
use wasmtime::component::{HasData, Resource, ResourceTable};
use wasmtime_wasi_io::bindings::wasi::io::{poll, streams};
use wasmtime_wasi_io::poll::DynPollable;
use wasmtime_wasi_io::streams::{DynInputStream, DynOutputStream, StreamError, StreamResult};

use crate::link::noted;

/// Names the table of a guest's resources, and the process that it is.
pub(super) struct Waits;

impl HasData for Waits {
    type Data<'a> = WaitsView<'a>;
}

pub(super) struct WaitsView<'a>(pub(super) &'a mut ResourceTable, pub(super) Pid);

type Input = Resource<DynInputStream>;
type Output = Resource<DynOutputStream>;

/// Defines each method as: do what the stock one does.
macro_rules! stock {
    ($stock:path: $($name:ident($($arg:ident: $ty:ty),*) -> $returns:ty;)*) => {$(
        fn $name(&mut self, $($arg: $ty),*) -> $returns {
            <ResourceTable as $stock>::$name(self.0, $($arg),*)
        }
    )*};
}

/// Defines each method as: note it, then do what the stock one does.
macro_rules! stock_that_waits {
    ($stock:path, $called:literal: $($name:ident($($arg:ident: $ty:ty),*) -> $returns:ty;)*) => {$(
        async fn $name(&mut self, $($arg: $ty),*) -> $returns {
            noted!(self.1, format!("{}{}", $called, stringify!($name).replace('_', "-")));
            <ResourceTable as $stock>::$name(self.0, $($arg),*).await
        }
    )*};
}

impl poll::Host for WaitsView<'_> {
    stock_that_waits! { poll::Host, "wasi:io/poll ":
        poll(pollables: Vec<Resource<DynPollable>>) -> Result<Vec<u32>>;
    }
}

impl poll::HostPollable for WaitsView<'_> {
    stock_that_waits! { poll::HostPollable, "wasi:io/poll pollable.":
        block(pollable: Resource<DynPollable>) -> Result<()>;
    }

    async fn ready(&mut self, pollable: Resource<DynPollable>) -> Result<bool> {
        poll::HostPollable::ready(self.0, pollable).await
    }

    stock! { poll::HostPollable:
        drop(pollable: Resource<DynPollable>) -> Result<()>;
    }
}

impl streams::Host for WaitsView<'_> {
    stock! { streams::Host:
        convert_stream_error(error: StreamError) -> Result<streams::StreamError>;
    }
}

impl streams::HostInputStream for WaitsView<'_> {
    stock! { streams::HostInputStream:
        read(stream: Input, len: u64) -> StreamResult<Vec<u8>>;
        skip(stream: Input, len: u64) -> StreamResult<u64>;
        subscribe(stream: Input) -> Result<Resource<DynPollable>>;
    }

    stock_that_waits! { streams::HostInputStream, "wasi:io/streams input-stream.":
        blocking_read(stream: Input, len: u64) -> StreamResult<Vec<u8>>;
        blocking_skip(stream: Input, len: u64) -> StreamResult<u64>;
    }

    async fn drop(&mut self, stream: Input) -> Result<()> {
        // It waits for what was begun.
        noted!(self.1, "wasi:io/streams input-stream.drop");
        streams::HostInputStream::drop(self.0, stream).await
    }
}

impl streams::HostOutputStream for WaitsView<'_> {
    stock! { streams::HostOutputStream:
        check_write(stream: Output) -> StreamResult<u64>;
        write(stream: Output, bytes: Vec<u8>) -> StreamResult<()>;
        subscribe(stream: Output) -> Result<Resource<DynPollable>>;
        write_zeroes(stream: Output, len: u64) -> StreamResult<()>;
        flush(stream: Output) -> StreamResult<()>;
        splice(into: Output, from: Input, len: u64) -> StreamResult<u64>;
    }

    stock_that_waits! { streams::HostOutputStream, "wasi:io/streams output-stream.":
        blocking_write_and_flush(stream: Output, bytes: Vec<u8>) -> StreamResult<()>;
        blocking_write_zeroes_and_flush(stream: Output, len: u64) -> StreamResult<()>;
        blocking_flush(stream: Output) -> StreamResult<()>;
        blocking_splice(into: Output, from: Input, len: u64) -> StreamResult<u64>;
    }

    async fn drop(&mut self, stream: Output) -> Result<()> {
        noted!(self.1, "wasi:io/streams output-stream.drop");
        streams::HostOutputStream::drop(self.0, stream).await
    }
}
