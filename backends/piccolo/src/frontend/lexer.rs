//! The tokens of Lua 5.1 (`llex.c`).
//!
//! Owns characters, line numbers and the wording of lexical errors. It must not know the grammar.

use std::rc::Rc;

use redlua_conversions::number::lua_str2number;
use redlua_conversions::syntax::Wanted;
use redlua_core::CompileError;

use super::chunkid::long_source;

/// A token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A character that stands for itself.
    Char(u8),
    Keyword(Keyword),
    Concat,
    Dots,
    Equal,
    GreaterEqual,
    LessEqual,
    NotEqual,
    Number(f64),
    Name(Rc<[u8]>),
    String(Rc<[u8]>),
    End,
}

/// The reserved words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keyword {
    And,
    Break,
    Do,
    Else,
    Elseif,
    End,
    False,
    For,
    Function,
    If,
    In,
    Local,
    Nil,
    Not,
    Or,
    Repeat,
    Return,
    Then,
    True,
    Until,
    While,
}

const KEYWORDS: [(&str, Keyword); 21] = [
    ("and", Keyword::And),
    ("break", Keyword::Break),
    ("do", Keyword::Do),
    ("else", Keyword::Else),
    ("elseif", Keyword::Elseif),
    ("end", Keyword::End),
    ("false", Keyword::False),
    ("for", Keyword::For),
    ("function", Keyword::Function),
    ("if", Keyword::If),
    ("in", Keyword::In),
    ("local", Keyword::Local),
    ("nil", Keyword::Nil),
    ("not", Keyword::Not),
    ("or", Keyword::Or),
    ("repeat", Keyword::Repeat),
    ("return", Keyword::Return),
    ("then", Keyword::Then),
    ("true", Keyword::True),
    ("until", Keyword::Until),
    ("while", Keyword::While),
];

impl Token {
    /// How messages spell the token (`luaX_token2str`).
    pub(super) fn text(&self) -> Vec<u8> {
        let text = match self {
            Token::Char(c) if c.is_ascii_control() => return format!("char({c})").into_bytes(),
            Token::Char(c) => return vec![*c],
            Token::Keyword(word) => {
                KEYWORDS.iter().find(|(_, w)| w == word).map_or("", |(text, _)| *text)
            }
            Token::Concat => "..",
            Token::Dots => "...",
            Token::Equal => "==",
            Token::GreaterEqual => ">=",
            Token::LessEqual => "<=",
            Token::NotEqual => "~=",
            Token::Number(_) => "<number>",
            Token::Name(_) => "<name>",
            Token::String(_) => "<string>",
            Token::End => "<eof>",
        };
        text.as_bytes().to_vec()
    }
}

/// Reads tokens, one ahead of the parser and one more when asked.
pub(super) struct Lexer<'a> {
    source: &'a [u8],
    at: usize,
    /// The text of the last token read: what messages show of names, strings and numbers.
    buffer: Vec<u8>,
    name: &'a [u8],
    /// The line of the character that is read next.
    pub(super) line: u32,
    /// The line on which the last token consumed ended.
    pub(super) last_line: u32,
    /// The token that is looked at.
    pub(super) token: Token,
    ahead: Option<Token>,
    wanted: &'a Wanted<'a>,
}

/// The message of a syntax error.
pub(super) type SyntaxError = CompileError;

impl<'a> Lexer<'a> {
    /// A lexer that has not read its first token yet.
    pub(super) fn new(source: &'a [u8], name: &'a [u8], wanted: &'a Wanted<'a>) -> Self {
        Lexer {
            source,
            at: 0,
            buffer: Vec::new(),
            name,
            line: 1,
            last_line: 1,
            token: Token::End,
            ahead: None,
            wanted,
        }
    }

    /// Goes to the next token and returns the one left behind.
    pub(super) fn advance(&mut self) -> Result<Token, SyntaxError> {
        if self.wanted.tick() {
            return Err(CompileError::time());
        }
        self.last_line = self.line;
        let next = match self.ahead.take() {
            Some(token) => token,
            None => self.read()?,
        };
        Ok(std::mem::replace(&mut self.token, next))
    }

    /// The token after the present one.
    pub(super) fn look_ahead(&mut self) -> Result<&Token, SyntaxError> {
        let token = match self.ahead.take() {
            Some(token) => token,
            None => self.read()?,
        };
        Ok(self.ahead.insert(token))
    }

