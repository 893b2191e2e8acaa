//! `wasi:filesystem/types`: the stock calls, each made on a thread that may block, and streams
//! that never start a runtime (`stream.rs`). A row of calls moves the process once.
//!
//! What may be opened is decided by the directories that the guest was given (`wasi/mod.rs`).

use rusm_actor::Pid;
use wasmtime::Result;
use wasmtime::component::{HasData, Resource};
use wasmtime_wasi::filesystem::WasiFilesystemCtxView;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    Advice, Descriptor, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry,
    DirectoryEntryStream, ErrorCode, Host, HostDescriptor, HostDirectoryEntryStream,
    MetadataHashValue, NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{FsError, FsResult};
use wasmtime_wasi_io::streams::{DynInputStream, DynOutputStream};

use super::leave_worker;
use super::stream::{Input, Output};
use crate::link::{noted, opaque};

/// Names the files of a guest as all that this interface needs of its state.
pub(super) struct Files;

impl HasData for Files {
    type Data<'a> = FilesView<'a>;
}

/// The files of a guest, and the process that it is.
pub(super) struct FilesView<'a>(pub(super) WasiFilesystemCtxView<'a>, pub(super) Pid);

type Fd = Resource<Descriptor>;

/// Defines each method as: leave the worker, then do what the stock one does.
macro_rules! off_worker {
    ($stock:ident: $($name:ident($($arg:ident: $ty:ty),*) -> $returns:ty;)*) => {$(
        async fn $name(&mut self, $($arg: $ty),*) -> FsResult<$returns> {
            noted!(self.1, named(stringify!($name)));
            Box::into_pin(opaque(async move {
                leave_worker().await.map_err(|_| FsError::from(ErrorCode::Interrupted))?;
                $stock::$name(&mut self.0, $($arg),*).await
            }))
            .await
        }
    )*};
}

/// As the interface calls it.
fn named(method: &str) -> String {
    let method = method.replace('_', "-");
    format!("wasi:filesystem/types descriptor.{method}")
}

impl Host for FilesView<'_> {
    fn convert_error_code(&mut self, error: FsError) -> Result<ErrorCode> {
        Host::convert_error_code(&mut self.0, error)
    }

    fn filesystem_error_code(
        &mut self,
        error: Resource<wasmtime::Error>,
    ) -> Result<Option<ErrorCode>> {
        Host::filesystem_error_code(&mut self.0, error)
    }
}

impl HostDescriptor for FilesView<'_> {
    off_worker! { HostDescriptor:
        advise(fd: Fd, offset: u64, len: u64, advice: Advice) -> ();
        sync_data(fd: Fd) -> ();
        get_flags(fd: Fd) -> DescriptorFlags;
        get_type(fd: Fd) -> DescriptorType;
        set_size(fd: Fd, size: u64) -> ();
        set_times(fd: Fd, accessed: NewTimestamp, modified: NewTimestamp) -> ();
        read(fd: Fd, len: u64, offset: u64) -> (Vec<u8>, bool);
        write(fd: Fd, bytes: Vec<u8>, offset: u64) -> u64;
        read_directory(fd: Fd) -> Resource<DirectoryEntryStream>;
        sync(fd: Fd) -> ();
        create_directory_at(fd: Fd, path: String) -> ();
        stat(fd: Fd) -> DescriptorStat;
        stat_at(fd: Fd, flags: PathFlags, path: String) -> DescriptorStat;
        set_times_at(fd: Fd, flags: PathFlags, path: String, accessed: NewTimestamp, modified: NewTimestamp) -> ();
        link_at(fd: Fd, flags: PathFlags, old: String, new_fd: Fd, new: String) -> ();
        open_at(fd: Fd, flags: PathFlags, path: String, how: OpenFlags, what: DescriptorFlags) -> Fd;
        readlink_at(fd: Fd, path: String) -> String;
        remove_directory_at(fd: Fd, path: String) -> ();
        rename_at(fd: Fd, old: String, new_fd: Fd, new: String) -> ();
        symlink_at(fd: Fd, old: String, new: String) -> ();
        unlink_file_at(fd: Fd, path: String) -> ();
        metadata_hash(fd: Fd) -> MetadataHashValue;
        metadata_hash_at(fd: Fd, flags: PathFlags, path: String) -> MetadataHashValue;
    }

    async fn is_same_object(&mut self, a: Fd, b: Fd) -> Result<bool> {
        noted!(self.1, named("is_same_object"));
        Box::into_pin(opaque(async move {
            leave_worker().await?;
            HostDescriptor::is_same_object(&mut self.0, a, b).await
        }))
        .await
    }

    fn read_via_stream(&mut self, fd: Fd, offset: u64) -> FsResult<Resource<DynInputStream>> {
        let stock = HostDescriptor::read_via_stream(&mut self.0, fd, offset)?;
        let stock = self.0.table.delete(stock)?;
        Ok(self.0.table.push(Input::wrap(stock))?)
    }

    fn write_via_stream(&mut self, fd: Fd, offset: u64) -> FsResult<Resource<DynOutputStream>> {
        let stock = HostDescriptor::write_via_stream(&mut self.0, fd, offset)?;
        self.output(stock)
    }

    fn append_via_stream(&mut self, fd: Fd) -> FsResult<Resource<DynOutputStream>> {
        let stock = HostDescriptor::append_via_stream(&mut self.0, fd)?;
        self.output(stock)
    }

    fn drop(&mut self, fd: Fd) -> Result<()> {
        HostDescriptor::drop(&mut self.0, fd)
    }
}

impl FilesView<'_> {
    fn output(&mut self, stock: Resource<DynOutputStream>) -> FsResult<Resource<DynOutputStream>> {
        let stock = self.0.table.delete(stock)?;
        Ok(self.0.table.push(Output::wrap(stock))?)
    }
}

impl HostDirectoryEntryStream for FilesView<'_> {
    // The stock one has read the whole directory before.
    async fn read_directory_entry(
        &mut self,
        entries: Resource<DirectoryEntryStream>,
    ) -> FsResult<Option<DirectoryEntry>> {
        HostDirectoryEntryStream::read_directory_entry(&mut self.0, entries).await
    }

    fn drop(&mut self, entries: Resource<DirectoryEntryStream>) -> Result<()> {
        HostDirectoryEntryStream::drop(&mut self.0, entries)
    }
}
