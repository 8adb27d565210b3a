//! Replies to the standard output.
//!
//! Owns the forms in which a reply is shown. Must not know where it comes from.

use std::io::{self, Write};

use redlua::conversions::resp::RespWriter;
use redlua::conversions::{human, raw};
use redlua::{Protocol, Reply};
use serde_json::{Map, Value};

use crate::error::Error;
use crate::{Format, Options};

/// Writes bytes to the standard output.
pub(crate) fn print(bytes: &[u8]) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(Error::Output)
}

/// Writes an error reply to the standard error.
pub(crate) fn print_failure(reply: &Reply) -> Result<(), Error> {
    io::stderr().lock().write_all(&human(reply)).map_err(Error::Output)
}

/// Writes a line about the run to the standard error.
pub(crate) fn note(line: &str) -> Result<(), Error> {
    writeln!(io::stderr().lock(), "redlua: {line}").map_err(Error::Output)
}

/// A reply in the form asked for.
pub(crate) fn shown(options: &Options, reply: &Reply) -> Result<Vec<u8>, Error> {
    Ok(match options.format {
        Format::Human => human(reply),
        Format::Raw => raw(reply),
        Format::Json => line(&json(reply)?)?,
        Format::Resp => {
            let mut writer = RespWriter::new(protocol(options));
            reply.emit(&mut writer);
            writer.into_bytes()
        }
    })
}

/// A reply and the databases as one JSON object.
pub(crate) fn together(reply: &Reply, databases: Value) -> Result<Vec<u8>, Error> {
    let mut object = Map::new();
    object.insert("reply".into(), json(reply)?);
    object.insert("db".into(), databases);
    line(&Value::Object(object))
}

/// The protocol asked for.
pub(crate) fn protocol(options: &Options) -> Protocol {
    if options.resp == 3 { Protocol::Resp3 } else { Protocol::Resp2 }
}

/// A reply as JSON.
pub(crate) fn json(reply: &Reply) -> Result<Value, Error> {
    serde_json::to_value(reply).map_err(Error::Json)
}

fn line(value: &Value) -> Result<Vec<u8>, Error> {
    let mut line = serde_json::to_vec(value).map_err(Error::Json)?;
    line.push(b'\n');
    Ok(line)
}
