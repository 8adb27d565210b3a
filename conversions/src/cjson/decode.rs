//! JSON into Lua values.
//!
//! Owns the grammar and its errors (`json_parse_*` in `lua_cjson.c`). Must not know how tokens
//! are spelt.

use redlua_core::{Raise, ValueWriter};

use super::config::Config;
use super::token::{Token, Tokens};
use crate::check::{Halt, Pace, STACK};

/// A table being built.
#[derive(Clone, Copy, Debug)]
pub(super) enum Frame {
    /// An array: the index of the element to come.
    Array(u32),
    /// An object; the key of the value to come is written.
    Object,
}

/// Writes the one value that `text` holds. Nesting is kept in `frames`, not on the stack of this
/// thread: a script may ask for any depth. `scratch` is for strings with escapes.
pub(super) fn decode(
    config: &Config,
    text: &[u8],
    scratch: &mut Vec<u8>,
    frames: &mut Vec<Frame>,
    out: &mut dyn ValueWriter,
) -> Result<(), Raise> {
    // JSON begins with two ASCII characters; a zero byte among them betrays another encoding.
    if let [0, _, ..] | [_, 0, ..] = text {
        return Err(Raise::message("JSON parser does not support UTF-16 or UTF-32"));
    }
    let tokens = Tokens::new(text, scratch, config.decode_invalid);
    frames.clear();
    let mut decoder = Decoder { tokens, frames, out, slots: 1, pace: Pace::default() };
    match decoder.document(config.decode_max_depth as usize) {
        Ok(()) => Ok(()),
        Err(wrong) => Err(decoder.raise(wrong)),
    }
}

struct Decoder<'a, 'b> {
    tokens: Tokens<'a, 'b>,
    frames: &'b mut Vec<Frame>,
    out: &'b mut dyn ValueWriter,
    /// The values that the original holds on its stack.
    slots: usize,
    pace: Pace,
}

/// What is wrong; small, since it travels with every token.
#[derive(Clone, Copy, Debug)]
enum Wrong {
    Deep,
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
                    self.descend(3, max_depth)?;
                    let key = self.tokens.next();
                    if key != Token::ObjectEnd {
                        self.frames.push(Frame::Object);
                        self.slots += 2;
                        token = self.key(key)?;
                        continue;
                    }
                }
                Token::ArrayBegin => {
                    self.descend(2, max_depth)?;
                    token = self.tokens.next();
                    if token != Token::ArrayEnd {
                        self.frames.push(Frame::Array(1));
                        self.slots += 1;
                        continue;
                    }
                }
                found => return Err(Wrong::Value(found)),
            }
            // The value is complete; so may be the tables around it.
            loop {
                match self.frames.last_mut() {
                    Some(Frame::Object) => {
                        self.out.set_pair();
                        match self.tokens.next() {
                            Token::Comma => {
                                let key = self.tokens.next();
                                token = self.key(key)?;
                                break;
                            }
                            Token::ObjectEnd => self.slots -= 2,
                            found => return Err(Wrong::ObjectNext(found)),
                        }
                    }
                    Some(Frame::Array(index)) => {
                        self.out.set_index(i64::from(*index));
                        match self.tokens.next() {
                            Token::Comma => {
                                *index += 1;
                                token = self.tokens.next();
                                break;
                            }
                            Token::ArrayEnd => self.slots -= 1,
                            found => return Err(Wrong::ArrayNext(found)),
                        }
                    }
                    None => {
                        return match self.tokens.next() {
                            Token::End => Ok(()),
                            found => Err(Wrong::End(found)),
                        };
                    }
                }
                self.frames.pop();
            }
        }
    }

    /// Begins a table, if there is room for it and `slots` values (`json_decode_descend`).
    #[inline]
    fn descend(&mut self, slots: usize, max_depth: usize) -> Result<(), Wrong> {
        let deep = self.frames.len() >= max_depth;
        if deep || self.slots + slots > STACK || !self.out.room(slots) {
            return Err(Wrong::Deep);
        }
        self.out.table(0, 0);
        Ok(())
    }

    /// Writes an object's key and returns the token behind its colon.
    #[inline]
    fn key(&mut self, key: Token) -> Result<Token, Wrong> {
        if key != Token::String {
            return Err(Wrong::Key(key));
        }
        self.out.string(self.tokens.string());
        match self.tokens.next() {
            Token::Colon => Ok(self.tokens.next()),
            found => Err(Wrong::Colon(found)),
        }
    }

    /// The error as the script sees it (`json_throw_parse_error`); positions count from 1.
    #[cold]
    fn raise(&self, wrong: Wrong) -> Raise {
        let (expected, found) = match wrong {
            Wrong::Deep => {
                let (depth, place) = (self.frames.len() + 1, self.tokens.at);
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
