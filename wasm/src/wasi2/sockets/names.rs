//! `wasi:sockets/ip-name-lookup`: the resolver works on the blocking pool, the guest waits for its
//! answer as for a socket.

use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::vec;

use wasmtime::Result;
use wasmtime::component::Resource;
use wasmtime_wasi_io::poll::{DynPollable, Pollable, subscribe};

use super::bindings::wasi::sockets::ip_name_lookup::{Host, HostResolveAddressStream};
use super::bindings::wasi::sockets::network::{ErrorCode, IpAddress};
use super::{Answered, Network, SocketsView};
use crate::net::{NameError, Query};

type Addresses = std::result::Result<Vec<IpAddr>, NameError>;

/// The addresses of one name, once they are known.
pub struct Answer {
    /// To be noted with the answer; none if it was an address.
    name: Option<String>,
    state: State,
}

enum State {
    Asked(Pin<Box<dyn Future<Output = Addresses> + Send>>),
    /// Nobody has been told yet.
    Known(Addresses),
    Told(std::result::Result<vec::IntoIter<IpAddr>, NameError>),
}

impl Answer {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let State::Asked(answer) = &mut self.state {
            match answer.as_mut().poll(cx) {
                Poll::Ready(known) => self.state = State::Known(known),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(())
    }
}

#[wasmtime_wasi_io::async_trait]
impl Pollable for Answer {
    async fn ready(&mut self) {
        poll_fn(|cx| self.poll(cx)).await;
    }
}

impl Host for SocketsView<'_> {
    fn resolve_addresses(
        &mut self,
        network: Resource<Network>,
        name: String,
    ) -> Answered<Resource<Answer>> {
        self.table.get(&network)?;
        let query = Query::new(self.net, &name)?;
        let mut answer = Answer {
            name: query.name().map(str::to_string),
            state: State::Asked(Box::pin(query.answer())),
        };
        // The first look is what sends it to the resolver.
        let _ = answer.poll(&mut Context::from_waker(Waker::noop()));
        Ok(self.table.push(answer)?)
    }
}

impl HostResolveAddressStream for SocketsView<'_> {
    fn resolve_next_address(&mut self, answer: Resource<Answer>) -> Answered<Option<IpAddress>> {
        let answer = self.table.get_mut(&answer)?;
        if answer
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_pending()
        {
            return Err(ErrorCode::WouldBlock.into());
        }
        if let State::Known(known) = &mut answer.state {
            if let (Some(name), Ok(addresses)) = (&answer.name, &known) {
                self.net.note_answer(name, addresses);
            }
            let known = std::mem::replace(known, Err(NameError::Permanent));
            answer.state = State::Told(known.map(Vec::into_iter));
        }
        match &mut answer.state {
            State::Told(Ok(addresses)) => Ok(addresses.next().map(Into::into)),
            State::Told(Err(error)) => Err((*error).into()),
            State::Asked(_) | State::Known(_) => unreachable!("it was told just now"),
        }
    }

    fn subscribe(&mut self, answer: Resource<Answer>) -> Result<Resource<DynPollable>> {
        subscribe(self.table, answer)
    }

    fn drop(&mut self, answer: Resource<Answer>) -> Result<()> {
        self.table.delete(answer)?;
        Ok(())
    }
}
