//! What a script returns: a Lua value becomes a reply.
//!
//! Owns the rules of `luaReplyToRedisReply` in `script_lua.c`. Must not know where the reply
//! goes.

use std::cell::Cell;

use redlua_core::{Kind, Protocol, ReplySink, Seq, ValueReader};
use smallvec::SmallVec;

use super::scale::Scale;

/// Pushes the value under the cursor of `value` into `sink`.
///
/// | Lua value | reply |
/// |---|---|
/// | string | bulk |
/// | number | integer, its fraction cut off |
/// | `true`, `false` | 1 and null under `setresp(2)`, a boolean under `setresp(3)` |
/// | `{err = text}` | error |
/// | `{ok = text}` | status |
/// | `{double = n}`, `{map = t}`, `{set = t}`, `{big_number = s}`, `{verbatim_string = {format, string}}` | the RESP3 value, flattened by a RESP2 sink |
/// | other tables | array up to the first nil |
/// | anything else | null |
///
/// `script` is what the script chose with `redis.setresp`; the consumer's own version is the
/// sink's matter. The cursor ends where it began. Nothing recurses: depth is limited by
/// [`ValueReader::room`], and what does not fit becomes the error `reached lua stack limit`.
pub fn value_to_reply(value: &mut dyn ValueReader, script: Protocol, sink: &mut dyn ReplySink) {
    walk(value, script, sink, || true);
}

/// Whether what [`value_to_reply`] is going to push takes no more than about `most` bytes. The same
/// table may be met again and again inside others, so that a reply is not bounded by what the
/// script holds. `go_on` is asked now and then; when it says no, so does this, and then the cursor
/// is left where it is.
pub fn reply_fits(
    value: &mut dyn ValueReader,
    script: Protocol,
    most: usize,
    mut go_on: impl FnMut() -> bool,
) -> bool {
    let bytes = Cell::new(0);
    let mut turns: u32 = 0;
    let finished = walk(value, script, &mut Scale(&bytes), || {
        turns = turns.wrapping_add(1);
        bytes.get() <= most && (!turns.is_multiple_of(8192) || go_on())
    });
    finished && bytes.get() <= most
}

/// Pushes a value, as long as `go_on` says so; whether it came to the end.
fn walk(
    value: &mut dyn ValueReader,
    script: Protocol,
    sink: &mut dyn ReplySink,
    mut go_on: impl FnMut() -> bool,
) -> bool {
    let mut open: SmallVec<[Open; 8]> = SmallVec::new();
    if let Some(container) = begin(value, script, sink, 0) {
        open.push(container);
    }
    while let Some(container) = open.last_mut() {
        if !go_on() {
            return false;
        }
        let inner = match &mut container.kind {
            Container::Array { next, len } => {
                if *next > *len {
                    None
                } else {
                    value.enter_index(*next);
                    *next += 1;
                    Some(1)
                }
            }
            Container::Map { at_value: true } => {
                container.kind = Container::Map { at_value: false };
                Some(0)
            }
            Container::Map { at_value } => {
                if value.next() {
                    value.key();
                    *at_value = true;
                    Some(1)
                } else {
                    None
                }
            }
            Container::Set => value.next_key().then_some(1),
        };
        match inner {
            Some(exits) => {
                if let Some(container) = begin(value, script, sink, exits) {
                    open.push(container);
                } else {
                    leave(value, exits);
                }
            }
            None => {
                let exits = container.exits;
                open.pop();
                leave(value, exits);
            }
        }
    }
    true
}

/// A number as the integer a reply shows: cut off towards zero; what no 64-bit integer holds
/// becomes the smallest one, as the cast does on x86-64.
///
/// ```
/// use redlua_conversions::script::integer;
/// assert_eq!(integer(-3.9), -3);
/// assert_eq!(integer(f64::NAN), i64::MIN);
/// ```
pub fn integer(value: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&value) { value as i64 } else { i64::MIN }
}

/// A container whose elements are being pushed.
struct Open {
    kind: Container,
    /// How often to leave when it is complete.
    exits: u8,
}

enum Container {
    Array { next: i64, len: i64 },
    Map { at_value: bool },
    Set,
}

