//! Tokens, as `llex.c` of Lua 5.1 finds them.
//!
//! Owns the reading of characters and the messages about them. Must not know which token may
//! stand where.

use std::borrow::Cow;

use super::{Edit, Target, Wanted, chunk_id};
use crate::number;

/// What stands in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A character that is a token itself.
    Char(u8),
    /// A reserved word or an operator of several characters, as it is written.
    Word(&'static str),
    Name,
    Number,
    String,
    End,
}

/// The reserved words.
const WORDS: [&str; 21] = [
    "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "if", "in", "local",
    "nil", "not", "or", "repeat", "return", "then", "true", "until", "while",
];

/// Reads tokens; keeps one ahead.
pub(super) struct Lexer<'a> {
    source: &'a [u8],
    /// Where the next character is.
    at: usize,
    pub(super) line: usize,
    /// The line of the token before the current one.
    pub(super) last_line: usize,
    pub(super) token: Token,
    /// Where the current token begins and ends.
    pub(super) start: usize,
    pub(super) end: usize,
    /// Where the token before the current one ends.
    pub(super) last_end: usize,
    /// What was read of the token, as messages show it.
    text: Vec<u8>,
    ahead: Option<Ahead>,
    name: &'a [u8],
    target: &'a Target,
    wanted: &'a Wanted<'a>,
    pub(super) edits: Vec<Edit>,
    /// How many tokens there were before the current one.
    pub(super) tokens: usize,
}

/// The token after the current one.
struct Ahead {
    token: Token,
    start: usize,
    end: usize,
    text: Vec<u8>,
}

type Result<T> = std::result::Result<T, Vec<u8>>;

/// What nobody sees of a chunk that is not wanted any more.
const GIVEN_UP: &[u8] = b"given up";

/// What one note takes: a list of them is there twice while it grows, and its text is a block.
const NOTE: usize = 3 * size_of::<Edit>() + 32;

impl<'a> Lexer<'a> {
    pub(super) fn new(
        source: &'a [u8],
        name: &'a [u8],
        target: &'a Target,
        wanted: &'a Wanted<'a>,
    ) -> Self {
        Lexer {
            source,
            at: 0,
            line: 1,
            last_line: 1,
            token: Token::End,
            start: 0,
            end: 0,
            last_end: 0,
            text: Vec::new(),
            ahead: None,
            name,
            target,
            wanted,
            edits: Vec::new(),
            tokens: 0,
        }
    }

    /// Moves to the next token (`luaX_next`).
    pub(super) fn next(&mut self) -> Result<()> {
        if self.wanted.tick() {
            return Err(GIVEN_UP.to_vec());
        }
        self.last_line = self.line;
        self.last_end = self.end;
        self.tokens += usize::from(self.end > 0);
        if let Some(ahead) = self.ahead.take() {
            (self.token, self.start, self.end) = (ahead.token, ahead.start, ahead.end);
            self.text = ahead.text;
            return Ok(());
        }
        self.token = self.read()?;
        self.end = self.at;
        Ok(())
    }

    /// The token after the current one (`luaX_lookahead`).
    pub(super) fn look_ahead(&mut self) -> Result<Token> {
        let text = std::mem::take(&mut self.text);
        let (start, end) = (self.start, self.end);
        let token = self.read()?;
        self.ahead = Some(Ahead {
            token,
            start: self.start,
            end: self.at,
            text: std::mem::replace(&mut self.text, text),
        });
        (self.start, self.end) = (start, end);
        Ok(token)
    }

