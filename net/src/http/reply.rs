//! Replies, to bytes.

use std::borrow::Cow;

/// From here on the connection speaks something else.
pub(crate) const SWITCHING: u16 = 101;

/// One reply. Its length and whether the connection stays are added when it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    status: u16,
    headers: Vec<(&'static str, Cow<'static, str>)>,
    body: Vec<u8>,
}

impl Reply {
    /// Without a body.
    pub fn new(status: u16) -> Self {
        Reply {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// One line or more of plain text.
    pub fn text(status: u16, text: impl Into<String>) -> Self {
        Reply::new(status).with_body("text/plain; charset=utf-8", text.into().into_bytes())
    }

    /// Yes to a client that wants to speak WebSocket: [`Handler::talk`](crate::Handler::talk) goes on.
    /// One that does not is told 426.
    pub fn websocket() -> Self {
        Reply::new(SWITCHING)
    }

    /// With this body, of this type.
    pub fn with_body(self, content_type: &'static str, body: Vec<u8>) -> Self {
        Reply { body, ..self }.with_header("Content-Type", content_type)
    }

    /// With one more header. A value must be of one line: line ends in it become spaces.
    pub fn with_header(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        let mut value = value.into();
        if value.contains(['\r', '\n']) {
            value = value.replace(['\r', '\n'], " ").into();
        }
        self.headers.push((name, value));
        self
    }

    /// Its status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// As it goes over the wire. `head_only`: the question was HEAD.
    pub(crate) fn encode(&self, keeps_alive: bool, head_only: bool) -> Vec<u8> {
        let connection = if keeps_alive { "keep-alive" } else { "close" };
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        if self.status == SWITCHING {
            head += "Connection: Upgrade\r\n\r\n";
            return head.into_bytes();
        }
        head += &format!("Content-Length: {}\r\n", self.body.len());
        head += &format!("Connection: {connection}\r\n\r\n");
        let mut bytes = head.into_bytes();
        if !head_only {
            bytes.extend_from_slice(&self.body);
        }
        bytes
    }
}

/// The words that go with a status; for people, programs do not read them.
fn reason(status: u16) -> &'static str {
    match status {
        101 => "Switching Protocols",
        200 => "OK",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        426 => "Upgrade Required",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_says_how_long_it_is_and_whether_the_connection_stays() {
        let reply = Reply::text(404, "gone\n").with_header("X-Why", "one\r\ntwo");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it is text");
        assert_eq!(
            text(reply.encode(true, false)),
            "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain; charset=utf-8\r\n\
             X-Why: one  two\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\ngone\n"
        );
        let head = text(reply.encode(false, true));
        assert!(head.ends_with("Content-Length: 5\r\nConnection: close\r\n\r\n"));
    }
}
