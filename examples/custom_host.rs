//! A mock Redis of two commands on a `HashMap`, and what gives it scripting: 20 lines, the `impl`
//! between the two marks and the three lines that end in `// redlua`. Must not know Lua.

use std::collections::HashMap;

use redlua::{Client, CommandFlags, CommandSpec, Host, ReplySink, Session}; // redlua

/// The mock as it was before.
#[derive(Default)]
struct Mock(HashMap<Vec<u8>, Vec<u8>>);

enum Value {
    Nil,
    Ok,
    Bulk(Vec<u8>),
    Error(&'static str),
}

impl Mock {
    fn run(&mut self, argv: &[&[u8]]) -> Value {
        match argv {
            [name, key] if name.eq_ignore_ascii_case(b"get") => {
                self.0.get(*key).map_or(Value::Nil, |value| Value::Bulk(value.clone()))
            }
            [_, key, value] if value.len() <= 512 => {
                self.0.insert(key.to_vec(), value.to_vec());
                Value::Ok
            }
            _ => Value::Error("ERR this mock stores small values only"),
        }
    }
}

// redlua: from here
impl Host for Mock {
    fn command(&self, argv: &[&[u8]]) -> Option<CommandSpec> {
        match argv[0].to_ascii_lowercase().as_slice() {
            b"get" => Some(CommandSpec::new(0, 2, CommandFlags::READONLY).keys(1, 1, 1)),
            b"set" => Some(CommandSpec::new(1, 3, CommandFlags::WRITE).keys(1, 1, 1)),
            _ => None,
        }
    }
    fn call(&mut self, _: &mut Session, _: &CommandSpec, argv: &[&[u8]], out: &mut dyn ReplySink) {
        match self.run(argv) {
            Value::Nil => out.null(),
            Value::Ok => out.status(b"OK"),
            Value::Bulk(bytes) => out.bulk(&bytes),
            Value::Error(text) => out.error(text.as_bytes()),
        }
    }
}
// redlua: to here

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let script = "redis.call('SET', KEYS[1], ARGV[1]); return redis.call('GET', KEYS[1])";
    let mut client = Client::with_host(Mock::default()); // redlua
    println!("{:?}", client.command(("EVAL", script, 1, "greeting", "hello"))?); // redlua
    Ok(())
}