    /// An error at the present line, without a token.
    pub(super) fn error(&self, message: &[u8]) -> SyntaxError {
        let line = self.line.to_string();
        let parts: [&[u8]; 5] = [&long_source(self.name), b":", line.as_bytes(), b": ", message];
        CompileError::syntax(parts.concat())
    }

    /// An error near the present token.
    pub(super) fn error_near(&self, message: &[u8]) -> SyntaxError {
        self.error_at(message, &self.token)
    }

    fn error_at(&self, message: &[u8], token: &Token) -> SyntaxError {
        let text = match token {
            // Lua takes the number of this token for none.
            Token::Char(0) => return self.error(message),
            Token::Name(_) | Token::String(_) | Token::Number(_) => {
                // Messages are made of C strings.
                self.buffer.split(|&byte| byte == 0).next().unwrap_or_default().to_vec()
            }
            other => other.text(),
        };
        let near = [message, &b" near '"[..], &text, b"'"].concat();
        self.error(&near)
    }

    fn string_error(&self, message: &str) -> SyntaxError {
        self.error_at(message.as_bytes(), &Token::String(Rc::from(&b""[..])))
    }

    #[inline]
    fn current(&self) -> Option<u8> {
        self.source.get(self.at).copied()
    }

    fn save_and_next(&mut self) {
        if let Some(byte) = self.current() {
            self.buffer.push(byte);
            self.at += 1;
        }
    }

    /// Saves the present character when it is one of `set`; a zero byte counts as one, since C's
    /// `strchr` finds the end of the set.
    fn check_next(&mut self, set: &[u8]) -> bool {
        let found = self.current().is_some_and(|byte| byte == 0 || set.contains(&byte));
        if found {
            self.save_and_next();
        }
        found
    }

    fn at_newline(&self) -> bool {
        matches!(self.current(), Some(b'\n' | b'\r'))
    }

    fn next_line(&mut self) {
        let old = self.current();
        self.at += 1;
        if self.at_newline() && self.current() != old {
            self.at += 1;
        }
        self.line = self.line.saturating_add(1);
    }

    fn read(&mut self) -> Result<Token, SyntaxError> {
        self.buffer.clear();
        loop {
            let Some(byte) = self.current() else { return Ok(Token::End) };
            match byte {
                b'\n' | b'\r' => self.next_line(),
                b'-' => {
                    self.at += 1;
                    if self.current() != Some(b'-') {
                        return Ok(Token::Char(b'-'));
                    }
                    self.at += 1;
                    self.skip_comment()?;
                }
                b'[' => {
                    let level = self.skip_separator();
                    if level >= 0 {
                        return self.long_string(level, false);
                    }
                    if level == -1 {
                        return Ok(Token::Char(b'['));
                    }
                    return Err(self.string_error("invalid long string delimiter"));
                }
                b'=' => return Ok(self.one_or_two(b'=', Token::Equal)),
                b'<' => return Ok(self.one_or_two(b'<', Token::LessEqual)),
                b'>' => return Ok(self.one_or_two(b'>', Token::GreaterEqual)),
                b'~' => return Ok(self.one_or_two(b'~', Token::NotEqual)),
                b'"' | b'\'' => return self.quoted_string(byte),
                b'.' => {
                    self.save_and_next();
                    if self.check_next(b".") {
                        let dots = self.check_next(b".");
                        return Ok(if dots { Token::Dots } else { Token::Concat });
                    }
                    if !self.current().is_some_and(|byte| byte.is_ascii_digit()) {
                        return Ok(Token::Char(b'.'));
                    }
                    return self.numeral();
                }
                b' ' | b'\t' | 0x0b | 0x0c => self.at += 1,
                b'0'..=b'9' => return self.numeral(),
                b'a'..=b'z' | b'A'..=b'Z' | b'_' => return Ok(self.word()),
                _ => {
                    self.at += 1;
                    return Ok(Token::Char(byte));
                }
            }
        }
    }

    fn one_or_two(&mut self, first: u8, both: Token) -> Token {
        self.at += 1;
        if self.current() == Some(b'=') {
            self.at += 1;
            both
        } else {
            Token::Char(first)
        }
    }

