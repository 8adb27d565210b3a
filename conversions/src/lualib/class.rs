//! Single characters of patterns: classes and sets.
//!
//! Owns what `match_class` and `matchbracketclass` in `lstrlib.c` decide, in the C locale. Must
//! not know what comes after a character.

/// One item of a pattern without its repetition: what one character must be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Single<'a> {
    /// `.`
    Any,
    /// The character itself.
    Byte(u8),
    /// A class of `ctype.h`: those of these kinds, or all others.
    Kinds { mask: u8, wanted: bool },
    /// What stands between the brackets, a leading `^` included.
    Set(&'a [u8]),
}

impl Single<'_> {
    /// `%` and a letter or another character.
    #[inline]
    pub(super) fn class(class: u8) -> Self {
        match mask(class) {
            Some((mask, wanted)) => Single::Kinds { mask, wanted },
            None => match class {
                b'z' => Single::Byte(0),
                b'Z' => Single::Set(b"^\0"),
                _ => Single::Byte(class),
            },
        }
    }

    /// Whether the character is one of those.
    #[inline]
    pub(super) fn admits(self, byte: u8) -> bool {
        match self {
            Single::Any => true,
            Single::Byte(wanted) => wanted == byte,
            Single::Kinds { mask, wanted } => (kinds(byte) & mask != 0) == wanted,
            Single::Set(set) => in_set(byte, set),
        }
    }

    /// Where the first such character is.
    #[inline]
    pub(super) fn find(self, bytes: &[u8]) -> Option<usize> {
        match self {
            Single::Any => (!bytes.is_empty()).then_some(0),
            Single::Byte(wanted) => memchr::memchr(wanted, bytes),
            Single::Kinds { mask, wanted: true } => {
                bytes.iter().position(|&byte| kinds(byte) & mask != 0)
            }
            Single::Kinds { mask, wanted: false } => {
                bytes.iter().position(|&byte| kinds(byte) & mask == 0)
            }
            Single::Set(set) => bytes.iter().position(|&byte| in_set(byte, set)),
        }
    }

    /// The length of the longest run of such characters at the beginning.
    #[inline]
    pub(super) fn run(self, bytes: &[u8]) -> usize {
        let first = match self {
            Single::Any => None,
            Single::Byte(wanted) => bytes.iter().position(|&byte| byte != wanted),
            Single::Kinds { mask, wanted: true } => {
                bytes.iter().position(|&byte| kinds(byte) & mask == 0)
            }
            Single::Kinds { mask, wanted: false } => {
                bytes.iter().position(|&byte| kinds(byte) & mask != 0)
            }
            Single::Set(set) => return set_run(set, bytes),
        };
        first.unwrap_or(bytes.len())
    }
}

/// The same for a set: a long run pays for a table of it.
fn set_run(set: &[u8], bytes: &[u8]) -> usize {
    let (short, long) = bytes.split_at(bytes.len().min(24));
    if let Some(end) = short.iter().position(|&byte| !in_set(byte, set)) {
        return end;
    }
    if long.is_empty() {
        return short.len();
    }
    let table = table(set);
    let last = long.iter().position(|&byte| !holds(&table, byte)).unwrap_or(long.len());
    short.len() + last
}

const ALPHA: u8 = 1;
const DIGIT: u8 = 2;
const LOWER: u8 = 4;
const UPPER: u8 = 8;
const SPACE: u8 = 16;
const PUNCTUATION: u8 = 32;
const CONTROL: u8 = 64;
const HEXADECIMAL: u8 = 128;

/// What `ctype.h` says of each character.
const KINDS: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut byte = 0u8;
    while byte < 128 {
        kinds[byte as usize] = when(byte.is_ascii_alphabetic(), ALPHA)
            | when(byte.is_ascii_digit(), DIGIT)
            | when(byte.is_ascii_lowercase(), LOWER)
            | when(byte.is_ascii_uppercase(), UPPER)
            | when(matches!(byte, b' ' | b'\t'..=b'\r'), SPACE)
            | when(byte.is_ascii_punctuation(), PUNCTUATION)
            | when(byte.is_ascii_control(), CONTROL)
            | when(byte.is_ascii_hexdigit(), HEXADECIMAL);
        byte += 1;
    }
    kinds
};

