//! The step debugger behind `SCRIPT DEBUG`, which `redis-cli --ldb` talks to.
//!
//! Owns the rules of the `ldb` functions in `eval.c` of redis-server 7.0: when a script stops,
//! what the commands of the one who debugs do, and every line of text. Must not know where the
//! bytes come from, nor how a Lua engine walks its call stack.
//!
//! | part | owns |
//! |---|---|
//! | this file | the session: what stops the script, the lines not yet sent |
//! | `listen` | commands out of bytes |
//! | `prompt` | what each command does |
//! | `source` | the script's lines, the breakpoints |
//! | `values`, `replies` | Lua values and replies as text |

mod listen;
mod prompt;
mod replies;
mod source;
mod values;

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use redlua_core::{Arguments, Pause, Protocol, StopReason, StopToken};

use source::Source;

/// Where the one who debugs is: the connection that sent the `EVAL`, in both directions, taken
/// over for the session. Reading waits for bytes; none, or an error, means that it is closed.
pub trait Console: Read + Write {}

impl<C: Read + Write> Console for C {}

/// What stops a script whose chunk has this in its name.
const CHUNK: &[u8] = b"user_script";
/// Longer lines are cut, until `maxlen` says otherwise (`LDB_MAX_LEN_DEFAULT`).
const MAX_LEN: usize = 256;
/// No value's text becomes longer than this, whatever `maxlen` says.
const LONGEST: usize = 16 << 20;
/// What has not been sent is dropped beyond this many bytes: a script may log in a loop.
const UNSENT: usize = 64 << 20;
/// How many words of a command are shown.
const WORDS: usize = 10;

/// A debugging session.
pub(crate) struct Debugger<'a> {
    console: &'a mut dyn Console,
    source: Source,
    /// Lines to be sent at the next stop.
    lines: Vec<Vec<u8>>,
    /// How many bytes they have.
    unsent: usize,
    /// Bytes received that are no whole command yet.
    received: Vec<u8>,
    /// Whether the next line stops, and commands and errors are shown meanwhile.
    step: bool,
    /// Whether `redis.breakpoint` was called.
    breakpoint: bool,
    /// Longer values are cut; 0 for never.
    max_len: usize,
    /// Whether it was said how to see values whole.
    hinted: bool,
    /// When the script last went on.
    resumed: Instant,
    /// Stops the script for good.
    stop: StopToken,
}

impl<'a> Debugger<'a> {
    /// A session on the script of this source text, which stops at its first line.
    pub(crate) fn new(console: &'a mut dyn Console, source: &[u8]) -> Self {
        Debugger {
            console,
            source: Source::new(source),
            lines: Vec::new(),
            unsent: 0,
            received: Vec::new(),
            step: true,
            breakpoint: false,
            max_len: MAX_LEN,
            hinted: false,
            resumed: Instant::now(),
            stop: StopToken::default(),
        }
    }

    /// The script begins; `stop` ends it.
    pub(crate) fn begin(&mut self, stop: StopToken) {
        self.stop = stop;
        self.resumed = Instant::now();
    }

    /// Sends what there is to say and the mark of the end (`ldbEndSession`).
    pub(crate) fn end(&mut self) {
        self.log(b"<endsession>".to_vec());
        self.send();
    }

    /// `redis.breakpoint`: the next line stops.
    pub(crate) fn stop_at_next(&mut self) {
        self.breakpoint = true;
    }

    /// `redis.debug` (`luaRedisDebugCommand`).
    pub(crate) fn print(&mut self, args: &mut dyn Arguments) {
        let mut text = format!("<debug> line {}: ", self.source.current()).into_bytes();
        for index in 0..args.count() {
            if index > 0 {
                text.extend_from_slice(b", ");
            }
            args.select(index);
            values::append(args, LONGEST, &mut text);
        }
        self.log(text);
    }

    /// A command of the script, or of the one who debugs, is about to run.
    pub(crate) fn command(&mut self, argv: &[&[u8]]) {
        if !self.step {
            return;
        }
        let mut line = b"<redis>".to_vec();
        for word in argv.iter().take(WORDS) {
            line.push(b' ');
            line.extend_from_slice(word);
        }
        if let Some(more) = argv.len().checked_sub(WORDS + 1) {
            line.extend_from_slice(format!(" ... ({more} more)").as_bytes());
        }
        self.log(line);
    }