    fn word(&mut self) -> Token {
        while self.current().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            self.save_and_next();
        }
        match KEYWORDS.iter().find(|(text, _)| text.as_bytes() == self.buffer) {
            Some((_, keyword)) => Token::Keyword(*keyword),
            None => Token::Name(Rc::from(self.buffer.as_slice())),
        }
    }

    fn skip_comment(&mut self) -> Result<(), SyntaxError> {
        if self.current() == Some(b'[') {
            let level = self.skip_separator();
            self.buffer.clear();
            if level >= 0 {
                self.long_string(level, true)?;
                self.buffer.clear();
                return Ok(());
            }
        }
        while self.current().is_some() && !self.at_newline() {
            self.at += 1;
        }
        Ok(())
    }

    fn numeral(&mut self) -> Result<Token, SyntaxError> {
        while self.current().is_some_and(|byte| byte.is_ascii_digit() || byte == b'.') {
            self.save_and_next();
        }
        if self.check_next(b"Ee") {
            self.check_next(b"+-");
        }
        while self.current().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            self.save_and_next();
        }
        let text = self.buffer.split(|&byte| byte == 0).next().unwrap_or_default();
        match lua_str2number(text) {
            Some(number) => Ok(Token::Number(number)),
            None => Err(self.error_at(b"malformed number", &Token::Number(0.0))),
        }
    }

    /// Reads `[`, equal signs and what follows: their number when that is another `[`, else
    /// less than zero (`skip_sep`).
    fn skip_separator(&mut self) -> i32 {
        let bracket = self.current();
        self.save_and_next();
        let mut count = 0i32;
        while self.current() == Some(b'=') {
            self.save_and_next();
            count += 1;
        }
        if self.current() == bracket { count } else { -count - 1 }
    }

    fn long_string(&mut self, level: i32, comment: bool) -> Result<Token, SyntaxError> {
        self.save_and_next();
        if self.at_newline() {
            self.next_line();
        }
        loop {
            match self.current() {
                None => {
                    let what = if comment { "comment" } else { "string" };
                    let message = format!("unfinished long {what}");
                    return Err(self.error_at(message.as_bytes(), &Token::End));
                }
                Some(b']') => {
                    if self.skip_separator() == level {
                        self.save_and_next();
                        break;
                    }
                }
                Some(b'\n' | b'\r') => {
                    self.buffer.push(b'\n');
                    self.next_line();
                    if comment {
                        self.buffer.clear();
                    }
                }
                Some(_) if comment => self.at += 1,
                Some(_) => self.save_and_next(),
            }
        }
        let edge = 2 + usize::try_from(level).unwrap_or(0);
        let inner = self.buffer.get(edge..self.buffer.len().saturating_sub(edge));
        Ok(Token::String(Rc::from(if comment { &[] } else { inner.unwrap_or_default() })))
    }

    fn quoted_string(&mut self, quote: u8) -> Result<Token, SyntaxError> {
        self.save_and_next();
        loop {
            match self.current() {
                None => return Err(self.error_at(b"unfinished string", &Token::End)),
                Some(byte) if byte == quote => break,
                Some(b'\n' | b'\r') => return Err(self.string_error("unfinished string")),
                Some(b'\\') => {
                    self.at += 1;
                    self.escape()?;
                }
                Some(_) => self.save_and_next(),
            }
        }
        self.save_and_next();
        let inner = self.buffer.get(1..self.buffer.len() - 1).unwrap_or_default();
        Ok(Token::String(Rc::from(inner)))
    }

    fn escape(&mut self) -> Result<(), SyntaxError> {
        let Some(byte) = self.current() else { return Ok(()) };
        let plain = match byte {
            b'a' => 0x07,
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 0x0b,
            b'\n' | b'\r' => {
                self.buffer.push(b'\n');
                self.next_line();
                return Ok(());
            }
            b'0'..=b'9' => {
                let mut code = 0u32;
                for _ in 0..3 {
                    let Some(digit) = self.current().filter(u8::is_ascii_digit) else { break };
                    code = code * 10 + u32::from(digit - b'0');
                    self.at += 1;
                }
                let Ok(code) = u8::try_from(code) else {
                    return Err(self.string_error("escape sequence too large"));
                };
                self.buffer.push(code);
                return Ok(());
            }
            other => other,
        };
        self.buffer.push(plain);
        self.at += 1;
        Ok(())
    }
}
