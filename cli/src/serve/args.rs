//! The command line of `redlua serve`, which is also redis-server's.
//!
//! Owns the splitting into directives (`server.c main`, `config.c loadServerConfigFromString`):
//! those of a file, of the standard input, and of `--name value…`. Must not know what they mean.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::Path;

use redlua::conversions::resp::split_args;

/// What was asked for.
#[derive(Debug)]
pub(super) enum Request {
    Help,
    Version,
    Serve(Arguments),
}

/// The command line.
#[derive(Debug, Default)]
pub(super) struct Arguments {
    /// The directives in their order; later ones win.
    pub(super) directives: Vec<Directive>,
    /// The Lua engine.
    pub(super) backend: Option<String>,
    /// How many nodes the cluster has that scripts find themselves in.
    pub(super) cluster: Option<u16>,
    /// Whether scripts may touch only their KEYS.
    pub(super) strict_keys: bool,
    /// What to run while the server does.
    pub(super) command: Vec<OsString>,
}

/// One line of configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Directive {
    pub(super) name: String,
    pub(super) values: Vec<String>,
    /// Where it stands: the line that redis-server counts it as.
    pub(super) line: usize,
}

impl Arguments {
    /// Reads the words after `serve`, and the files they name.
    pub(super) fn parse(args: impl Iterator<Item = OsString>) -> Result<Request, String> {
        let mut args = args.peekable();
        let mut arguments = Arguments::default();
        let mut lines = 0;
        match args.peek().and_then(|first| first.to_str()) {
            Some("-v" | "--version") => return Ok(Request::Version),
            Some("-h" | "--help") => return Ok(Request::Help),
            Some(path) if !path.starts_with('-') => {
                lines = arguments.read_file(Path::new(path), 0)?;
                args.next();
            }
            _ => {}
        }
        let mut options: Vec<(String, Vec<String>)> = Vec::new();
        while let Some(arg) = args.next() {
            if arg == "--" {
                arguments.command = args.collect();
                if arguments.command.is_empty() {
                    return Err("a command is expected after `--`".to_owned());
                }
                break;
            }
            let word = text(&arg)?;
            match (word.strip_prefix("--"), options.last_mut()) {
                (Some(name), _) => match name.split_once('=') {
                    Some((name, value)) => options.push((name.to_owned(), vec![value.to_owned()])),
                    None => options.push((name.to_owned(), Vec::new())),
                },
                (None, _) if word == "-" && args.peek().is_none() => {
                    lines += arguments.read_input(lines)?;
                }
                (None, Some((_, values))) => values.push(word.to_owned()),
                (None, None) => return Err(format!("unexpected argument `{word}`; see --help")),
            }
        }
        for (index, (name, values)) in options.into_iter().enumerate() {
            arguments.add(name, values, lines + index + 2)?;
        }
        Ok(Request::Serve(arguments))
    }

    /// An option of the command line.
    fn add(&mut self, name: String, values: Vec<String>, line: usize) -> Result<(), String> {
        match (name.as_str(), values.as_slice()) {
            ("backend", [name]) => self.backend = Some(name.clone()),
            ("backend", _) => return Err("--backend wants a name".to_owned()),
            ("strict-keys", []) => self.strict_keys = true,
            ("strict-keys", _) => return Err("--strict-keys takes no value".to_owned()),
            ("cluster", []) => self.cluster = Some(16384),
            ("cluster", [nodes])
                if nodes.parse().is_ok_and(|nodes| (1..=16384).contains(&nodes)) =>
            {
                self.cluster = nodes.parse().ok();
            }
            ("cluster", _) => return Err("--cluster takes a number from 1 to 16384".to_owned()),
            ("config-set", pairs) => {
                for pair in pairs {
                    let (name, value) =
                        pair.split_once('=').ok_or("--config-set wants NAME=VALUE")?;
                    let values = vec![value.to_owned()];
                    self.directives.push(Directive { name: name.to_owned(), values, line });
                }
            }
            // Alone it means no saving at all.
            ("save", []) => {
                self.directives.push(Directive { name, values: vec![String::new()], line });
            }
            _ => self.directives.push(Directive { name, values, line }),
        }
        Ok(())
    }

    fn read_file(&mut self, path: &Path, depth: usize) -> Result<usize, String> {
        let text = std::fs::read(path).map_err(|error| {
            let why = error.to_string();
            let why = why.split(" (os error").next().unwrap_or_default();
            format!("Fatal error, can't open config file '{}': {why}", path.display())
        })?;
        self.read(&text, 0, depth)
    }

