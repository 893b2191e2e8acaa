//! A client of the control protocol, for people's commands: it asks, and waits for the answer.
//!
//! Whatever it waits for it waits for in vain at some time, and then says so.

mod error;

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use rusm_observe::protocol::{Ask, Code, Command, Frame, Hello, PROTOCOL, Select};
use serde_json::Value;
use tungstenite::{HandshakeError, Message, WebSocket};

pub(crate) use error::ClientError;

/// Where nodes listen unless somebody says otherwise.
pub(crate) const PORT: u16 = 9460;
/// For a node to take the connection, and to say who it is.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);
/// For an answer.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);
/// Reading always waits for some time: none at all would be no limit.
const READ_TIME_MIN: Duration = Duration::from_millis(1);
/// Frames that come while an answer is waited for, beyond which a node talks but does not answer.
const HELD_MAX: usize = 10_000;

/// One connection to a node.
pub(crate) struct Client {
    socket: WebSocket<TcpStream>,
    at: String,
    /// What opened it.
    token: Option<String>,
    hello: Hello,
    /// The number of the latest command.
    asked: u64,
    /// What came while an answer was waited for.
    held: VecDeque<Frame>,
}

impl Client {
    /// Connects to the node at `at`, and says the token if there is one.
    pub(crate) fn connect(at: &str, token: Option<&str>) -> Result<Client, ClientError> {
        let at = with_port(at);
        let stream = reach(&at)?;
        let not_a_node = |why: String| ClientError::NotANode {
            at: at.clone(),
            why,
        };
        let url = format!("ws://{at}/control");
        let (mut socket, _) = tungstenite::client(url, stream).map_err(|why| match why {
            HandshakeError::Failure(why) => not_a_node(why.to_string()),
            HandshakeError::Interrupted(_) => not_a_node("it does not answer".into()),
        })?;
        let hello = Command::Hello {
            protocol: PROTOCOL,
            token: token.map(str::to_owned),
        };
        let hello = Ask {
            id: None,
            command: hello,
        };
        let sent = socket.send(Message::text(hello.encode()));
        sent.map_err(|why| not_a_node(why.to_string()))?;
        let until = Instant::now() + CONNECT_TIME_MAX;
        match read(&mut socket, until).map_err(&not_a_node)? {
            Some(Frame::Hello(hello)) => Ok(Client {
                socket,
                at,
                token: token.map(str::to_owned),
                hello: *hello,
                asked: 0,
                held: VecDeque::new(),
            }),
            Some(Frame::Error { refusal, .. }) => Err(match refusal.code {
                Code::NotAllowed => ClientError::Token { at, refusal },
                Code::BadVersion => ClientError::Version { at, refusal },
                _ => ClientError::Refused { at, refusal },
            }),
            Some(_) => Err(not_a_node("its first frame is no `hello`".into())),
            None => Err(not_a_node("it does not answer".into())),
        }
    }

    /// Who the node is.
    pub(crate) fn hello(&self) -> &Hello {
        &self.hello
    }

    /// Its address, with the port.
    pub(crate) fn at(&self) -> &str {
        &self.at
    }

    /// The token that opened it, if one was needed.
    pub(crate) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// For whoever waits for it and something else.
    pub(crate) fn stream(&self) -> &TcpStream {
        self.socket.get_ref()
    }

    /// Has something done; what came of it.
    pub(crate) fn ask(&mut self, command: Command) -> Result<Value, ClientError> {
        self.asked += 1;
        let asked = Some(self.asked);
        let ask = Ask { id: asked, command };
        let sent = self.socket.send(Message::text(ask.encode()));
        sent.map_err(|why| self.lost(why.to_string()))?;
        let until = Instant::now() + ANSWER_TIME_MAX;
        while self.held.len() < HELD_MAX {
            match self.read(until)? {
                Some(Frame::Done { id, result }) if id == asked => return Ok(result),
                Some(Frame::Error { id, refusal }) if id == asked => {
                    return Err(ClientError::Said(refusal));
                }
                Some(frame) => self.held.push_back(frame),
                None => break,
            }
        }
        Err(self.lost("it does not answer".into()))
    }

    /// Has something sent from now on.
    pub(crate) fn select(&mut self, select: Select) -> Result<(), ClientError> {
        self.ask(Command::Select(select)).map(drop)
    }

