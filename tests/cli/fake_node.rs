//! A server that speaks the control protocol as far as it is told what to say: nodes as they should not be.

use std::net::TcpListener;
use std::thread::{self, JoinHandle};

use tungstenite::Message;

/// What a node says first.
pub(crate) const HELLO: &str = r#"{"type":"hello","protocol":1,
 "node":{"name":"fake","version":"0.1.0","os_pid":1,"started_unix_ms":0,"workers":1,"cpus":1,"cpu":null,"os":"none"},
 "rights":["read"],"config":[],"lab":null,
 "limits":{"hz_max":60,"rows_max":1000,"frame_bytes_max":65536,"backlog_bytes_max":4194304}}"#;

pub(crate) struct FakeNode {
    pub(crate) at: String,
    talk: Option<JoinHandle<()>>,
}

impl FakeNode {
    /// For one client: hears a frame, says all of this, and says goodbye.
    pub(crate) fn start(says: &[&str]) -> FakeNode {
        FakeNode::start_many(&[says])
    }

    /// The same for several, one after the other; all but the first are not said goodbye.
    pub(crate) fn start_many(all: &[&[&str]]) -> FakeNode {
        let server = TcpListener::bind("127.0.0.1:0").expect("there is a port");
        let at = server.local_addr().expect("it has one").to_string();
        let texts = |says: &&[&str]| says.iter().map(|text| (*text).to_owned()).collect();
        let all: Vec<Vec<String>> = all.iter().map(texts).collect();
        let talk = thread::spawn(move || {
            for (number, says) in all.into_iter().enumerate() {
                let (stream, _) = server.accept().expect("somebody comes");
                let mut socket = tungstenite::accept(stream).expect("it speaks WebSocket");
                let _ = socket.read();
                for text in says {
                    let _ = socket.send(Message::text(text));
                }
                if number == 0 {
                    let _ = socket.close(None);
                }
                while socket.read().is_ok() {}
            }
        });
        FakeNode {
            at,
            talk: Some(talk),
        }
    }
}

impl Drop for FakeNode {
    fn drop(&mut self) {
        if let Some(talk) = self.talk.take() {
            let _ = talk.join();
        }
    }
}
