//! What messages call the values of an instruction (`ldebug.c getobjname`).
//!
//! Owns the records that compiled code carries: piccolo keeps a number for each instruction,
//! meant for the line; here its upper half finds a record in a string that piccolo keeps for each
//! function. It must not know which messages are made of them.

use std::collections::HashMap;

/// What kind of place a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum NameKind {
    /// None that has a name.
    None,
    Local,
    Upvalue,
    Global,
    Field,
    Method,
}

impl NameKind {
    const ALL: [NameKind; 6] = [
        NameKind::None,
        NameKind::Local,
        NameKind::Upvalue,
        NameKind::Global,
        NameKind::Field,
        NameKind::Method,
    ];

    /// How messages call it.
    pub(crate) fn text(self) -> &'static str {
        match self {
            NameKind::None => "",
            NameKind::Local => "local",
            NameKind::Upvalue => "upvalue",
            NameKind::Global => "global",
            NameKind::Field => "field",
            NameKind::Method => "method",
        }
    }
}

/// A name and where it was found.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    pub(crate) kind: NameKind,
    pub(crate) text: Vec<u8>,
}

impl Name {
    /// No name.
    pub(crate) const NONE: Name = Name { kind: NameKind::None, text: Vec::new() };

    pub(crate) fn new(kind: NameKind, text: &[u8]) -> Self {
        Name { kind, text: text.to_vec() }
    }
}

/// Line and names of an instruction, as piccolo stores them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Site(pub(crate) u64);

/// The names of a function's instructions.
#[derive(Debug, Default)]
pub(super) struct Names {
    bytes: Vec<u8>,
    known: HashMap<Vec<Name>, u64>,
}

impl Names {
    /// The site of an instruction on `line` whose values have these names.
    pub(super) fn site(&mut self, line: u32, names: &[Name]) -> Site {
        if names.iter().all(|name| name.kind == NameKind::None) {
            return Site(u64::from(line));
        }
        let place = match self.known.get(names) {
            Some(place) => *place,
            None => {
                let place = self.bytes.len() as u64 + 1;
                self.bytes.push(u8::try_from(names.len()).unwrap_or(u8::MAX));
                for name in names {
                    let text = name.text.get(..name.text.len().min(0xffff)).unwrap_or_default();
                    self.bytes.push(name.kind as u8);
                    self.bytes.extend_from_slice(&(text.len() as u16).to_le_bytes());
                    self.bytes.extend_from_slice(text);
                }
                self.known.insert(names.to_vec(), place);
                place
            }
        };
        Site(u64::from(line) | place << 32)
    }

    /// The string for piccolo to keep.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// The line of a site.
pub(crate) fn line_of(site: Site) -> i64 {
    (site.0 & 0xffff_ffff) as i64
}

/// The name of the value `index` of a site in a function whose names are `bytes`.
pub(crate) fn names_at(bytes: &[u8], site: Site, index: usize) -> Name {
    let place = (site.0 >> 32) as usize;
    let find = || {
        let mut rest = bytes.get(place.checked_sub(1)?..)?;
        let (&count, names) = rest.split_first()?;
        rest = names;
        for at in 0..usize::from(count) {
            let (&kind, after) = rest.split_first()?;
            let (length, after) = after.split_first_chunk::<2>()?;
            let (text, after) = after.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
            if at == index {
                return Some(Name::new(*NameKind::ALL.get(usize::from(kind))?, text));
            }
            rest = after;
        }
        None
    };
    find().unwrap_or(Name::NONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_again() {
        let mut names = Names::default();
        let first = [Name::new(NameKind::Local, b"a"), Name::new(NameKind::Global, b"b")];
        let one = names.site(7, &first);
        let two = names.site(9, &[Name::NONE, Name::new(NameKind::Field, b"?")]);
        let none = names.site(3, &[Name::NONE]);
        assert_eq!(names.site(7, &first), one);
        let bytes = names.into_bytes();
        assert_eq!(line_of(one), 7);
        assert_eq!(names_at(&bytes, one, 1), first[1]);
        assert_eq!(names_at(&bytes, two, 0), Name::NONE);
        assert_eq!(names_at(&bytes, two, 1), Name::new(NameKind::Field, b"?"));
        assert_eq!(names_at(&bytes, two, 5), Name::NONE);
        assert_eq!(names_at(&bytes, none, 0), Name::NONE);
    }
}
