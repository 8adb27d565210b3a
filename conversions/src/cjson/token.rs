//! JSON text in tokens.
//!
//! Owns the lexical rules: which bytes begin what, escapes, the numbers of `strtod`
//! (`json_next_token` in `lua_cjson.c`). Must not know which token may follow which. Like the
//! original it takes the text for a C string: a zero byte is its end.

use crate::number::{POWERS, strtod};

/// What a token is. Its value, if it has one, stays in [`Tokens`]: so small a thing travels in a
/// register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    ObjectBegin,
    ObjectEnd,
    ArrayBegin,
    ArrayEnd,
    /// A string: [`Tokens::string`].
    String,
    /// A number: [`Tokens::number`].
    Number,
    True,
    False,
    Null,
    Colon,
    Comma,
    End,
    /// No token: [`Tokens::error`].
    Error,
}

/// The tokens of a text.
pub(super) struct Tokens<'a, 'b> {
    text: &'a [u8],
    /// Where the next token is looked for.
    pub(super) at: usize,
    /// Where the token returned last begins, or the error in it.
    pub(super) start: usize,
    /// The value of the last number.
    pub(super) number: f64,
    /// The last string when it has no escapes: where it stands in the text.
    plain: Option<(usize, usize)>,
    /// The last string with escapes, undone.
    unescaped: &'b mut Vec<u8>,
    error: &'static str,
    invalid_numbers: bool,
}

impl<'a, 'b> Tokens<'a, 'b> {
    /// The tokens of `text`; `unescaped` is scratch space.
    pub(super) fn new(text: &'a [u8], unescaped: &'b mut Vec<u8>, invalid_numbers: bool) -> Self {
        Tokens {
            text,
            at: 0,
            start: 0,
            number: 0.0,
            plain: None,
            unescaped,
            error: "",
            invalid_numbers,
        }
    }

    /// The bytes of the last string.
    #[inline]
    pub(super) fn string(&self) -> &[u8] {
        match self.plain {
            Some((from, to)) => self.text.get(from..to).unwrap_or_default(),
            None => self.unescaped,
        }
    }

