//! A client outside of the node, in a thread of its own: reads the metrics, or has the overview or a table of processes
//! sent by the control protocol, while it is told to look.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusm_observe::protocol::{Ask, By, Command, PROTOCOL, RowsWanted, Select};
use tungstenite::{Error, Message, WebSocket};

use crate::failure::Failure;

/// Processes in a table.
const ROWS: usize = 100;
/// Between two looks at what is wanted, while nothing comes.
const PATIENCE: Duration = Duration::from_millis(5);

/// What is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// `/metrics`, so many times a second.
    Metrics,
    /// The overview, as often.
    Ticks,
    /// The processes that spend most, twice a second, and no overview.
    Table,
}

pub(super) struct Looker {
    pub(super) looks: Arc<AtomicBool>,
    /// What has come so far.
    seen: Arc<AtomicU64>,
    ended: Arc<AtomicBool>,
    thread: JoinHandle<io::Result<()>>,
}

impl Looker {
    pub(super) fn start(at: SocketAddr, view: View, hz: u32) -> Result<Self, Failure> {
        let stream = TcpStream::connect(at)?;
        let looker = Work {
            view,
            hz,
            looks: Arc::default(),
            seen: Arc::default(),
            ended: Arc::default(),
        };
        let (looks, seen, ended) = (
            looker.looks.clone(),
            looker.seen.clone(),
            looker.ended.clone(),
        );
        let thread = match view {
            View::Metrics => thread::spawn(move || looker.read_pages(stream)),
            View::Ticks | View::Table => {
                stream.set_read_timeout(Some(PATIENCE))?;
                let socket = greet(stream, at)?;
                thread::spawn(move || looker.hear(socket))
            }
        };
        Ok(Looker {
            looks,
            seen,
            ended,
            thread,
        })
    }

    /// Ends it; how much it has seen.
    pub(super) fn end(self) -> Result<u64, Failure> {
        self.ended.store(true, Relaxed);
        self.thread.join().expect("it panics at nothing")?;
        Ok(self.seen.load(Relaxed))
    }
}

/// The thread's part.
struct Work {
    view: View,
    hz: u32,
    looks: Arc<AtomicBool>,
    seen: Arc<AtomicU64>,
    ended: Arc<AtomicBool>,
}

impl Work {
    fn read_pages(&self, mut stream: TcpStream) -> io::Result<()> {
        let every = Duration::from_secs(1) / self.hz;
        while !self.ended.load(Relaxed) {
            if self.looks.load(Relaxed) {
                match read_page(&mut stream) {
                    Ok(()) => self.seen.fetch_add(1, Relaxed),
                    // The node has stopped meanwhile: after the last part.
                    Err(_) if !self.looks.load(Relaxed) => break,
                    Err(why) => return Err(why),
                };
            }
            thread::sleep(every);
        }
        Ok(())
    }

    fn hear(&self, mut socket: WebSocket<TcpStream>) -> io::Result<()> {
        let mut looked = false;
        while !self.ended.load(Relaxed) {
            let looks = self.looks.load(Relaxed);
            if looks != looked {
                looked = looks;
                match say(&mut socket, self.wish(looks)) {
                    Err(_) if !looks => break,
                    said => said?,
                }
            }
            match socket.read() {
                Ok(Message::Text(text)) if is_seen(self.view, &text) => {
                    self.seen.fetch_add(1, Relaxed);
                }
                Ok(_) => {}
                Err(Error::Io(why)) if waits(why.kind()) => {}
                Err(_) if !self.looks.load(Relaxed) => break,
                Err(why) => return Err(io::Error::other(why)),
            }
        }
        Ok(())
    }

    fn wish(&self, looks: bool) -> Command {
        match (self.view, looks) {
            (View::Table, _) => Command::Select(Select {
                rows: Some(looks.then(|| RowsWanted {
                    by: By::Reductions,
                    window: true,
                    limit: ROWS,
                    filter: String::new(),
                })),
                ..Select::default()
            }),
            (_, true) => Command::SetObserverDetail { hz: self.hz },
            (_, false) => Command::SetObserverDetail { hz: 0 },
        }
    }
}

fn waits(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

fn is_seen(view: View, text: &str) -> bool {
    let kind = match view {
        View::Table => "\"type\":\"rows\"",
        View::Metrics | View::Ticks => "\"type\":\"tick\"",
    };
    text.contains(kind)
}

/// Connects to the control protocol, and asks for nothing yet.
fn greet(stream: TcpStream, at: SocketAddr) -> Result<WebSocket<TcpStream>, Failure> {
    let url = format!("ws://{at}/control");
    let refused = |why| Failure::Usage(format!("the node does not speak with us: {why}"));
    let mut handshake = tungstenite::client(url, stream);
    let mut socket = loop {
        match handshake {
            Ok((socket, _)) => break socket,
            Err(tungstenite::HandshakeError::Interrupted(again)) => handshake = again.handshake(),
            Err(tungstenite::HandshakeError::Failure(why)) => {
                return Err(refused(why.to_string()));
            }
        }
    };
    let hello = Command::Hello {
        protocol: PROTOCOL,
        token: None,
    };
    say(&mut socket, hello)?;
    say(&mut socket, Command::SetObserverDetail { hz: 0 })?;
    Ok(socket)
}

fn say(socket: &mut WebSocket<TcpStream>, command: Command) -> io::Result<()> {
    let text = Ask { id: None, command }.encode();
    socket.send(Message::text(text)).map_err(io::Error::other)
}

/// Reads the metrics once; the connection stays.
fn read_page(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(b"GET /metrics HTTP/1.1\r\n\r\n")?;
    let (mut bytes, mut buffer) = (Vec::new(), [0; 16 * 1024]);
    while !is_whole(&bytes) {
        match stream.read(&mut buffer)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            count => bytes.extend_from_slice(&buffer[..count]),
        }
    }
    Ok(())
}

/// Has the reply come to its end, as its length says?
fn is_whole(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let len = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "));
    len.and_then(|len| len.parse().ok()) == Some(body.len())
}
