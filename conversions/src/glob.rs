//! Glob patterns as `KEYS`, `SCAN` and `PSUBSCRIBE` use them (`stringmatchlen` in `util.c`).
//!
//! Owns [`matches()`]. It must not know what is matched.

/// Whether the text matches the pattern, letter by letter.
pub fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let mut skip = false;
    walk(pattern, text, false, &mut skip)
}

/// Whether the text matches the pattern in any case.
pub fn matches_any_case(pattern: &[u8], text: &[u8]) -> bool {
    let mut skip = false;
    walk(pattern, text, true, &mut skip)
}

/// Matches from here on. `skip` comes back set when no longer text for an earlier `*` could
/// match either, which keeps patterns of many stars from taking exponential time.
fn walk(mut pattern: &[u8], mut text: &[u8], fold: bool, skip: &mut bool) -> bool {
    let same = |one: u8, two: u8| {
        if fold { one.eq_ignore_ascii_case(&two) } else { one == two }
    };
    while let (Some((&head, rest)), Some((&letter, tail))) =
        (pattern.split_first(), text.split_first())
    {
        match head {
            b'*' => {
                let stars = pattern.iter().take_while(|&&byte| byte == b'*').count();
                let rest = &pattern[stars..];
                if rest.is_empty() {
                    return true;
                }
                while !text.is_empty() {
                    if walk(rest, text, fold, skip) {
                        return true;
                    }
                    if *skip {
                        return false;
                    }
                    text = &text[1..];
                }
                // Nothing in the text continues this star's rest, nor would it for an earlier
                // star, which leaves even less text.
                *skip = true;
                return false;
            }
            b'?' => {}
            b'[' => {
                let (found, after) = class(rest, letter, fold);
                if !found {
                    return false;
                }
                pattern = after;
                text = tail;
                continue;
            }
            b'\\' if !rest.is_empty() => {
                if !same(rest[0], letter) {
                    return false;
                }
                pattern = &rest[1..];
                text = tail;
                continue;
            }
            _ if !same(head, letter) => return false,
            _ => {}
        }
        pattern = rest;
        text = tail;
    }
    if text.is_empty() {
        let stars = pattern.iter().take_while(|&&byte| byte == b'*').count();
        return stars == pattern.len();
    }
    false
}

/// Whether a letter is in the class whose `[` has just been read, and what follows the class. A
/// class that is not closed ends with the pattern.
fn class(mut pattern: &[u8], letter: u8, fold: bool) -> (bool, &[u8]) {
    let negated = pattern.first() == Some(&b'^');
    if negated {
        pattern = &pattern[1..];
    }
    let lower = |byte: u8| if fold { byte.to_ascii_lowercase() } else { byte };
    let mut found = false;
    loop {
        match *pattern {
            [] => return (found != negated, pattern),
            [b'\\', escaped, ..] => {
                found |= escaped == letter;
                pattern = &pattern[2..];
            }
            [b']', ..] => return (found != negated, &pattern[1..]),
            [from, b'-', to, ..] => {
                let (from, to) = (lower(from.min(to)), lower(from.max(to)));
                found |= (from..=to).contains(&lower(letter));
                pattern = &pattern[3..];
            }
            [one, ..] => {
                found |= lower(one) == lower(letter);
                pattern = &pattern[1..];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_as_redis_does() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("h?llo", "hello", true),
            ("h[ae]llo", "hallo", true),
            ("h[^e]llo", "hello", false),
            ("h[a-c]llo", "hbllo", true),
            ("a\\*c", "a*c", true),
            ("a\\*c", "abc", false),
            ("a*b*c", "aXXbYYc", true),
            ("a*b*c", "aXXbYY", false),
            ("", "", true),
            ("", "a", false),
            ("a[", "a", false),
            ("[z-a]", "m", true),
            ("a\\", "a\\", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        }
        assert!(matches_any_case(b"MAX*", b"maxmemory"));
    }

    #[test]
    fn many_stars_take_no_time() {
        let pattern = b"a*".repeat(40);
        assert!(!matches(&[pattern.as_slice(), b"b"].concat(), &b"a".repeat(80)));
    }
}
