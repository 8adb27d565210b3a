//! The first line of a script: engine and flags.
//!
//! Owns the rules of `evalExtractShebangFlags` in `eval.c`, `functionExtractLibMetaData` in
//! `functions.c` and the flag names of `script.c`. Must not know what the flags forbid.

use redlua_conversions::resp::split_args;

use crate::text::join;

bitflags::bitflags! {
    /// What a script declares about itself.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub(crate) struct ScriptFlags: u8 {
        /// It only reads.
        const NO_WRITES = 1 << 0;
        /// It may run over `maxmemory`.
        const ALLOW_OOM = 1 << 1;
        /// It may run on a stale replica.
        const ALLOW_STALE = 1 << 2;
        /// It must not run in a cluster.
        const NO_CLUSTER = 1 << 3;
        /// Its keys may hash to different slots.
        const ALLOW_CROSS_SLOT_KEYS = 1 << 4;
        /// It has no shebang: the old rules apply.
        const COMPATIBLE = 1 << 5;
    }
}

/// The flags in the order in which `FUNCTION LIST` shows them.
pub(crate) const FLAG_NAMES: [(&str, ScriptFlags); 5] = [
    ("no-writes", ScriptFlags::NO_WRITES),
    ("allow-oom", ScriptFlags::ALLOW_OOM),
    ("allow-stale", ScriptFlags::ALLOW_STALE),
    ("no-cluster", ScriptFlags::NO_CLUSTER),
    ("allow-cross-slot-keys", ScriptFlags::ALLOW_CROSS_SLOT_KEYS),
];

/// The flag of that name.
pub(crate) fn flag(name: &[u8]) -> Option<ScriptFlags> {
    FLAG_NAMES.iter().find(|(known, _)| known.as_bytes() == name).map(|(_, flag)| *flag)
}

/// Splits an EVAL script into its flags and the source to compile (which keeps the line end of
/// the shebang, so that line numbers stay).
///
/// # Errors
/// The error reply.
pub(crate) fn script(source: &[u8]) -> Result<(ScriptFlags, &[u8]), Vec<u8>> {
    if !source.starts_with(b"#!") {
        return Ok((ScriptFlags::COMPATIBLE, source));
    }
    let Some(end) = c_find(source, b'\n') else {
        return Err(b"ERR Invalid script shebang".to_vec());
    };
    let (line, rest) = source.split_at(end);
    let parts = split_args(line).unwrap_or_default();
    let Some((engine, options)) = parts.split_first() else {
        return Err(b"ERR Invalid engine in script shebang".to_vec());
    };
    if engine != b"#!lua" {
        return Err(join(&[b"ERR Unexpected engine in script shebang: ", engine]));
    }
    let mut flags = ScriptFlags::empty();
    for option in options {
        let Some(names) = option.strip_prefix(b"flags=") else {
            return Err(join(&[b"ERR Unknown lua shebang option: ", option]));
        };
        if names.is_empty() {
            continue;
        }
        for name in names.split(|&byte| byte == b',') {
            match flag(name) {
                Some(known) => flags |= known,
                None => return Err(join(&[b"ERR Unexpected flag in script shebang: ", name])),
            }
        }
    }
    Ok((flags, rest))
}

/// The first line of a library.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Header<'a> {
    /// The engine, as spelt.
    pub(crate) engine: Vec<u8>,
    /// The library's name.
    pub(crate) name: Vec<u8>,
    /// The code, beginning with the line end of the shebang.
    pub(crate) code: &'a [u8],
}

/// Splits a library into its header and its code.
///
/// # Errors
/// The error reply.
pub(crate) fn library(source: &[u8]) -> Result<Header<'_>, Vec<u8>> {
    if !source.starts_with(b"#!") {
        return Err(b"ERR Missing library metadata".to_vec());
    }
    let Some(end) = c_find(source, b'\n') else {
        return Err(b"ERR Invalid library metadata".to_vec());
    };
    let (line, code) = source.split_at(end);
    let parts = split_args(line).unwrap_or_default();
    let Some((engine, options)) = parts.split_first() else {
        return Err(b"ERR Invalid library metadata".to_vec());
    };
    let engine = engine.get(2..).unwrap_or_default().to_vec();
    let mut name: Option<Vec<u8>> = None;
    for option in options {
        let is_name = option.get(..5).is_some_and(|key| key.eq_ignore_ascii_case(b"name="));
        if is_name && name.is_some() {
            return Err(
                b"ERR Invalid metadata value, name argument was given multiple times".to_vec()
            );
        }
        if !is_name {
            return Err(join(&[b"ERR Invalid metadata value given: ", option]));
        }
        name = Some(option.get(5..).unwrap_or_default().to_vec());
    }
    match name {
        Some(name) => Ok(Header { engine, name, code }),
        None => Err(b"ERR Library name was not given".to_vec()),
    }
}

/// Whether a library or function may be called that (`functionsVerifyName`).
pub(crate) fn valid_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

/// The position of `byte` before the first NUL, as `strchr` finds it.
fn c_find(text: &[u8], byte: u8) -> Option<usize> {
    text.iter().take_while(|&&b| b != 0).position(|&b| b == byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_collected_over_options() {
        let (flags, rest) = script(b"#!lua flags=no-writes flags=allow-oom\nreturn 1").unwrap();
        assert_eq!(flags, ScriptFlags::NO_WRITES | ScriptFlags::ALLOW_OOM);
        assert_eq!(rest, b"\nreturn 1");
    }

    #[test]
    fn no_shebang_means_the_old_rules() {
        assert_eq!(script(b"return 1").unwrap().0, ScriptFlags::COMPATIBLE);
    }

    #[test]
    fn a_library_needs_its_name_once() {
        assert_eq!(library(b"#!lua NAME=l\n").unwrap().name, b"l");
        assert!(library(b"#!lua\n").is_err());
        assert!(library(b"#!lua name=a name=b\n").is_err());
    }
}