    /// What error messages call a token.
    pub(super) fn name(&self, token: Token) -> &'static str {
        match token {
            Token::ObjectBegin => "T_OBJ_BEGIN",
            Token::ObjectEnd => "T_OBJ_END",
            Token::ArrayBegin => "T_ARR_BEGIN",
            Token::ArrayEnd => "T_ARR_END",
            Token::String => "T_STRING",
            Token::Number => "T_NUMBER",
            Token::True | Token::False => "T_BOOLEAN",
            Token::Null => "T_NULL",
            Token::Colon => "T_COLON",
            Token::Comma => "T_COMMA",
            Token::End => "T_END",
            Token::Error => self.error,
        }
    }

    /// The byte at a place; 0 at the end.
    #[inline]
    fn byte(&self, at: usize) -> u8 {
        self.text.get(at).copied().unwrap_or(0)
    }

    fn rest(&self, at: usize) -> &'a [u8] {
        self.text.get(at..).unwrap_or_default()
    }

    #[inline]
    pub(super) fn next(&mut self) -> Token {
        let mut at = self.at;
        let mut byte = self.byte(at);
        while matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
            at += 1;
            byte = self.byte(at);
        }
        self.start = at;
        self.at = at + 1;
        match byte {
            b'"' => self.text_token(),
            b',' => Token::Comma,
            b':' => Token::Colon,
            b'{' => Token::ObjectBegin,
            b'}' => Token::ObjectEnd,
            b'[' => Token::ArrayBegin,
            b']' => Token::ArrayEnd,
            _ => {
                self.at = at;
                match byte {
                    b'-' | b'0'..=b'9' => self.number_token(),
                    0 => Token::End,
                    _ => self.word(),
                }
            }
        }
    }

    /// The same where what stands between values is expected, mostly without space before it.
    #[inline]
    pub(super) fn separator(&mut self) -> Token {
        let token = match self.byte(self.at) {
            b',' => Token::Comma,
            b':' => Token::Colon,
            b'}' => Token::ObjectEnd,
            b']' => Token::ArrayEnd,
            _ => return self.spaced(),
        };
        self.start = self.at;
        self.at += 1;
        token
    }

    #[inline(never)]
    fn spaced(&mut self) -> Token {
        self.next()
    }

    fn word(&mut self) -> Token {
        let rest = self.rest(self.at);
        for (word, token) in
            [(&b"true"[..], Token::True), (b"false", Token::False), (b"null", Token::Null)]
        {
            if rest.starts_with(word) {
                self.at += word.len();
                return token;
            }
        }
        // Only the letters that may begin an invalid number are tried as one.
        if matches!(self.byte(self.at), b'+' | b'f' | b'i' | b'I' | b'n' | b'N' | b't')
            && self.invalid_numbers
            && self.is_invalid_number()
        {
            return self.any_number();
        }
        self.fail("invalid token")
    }

    #[inline]
    fn number_token(&mut self) -> Token {
        if !self.invalid_numbers && self.is_invalid_number() {
            return self.fail("invalid number");
        }
        // Numbers of up to 15 digits without an exponent, the common case. Their digits are an
        // exact double, and so is the power of ten below them: the quotient is rounded once.
        let negative = self.byte(self.at) == b'-';
        let begin = self.at + usize::from(negative);
        let mut end = begin;
        let mut digits: u64 = 0;
        while let digit @ b'0'..=b'9' = self.byte(end)
            && end - begin < 16
        {
            digits = digits * 10 + u64::from(digit - b'0');
            end += 1;
        }
        let mut places = 0;
        if end > begin && self.byte(end) == b'.' {
            let point = end;
            end += 1;
            while let digit @ b'0'..=b'9' = self.byte(end)
                && end - begin < 17
            {
                digits = digits * 10 + u64::from(digit - b'0');
                end += 1;
            }
            places = end - point - 1;
        }
        let more = matches!(self.byte(end), b'.' | b'e' | b'E' | b'x' | b'X' | b'0'..=b'9');
        if !more
            && (1..=15).contains(&(end - begin - usize::from(places > 0)))
            && let Some(power) = POWERS.get(places)
        {
            self.at = end;
            let value = digits as f64 / power;
            self.number = if negative { -value } else { value };
            return Token::Number;
        }
        self.any_number()
    }

    /// Whatever `strtod` takes.
    fn any_number(&mut self) -> Token {
        match strtod(self.rest(self.at)) {
            Some(number) => {
                self.at += number.len;
                self.number = number.value;
                Token::Number
            }
            None => self.fail("invalid number"),
        }
    }

    /// Whether `strtod` would accept here what JSON does not (`json_is_invalid_number`).
    fn is_invalid_number(&self) -> bool {
        if self.byte(self.at) == b'+' {
            return true;
        }
        let at = self.at + usize::from(self.byte(self.at) == b'-');
        match self.byte(at) {
            b'0' => matches!(self.byte(at + 1), b'x' | b'X' | b'0'..=b'9'),
            ..=b'9' => false,
            _ => {
                let start = self.rest(at).get(..3).unwrap_or_default();
                start.eq_ignore_ascii_case(b"inf") || start.eq_ignore_ascii_case(b"nan")
            }
        }
    }

    /// A string; the text stands behind its opening quote.
    #[inline]
    fn text_token(&mut self) -> Token {
        let begin = self.at;
        let end = begin + plain_len(self.rest(begin));
        self.at = end;
        if self.byte(end) == b'"' {
            self.at = end + 1;
            self.plain = Some((begin, end));
            return Token::String;
        }
        self.escaped_token(begin)
    }

    /// A string that begins at `begin` and is plain up to where the text stands.
    fn escaped_token(&mut self, begin: usize) -> Token {
        self.plain = None;
        self.unescaped.clear();
        self.unescaped.extend_from_slice(self.text.get(begin..self.at).unwrap_or_default());
        match self.unescape() {
            Ok(()) => Token::String,
            Err(what) => {
                // The place of this error is inside of the token.
                self.start = self.at;
                self.fail(what)
            }
        }
    }

    #[cold]
    fn fail(&mut self, what: &'static str) -> Token {
        self.error = what;
        Token::Error
    }

    /// The rest of a string from its first escape on.
    fn unescape(&mut self) -> Result<(), &'static str> {
        loop {
            match self.byte(self.at) {
                b'"' => {
                    self.at += 1;
                    return Ok(());
                }
                b'\\' => {
                    let byte = match self.byte(self.at + 1) {
                        byte @ (b'"' | b'\\' | b'/') => byte,
                        b'b' => 0x08,
                        b't' => b'\t',
                        b'n' => b'\n',
                        b'f' => 0x0c,
                        b'r' => b'\r',
                        b'u' => {
                            self.unicode().ok_or("invalid unicode escape code")?;
                            continue;
                        }
                        _ => return Err("invalid escape code"),
                    };
                    self.unescaped.push(byte);
                    self.at += 2;
                }
                0 => return Err("unexpected end of string"),
                _ => {
                    let rest = self.rest(self.at);
                    let plain = plain_len(rest);
                    self.unescaped.extend_from_slice(rest.get(..plain).unwrap_or_default());
                    self.at += plain;
                }
            }
        }
    }

    /// `\uXXXX`, or two of them that are a surrogate pair (`json_append_unicode_escape`).
    fn unicode(&mut self) -> Option<()> {
        let mut code = self.hex4(self.at + 2)?;
        let mut len = 6;
        if code & 0xf800 == 0xd800 {
            let pair = code & 0x400 == 0
                && self.byte(self.at + 6) == b'\\'
                && self.byte(self.at + 7) == b'u';
            let low = if pair { self.hex4(self.at + 8)? } else { return None };
            if low & 0xfc00 != 0xdc00 {
                return None;
            }
            code = ((code & 0x3ff) << 10 | low & 0x3ff) + 0x10000;
            len = 12;
        }
        let character = char::from_u32(code)?;
        self.unescaped.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        self.at += len;
        Some(())
    }

    fn hex4(&self, at: usize) -> Option<u32> {
        self.rest(at)
            .get(..4)?
            .iter()
            .try_fold(0, |sum, &digit| Some(sum << 4 | (digit as char).to_digit(16)?))
    }
}

