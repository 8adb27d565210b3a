//! Options behind the words of a script.
//!
//! Owns the order of a command line: what is known as an option is one wherever it stands, unless
//! `--` stands before it. A parser alone would take it for a word of the script. Must not know
//! which options there are.

use std::ffi::{OsStr, OsString};

use clap::{Arg, Command};

/// The subcommands that take a script's words.
const SCRIPTS: [&str; 4] = ["diff", "eval", "record", "run"];

/// The arguments with all options first, then `--`, then the words.
pub(crate) fn ordered(
    program: &Command,
    args: impl IntoIterator<Item = OsString>,
) -> Vec<OsString> {
    let mut args = args.into_iter();
    let mut front: Vec<OsString> = args.by_ref().take(2).collect();
    let name = front.get(1).and_then(|name| name.to_str()).filter(|name| SCRIPTS.contains(name));
    let Some(command) = name.and_then(|name| program.find_subcommand(name)) else {
        front.extend(args);
        return front;
    };
    let text = command.get_name() == "eval";
    let mut words: Vec<OsString> = Vec::new();
    while let Some(arg) = args.next() {
        if arg == "--" {
            words.extend(args.by_ref());
            break;
        }
        match option(command, &arg) {
            Some(apart) => {
                front.push(arg);
                front.extend(if apart { args.next() } else { None });
            }
            // A script's text may begin with a comment; a file's name is no unknown option.
            None if words.is_empty() && !text && arg != "-" && is_option(&arg) => front.push(arg),
            None => words.push(arg),
        }
    }
    if !words.is_empty() {
        front.push("--".into());
        front.extend(words);
    }
    front
}

fn is_option(arg: &OsStr) -> bool {
    arg.as_encoded_bytes().starts_with(b"-")
}

/// Whether the next argument is the value of this one; `None` when this is no option that is known.
fn option(command: &Command, arg: &OsStr) -> Option<bool> {
    let arg = arg.to_str()?;
    let named = |known: &&Arg| match arg.strip_prefix("--") {
        Some(long) => known.get_long() == Some(long.split_once('=').map_or(long, |(name, _)| name)),
        None => known.get_short().is_some_and(|short| arg == format!("-{short}")),
    };
    let known = command.get_arguments().find(named)?;
    let apart = known.get_action().takes_values() && !known.is_require_equals_set();
    Some(apart && !arg.contains('='))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn order(args: &str) -> String {
        let words = args.split(' ').map(OsString::from);
        let ordered = ordered(&crate::Cli::command(), words);
        ordered.join(OsStr::new(" ")).into_string().unwrap()
    }

    #[test]
    fn options_come_first() {
        for (given, expected) in [
            ("redlua run f k , a --redis u", "redlua run --redis u -- f k , a"),
            ("redlua diff f --seed s k --redis=u , a", "redlua diff --seed s --redis=u -- f k , a"),
            ("redlua run --local f --cluster k", "redlua run --local --cluster -- f k"),
            ("redlua record f -o out , a", "redlua record -o out -- f , a"),
            ("redlua run f , -y --unknown", "redlua run -- f , -y --unknown"),
            ("redlua run f , -- --db --", "redlua run -- f , --db --"),
            ("redlua run --unknown f", "redlua run --unknown -- f"),
            ("redlua run f --redis", "redlua run --redis -- f"),
            ("redlua eval --comment 0 --db", "redlua eval --db -- --comment 0"),
            ("redlua run -", "redlua run -- -"),
            ("redlua diff --cases d", "redlua diff --cases d"),
            ("redlua backends --x", "redlua backends --x"),
            ("redlua", "redlua"),
        ] {
            assert_eq!(order(given), expected);
        }
    }
}
