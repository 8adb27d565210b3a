//! The plain driver: mutates seeds with a generator of random numbers that has a seed of its own.
//! It runs on a stable compiler, needs no coverage and repeats itself exactly.
//!
//! ```text
//! redlua-fuzz [TARGET…] [--seconds N] [--seed N] [--file PATH]
//! ```
//!
//! Owns the command line and the mutations. Must not know the targets.
#![forbid(unsafe_code)]

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, fs};

use redlua_fuzz::{NAMES, Target};

fn main() -> ExitCode {
    let (mut seconds, mut seed, mut file, mut names) = (10, 1, None, Vec::new());
    let mut words = env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = || words.next().and_then(|word| word.parse::<u64>().ok());
        match word.as_str() {
            "--seconds" => seconds = number().unwrap_or(seconds),
            "--seed" => seed = number().unwrap_or(seed),
            "--file" => file = words.next(),
            name if NAMES.contains(&name) => names.push(name.to_owned()),
            _ => {
                eprintln!(
                    "usage: redlua-fuzz [{}] [--seconds N] [--seed N] [--file PATH]",
                    NAMES.join("|")
                );
                return ExitCode::from(2);
            }
        }
    }
    if names.is_empty() {
        names = NAMES.map(str::to_owned).to_vec();
    }
    let share = Duration::from_secs(seconds) / names.len() as u32;
    for name in names {
        let Some(mut target) = Target::named(&name) else { return ExitCode::from(2) };
        if let Some(file) = &file {
            target.run(&fs::read(file).unwrap_or_default());
            target.finish();
            continue;
        }
        // Who crashes leaves the input there.
        let last = env::temp_dir().join(format!("redlua-fuzz-{name}-{}", std::process::id()));
        let seeds = seeds(&name);
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let (begun, mut runs, mut slowest) = (Instant::now(), 0_u64, Duration::ZERO);
        while begun.elapsed() < share {
            let data = random.mutated(&seeds);
            let _ = fs::write(&last, &data);
            let one = Instant::now();
            target.run(&data);
            slowest = slowest.max(one.elapsed());
            runs += 1;
        }
        target.finish();
        let _ = fs::remove_file(&last);
        println!("{name}: {runs} inputs in {:?}, the slowest {slowest:?}", begun.elapsed());
    }
    ExitCode::SUCCESS
}

/// The seeds of a target: a file of hexadecimal or plain lines.
fn seeds(name: &str) -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(format!("{name}.txt"));
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines = text.lines().filter(|line| !line.is_empty());
    let mut seeds: Vec<Vec<u8>> = lines.map(unescaped).collect();
    seeds.push(Vec::new());
    seeds
}

/// A line in which `\xNN`, `\r` and `\n` stand for bytes.
fn unescaped(line: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = line.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        match (first, after) {
            (b'\\', [b'x', high, low, ..]) => {
                let digit = |byte: u8| char::from(byte).to_digit(16).unwrap_or(0) as u8;
                bytes.push(digit(*high) * 16 + digit(*low));
                rest = &after[3..];
            }
            (b'\\', [b'r', ..]) => {
                bytes.push(b'\r');
                rest = &after[1..];
            }
            (b'\\', [b'n', ..]) => {
                bytes.push(b'\n');
                rest = &after[1..];
            }
            _ => bytes.push(first),
        }
    }
    bytes
}

/// Xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit.max(1)
    }

    fn mutated(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut data = seeds[self.below(seeds.len())].clone();
        if self.below(8) == 0 {
            data = (0..self.below(300)).map(|_| self.below(256) as u8).collect();
        }
        for _ in 0..=self.below(6) {
            let at = self.below(data.len() + 1);
            let end = (at + self.below(16)).min(data.len());
            match self.below(8) {
                0 if at < data.len() => data[at] ^= 1 << self.below(8),
                1 if at < data.len() => data[at] = self.below(256) as u8,
                2 => data.insert(at, self.below(256) as u8),
                3 => drop(data.drain(at..end)),
                4 => {
                    let part = data[at..end].to_vec();
                    let times = self.below(20);
                    data.splice(at..at, part.repeat(times));
                }
                5 => {
                    let other = &seeds[self.below(seeds.len())];
                    let from = self.below(other.len() + 1);
                    data.splice(at..end, other[from..].iter().copied());
                }
                6 => {
                    const TOKENS: [&[u8]; 12] = [
                        b"\xff\xff\xff\xff",
                        b"\0\0\0\0",
                        b"\x7f\xff\xff\xff",
                        b"%",
                        b"[^]",
                        b"9999999999",
                        b"-1",
                        b"\r\n",
                        b"(",
                        b"*",
                        b"$",
                        b"\"",
                    ];
                    data.splice(at..end, TOKENS[self.below(TOKENS.len())].iter().copied());
                }
                _ => data.truncate(at.max(data.len() / 2)),
            }
            data.truncate(8192);
        }
        data
    }
}
