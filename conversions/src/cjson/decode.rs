//! JSON into Lua values.
//!
//! Owns the grammar and its errors (`json_parse_*` in `lua_cjson.c`). Must not know how tokens
//! are spelt.

use redlua_core::{Raise, ValueWriter};

use super::config::Config;
use super::token::{Token, Tokens};
use crate::check::{Halt, Pace, STACK};
use crate::gather::{Gather, LIST, Parts, RECORD, WAITING};

/// A table being built.
#[derive(Clone, Copy, Debug)]
pub(super) enum Frame {
    /// An array: the index of the element to come.
    Array(u32),
    /// An object; the key of the value to come is written.
    Object,
    /// An array whose elements wait.
    List(Parts),
    /// An object whose pairs wait.
    Record(Parts),
}

/// What decoding uses again and again.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    frames: Vec<Frame>,
    gather: Gather,
}

/// Writes the one value that `text` holds. Nesting is kept in `scratch`, not on the stack of this
/// thread: a script may ask for any depth. `unescaped` is for strings with escapes.
pub(super) fn decode(
    config: &Config,
    text: &[u8],
    unescaped: &mut Vec<u8>,
    scratch: &mut Scratch,
    out: &mut dyn ValueWriter,
) -> Result<(), Raise> {
    // JSON begins with two ASCII characters; a zero byte among them betrays another encoding.
    if let [0, _, ..] | [_, 0, ..] = text {
        return Err(Raise::message("JSON parser does not support UTF-16 or UTF-32"));
    }
    let mut gathers = out.gathers();
    loop {
        scratch.gather.begin(gathers);
        scratch.frames.clear();
        let tokens = Tokens::new(text, unescaped, config.decode_invalid);
        let mut decoder = Decoder { tokens, scratch, out, slots: 1, pace: Pace::default() };
        match decoder.document(config.decode_max_depth as usize) {
            Ok(()) => return Ok(()),
            Err(Wrong::Cramped) => {}
            Err(wrong) => return Err(decoder.raise(wrong)),
        }
        // What waits takes room that so deep a text needs.
        gathers = false;
        out.restart();
    }
}

struct Decoder<'a, 'b> {
    tokens: Tokens<'a, 'b>,
    scratch: &'b mut Scratch,
    out: &'b mut dyn ValueWriter,
    /// The values that the original holds on its stack.
    slots: usize,
    pace: Pace,
}

/// What is wrong; small, since it travels with every token.
#[derive(Clone, Copy, Debug)]
enum Wrong {
    Deep,
    /// There is no room only because tables wait.
    Cramped,
    Value(Token),
    Key(Token),
    Colon(Token),
    ArrayNext(Token),
    ObjectNext(Token),
    End(Token),
    Halt(Halt),
}

impl From<Halt> for Wrong {
    fn from(halt: Halt) -> Wrong {
        Wrong::Halt(halt)
    }
}

impl Decoder<'_, '_> {
    fn document(&mut self, max_depth: usize) -> Result<(), Wrong> {
        let mut token = self.tokens.next();
        loop {
            self.pace.step(self.out)?;
            match token {
                Token::String => self.out.string(self.tokens.string()),
                Token::Number => self.out.number(self.tokens.number),
                Token::True => self.out.boolean(true),
                Token::False => self.out.boolean(false),
                Token::Null => self.out.null_pointer(),
                Token::ObjectBegin => {
                    if let Some(first) = self.object(max_depth)? {
                        token = first;
                        continue;
                    }
                }
                Token::ArrayBegin => {
                    if let Some(first) = self.array(max_depth)? {
                        token = first;
                        continue;
                    }
                }
                found => return Err(Wrong::Value(found)),
            }
            // The value is complete; so may be the tables around it.
            loop {
                let Some(frame) = self.scratch.frames.last_mut() else {
                    return match self.tokens.next() {
                        Token::End => Ok(()),
                        found => Err(Wrong::End(found)),
                    };
                };
                match frame {
                    Frame::Object => self.out.set_pair(),
                    Frame::Array(index) => {
                        self.out.set_index(i64::from(*index));
                        *index += 1;
                    }
                    Frame::Record(parts) | Frame::List(parts) => parts.add(false),
                }
                match (self.tokens.separator(), &frame) {
                    (Token::Comma, Frame::Record(record)) => {
                        if record.len() == RECORD {
                            self.scratch.gather.end_record(record, self.out);
                            *frame = Frame::Object;
                        }
                        let key = self.tokens.next();
                        token = self.key(key)?;
                        break;
                    }
                    (Token::Comma, Frame::List(list)) => {
                        if list.len() == LIST {
                            self.scratch.gather.end_list(list, self.out);
                            *frame = Frame::Array(LIST + 1);
                        }
                        token = self.tokens.next();
                        break;
                    }
                    (Token::Comma, Frame::Object) => {
                        let key = self.tokens.next();
                        token = self.key(key)?;
                        break;
                    }
                    (Token::Comma, Frame::Array(_)) => {
                        token = self.tokens.next();
                        break;
                    }
                    (Token::ObjectEnd, Frame::Record(record)) => {
                        self.scratch.gather.end_record(record, self.out);
                        self.slots -= 2;
                    }
                    (Token::ArrayEnd, Frame::List(list)) => {
                        self.scratch.gather.end_list(list, self.out);
                        self.slots -= 1;
                    }
                    (Token::ObjectEnd, Frame::Object) => self.slots -= 2,
                    (Token::ArrayEnd, Frame::Array(_)) => self.slots -= 1,
                    (found, Frame::Object | Frame::Record(_)) => {
                        return Err(Wrong::ObjectNext(found));
                    }
                    (found, Frame::Array(_) | Frame::List(_)) => {
                        return Err(Wrong::ArrayNext(found));
                    }
                }
                self.scratch.frames.pop();
            }
        }
    }

