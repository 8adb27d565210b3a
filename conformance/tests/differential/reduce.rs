//! Smaller sequences that still fail.
//!
//! Owns the reduction by text: commands, words, lines of scripts, parts of expressions. It comes
//! after proptest's own shrinking, which knows the templates but not what a failure needs. Must
//! not know what a failure is.

use crate::commands::Argv;

/// How often a candidate is tried, at most.
const TRIALS: usize = 1500;

/// Reduces `sequence` as long as `fails` says that the smaller one does.
pub(crate) fn reduce(sequence: Vec<Argv>, fails: &mut dyn FnMut(&[Argv]) -> bool) -> Vec<Argv> {
    let mut best = sequence;
    let mut trials = 0;
    while trials < TRIALS {
        let smaller = candidates(&best).take(TRIALS - trials).find(|candidate| {
            trials += 1;
            fails(candidate)
        });
        match smaller {
            Some(smaller) => best = smaller,
            None => break,
        }
    }
    best
}

/// Everything one step smaller, the greatest steps first.
fn candidates(sequence: &[Argv]) -> impl Iterator<Item = Vec<Argv>> + '_ {
    let halves = [(0, sequence.len() / 2), (sequence.len() / 2, sequence.len())];
    let halves = halves.into_iter().filter(move |_| sequence.len() > 3).map(|(from, to)| {
        let mut smaller = sequence.to_vec();
        smaller.drain(from..to);
        smaller
    });
    let commands = (0..sequence.len()).filter(move |_| sequence.len() > 1).map(|at| {
        let mut smaller = sequence.to_vec();
        smaller.remove(at);
        smaller
    });
    let words = (0..sequence.len()).flat_map(move |at| {
        (1..sequence[at].len()).map(move |word| {
            let mut smaller = sequence.to_vec();
            smaller[at].remove(word);
            smaller
        })
    });
    let texts = (0..sequence.len()).flat_map(move |at| {
        (1..sequence[at].len()).flat_map(move |word| {
            shorter(&sequence[at][word]).map(move |text| {
                let mut smaller = sequence.to_vec();
                smaller[at][word] = text;
                smaller
            })
        })
    });
    halves.chain(commands).chain(words).chain(texts)
}

/// A script without a line, or with an expression in brackets or quotes made simpler.
fn shorter(text: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    let script = text.len() > 20;
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    let without: Vec<Vec<u8>> = (0..lines.len())
        .filter(|_| lines.len() > 1)
        .map(|at| {
            let mut fewer = lines.clone();
            fewer.remove(at);
            fewer.join(&b'\n')
        })
        .collect();
    let spans = pieces(text).into_iter().filter(move |_| script).flat_map(move |(from, to)| {
        ["", "1", "'a'", "nil", "t", "s"].into_iter().filter_map(move |simple| {
            let new = [&text[..from], simple.as_bytes(), &text[to..]].concat();
            (new.len() < text.len()).then_some(new)
        })
    });
    without.into_iter().chain(spans)
}

/// Stretches between brackets, commas and keywords, the longest first.
fn pieces(text: &[u8]) -> Vec<(usize, usize)> {
    let stop = |byte: u8| {
        matches!(byte, b'(' | b')' | b'{' | b'}' | b'[' | b']' | b',' | b'\n' | b' ' | b'=' | b';')
    };
    let stops: Vec<usize> = (0..text.len()).filter(|&at| stop(text[at])).collect();
    let mut found = Vec::new();
    for (index, &from) in stops.iter().enumerate() {
        for &to in stops[index + 1..].iter().take(24) {
            if balanced(&text[from + 1..to]) && to > from + 2 {
                found.push((from + 1, to));
            }
        }
        if text.len() > from + 2 && balanced(&text[from + 1..]) {
            found.push((from + 1, text.len()));
        }
    }
    found.sort_by_key(|(from, to)| std::cmp::Reverse(to - from));
    found.truncate(400);
    found
}

fn balanced(text: &[u8]) -> bool {
    let mut depth = 0i32;
    for byte in text {
        match byte {
            b'(' | b'{' | b'[' => depth += 1,
            b')' | b'}' | b']' => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
    }
    depth == 0
}