    /// The bytes of the current token.
    pub(super) fn word(&self) -> &'a [u8] {
        self.source.get(self.start..self.end).unwrap_or_default()
    }

    /// An error at the current token (`luaX_syntaxerror`).
    pub(super) fn error(&self, message: &str) -> Vec<u8> {
        self.error_near(message, Some(self.token))
    }

    /// `luaX_lexerror`.
    pub(super) fn error_near(&self, message: &str, token: Option<Token>) -> Vec<u8> {
        let mut out = chunk_id(self.name);
        out.extend_from_slice(format!(":{}: {message}", self.line).as_bytes());
        // The token of a NUL is the number that stands for none.
        if let Some(token) = token.filter(|token| *token != Token::Char(0)) {
            out.extend_from_slice(b" near '");
            out.extend_from_slice(&self.shown(token));
            out.push(b'\'');
        }
        out
    }

    /// A token as messages show it (`txtToken`).
    fn shown(&self, token: Token) -> Vec<u8> {
        match token {
            Token::Name | Token::String | Token::Number => {
                self.text.iter().copied().take_while(|&byte| byte != 0).collect()
            }
            other => describe(other),
        }
    }

    fn current(&self) -> Option<u8> {
        self.source.get(self.at).copied()
    }

    fn save(&mut self) {
        if let Some(byte) = self.current() {
            self.text.push(byte);
            self.at += 1;
        }
    }

    fn is(&self, matches: impl Fn(&u8) -> bool) -> bool {
        self.source.get(self.at).is_some_and(matches)
    }

    /// `inclinenumber`: two different characters of line ends are one.
    fn new_line(&mut self) {
        let first = self.current();
        self.at += 1;
        if self.is(|byte| matches!(byte, b'\n' | b'\r')) && self.current() != first {
            self.at += 1;
        }
        self.line += 1;
    }

    fn read(&mut self) -> Result<Token> {
        self.text.clear();
        loop {
            self.start = self.at;
            let Some(byte) = self.current() else { return Ok(Token::End) };
            match byte {
                b'\n' | b'\r' => self.new_line(),
                b'-' => {
                    self.at += 1;
                    if !self.is(|byte| *byte == b'-') {
                        return Ok(Token::Char(b'-'));
                    }
                    self.at += 1;
                    self.comment()?;
                }
                b'[' => {
                    let level = self.separator();
                    if level >= 0 {
                        self.long_string(level, true)?;
                        return Ok(Token::String);
                    }
                    if level == -1 {
                        return Ok(Token::Char(b'['));
                    }
                    return Err(
                        self.error_near("invalid long string delimiter", Some(Token::String))
                    );
                }
                b'=' => return Ok(self.pair(b'=', b'=', "==")),
                b'<' => return Ok(self.pair(b'<', b'=', "<=")),
                b'>' => return Ok(self.pair(b'>', b'=', ">=")),
                b'~' => return Ok(self.pair(b'~', b'=', "~=")),
                b'"' | b'\'' => {
                    self.string(byte)?;
                    return Ok(Token::String);
                }
                b'.' => {
                    self.save();
                    // As for the exponent of a number, a NUL is as good as a dot.
                    if self.is(|byte| matches!(byte, b'.' | 0)) {
                        self.save();
                        let mut word = "..";
                        if self.is(|byte| matches!(byte, b'.' | 0)) {
                            self.save();
                            word = "...";
                        }
                        if self.text.contains(&0) {
                            self.edit(self.start, self.at, word)?;
                        }
                        return Ok(Token::Word(word));
                    }
                    if self.is(u8::is_ascii_digit) {
                        self.number()?;
                        return Ok(Token::Number);
                    }
                    return Ok(Token::Char(b'.'));
                }
                b' ' | b'\t' | 0x0b | 0x0c => self.at += 1,
                b'0'..=b'9' => {
                    self.number()?;
                    return Ok(Token::Number);
                }
                _ if byte.is_ascii_alphabetic() || byte == b'_' => return self.name(),
                other => {
                    self.at += 1;
                    return Ok(Token::Char(other));
                }
            }
        }
    }

    fn pair(&mut self, first: u8, second: u8, word: &'static str) -> Token {
        self.at += 1;
        if self.is(|byte| *byte == second) {
            self.at += 1;
            Token::Word(word)
        } else {
            Token::Char(first)
        }
    }

    fn name(&mut self) -> Result<Token> {
        while self.is(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') {
            self.save();
        }
        if let Some(word) = WORDS.iter().find(|word| word.as_bytes() == self.text) {
            return Ok(Token::Word(word));
        }
        if let Some((from, to)) = self.target.rename
            && from.as_bytes() == self.text
        {
            self.edit(self.start, self.at, to.as_bytes())?;
        }
        Ok(Token::Name)
    }

    fn comment(&mut self) -> Result<()> {
        if self.is(|byte| *byte == b'[') {
            let level = self.separator();
            self.text.clear();
            if level >= 0 {
                self.long_string(level, false)?;
                self.text.clear();
                return Ok(());
            }
        }
        while self.is(|byte| !matches!(byte, b'\n' | b'\r')) {
            self.at += 1;
        }
        Ok(())
    }

    /// `skip_sep`: the number of `=` between two brackets, or a negative number.
    fn separator(&mut self) -> i64 {
        let bracket = self.current();
        self.save();
        let mut count = 0;
        while self.is(|byte| *byte == b'=') {
            self.save();
            count += 1;
        }
        if self.current() == bracket { count } else { -count - 1 }
    }

    /// `read_long_string`.
    fn long_string(&mut self, level: i64, string: bool) -> Result<()> {
        // The first of two brackets, when nothing is between them.
        let open = self.at.saturating_sub(1);
        self.save();
        if self.is(|byte| matches!(byte, b'\n' | b'\r')) {
            self.new_line();
        }
        loop {
            match self.current() {
                None => {
                    let what =
                        if string { "unfinished long string" } else { "unfinished long comment" };
                    return Err(self.error_near(what, Some(Token::End)));
                }
                Some(b']') => {
                    if self.separator() == level {
                        self.save();
                        if level == 0 && self.target.brackets {
                            self.widen(open)?;
                        }
                        return Ok(());
                    }
                }
                Some(b'\n' | b'\r') => {
                    self.text.push(b'\n');
                    self.new_line();
                    if !string {
                        self.text.clear();
                    }
                }
                Some(_) if string => self.save(),
                Some(_) => self.at += 1,
            }
        }
    }

    /// Gives the brackets of a long string that begins here, and has just ended, so many signs
    /// that nothing within them looks like one.
    fn widen(&mut self, open: usize) -> Result<()> {
        let close = self.at.saturating_sub(2);
        let body = self.source.get(open + 2..close).unwrap_or_default();
        if !body.windows(2).any(|pair| pair == b"[[") {
            return Ok(());
        }
        let mut signs = b"=".to_vec();
        while body.windows(signs.len()).any(|part| part == signs) {
            signs.push(b'=');
        }
        for (start, bracket) in [(open, b"["), (close, b"]")] {
            let text = [bracket.as_slice(), &signs, bracket].concat();
            self.edit(start, start + 2, text)?;
        }
        Ok(())
    }

    /// `read_string`; drops backslashes that mean nothing.
    fn string(&mut self, quote: u8) -> Result<()> {
        self.save();
        loop {
            match self.current() {
                None => return Err(self.error_near("unfinished string", Some(Token::End))),
                Some(b'\n' | b'\r') => {
                    return Err(self.error_near("unfinished string", Some(Token::String)));
                }
                Some(b'\\') => self.escape()?,
                Some(byte) => {
                    self.save();
                    if byte == quote {
                        return Ok(());
                    }
                }
            }
        }
    }

    fn escape(&mut self) -> Result<()> {
        let backslash = self.at;
        self.at += 1;
        match self.current() {
            None => {}
            Some(b'\n' | b'\r') => {
                self.text.push(b'\n');
                self.new_line();
            }
            Some(byte @ (b'a' | b'b' | b'f' | b'n' | b'r' | b't' | b'v')) => {
                self.text.push(match byte {
                    b'a' => 7,
                    b'b' => 8,
                    b'f' => 12,
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    _ => 11,
                });
                self.at += 1;
            }
            Some(b'0'..=b'9') => {
                let mut code = 0u32;
                for _ in 0..3 {
                    let Some(digit @ b'0'..=b'9') = self.current() else { break };
                    code = code * 10 + u32::from(digit - b'0');
                    self.at += 1;
                }
                let Ok(code) = u8::try_from(code) else {
                    return Err(self.error_near("escape sequence too large", Some(Token::String)));
                };
                self.text.push(code);
            }
            Some(byte) => {
                if !matches!(byte, b'\\' | b'"' | b'\'') {
                    self.edit(backslash, self.at, b"")?;
                }
                self.save();
            }
        }
        Ok(())
    }

    /// `read_numeral`.
    fn number(&mut self) -> Result<()> {
        while self.is(|byte| byte.is_ascii_digit() || *byte == b'.') {
            self.save();
        }
        // A NUL is among the characters that `check_next` looks for, whichever they are.
        if self.is(|byte| matches!(byte, b'e' | b'E' | 0)) {
            self.save();
            if self.is(|byte| matches!(byte, b'+' | b'-' | 0)) {
                self.save();
            }
        }
        while self.is(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') {
            self.save();
        }
        let nul = self.text.iter().position(|&byte| byte == 0);
        let digits = self.text.get(..nul.unwrap_or(self.text.len())).unwrap_or_default();
        let Some(value) = number::lua_str2number(digits) else {
            return Err(self.error_near("malformed number", Some(Token::Number)));
        };
        if self.target.integers.is_some() {
            self.rewrite(value)?;
        } else if nul.is_some() || self.text.iter().any(u8::is_ascii_alphabetic) {
            // Other languages know more forms of these, or fewer.
            self.edit_number(value)?;
        }
        Ok(())
    }

    /// Writes a number without a fraction as an integer when it is exact as one, as a float when
    /// it is not.
    fn rewrite(&mut self, value: f64) -> Result<()> {
        // From here on `%.14g` writes an exponent, as it does for floats.
        const LARGE: f64 = 1e14;
        if value.fract() == 0.0 && value < LARGE {
            let text = (value as i64).to_string();
            if text.as_bytes() != self.text {
                return self.edit(self.start, self.at, text.into_bytes());
            }
            return Ok(());
        }
        self.edit_number(value)
    }

    fn edit_number(&mut self, value: f64) -> Result<()> {
        if !value.is_finite() {
            return Ok(());
        }
        let mut text = number::g17(value).to_vec();
        if self.target.integers.is_some() && text.iter().all(u8::is_ascii_digit) {
            text.extend_from_slice(b".0");
        }
        if text == self.text {
            return Ok(());
        }
        self.edit(self.start, self.at, text)
    }

    /// Notes what is written in place of a piece of the source.
    pub(super) fn edit(
        &mut self,
        start: usize,
        end: usize,
        text: impl Into<Vec<u8>>,
    ) -> Result<()> {
        let text = Cow::Owned(text.into());
        self.edits.push(Edit { start, end, text });
        if self.wanted.fits(self.edits.len() * NOTE) { Ok(()) } else { Err(GIVEN_UP.to_vec()) }
    }
}

/// A token that has no text of its own (`luaX_token2str`).
pub(super) fn describe(token: Token) -> Vec<u8> {
    match token {
        Token::Char(byte) if byte.is_ascii_control() => format!("char({byte})").into_bytes(),
        Token::Char(byte) => vec![byte],
        Token::Word(word) => word.as_bytes().to_vec(),
        Token::Name => b"<name>".to_vec(),
        Token::Number => b"<number>".to_vec(),
        Token::String => b"<string>".to_vec(),
        Token::End => b"<eof>".to_vec(),
    }
}