    /// Begins an object; returns the token of its first value, unless it is empty.
    #[inline]
    fn object(&mut self, max_depth: usize) -> Result<Option<Token>, Wrong> {
        let waits = self.descend(3, max_depth)?;
        let key = self.tokens.next();
        if key == Token::ObjectEnd {
            self.out.table(0, 0);
            return Ok(None);
        }
        let frame = if waits {
            Frame::Record(self.scratch.gather.table(self.out))
        } else {
            self.out.table(0, 0);
            Frame::Object
        };
        self.scratch.frames.push(frame);
        self.slots += 2;
        self.key(key).map(Some)
    }

    /// Begins an array; returns the token of its first value, unless it is empty.
    #[inline]
    fn array(&mut self, max_depth: usize) -> Result<Option<Token>, Wrong> {
        let waits = self.descend(2, max_depth)?;
        let first = self.tokens.next();
        if first == Token::ArrayEnd {
            self.out.table(0, 0);
            return Ok(None);
        }
        let frame = if waits {
            Frame::List(self.scratch.gather.table(self.out))
        } else {
            self.out.table(0, 0);
            Frame::Array(1)
        };
        self.scratch.frames.push(frame);
        self.slots += 1;
        Ok(Some(first))
    }

    /// Makes sure that there is room for a table and `slots` values (`json_decode_descend`).
    /// Returns whether its contents may wait.
    #[inline]
    fn descend(&mut self, slots: usize, max_depth: usize) -> Result<bool, Wrong> {
        let depth = self.scratch.frames.len();
        if depth >= max_depth || self.slots + slots > STACK {
            return Err(Wrong::Deep);
        }
        let waits = self.scratch.gather.allows(depth);
        if self.out.room(if waits { WAITING } else { slots }) {
            return Ok(waits);
        }
        Err(if self.scratch.gather.is_on() { Wrong::Cramped } else { Wrong::Deep })
    }

    /// Writes an object's key and returns the token behind its colon.
    #[inline]
    fn key(&mut self, key: Token) -> Result<Token, Wrong> {
        if key != Token::String {
            return Err(Wrong::Key(key));
        }
        let name = self.tokens.string();
        self.out.string(name);
        if let Some(Frame::Record(_)) = self.scratch.frames.last() {
            self.scratch.gather.key(name);
        }
        match self.tokens.separator() {
            Token::Colon => Ok(self.tokens.next()),
            found => Err(Wrong::Colon(found)),
        }
    }

    /// The error as the script sees it (`json_throw_parse_error`); positions count from 1.
    #[cold]
    fn raise(&self, wrong: Wrong) -> Raise {
        let (expected, found) = match wrong {
            Wrong::Deep | Wrong::Cramped => {
                let (depth, place) = (self.scratch.frames.len() + 1, self.tokens.at);
                return Raise::message(format!(
                    "Found too many nested data structures ({depth}) at character {place}"
                ));
            }
            Wrong::Value(found) => ("value", found),
            Wrong::Key(found) => ("object key string", found),
            Wrong::Colon(found) => ("colon", found),
            Wrong::ArrayNext(found) => ("comma or array end", found),
            Wrong::ObjectNext(found) => ("comma or object end", found),
            Wrong::End(found) => ("the end", found),
            Wrong::Halt(halt) => return halt.into(),
        };
        let (found, place) = (self.tokens.name(found), self.tokens.start + 1);
        Raise::message(format!("Expected {expected} but found {found} at character {place}"))
    }
}
