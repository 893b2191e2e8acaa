//! The interface `stream`.

use wasmtime::Result as Trappable;
use wasmtime::component::Resource;

use super::bindings::rusm::runtime::stream::{Host, HostOffer, HostReader, HostWriter};
use super::bindings::rusm::runtime::types::Error;
use crate::guest::State;
use crate::host::stream;
use crate::link::{noted, opaque};

/// The end of a stream that writes.
pub enum Writer {}
/// The end of a stream that was offered and not accepted yet.
pub enum Offer {}
/// The end of a stream that reads.
pub enum Reader {}

impl Host for State {
    fn open(&mut self, to: u64, tag: u64, capacity: u32) -> Result<Resource<Writer>, Error> {
        Ok(Resource::new_own(stream::open(self, to, tag, capacity)?))
    }
}

impl HostWriter for State {
    async fn write(
        &mut self,
        writer: Resource<Writer>,
        content: Vec<u8>,
    ) -> Trappable<Result<(), Error>> {
        noted!(self.pid(), "rusm:runtime/stream writer.write");
        let number = writer.rep();
        let written = opaque(async move { stream::write_held(self, number, content).await });
        Ok(Box::into_pin(written).await.map_err(Error::from))
    }

    fn drop(&mut self, writer: Resource<Writer>) -> Trappable<()> {
        stream::close(self, writer.rep());
        Ok(())
    }
}

impl HostOffer for State {
    fn accept(&mut self, offer: Resource<Offer>) -> Result<Resource<Reader>, Error> {
        Ok(Resource::new_own(stream::accept(self, offer.rep())?))
    }

    fn drop(&mut self, offer: Resource<Offer>) -> Trappable<()> {
        stream::close(self, offer.rep());
        Ok(())
    }
}

impl HostReader for State {
    async fn read(
        &mut self,
        reader: Resource<Reader>,
        max: u32,
    ) -> Trappable<Result<Vec<u8>, Error>> {
        noted!(self.pid(), "rusm:runtime/stream reader.read");
        let number = reader.rep();
        let read = opaque(async move { stream::read_held(self, number, max as usize).await });
        Ok(Box::into_pin(read).await.map_err(Error::from))
    }

    fn drop(&mut self, reader: Resource<Reader>) -> Trappable<()> {
        stream::close(self, reader.rep());
        Ok(())
    }
}