const fn when(yes: bool, kind: u8) -> u8 {
    if yes { kind } else { 0 }
}

#[inline]
fn kinds(byte: u8) -> u8 {
    KINDS[usize::from(byte)]
}

/// The kinds that a class letter stands for; none for `%z` and for characters that stand for
/// themselves.
const MASKS: [u8; 256] = {
    let mut masks = [0; 256];
    let mut byte = b'A';
    while byte <= b'z' {
        masks[byte as usize] = match byte | 0x20 {
            b'a' => ALPHA,
            b'c' => CONTROL,
            b'd' => DIGIT,
            b'l' => LOWER,
            b'p' => PUNCTUATION,
            b's' => SPACE,
            b'u' => UPPER,
            b'w' => ALPHA | DIGIT,
            b'x' => HEXADECIMAL,
            _ => 0,
        };
        byte += 1;
    }
    masks
};

/// These kinds, and whether they are wanted or all others.
#[inline]
fn mask(class: u8) -> Option<(u8, bool)> {
    let mask = MASKS[usize::from(class)];
    // Capital letters mean the opposite.
    (mask != 0).then_some((mask, class & 0x20 != 0))
}

/// `match_class`.
#[inline]
fn in_class(byte: u8, class: u8) -> bool {
    match mask(class) {
        Some((mask, wanted)) => (kinds(byte) & mask != 0) == wanted,
        None => match class {
            b'z' => byte == 0,
            b'Z' => byte != 0,
            _ => class == byte,
        },
    }
}

/// `matchbracketclass`.
pub(super) fn in_set(byte: u8, set: &[u8]) -> bool {
    let (wanted, mut rest) = match set {
        [b'^', rest @ ..] => (false, rest),
        _ => (true, set),
    };
    loop {
        rest = match rest {
            [] => return !wanted,
            [b'%', class, tail @ ..] => {
                if in_class(byte, *class) {
                    return wanted;
                }
                tail
            }
            [low, b'-', high, tail @ ..] => {
                if (*low..=*high).contains(&byte) {
                    return wanted;
                }
                tail
            }
            [single, tail @ ..] => {
                if *single == byte {
                    return wanted;
                }
                tail
            }
        }
    }
}

/// A bit for each character.
type Table = [u64; 4];

fn table(set: &[u8]) -> Table {
    let mut table = [0; 4];
    for byte in 0..=u8::MAX {
        if in_set(byte, set) {
            table[usize::from(byte >> 6)] |= 1 << (byte & 63);
        }
    }
    table
}

#[inline]
fn holds(table: &Table, byte: u8) -> bool {
    table[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_those_of_c() {
        let count = |class| (0..=u8::MAX).filter(|&byte| in_class(byte, class)).count();
        for (class, expected) in [
            (b'a', 52),
            (b'c', 33),
            (b'd', 10),
            (b'l', 26),
            (b'p', 32),
            (b's', 6),
            (b'u', 26),
            (b'w', 62),
            (b'x', 22),
            (b'z', 1),
            (b'.', 1),
        ] {
            assert_eq!(count(class), expected, "{}", class as char);
            if class != b'.' {
                assert_eq!(count(class.to_ascii_uppercase()), 256 - expected);
            }
        }
    }

    #[test]
    fn sets() {
        assert!(in_set(b'b', b"a-c") && !in_set(b'-', b"a-c"));
        assert!(in_set(b'-', b"a-") && in_set(b'-', b"-a"));
        assert!(in_set(b'^', b"a^") && !in_set(b'a', b"^a"));
        assert!(in_set(b']', b"%]") && in_set(b'9', b"%d_"));
    }

    #[test]
    fn runs_end_where_single_characters_do() {
        let text: Vec<u8> = (0..200).map(|i| if i < 150 { b'a' + i % 26 } else { b'-' }).collect();
        for single in [Single::Set(b"a-z"), Single::class(b'l'), Single::Set(b"^-")] {
            assert_eq!(single.run(&text), 150);
        }
        assert_eq!(Single::Any.run(&text), 200);
        assert_eq!(Single::Byte(b'a').run(b"aab"), 2);
        assert_eq!(Single::class(b'z').run(b"\0\0a"), 2);
        assert_eq!(Single::class(b'Z').run(b"ab\0"), 2);
    }
}
