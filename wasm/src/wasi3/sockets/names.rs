//! `wasi:sockets/ip-name-lookup` 0.3: the resolver works on the blocking pool.

use wasmtime::Result;
use wasmtime::component::Accessor;

use super::bindings::wasi::sockets::ip_name_lookup::{ErrorCode, Host, HostWithStore};
use super::bindings::wasi::sockets::types::IpAddress;
use super::convert::NameFailure;
use super::{Sockets, SocketsView};
use crate::net::Query;

impl Host for SocketsView<'_> {
    fn convert_error_code(&mut self, failure: NameFailure) -> Result<ErrorCode> {
        Ok(failure.into())
    }
}

impl<T: Send> HostWithStore<T> for Sockets {
    async fn resolve_addresses(
        store: &Accessor<T, Self>,
        name: String,
    ) -> std::result::Result<Vec<IpAddress>, NameFailure> {
        let query = store.with(|mut store| Query::new(store.get().net, &name));
        let query = query.map_err(NameFailure)?;
        let name = query.name().map(str::to_string);
        let found = query.answer().await.map_err(NameFailure)?;
        if let Some(name) = name {
            store.with(|mut store| store.get().net.note_answer(&name, &found));
        }
        Ok(found.into_iter().map(Into::into).collect())
    }
}