/// How many bytes stand for themselves at the beginning of what is inside a string: up to a
/// quote, a backslash or a zero byte.
#[inline]
fn plain_len(bytes: &[u8]) -> usize {
    let (words, _) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let stops = zeros(word) | zeros(word ^ repeated(b'"')) | zeros(word ^ repeated(b'\\'));
        if stops != 0 {
            return index * 8 + stops.trailing_zeros() as usize / 8;
        }
    }
    let start = words.len() * 8;
    let rest = bytes.get(start..).unwrap_or_default();
    start + rest.iter().take_while(|byte| !matches!(byte, 0 | b'"' | b'\\')).count()
}

pub(super) const fn repeated(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// The top bits of the zero bytes of a word; above the first one there may be false ones.
pub(super) const fn zeros(word: u64) -> u64 {
    word.wrapping_sub(repeated(1)) & !word & repeated(0x80)
}

#[cfg(test)]
mod tests {
    use super::plain_len;

    #[test]
    fn plain_runs() {
        for len in 0..40 {
            for stop in [0, b'"', b'\\'] {
                let mut text = vec![b'!'; len];
                assert_eq!(plain_len(&text), len);
                text.push(stop);
                text.extend([0x01, 0x80, 0xff, b'"', 0, b'\\', b'#', b'x', b'"']);
                assert_eq!(plain_len(&text), len);
            }
        }
        let others: Vec<u8> = (1..=255).filter(|byte| !b"\"\\".contains(byte)).collect();
        assert_eq!(plain_len(&others), others.len());
    }
}