    /// The reply to the command, as RESP bytes.
    pub(crate) fn reply(&mut self, resp: &[u8], protocol: Protocol) {
        if self.step {
            let mut line = b"<reply> ".to_vec();
            replies::append(resp, protocol, &mut line);
            self.log_value(line);
        }
    }

    /// An error table has been made for the script, of this text (`luaPushErrorBuff` in
    /// `script_lua.c`).
    pub(crate) fn error(&mut self, text: &[u8]) {
        if self.step {
            self.log([b"<error> ", text].concat());
        }
    }

    /// Whether the script is to stop here, and if so why (`luaLdbLineHook`).
    fn reason(&mut self, pause: Pause, at: Spot, patience: Duration) -> Option<&'static str> {
        self.source.go_to(at.line);
        let breakpoint = self.source.is_breakpoint(at.line) || self.breakpoint;
        if !at.inside {
            return None;
        }
        let late =
            pause == Pause::Tick && !self.step && !breakpoint && self.resumed.elapsed() >= patience;
        match (self.breakpoint, breakpoint, late) {
            (true, ..) => Some("redis.breakpoint() called"),
            (_, true, _) => Some("break point"),
            (.., true) => Some(TIMEOUT),
            // What is stepped over is a line, or a long one's next instructions.
            _ => self.step.then_some("step over"),
        }
    }

    /// The script goes on.
    fn resume(&mut self) {
        self.resumed = Instant::now();
    }

    /// The script is to end whatever it catches: nobody listens and it does not come to an end.
    fn give_up(&self) {
        self.stop.stop(StopReason::Host);
    }

    /// Keeps a line for the next stop.
    fn log(&mut self, line: Vec<u8>) {
        if self.unsent <= UNSENT {
            self.unsent += line.len();
            self.lines.push(line);
        }
    }

    /// The same for one that is cut when it is long (`ldbLogWithMaxLen`).
    fn log_value(&mut self, mut line: Vec<u8>) {
        let cut = self.max_len > 0 && line.len() > self.max_len;
        if cut {
            line.truncate(self.max_len);
            line.extend_from_slice(b" ...");
        }
        self.log(line);
        if cut && !self.hinted {
            self.hinted = true;
            let hint = "<hint> The above reply was trimmed. Use 'maxlen 0' to disable trimming.";
            self.log(hint.into());
        }
    }

    /// How much of a value's text is worth making.
    fn room(&self) -> usize {
        if self.max_len > 0 { self.max_len + 1 } else { LONGEST }
    }

    /// Sends the lines kept: an array of statuses (`ldbSendLogs`). One who is gone hears
    /// nothing; that is found out by reading.
    fn send(&mut self) {
        let mut bytes = format!("*{}\r\n", self.lines.len()).into_bytes();
        for line in self.lines.drain(..) {
            bytes.push(b'+');
            bytes.extend(line.iter().map(|byte| match byte {
                b'\r' | b'\n' => b' ',
                other => *other,
            }));
            bytes.extend_from_slice(b"\r\n");
        }
        self.unsent = 0;
        let _ = self.console.write_all(&bytes).and_then(|()| self.console.flush());
    }
}

/// Why a script stops that has run for too long.
const TIMEOUT: &str = "timeout reached, infinite loop?";

/// Where a script is.
#[derive(Clone, Copy, Debug)]
struct Spot {
    line: i64,
    /// Whether that is a line of the script, and not of a chunk it has loaded.
    inside: bool,
}

/// A text up to its first NUL, as C takes it.
fn c_str(bytes: &[u8]) -> &[u8] {
    bytes.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// `atoi`: what stands there as a number, 0 for none. Too large ones lose their upper bits, as
/// they do with glibc.
fn atoi(bytes: &[u8]) -> i32 {
    let start = bytes.iter().position(|byte| !matches!(byte, b' ' | 9..=13));
    let text = bytes.get(start.unwrap_or(bytes.len())..).unwrap_or_default();
    let (negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    };
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    let value = digits.fold(0i64, |value, digit| {
        let digit = i64::from(digit - b'0');
        value.saturating_mul(10).saturating_add(if negative { -digit } else { digit })
    });
    value as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_c_reads_them() {
        let cases: [(&[u8], i32); 8] = [
            (b"12", 12),
            (b" \t-7x", -7),
            (b"+3", 3),
            (b"", 0),
            (b"x", 0),
            (b"4294967297", 1),
            (b"99999999999999999999", -1),
            (b"-99999999999999999999", 0),
        ];
        for (text, value) in cases {
            assert_eq!(atoi(text), value, "{}", String::from_utf8_lossy(text));
        }
    }
}
