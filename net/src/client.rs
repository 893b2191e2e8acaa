//! A client for one thing: posting a body to a server of ours or of a neighbour, over plain HTTP/1.1.

use std::io;
use std::time::Duration;

use httparse::Status;
use rusm_io::TcpStream;

use crate::limit::HEADERS_MAX;

/// For a whole exchange.
const EXCHANGE_TIME_MAX: Duration = Duration::from_secs(10);
/// Bytes of a reply that are read: its status is all that is wanted.
const REPLY_BYTES_MAX: usize = 16 * 1024;

/// What is posted, and where.
#[derive(Clone, Copy, Debug)]
pub struct Post<'a> {
    /// The server, as `host:port`.
    pub to: &'a str,
    /// The path on it, with its slash.
    pub path: &'a str,
    /// The type of the body.
    pub content_type: &'a str,
    /// Further headers. Line ends in them make it fail.
    pub headers: &'a [(String, String)],
    /// The body.
    pub body: &'a [u8],
}

impl Post<'_> {
    /// Sends it over a connection of its own; the status of the reply. Called by processes.
    ///
    /// # Errors
    /// The system's; `TimedOut` after ten seconds; `InvalidData` if what comes back is no HTTP; `InvalidInput` if a
    /// header has line ends.
    pub async fn send(&self) -> io::Result<u16> {
        let exchange = rusm_sched::within(EXCHANGE_TIME_MAX, self.exchange()).await;
        exchange.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()))
    }

    async fn exchange(&self) -> io::Result<u16> {
        let head = self.head()?;
        let mut stream = TcpStream::connect_to(self.to).await?;
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(self.body).await?;
        let (mut bytes, mut some) = (Vec::new(), [0; 1024]);
        loop {
            let count = stream.read(&mut some).await?;
            bytes.extend_from_slice(&some[..count]);
            match status(&bytes) {
                Some(status) => return status,
                None if count == 0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                None if bytes.len() > REPLY_BYTES_MAX => return Err(no_http()),
                None => {}
            }
        }
    }

    fn head(&self) -> io::Result<String> {
        let Post {
            to,
            path,
            content_type,
            body,
            ..
        } = self;
        let len = body.len();
        let mut head = format!(
            "POST {path} HTTP/1.1\r\nHost: {to}\r\nContent-Type: {content_type}\r\nContent-Length: {len}\r\n"
        );
        for (name, value) in self.headers {
            if format!("{name}{value}").contains(['\r', '\n']) {
                return Err(io::ErrorKind::InvalidInput.into());
            }
            head += &format!("{name}: {value}\r\n");
        }
        head += "Connection: close\r\n\r\n";
        Ok(head)
    }
}

/// The status of a reply, once its head is whole.
fn status(bytes: &[u8]) -> Option<io::Result<u16>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut head = httparse::Response::new(&mut headers);
    match head.parse(bytes) {
        Ok(Status::Complete(_)) => Some(head.code.ok_or_else(no_http)),
        Ok(Status::Partial) => None,
        Err(_) => Some(Err(no_http())),
    }
}

fn no_http() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "what came back is no HTTP/1.1")
}
