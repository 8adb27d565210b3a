//! The syntax of Lua 5.1, for engines whose own is another.
//!
//! Owns the check of a chunk with the messages of Lua 5.1's compiler, and what has to be written
//! in another way for such an engine. Must not know any engine: what a target needs is in
//! [`Target`].

mod lexer;
mod parser;
mod wanted;

use std::borrow::Cow;

pub use wanted::Wanted;

/// What the language of an engine asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// It tells integers from floats: numbers without a fraction are written as integers, and
    /// the results of `/` and `^` go through a function of the given name that makes them
    /// integers when they can be.
    pub integers: Option<&'static str>,
    /// A word that is a name in Lua 5.1, and what to write in its place.
    pub rename: Option<(&'static str, &'static str)>,
    /// It refuses `[[` within such brackets: they get the form `[=[`.
    pub brackets: bool,
}

/// A chunk as an engine has to see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Translated<'a> {
    /// The text.
    pub text: Cow<'a, [u8]>,
    /// How many tokens it has, which says more of what compiling takes than its length does.
    pub tokens: usize,
}

/// Checks `source` and returns it as the engine has to see it: a backslash before a letter that
/// needs none is gone, numbers are as [`Target`] says. Lines stay what they are.
///
/// ```
/// use redlua_conversions::syntax::{Target, Wanted, translate};
///
/// let (plain, wanted) = (Target::default(), Wanted::always());
/// let translated = translate(b"return 'a\\z'", b"@s", &plain, &wanted).unwrap();
/// assert_eq!((&*translated.text, translated.tokens), (&b"return 'az'"[..], 2));
/// let message = translate(b"x = = 1", b"@s", &plain, &wanted).unwrap_err();
/// assert_eq!(message, b"s:1: unexpected symbol near '='");
/// ```
///
/// # Errors
/// What Lua 5.1's compiler says of it; `name` is the chunk's name. Nothing in particular when it
/// was [given up](Wanted::given_up).
pub fn translate<'a>(
    source: &'a [u8],
    name: &[u8],
    target: &Target,
    wanted: &Wanted<'_>,
) -> Result<Translated<'a>, Vec<u8>> {
    let (mut edits, tokens) =
        parser::check(lexer::Lexer::new(source, name, target, wanted), target)?;
    if edits.is_empty() {
        return Ok(Translated { text: Cow::Borrowed(source), tokens });
    }
    // What is inserted at a place comes before what is replaced there.
    edits.sort_by_key(|edit| (edit.start, edit.end));
    let mut out = Vec::with_capacity(source.len() + edits.len() * 8);
    let mut done = 0;
    for edit in edits {
        out.extend_from_slice(source.get(done..edit.start).unwrap_or_default());
        out.extend_from_slice(&edit.text);
        done = done.max(edit.end);
    }
    out.extend_from_slice(source.get(done..).unwrap_or_default());
    Ok(Translated { text: Cow::Owned(out), tokens })
}

/// A piece of the source and what is written in its place.
struct Edit {
    start: usize,
    end: usize,
    text: Cow<'static, [u8]>,
}

/// The chunk's name as messages of the compiler show it (`lobject.c luaO_chunkid`), which give it
/// more room than others do (`MAXSRC` of `llex.c`).
fn chunk_id(name: &[u8]) -> Vec<u8> {
    const ROOM: usize = 80;
    match name.split_first() {
        Some((b'=', rest)) => rest.iter().copied().take(ROOM - 1).collect(),
        Some((b'@', rest)) => {
            let room = ROOM - 8;
            if rest.len() > room {
                let tail = rest.get(rest.len() - room..).unwrap_or_default();
                [b"...", tail].concat()
            } else {
                rest.to_vec()
            }
        }
        _ => {
            let line = name.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let room = ROOM - 17;
            let len = line.unwrap_or(name.len()).min(room);
            let shown = name.get(..len).unwrap_or_default();
            let cut: &[u8] = if len < name.len() { b"..." } else { b"" };
            [b"[string \"", shown, cut, b"\"]"].concat()
        }
    }
}
