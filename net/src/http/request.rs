//! Requests, from bytes: what is one, what is not one yet, and what never will be.

use httparse::Status;

use crate::limit::{HEADERS_MAX, Limits};

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    method: String,
    target: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    keeps_alive: bool,
}

impl Request {
    /// `GET`, say.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// What is asked for, without the part behind a `?`.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The part of what is asked for that stands behind the first `?`; empty if there is none.
    pub fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// The first header of this name, whatever its case; as the client wrote it.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        let mut found = self.headers.iter();
        let found = found.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_slice())
    }

    /// The body, whole; empty if there is none.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The key of a client that wants to speak WebSocket, version 13, from now on (RFC 6455, 4.2.1).
    pub(crate) fn websocket_key(&self) -> Option<&[u8]> {
        let says = |name: &str, word: &str| {
            let value = self.header(name).unwrap_or_default();
            let mut words = value.split(|byte| *byte == b',');
            words.any(|one| one.trim_ascii().eq_ignore_ascii_case(word.as_bytes()))
        };
        let asked = self.method == "GET" && says("connection", "upgrade");
        let asked = asked && says("upgrade", "websocket") && says("sec-websocket-version", "13");
        self.header("sec-websocket-key").filter(|_| asked)
    }

    /// The client wants the connection for further requests.
    pub(crate) fn keeps_alive(&self) -> bool {
        self.keeps_alive
    }
}

/// What the bytes of a connection are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parsed {
    /// The beginning of a request. It is no use to look again before this much has come.
    Partial(Wanted),
    /// A request, in so many of the bytes.
    Whole(Request, usize),
}

/// What must come before a look at a request is worth while. A head is looked at line by line, a body once: a client that
/// sends byte by byte costs no look for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// The end of a line, or as much as a head may be long.
    Line,
    /// So many bytes in all.
    Bytes(usize),
}

impl Wanted {
    /// Is it there? `new` are those of `len` bytes that have not been looked at.
    pub(crate) fn is_there(self, new: &[u8], len: usize, limits: &Limits) -> bool {
        match self {
            Wanted::Line => new.contains(&b'\n') || len >= limits.head_bytes_max,
            Wanted::Bytes(wanted) => len >= wanted,
        }
    }
}

/// Why bytes are no request that is served. Nothing behind them can be understood either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Malformed,
    BodyTooLong,
    HeadTooLong,
    /// A body of a kind that is not understood.
    Encoding,
    Version,
    /// It did not come in time.
    Late,
}

impl Refused {
    pub(crate) fn status(self) -> u16 {
        match self {
            Refused::Malformed => 400,
            Refused::Late => 408,
            Refused::BodyTooLong => 413,
            Refused::HeadTooLong => 431,
            Refused::Encoding => 501,
            Refused::Version => 505,
        }
    }
}

/// Reads the first request of `bytes`.
pub(crate) fn parse(bytes: &[u8], limits: &Limits) -> Result<Parsed, Refused> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut head = httparse::Request::new(&mut headers);
    let used = match head.parse(bytes) {
        Ok(Status::Complete(used)) if used <= limits.head_bytes_max => used,
        Ok(Status::Partial) if bytes.len() < limits.head_bytes_max => {
            return Ok(Parsed::Partial(Wanted::Line));
        }
        Ok(_) | Err(httparse::Error::TooManyHeaders) => return Err(Refused::HeadTooLong),
        Err(httparse::Error::Version) => return Err(Refused::Version),
        Err(_) => return Err(Refused::Malformed),
    };
    let len = body_len(head.headers)?;
    if len > limits.body_bytes_max {
        return Err(Refused::BodyTooLong);
    }
    let Some(body) = bytes.get(used..used + len) else {
        return Ok(Parsed::Partial(Wanted::Bytes(used + len)));
    };
    let headers = head.headers.iter();
    let headers = headers.map(|header| (header.name.to_owned(), header.value.to_vec()));
    let request = Request {
        method: head.method.unwrap_or_default().to_owned(),
        target: head.path.unwrap_or_default().to_owned(),
        keeps_alive: keeps_alive(head.version, head.headers),
        headers: headers.collect(),
        body: body.to_vec(),
    };
    Ok(Parsed::Whole(request, used + len))
}

