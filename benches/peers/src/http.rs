//! As much of HTTP/1.1 as both ends of a benchmark need: a request as bytes, and a whole response in a buffer.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

pub fn request(method: &str, path: &str, cookie: Option<&str>) -> Vec<u8> {
    let cookie = cookie
        .map(|pairs| format!("cookie: {pairs}\r\n"))
        .unwrap_or_default();
    let length = if method == "POST" {
        "content-length: 0\r\n"
    } else {
        ""
    };
    // A browser's name: some contenders read it, and it must stay the same.
    format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nuser-agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n{length}{cookie}\r\n")
        .into_bytes()
}

pub struct Response<'a> {
    pub status: u16,
    pub head: &'a [u8],
    pub body: &'a [u8],
    /// How much of the buffer it was.
    pub length: usize,
}

/// The response at the beginning of `buffer`, once all of it is there. Every server here says its length.
pub fn parse(buffer: &[u8]) -> Option<Response<'_>> {
    let head_length = find(buffer, b"\r\n\r\n")? + 4;
    let head = &buffer[..head_length];
    let status = std::str::from_utf8(head.get(9..12)?).ok()?.parse().ok()?;
    let body_length = match find(head, b"content-length: ") {
        Some(at) => head[at + 16..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0')),
        None => 0,
    };
    let length = head_length + body_length;
    let body = buffer.get(head_length..length)?;
    Some(Response {
        status,
        head,
        body,
        length,
    })
}

pub fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

/// A client for what is not measured: signing in, and probing.
pub struct Client {
    address: SocketAddr,
    stream: Option<TcpStream>,
    patience: Duration,
}

#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub body: String,
    pub cookies: String,
}

impl Client {
    pub fn new(address: SocketAddr, patience: Duration) -> Self {
        Self {
            address,
            stream: None,
            patience,
        }
    }

    pub fn exchange(&mut self, request: &[u8]) -> io::Result<Reply> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => TcpStream::connect(self.address)?,
        };
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(self.patience))?;
        stream.write_all(request)?;
        let mut buffer = Vec::new();
        let mut chunk = [0; 4096];
        let reply = loop {
            let read = stream.read(&mut chunk)?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            buffer.extend_from_slice(&chunk[..read]);
            if let Some(response) = parse(&buffer) {
                break Reply {
                    status: response.status,
                    body: String::from_utf8_lossy(response.body).into_owned(),
                    cookies: cookies(&String::from_utf8_lossy(response.head)),
                };
            }
        };
        // A late answer must not be taken for the next one, so a stream goes back only after a whole exchange.
        self.stream = Some(stream);
        Ok(reply)
    }
}

/// The pairs of all `Set-Cookie` lines, as a browser sends them back: the last one of a name counts.
fn cookies(head: &str) -> String {
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    for line in head.lines() {
        let Some(cookie) = line.strip_prefix("set-cookie: ") else {
            continue;
        };
        let pair = cookie.split(';').next().unwrap_or_default();
        let Some((name, value)) = pair.split_once('=') else {
            continue;
        };
        pairs.retain(|(known, _)| *known != name);
        if !value.is_empty() {
            pairs.push((name, value));
        }
    }
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("; ")
}
