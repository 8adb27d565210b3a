//! A `lua5.1` that answers calls of its library, as a process that lives as long as the test.
//!
//! Owns the text in which values are sent there and back. Must not know what is called.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use redlua_conversions::number;
use redlua_conversions::tree::Value;

/// The process.
pub(crate) struct Oracle {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Oracle {
    /// The process; `None`, with a line that says so, where there is no `lua5.1`.
    pub(crate) fn start() -> Option<Oracle> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lua51/oracle.lua");
        let mut command = Command::new("lua5.1");
        command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped());
        let Ok(mut child) = command.spawn() else {
            println!("skipped: there is no lua5.1 on this machine");
            return None;
        };
        let input = child.stdin.take()?;
        let output = BufReader::new(child.stdout.take()?);
        Some(Oracle { child, input, output })
    }

    /// What `lua5.1` answers: whether the call succeeded, and its results or the error.
    pub(crate) fn call(&mut self, name: &str, arguments: &[Value]) -> String {
        let mut line = name.to_owned();
        for argument in arguments {
            line.push(' ');
            write_value(argument, &mut line);
        }
        line.push('\n');
        self.input.write_all(line.as_bytes()).unwrap();
        self.input.flush().unwrap();
        let mut answer = String::new();
        self.output.read_line(&mut answer).unwrap();
        assert!(answer.ends_with('\n'), "lua5.1 has ended on {line}");
        answer.trim_end().to_owned()
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The text of values, as the oracle writes them.
pub(crate) fn written(values: &[Value]) -> String {
    let mut texts = Vec::new();
    for value in values {
        let mut text = String::new();
        write_value(value, &mut text);
        texts.push(text);
    }
    texts.join(" ")
}

fn write_value(value: &Value, out: &mut String) {
    match value {
        Value::Nil => out.push('z'),
        Value::Boolean(true) => out.push('t'),
        Value::Boolean(false) => out.push('f'),
        Value::Number(number) if number.is_nan() => out.push_str("nnan"),
        Value::Number(number) => write!(out, "n{}", number::g17(*number)).unwrap(),
        Value::String(bytes) => {
            out.push('s');
            for byte in bytes {
                write!(out, "{byte:02x}").unwrap();
            }
        }
        Value::Native(id) => write!(out, "c{id}").unwrap(),
        Value::Table(table) => {
            out.push('{');
            let last = table.pairs().filter_map(|(key, _)| match key {
                Value::Number(index) => Some(*index as i64),
                _ => None,
            });
            for index in 1..=last.max().unwrap_or(0) {
                out.push(' ');
                write_value(table.at(index).unwrap_or(&Value::Nil), out);
            }
            out.push_str(" }");
        }
        other => panic!("{other:?} cannot be sent"),
    }
}