/// How long the body is. Two lengths that differ, or one that is no number, are refused: what this
/// server takes for a body, another one before it may take for a request.
fn body_len(headers: &[httparse::Header<'_>]) -> Result<usize, Refused> {
    let mut len = None;
    for header in headers {
        if header.name.eq_ignore_ascii_case("transfer-encoding") {
            return Err(Refused::Encoding);
        }
        if header.name.eq_ignore_ascii_case("content-length") {
            let digits = header.value.iter().all(u8::is_ascii_digit);
            let text = std::str::from_utf8(header.value).ok().filter(|_| digits);
            let said: usize = text
                .and_then(|text| text.parse().ok())
                .ok_or(match digits {
                    true if !header.value.is_empty() => Refused::BodyTooLong,
                    _ => Refused::Malformed,
                })?;
            if len.is_some_and(|len| len != said) {
                return Err(Refused::Malformed);
            }
            len = Some(said);
        }
    }
    Ok(len.unwrap_or(0))
}

fn keeps_alive(version: Option<u8>, headers: &[httparse::Header<'_>]) -> bool {
    let mut said = headers
        .iter()
        .filter(|header| header.name.eq_ignore_ascii_case("connection"));
    let says = |header: &httparse::Header<'_>, word: &[u8]| {
        let mut words = header.value.split(|byte| *byte == b',');
        words.any(|one| one.trim_ascii().eq_ignore_ascii_case(word))
    };
    match version {
        Some(1) => !said.any(|header| says(header, b"close")),
        _ => said.any(|header| says(header, b"keep-alive")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &[u8] = b"POST /a/b?c=d?e HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";

    fn refused(bytes: &[u8]) -> u16 {
        parse(bytes, &Limits::default())
            .expect_err("it is none")
            .status()
    }

    #[test]
    fn a_request_is_whole_at_its_last_byte_and_not_before() {
        let limits = Limits::default();
        for cut in 0..WHOLE.len() {
            let wanted = match parse(&WHOLE[..cut], &limits) {
                Ok(Parsed::Partial(wanted)) => wanted,
                other => panic!("{cut}: {other:?}"),
            };
            assert!(
                wanted.is_there(&WHOLE[cut..], WHOLE.len(), &limits),
                "{cut}"
            );
        }
        let more = [WHOLE, b"GET"].concat();
        let Ok(Parsed::Whole(request, used)) = parse(&more, &limits) else {
            panic!("it is one");
        };
        assert_eq!(used, WHOLE.len());
        assert_eq!((request.method(), request.path()), ("POST", "/a/b"));
        assert_eq!(request.query(), "c=d?e");
        assert_eq!(request.header("HOST"), Some(&b"x"[..]));
        assert_eq!(request.header("accept"), None);
        assert_eq!(request.body(), b"hello");
        assert!(request.keeps_alive());
    }

    #[test]
    fn what_is_no_request_is_refused_with_its_reason() {
        for (bytes, status) in [
            (&b"\0\0\0\0"[..], 400),
            (b"GET / HTTP/2.0\r\n\r\n", 505),
            (b"GET / HTTP/1.1\r\nbad header\r\n\r\n", 400),
            (
                b"GET / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
                400,
            ),
            (b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nContent-Length:\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nContent-Length: 65537\r\n\r\n", 413),
            (
                b"GET / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
                413,
            ),
            (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 501),
        ] {
            assert_eq!(refused(bytes), status, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn a_head_without_end_is_refused_at_the_limit() {
        let limits = Limits {
            head_bytes_max: 100,
            ..Limits::default()
        };
        let head = [b"GET /".to_vec(), vec![b'a'; 200]].concat();
        let partial = Ok(Parsed::Partial(Wanted::Line));
        assert_eq!(parse(&head[..99], &limits), partial);
        assert!(
            !Wanted::Line.is_there(b"a", 99, &limits) && Wanted::Line.is_there(b"a", 100, &limits)
        );
        assert_eq!(parse(&head[..100], &limits), Err(Refused::HeadTooLong));
        let mut many = b"GET / HTTP/1.1\r\n".to_vec();
        many.extend(b"a: b\r\n".repeat(HEADERS_MAX + 1));
        assert_eq!(refused(&many), 431);
    }

    #[test]
    fn who_does_not_say_otherwise_keeps_the_connection_since_http_1_1() {
        for (head, keeps) in [
            ("HTTP/1.1\r\n", true),
            ("HTTP/1.1\r\nConnection: upgrade, Close\r\n", false),
            ("HTTP/1.0\r\n", false),
            ("HTTP/1.0\r\nconnection: Keep-Alive\r\n", true),
        ] {
            let bytes = format!("GET / {head}\r\n");
            match parse(bytes.as_bytes(), &Limits::default()) {
                Ok(Parsed::Whole(request, _)) => assert_eq!(request.keeps_alive(), keeps, "{head}"),
                other => panic!("{head}: {other:?}"),
            }
        }
    }
}