fn leave(value: &mut dyn ValueReader, exits: u8) {
    for _ in 0..exits {
        value.leave();
    }
}

/// Pushes the value under the cursor when it is a scalar; begins it and returns it when it has
/// elements. `exits` is how often to leave after it.
fn begin(
    value: &mut dyn ValueReader,
    script: Protocol,
    sink: &mut dyn ReplySink,
    exits: u8,
) -> Option<Open> {
    if !value.room(4) {
        sink.error(b"ERR reached lua stack limit");
        return None;
    }
    match value.kind() {
        Kind::String => sink.bulk(value.bytes()),
        Kind::Number => {
            sink.integer(value.integer().unwrap_or_else(|| integer(value.number())));
        }
        Kind::Boolean => match (script, value.boolean()) {
            (Protocol::Resp3, boolean) => sink.boolean(boolean),
            (Protocol::Resp2, true) => sink.integer(1),
            (Protocol::Resp2, false) => sink.null(),
        },
        Kind::Table => return begin_table(value, sink, exits),
        _ => sink.null(),
    }
    None
}

fn begin_table(value: &mut dyn ValueReader, sink: &mut dyn ReplySink, exits: u8) -> Option<Open> {
    if scalar_field(value, b"err", Kind::String, |v| sink.error(&line(v.bytes())))
        || scalar_field(value, b"ok", Kind::String, |v| sink.status(c_string(v.bytes())))
        || scalar_field(value, b"double", Kind::Number, |v| sink.double(v.number()))
    {
        return None;
    }
    if value.enter_field(b"map") == Kind::Table {
        sink.map(pairs(value));
        value.iterate();
        return Some(Open { kind: Container::Map { at_value: false }, exits: exits + 1 });
    }
    value.leave();
    if value.enter_field(b"set") == Kind::Table {
        sink.seq(Seq::Set, pairs(value));
        value.iterate();
        return Some(Open { kind: Container::Set, exits: exits + 1 });
    }
    value.leave();
    if scalar_field(value, b"big_number", Kind::String, |v| sink.big_number(&blanked(v.bytes())))
        || verbatim(value, sink)
    {
        return None;
    }
    let mut len = 0;
    while value.enter_index(len + 1) != Kind::Nil {
        value.leave();
        len += 1;
    }
    value.leave();
    sink.seq(Seq::Array, usize::try_from(len).unwrap_or(0));
    Some(Open { kind: Container::Array { next: 1, len }, exits })
}

/// Runs `push` on the field when it is of the given kind.
fn scalar_field(
    value: &mut dyn ValueReader,
    name: &[u8],
    kind: Kind,
    push: impl FnOnce(&mut dyn ValueReader),
) -> bool {
    let found = value.enter_field(name) == kind;
    if found {
        push(value);
    }
    value.leave();
    found
}

fn verbatim(value: &mut dyn ValueReader, sink: &mut dyn ReplySink) -> bool {
    let mut found = false;
    if value.enter_field(b"verbatim_string") == Kind::Table {
        let mut format = None;
        if value.enter_field(b"format") == Kind::String {
            let mut bytes = [b' '; 3];
            for (to, from) in bytes.iter_mut().zip(value.bytes()) {
                *to = *from;
            }
            format = Some(bytes);
        }
        value.leave();
        if let Some(format) = format {
            found = scalar_field(value, b"string", Kind::String, |v| {
                sink.verbatim(format, v.bytes());
            });
        }
    }
    value.leave();
    found
}

fn pairs(value: &mut dyn ValueReader) -> usize {
    let mut count = 0;
    value.iterate();
    while value.next() {
        count += 1;
    }
    count
}

/// The text up to the first NUL: Redis reads these fields as C strings.
fn c_string(bytes: &[u8]) -> &[u8] {
    bytes.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// An error's text: a C string without line ends after it.
fn line(bytes: &[u8]) -> Vec<u8> {
    let text = c_string(bytes);
    let end = text.iter().rposition(|b| !matches!(b, b'\r' | b'\n')).map_or(0, |last| last + 1);
    text.get(..end).unwrap_or_default().to_vec()
}

/// Digits whose line ends are blanks.
fn blanked(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|&b| if matches!(b, b'\r' | b'\n') { b' ' } else { b }).collect()
}
