//! How the name of a chunk is shown (`luaO_chunkid` in `lobject.c`).

/// The longest name in positions of run-time errors (`LUA_IDSIZE`).
const SHORT: usize = 60;
/// The longest name in syntax errors (`MAXSRC` in `llex.c`).
const LONG: usize = 80;

/// The chunk's name in a run-time error.
pub(crate) fn short_source(name: &[u8]) -> Vec<u8> {
    chunk_id(name, SHORT)
}

/// The chunk's name in a syntax error.
pub(super) fn long_source(name: &[u8]) -> Vec<u8> {
    chunk_id(name, LONG)
}

/// The chunk's name in at most `size - 1` bytes.
fn chunk_id(name: &[u8], size: usize) -> Vec<u8> {
    // A chunk's name is a C string.
    let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
    match name.split_first() {
        Some((b'=', rest)) => rest.get(..rest.len().min(size - 1)).unwrap_or_default().to_vec(),
        Some((b'@', rest)) => {
            let room = size - (b" '...' ".len() + 1);
            match rest.len().checked_sub(room) {
                Some(cut) if cut > 0 => [b"...", rest.get(cut..).unwrap_or_default()].concat(),
                _ => rest.to_vec(),
            }
        }
        _ => {
            let line = name.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
            let room = size - (b" [string \"...\"] ".len() + 1);
            let shown = line.get(..line.len().min(room)).unwrap_or_default();
            let dots: &[u8] = if shown.len() < name.len() { b"..." } else { b"" };
            [b"[string \"", shown, dots, b"\"]"].concat()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_as_lua_shows_them() {
        assert_eq!(short_source(b"@user_script"), b"user_script");
        assert_eq!(short_source(b"=(load)"), b"(load)");
        assert_eq!(short_source(b"return 1"), b"[string \"return 1\"]");
        assert_eq!(short_source(b"a\nb"), b"[string \"a...\"]");
        assert_eq!(short_source(&[b'x'; 100]).len(), 59);
    }
}