    fn read_input(&mut self, before: usize) -> Result<usize, String> {
        let mut text = Vec::new();
        let read = std::io::stdin().read_to_end(&mut text);
        read.map_err(|error| format!("cannot read the standard input: {error}"))?;
        self.read(&text, before, 0)
    }

    /// Takes the directives of a text; returns how many lines it has.
    fn read(&mut self, text: &[u8], before: usize, depth: usize) -> Result<usize, String> {
        let mut count = 0;
        for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
            count = index;
            let number = before + index + 1;
            let line = line.trim_ascii();
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            let words = split_args(line).map_err(|_| {
                fatal(
                    number,
                    &String::from_utf8_lossy(line),
                    "Unbalanced quotes in configuration line",
                )
            })?;
            let mut words = words.iter().map(|word| String::from_utf8_lossy(word).into_owned());
            let Some(name) = words.next() else { continue };
            let values: Vec<String> = words.collect();
            match values.as_slice() {
                [path] if name.eq_ignore_ascii_case("include") => {
                    if depth > 16 {
                        return Err(fatal(number, &format!("{name} {path}"), "include loop"));
                    }
                    self.read_file(Path::new(path), depth + 1)?;
                }
                _ => self.directives.push(Directive { name, values, line: number }),
            }
        }
        Ok(count)
    }
}

impl Directive {
    /// The error redis-server ends with because of this directive.
    pub(super) fn fatal(&self, why: &str) -> String {
        let mut shown = self.name.clone();
        for value in &self.values {
            shown.push_str(&format!(" {value:?}"));
        }
        fatal(self.line, &shown, why)
    }
}

/// As `loadServerConfigFromString` ends.
fn fatal(line: usize, shown: &str, why: &str) -> String {
    format!(
        "\n*** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***\n\
         Reading the configuration file, at line {line}\n>>> '{shown}'\n{why}\n"
    )
}

fn text(word: &OsStr) -> Result<&str, String> {
    word.to_str().ok_or_else(|| format!("`{}` is not UTF-8", word.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Arguments, String> {
        match Arguments::parse(words.iter().map(OsString::from))? {
            Request::Serve(arguments) => Ok(arguments),
            other => Err(format!("{other:?}")),
        }
    }

    fn shown(arguments: &Arguments) -> Vec<String> {
        let lines = arguments.directives.iter();
        lines.map(|d| format!("{}:{}={}", d.line, d.name, d.values.join("|"))).collect()
    }

    #[test]
    fn redis_own_spelling() {
        let words =
            ["--port", "7", "--bind", "a", "b", "--save", "", "--appendonly", "no", "--x=y"];
        let found = shown(&parse(&words).unwrap());
        assert_eq!(found, ["2:port=7", "3:bind=a|b", "4:save=", "5:appendonly=no", "6:x=y"]);
        assert_eq!(shown(&parse(&["--save"]).unwrap()), ["2:save="]);
        assert!(parse(&["--port", "1", "-v"]).is_ok());
        assert!(parse(&["-v"]).is_err());
        assert!(parse(&["-x"]).is_err());
    }

    #[test]
    fn a_command_and_our_own_options() {
        let words = ["--backend", "b", "--config-set", "a=1", "c=d=e", "--", "env", "--port"];
        let found = parse(&words).unwrap();
        assert_eq!(found.backend.as_deref(), Some("b"));
        assert_eq!(found.command, ["env", "--port"]);
        assert_eq!(shown(&found), ["3:a=1", "3:c=d=e"]);
        assert!(parse(&["--"]).is_err());
        assert_eq!(parse(&["--cluster", "--strict-keys"]).unwrap().cluster, Some(16384));
        assert_eq!(parse(&["--cluster", "3"]).unwrap().cluster, Some(3));
        assert!(parse(&["--cluster=0"]).is_err() && parse(&["--cluster", "x"]).is_err());
        assert!(parse(&["--strict-keys"]).unwrap().strict_keys);
        assert!(parse(&["--strict-keys", "yes"]).is_err());
        assert!(parse(&["--backend"]).is_err());
    }

    #[test]
    fn configuration_text() {
        let mut arguments = Arguments::default();
        let text = b"# comment\n\nport 7\nsave 60 1\nrequirepass \"a b\"\n";
        assert_eq!(arguments.read(text, 0, 0), Ok(5));
        assert_eq!(shown(&arguments), ["3:port=7", "4:save=60|1", "5:requirepass=a b"]);
        let error = arguments.read(b"\nport \"7\n", 0, 0).unwrap_err();
        assert!(error.contains("at line 2"), "{error}");
    }
}
