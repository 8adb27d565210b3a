//! JSON into Lua values.
//!
//! Owns the grammar and its errors (`json_parse_*` in `lua_cjson.c`). Must not know how tokens
//! are spelt.

use redlua_core::{Raise, ValueWriter};

use super::config::Config;
use super::token::{Token, Tokens};
use crate::check::STACK;

/// A table being built.
#[derive(Clone, Copy, Debug)]
pub(super) enum Frame {
    /// An array: the index of the element to come.
    Array(i64),
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
    Decoder { config, tokens, frames, out, slots: 1 }.document()
}

struct Decoder<'a, 'b> {
    config: &'b Config,
    tokens: Tokens<'a, 'b>,
    frames: &'b mut Vec<Frame>,
    out: &'b mut dyn ValueWriter,
    /// The values that the original holds on its stack.
    slots: usize,
}

impl<'a> Decoder<'a, '_> {
    fn document(&mut self) -> Result<(), Raise> {
        let mut token = self.tokens.next();
        loop {
            token = match token {
                Token::Plain(text) => {
                    self.out.string(text);
                    self.complete()?
                }
                Token::Escaped => {
                    self.out.string(self.tokens.unescaped);
                    self.complete()?
                }
                Token::Number(number) => {
                    self.out.number(number);
                    self.complete()?
                }
                Token::Boolean(boolean) => {
                    self.out.boolean(boolean);
                    self.complete()?
                }
                Token::Null => {
                    self.out.null_pointer();
                    self.complete()?
                }
                Token::ObjectBegin => {
                    self.descend(3)?;
                    match self.tokens.next() {
                        Token::ObjectEnd => self.complete()?,
                        key => {
                            self.frames.push(Frame::Object);
                            self.slots += 2;
                            Some(self.key(key)?)
                        }
                    }
                }
                Token::ArrayBegin => {
                    self.descend(2)?;
                    match self.tokens.next() {
                        Token::ArrayEnd => self.complete()?,
                        element => {
                            self.frames.push(Frame::Array(1));
                            self.slots += 1;
                            Some(element)
                        }
                    }
                }
                found => return Err(self.unexpected("value", found)),
            }
            .unwrap_or(Token::End);
            if self.frames.is_empty() {
                return Ok(());
            }
        }
    }

    /// Begins a table, if there is room for it and `slots` values (`json_decode_descend`).
    fn descend(&mut self, slots: usize) -> Result<(), Raise> {
        let depth = self.frames.len() + 1;
        let deep = depth > self.config.decode_max_depth as usize;
        if deep || self.slots + slots > STACK || !self.out.room(slots) {
            let place = self.tokens.at;
            return Err(Raise::message(format!(
                "Found too many nested data structures ({depth}) at character {place}"
            )));
        }
        self.out.table(0, 0);
        Ok(())
    }

    /// Writes an object's key and returns the token behind its colon.
    fn key(&mut self, key: Token<'a>) -> Result<Token<'a>, Raise> {
        match key {
            Token::Plain(text) => self.out.string(text),
            Token::Escaped => self.out.string(self.tokens.unescaped),
            found => return Err(self.unexpected("object key string", found)),
        }
        match self.tokens.next() {
            Token::Colon => Ok(self.tokens.next()),
            found => Err(self.unexpected("colon", found)),
        }
    }

    /// Puts the value just written where it belongs, and so on outwards while tables end.
    /// Returns the token of the next value, or none at the end of the text.
    #[inline]
    fn complete(&mut self) -> Result<Option<Token<'a>>, Raise> {
        loop {
            match self.frames.last_mut() {
                None => {
                    return match self.tokens.next() {
                        Token::End => Ok(None),
                        found => Err(self.unexpected("the end", found)),
                    };
                }
                Some(Frame::Array(index)) => {
                    self.out.set_index(*index);
                    match self.tokens.next() {
                        Token::Comma => {
                            *index += 1;
                            return Ok(Some(self.tokens.next()));
                        }
                        Token::ArrayEnd => self.slots -= 1,
                        found => return Err(self.unexpected("comma or array end", found)),
                    }
                }
                Some(Frame::Object) => {
                    self.out.set_pair();
                    match self.tokens.next() {
                        Token::Comma => {
                            let key = self.tokens.next();
                            return self.key(key).map(Some);
                        }
                        Token::ObjectEnd => self.slots -= 2,
                        found => return Err(self.unexpected("comma or object end", found)),
                    }
                }
            }
            self.frames.pop();
        }
    }

    /// `json_throw_parse_error`; positions count from 1.
    fn unexpected(&self, expected: &str, found: Token<'_>) -> Raise {
        let (found, place) = (found.name(), self.tokens.start + 1);
        Raise::message(format!("Expected {expected} but found {found} at character {place}"))
    }
}
