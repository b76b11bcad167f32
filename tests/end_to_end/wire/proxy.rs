//! A proxy between the binary and a store of S3 that does to requests and answers what networks and servers do on bad days.
//!
//! It speaks just enough HTTP/1.1: one thread a connection, one connection to the server a request, bodies held whole.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What happens to a request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The connection breaks before the server hears of it.
    DropBefore,
    /// The connection breaks in the middle of the request's body; the server gets that half.
    DropInRequest,
    /// The server does it, and the answer is lost.
    LoseAnswer,
    /// The server never hears of it; this status, these headers and this body come back.
    Answer(u16, &'static str, &'static str),
    /// The answer's head, half of its body, and then the end.
    HalfBody,
    /// The same in chunks.
    HalfChunked,
    /// The answer's head, half of its body, and then nothing more.
    StallInBody,
    /// Nothing comes at all.
    Stall,
    /// The answer comes without its body.
    EmptyBody,
    /// One bit of what is sent is turned over.
    FlipRequest,
}

/// Which requests meet a fault.
#[derive(Clone, Debug)]
pub struct Rule {
    method: &'static str,
    target: &'static str,
    times: usize,
    fault: Fault,
}

impl Rule {
    /// The first request of this method (any when empty) whose path and query have this text in them.
    pub fn first(method: &'static str, target: &'static str, fault: Fault) -> Self {
        Self { method, target, times: 1, fault }
    }

    /// Every one of them.
    pub fn always(method: &'static str, target: &'static str, fault: Fault) -> Self {
        Self { times: usize::MAX, ..Self::first(method, target, fault) }
    }

    fn applies(&mut self, request: &Request) -> bool {
        let meant = self.method.is_empty() || self.method == request.method;
        if !meant || !request.target.contains(self.target) || self.times == 0 {
            return false;
        }
        self.times -= 1;
        true
    }
}

enum Plan {
    Rules(Vec<Rule>),
    /// A state, and how many requests of a hundred meet a fault.
    Random(u64, u64),
}

struct State {
    server: String,
    plan: Mutex<Plan>,
    log: Mutex<Vec<String>>,
    faults: Mutex<usize>,
    ended: AtomicBool,
}

/// The proxy; it ends when it is dropped.
pub struct Proxy {
    address: SocketAddr,
    state: Arc<State>,
}

impl Proxy {
    /// Before a server (`http://HOST:PORT`), doing by these rules.
    pub fn with_rules(server: &str, rules: Vec<Rule>) -> Self {
        Self::start(server, Plan::Rules(rules))
    }

    /// Before a server, with faults by chance: so many requests of a hundred meet one.
    pub fn by_chance(server: &str, seed: u64, percent: u64) -> Self {
        Self::start(server, Plan::Random(seed, percent))
    }

    fn start(server: &str, plan: Plan) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            server: server.trim_start_matches("http://").to_owned(),
            plan: Mutex::new(plan),
            log: Mutex::default(),
            faults: Mutex::default(),
            ended: AtomicBool::new(false),
        });
        let shared = state.clone();
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                if shared.ended.load(Ordering::SeqCst) {
                    return;
                }
                let (Ok(connection), state) = (connection, shared.clone()) else { continue };
                std::thread::spawn(move || drop(serve(connection, &state)));
            }
        });
        Self { address, state }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on all is well.
    pub fn calm(&self) {
        self.becomes(Vec::new());
    }

    /// From now on these rules hold.
    pub fn becomes(&self, rules: Vec<Rule>) {
        *self.state.plan.lock().unwrap() = Plan::Rules(rules);
    }

    /// Method and target of each request.
    pub fn requests(&self) -> Vec<String> {
        self.state.log.lock().unwrap().clone()
    }

    /// How many requests met a fault.
    pub fn faults(&self) -> usize {
        *self.state.faults.lock().unwrap()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.state.ended.store(true, Ordering::SeqCst);
        // Wakes the listener.
        drop(TcpStream::connect(self.address));
    }
}

struct Request {
    method: String,
    target: String,
    head: String,
    body: Vec<u8>,
}

struct Reply {
    head: String,
    body: Vec<u8>,
}

impl State {
    fn fault(&self, request: &Request) -> Option<Fault> {
        self.log.lock().unwrap().push(format!("{} {}", request.method, request.target));
        let fault = match &mut *self.plan.lock().unwrap() {
            Plan::Rules(rules) => {
                rules.iter_mut().find_map(|rule| rule.applies(request).then(|| rule.fault.clone()))
            }
            Plan::Random(state, percent) => chance(state, *percent),
        };
        *self.faults.lock().unwrap() += usize::from(fault.is_some());
        fault
    }
}

/// A fault by chance. Those that take seconds to notice are left out.
fn chance(state: &mut u64, percent: u64) -> Option<Fault> {
    let mut draw = |below: u64| {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 33) % below
    };
    if draw(100) >= percent {
        return None;
    }
    let slow_down = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";
    Some(match draw(11) {
        0 => Fault::DropBefore,
        1 => Fault::DropInRequest,
        2 | 3 => Fault::LoseAnswer,
        4 => Fault::Answer(
            500,
            "",
            "<Error><Code>InternalError</Code><Message>We had a fault.</Message></Error>",
        ),
        5 => Fault::Answer(503, "", slow_down),
        6 => Fault::Answer(429, "Retry-After: 1\r\n", ""),
        7 => Fault::Answer(502, "Content-Type: text/html\r\n", "<html><h1>502 Bad Gateway</h1></html>"),
        8 => Fault::HalfBody,
        9 => Fault::HalfChunked,
        _ => Fault::FlipRequest,
    })
}