    /// Waits for the first frame of which `wanted` makes something, and drops those before.
    pub(crate) fn wait_for<T>(
        &mut self,
        mut wanted: impl FnMut(Frame) -> Option<T>,
    ) -> Result<T, ClientError> {
        let until = Instant::now() + ANSWER_TIME_MAX;
        while let Some(frame) = self.next(until)? {
            if let Some(found) = wanted(frame) {
                return Ok(found);
            }
        }
        Err(self.lost("it does not answer".into()))
    }

    /// The next frame; `None`: none has come until then.
    pub(crate) fn next(&mut self, until: Instant) -> Result<Option<Frame>, ClientError> {
        match self.held.pop_front() {
            Some(frame) => Ok(Some(frame)),
            None => self.read(until),
        }
    }

    fn read(&mut self, until: Instant) -> Result<Option<Frame>, ClientError> {
        match read(&mut self.socket, until) {
            Ok(Some(Frame::Error { refusal, .. })) if refusal.fatal => {
                Err(self.lost(refusal.message))
            }
            Ok(frame) => Ok(frame),
            Err(why) => Err(self.lost(why)),
        }
    }

    fn lost(&self, why: String) -> ClientError {
        ClientError::Lost {
            at: self.at.clone(),
            why,
        }
    }
}

/// `localhost` is `localhost:9460`, and `::1` is `[::1]:9460`.
pub(crate) fn with_port(at: &str) -> String {
    let bare = at.strip_prefix("http://").unwrap_or(at);
    let bare = bare.trim_end_matches('/');
    if let Ok(ip) = bare.parse::<std::net::IpAddr>() {
        return SocketAddr::new(ip, PORT).to_string();
    }
    let port = bare.rsplit_once(':').map(|(_, port)| port);
    match port.is_some_and(|port| port.parse::<u16>().is_ok()) {
        true => bare.to_owned(),
        false => format!("{bare}:{PORT}"),
    }
}

fn reach(at: &str) -> Result<TcpStream, ClientError> {
    let unreachable = |why: String| ClientError::Unreachable { at: at.into(), why };
    let places = at.to_socket_addrs();
    let places = places.map_err(|why| unreachable(why.to_string()))?;
    let mut latest = "it has no address".to_owned();
    for place in places {
        match TcpStream::connect_timeout(&place, CONNECT_TIME_MAX) {
            Ok(stream) => {
                let set = stream
                    .set_read_timeout(Some(CONNECT_TIME_MAX))
                    .and_then(|()| stream.set_write_timeout(Some(ANSWER_TIME_MAX)))
                    .and_then(|()| stream.set_nodelay(true));
                set.map_err(|why| unreachable(why.to_string()))?;
                return Ok(stream);
            }
            Err(why) => latest = why.to_string(),
        }
    }
    Err(unreachable(latest))
}

/// The next frame; `None`: none has come until then.
fn read(socket: &mut WebSocket<TcpStream>, until: Instant) -> Result<Option<Frame>, String> {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let stream = socket.get_ref();
        stream
            .set_read_timeout(Some(left.max(READ_TIME_MIN)))
            .map_err(|why| why.to_string())?;
        match socket.read() {
            Ok(Message::Text(text)) => {
                let frame = serde_json::from_str(&text);
                return frame.map(Some).map_err(|why| no_frame(&why));
            }
            Ok(Message::Close(_)) => return Err("it has closed the connection".into()),
            Ok(_) => {}
            Err(tungstenite::Error::Io(why)) => match why.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut if Instant::now() >= until => {
                    return Ok(None);
                }
                ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => {}
                _ => return Err(why.to_string()),
            },
            Err(why) => return Err(why.to_string()),
        }
    }
}

fn no_frame(why: &serde_json::Error) -> String {
    format!("it said what is no frame of protocol {PROTOCOL}: {why}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_a_port_has_the_usual_one() {
        for (typed, meant) in [
            ("127.0.0.1", "127.0.0.1:9460"),
            ("127.0.0.1:80", "127.0.0.1:80"),
            ("::1", "[::1]:9460"),
            ("[::1]:80", "[::1]:80"),
            ("localhost", "localhost:9460"),
            ("http://localhost:80/", "localhost:80"),
        ] {
            assert_eq!(with_port(typed), meant, "{typed}");
        }
    }
}
