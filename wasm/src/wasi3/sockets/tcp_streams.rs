//! The streams of TCP: connections that a listener takes, and the bytes of a connection in both
//! directions, each with a future that tells how it ended.

use std::future::Future;
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::BytesMut;
use futures_channel::oneshot;
use wasmtime::component::{
    Destination, Resource, Source, StreamConsumer, StreamProducer, StreamResult,
};
use wasmtime::{Result, StoreContextMut};

use super::SocketsView;
use super::bindings::wasi::sockets::types::ErrorCode;
use super::tcp::TcpSocket;
use crate::net::{Listener, NetError, TcpHandle};

/// Bytes that one read takes at most when the guest does not say where to.
const READ_BYTES_MAX: usize = 64 << 10;
/// How long a listener waits when the process, or the system, has no room for another socket.
const FULL_PAUSE: Duration = Duration::from_millis(10);

/// How a direction of a connection ended.
pub(super) type End = std::result::Result<(), ErrorCode>;

/// Waits no longer if whoever asks wants to be done.
fn or_cancelled(ready: Poll<()>, finish: bool) -> Poll<Result<StreamResult>> {
    match ready {
        Poll::Ready(()) => Poll::Ready(Ok(StreamResult::Completed)),
        Poll::Pending if finish => Poll::Ready(Ok(StreamResult::Cancelled)),
        Poll::Pending => Poll::Pending,
    }
}

/// The connections of a listener.
pub(super) struct Accepting<T: 'static> {
    listener: Listener,
    view: for<'a> fn(&'a mut T) -> SocketsView<'a>,
    pause: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl<T> Accepting<T> {
    pub(super) fn new(listener: Listener, view: for<'a> fn(&'a mut T) -> SocketsView<'a>) -> Self {
        Self {
            listener,
            view,
            pause: None,
        }
    }

    /// The next connection; none if the listener is lost.
    fn poll_accept(
        &mut self,
        cx: &mut Context<'_>,
        state: &mut T,
    ) -> Poll<Result<Option<Resource<TcpSocket>>>> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(cx));
                self.pause = None;
            }
            let SocketsView { table, net } = (self.view)(state);
            match self.listener.accept(net) {
                Ok(Some(tcp)) => {
                    let accepted = table.push(TcpSocket::new(tcp));
                    return Poll::Ready(accepted.map(Some).map_err(Into::into));
                }
                Ok(None) => ready!(self.listener.poll_readable(cx)),
                // That one has gone already; the next one has not.
                Err(NetError::ConnectionAborted) => {}
                Err(NetError::SocketLimit | NetError::OutOfMemory) => {
                    self.pause = Some(Box::pin(rusm_sched::sleep(FULL_PAUSE)));
                }
                Err(_) => return Poll::Ready(Ok(None)),
            }
        }
    }
}

impl<T: 'static> StreamProducer<T> for Accepting<T> {
    type Item = Resource<TcpSocket>;
    type Buffer = Option<Self::Item>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut store: StoreContextMut<'a, T>,
        mut into: Destination<'a, Self::Item, Self::Buffer>,
        finish: bool,
    ) -> Poll<Result<StreamResult>> {
        if into.remaining(&mut store) == Some(0) {
            return or_cancelled(self.listener.poll_readable(cx), finish);
        }
        match self.poll_accept(cx, store.data_mut()) {
            Poll::Ready(accepted) => Poll::Ready(Ok(match accepted? {
                Some(socket) => {
                    into.set_buffer(Some(socket));
                    StreamResult::Completed
                }
                None => StreamResult::Dropped,
            })),
            Poll::Pending => or_cancelled(Poll::Pending, finish),
        }
    }
}

/// One direction of a connection, and whom to tell how it ended.
pub(super) struct Side {
    handle: Arc<TcpHandle>,
    direction: Shutdown,
    tell: Option<oneshot::Sender<End>>,
}

impl Side {
    pub(super) fn new(
        handle: Arc<TcpHandle>,
        direction: Shutdown,
    ) -> (Self, oneshot::Receiver<End>) {
        let (tell, end) = oneshot::channel();
        let side = Self {
            handle,
            direction,
            tell: Some(tell),
        };
        (side, end)
    }

    fn end(&mut self, end: std::result::Result<(), NetError>) -> Poll<Result<StreamResult>> {
        if let Some(tell) = self.tell.take() {
            // Who does not want to know has dropped the future.
            let _ = tell.send(end.map_err(Into::into));
        }
        Poll::Ready(Ok(StreamResult::Dropped))
    }
}

/// The guest has dropped its end of the stream, or has ended.
impl Drop for Side {
    fn drop(&mut self) {
        self.handle.shutdown(self.direction);
        let _ = self.end(Ok(()));
    }
}

/// Bytes that arrive.
pub(super) struct Receiving(pub(super) Side);

impl<T> StreamProducer<T> for Receiving {
    type Item = u8;
    type Buffer = BytesMut;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut store: StoreContextMut<'a, T>,
        into: Destination<'a, Self::Item, Self::Buffer>,
        finish: bool,
    ) -> Poll<Result<StreamResult>> {
        if self.0.tell.is_none() {
            return Poll::Ready(Ok(StreamResult::Dropped));
        }
        if into.remaining(&mut store) == Some(0) {
            return or_cancelled(self.0.handle.poll_readable(cx), finish);
        }
        let mut into = into.as_direct(store, READ_BYTES_MAX);
        loop {
            match self.0.handle.read(into.remaining()) {
                Ok(Some(0)) => return self.0.end(Ok(())),
                Ok(Some(count)) => {
                    into.mark_written(count);
                    return Poll::Ready(Ok(StreamResult::Completed));
                }
                Ok(None) if self.0.handle.poll_readable(cx).is_pending() => {
                    return or_cancelled(Poll::Pending, finish);
                }
                Ok(None) => {}
                Err(error) => return self.0.end(Err(error)),
            }
        }
    }
}

/// Bytes to send.
pub(super) struct Sending(pub(super) Side);

impl<T> StreamConsumer<T> for Sending {
    type Item = u8;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        store: StoreContextMut<'_, T>,
        from: Source<'_, Self::Item>,
        finish: bool,
    ) -> Poll<Result<StreamResult>> {
        if self.0.tell.is_none() {
            return Poll::Ready(Ok(StreamResult::Dropped));
        }
        let mut from = from.as_direct(store);
        if from.remaining().is_empty() {
            return or_cancelled(self.0.handle.poll_writable(cx), finish);
        }
        loop {
            match self.0.handle.write(from.remaining()) {
                Ok(Some(count)) => {
                    from.mark_read(count);
                    return Poll::Ready(Ok(StreamResult::Completed));
                }
                Ok(None) if self.0.handle.poll_writable(cx).is_pending() => {
                    return or_cancelled(Poll::Pending, finish);
                }
                Ok(None) => {}
                Err(error) => return self.0.end(Err(error)),
            }
        }
    }
}