fn serve(connection: TcpStream, state: &State) -> io::Result<()> {
    let mut writer = connection.try_clone()?;
    let mut reader = BufReader::new(connection);
    while let Some(request) = read_request(&mut reader)? {
        match state.fault(&request) {
            None => {
                let reply = forward(state, &request, &request.body)?;
                write_reply(&mut writer, &request, &reply)?;
            }
            Some(fault) => {
                if !meet(fault, state, &request, &mut writer)? {
                    return writer.shutdown(Shutdown::Both);
                }
            }
        }
    }
    Ok(())
}

/// Lets a request meet its fault. Whether the connection lives on.
fn meet(fault: Fault, state: &State, request: &Request, writer: &mut TcpStream) -> io::Result<bool> {
    match fault {
        Fault::DropBefore => Ok(false),
        Fault::DropInRequest => {
            let mut server = TcpStream::connect(&state.server)?;
            server.write_all(request.head.as_bytes())?;
            server.write_all(&request.body[..request.body.len() / 2])?;
            server.shutdown(Shutdown::Both)?;
            Ok(false)
        }
        Fault::LoseAnswer => forward(state, request, &request.body).map(|_| false),
        Fault::Answer(status, headers, body) => {
            let head = format!("HTTP/1.1 {status} X\r\n{headers}");
            write_reply(writer, request, &Reply { head, body: body.as_bytes().to_vec() })?;
            Ok(true)
        }
        Fault::HalfBody | Fault::StallInBody => {
            let reply = forward(state, request, &request.body)?;
            write!(writer, "{}Content-Length: {}\r\n\r\n", reply.head, reply.body.len())?;
            writer.write_all(&reply.body[..reply.body.len() / 2])?;
            if matches!(fault, Fault::StallInBody) {
                wait_for_hang_up(writer)?;
            }
            Ok(false)
        }
        Fault::HalfChunked => {
            let reply = forward(state, request, &request.body)?;
            let half = &reply.body[..reply.body.len() / 2];
            write!(writer, "{}Transfer-Encoding: chunked\r\n\r\n", reply.head)?;
            if !half.is_empty() {
                write!(writer, "{:x}\r\n", half.len())?;
                writer.write_all(half)?;
                writer.write_all(b"\r\n")?;
            }
            Ok(false)
        }
        Fault::Stall => wait_for_hang_up(writer).map(|()| false),
        Fault::EmptyBody => {
            let reply = forward(state, request, &request.body)?;
            write_reply(writer, request, &Reply { body: Vec::new(), ..reply })?;
            Ok(true)
        }
        Fault::FlipRequest => {
            let mut body = request.body.clone();
            if let Some(byte) = body.last_mut() {
                *byte ^= 1;
            }
            let reply = forward(state, request, &body)?;
            write_reply(writer, request, &reply)?;
            Ok(true)
        }
    }
}

/// Waits until the client has had enough, however long that takes.
fn wait_for_hang_up(connection: &mut TcpStream) -> io::Result<()> {
    connection.set_read_timeout(Some(Duration::from_secs(600)))?;
    while connection.read(&mut [0; 1024])? > 0 {}
    Ok(())
}

fn read_head(reader: &mut impl BufRead) -> io::Result<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Ok(String::new());
        }
    }
    Ok(head)
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let lines = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
}

fn read_request(reader: &mut impl BufRead) -> io::Result<Option<Request>> {
    let head = read_head(reader)?;
    let mut words = head.split(' ');
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return Ok(None) };
    let length = header(&head, "content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some(Request { method: method.to_owned(), target: target.to_owned(), head: head.clone(), body }))
}

/// Hands a request on over a connection of its own. The head that comes back says nothing of the body's length.
fn forward(state: &State, request: &Request, body: &[u8]) -> io::Result<Reply> {
    let mut server = TcpStream::connect(&state.server)?;
    let (line, headers) = request.head.split_once("\r\n").unwrap();
    server.write_all(format!("{line}\r\nConnection: close\r\n{headers}").as_bytes())?;
    server.write_all(body)?;
    let mut reader = BufReader::new(server);
    let head = read_head(&mut reader)?;
    let mut body = Vec::new();
    if request.method != "HEAD" {
        match header(&head, "content-length") {
            Some(length) => reader.take(length.parse().unwrap()).read_to_end(&mut body)?,
            None if header(&head, "transfer-encoding").is_some() => read_chunks(&mut reader, &mut body)?,
            None => reader.read_to_end(&mut body)?,
        };
    }
    let of_framing = ["content-length", "transfer-encoding", "connection"];
    let keeps = |line: &&str| {
        let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
        !line.is_empty()
            && (request.method == "HEAD" && name == "content-length" || !of_framing.contains(&name.as_str()))
    };
    let head = head.split("\r\n").filter(keeps).map(|line| format!("{line}\r\n")).collect();
    Ok(Reply { head, body })
}

fn read_chunks(reader: &mut impl BufRead, body: &mut Vec<u8>) -> io::Result<usize> {
    loop {
        let mut size = String::new();
        reader.read_line(&mut size)?;
        let size = u64::from_str_radix(size.trim(), 16).unwrap_or(0);
        reader.by_ref().take(size).read_to_end(body)?;
        reader.read_line(&mut String::new())?;
        if size == 0 {
            return Ok(body.len());
        }
    }
}

fn write_reply(writer: &mut TcpStream, request: &Request, reply: &Reply) -> io::Result<()> {
    let no_body = request.method == "HEAD" || reply.head.starts_with("HTTP/1.1 204");
    let length = match no_body {
        true => String::new(),
        false => format!("Content-Length: {}\r\n", reply.body.len()),
    };
    write!(writer, "{}{length}\r\n", reply.head)?;
    if !no_body {
        writer.write_all(&reply.body)?;
    }
    writer.flush()
}
