//! What the client library parsed, as reply events.
//!
//! Owns the translation. What the library does not keep cannot be told: a null array is a null,
//! and a status or an error that is not UTF-8 arrives repaired.

use redis::{ConnectionLike, RedisError, ServerError, Value, VerbatimFormat};
use redlua_conversions::Reply;
use redlua_conversions::reply::ReplyBuilder;
use redlua_core::{Protocol, ReplySink, Seq};

use crate::{Error, link};

/// Sends a request over a connection of the client library itself and returns its reply, in the
/// shape in which it comes; a connection that fails answers with an error that says so.
///
/// ```no_run
/// let mut connection = redis::Client::open("redis://127.0.0.1")?.get_connection()?;
/// let reply = redlua_remote::ask(&mut connection, &[b"PING"]);
/// # Ok::<(), redis::RedisError>(())
/// ```
pub fn ask(connection: &mut (impl ConnectionLike + ?Sized), argv: &[&[u8]]) -> Reply {
    let mut reply = ReplyBuilder::new(Protocol::Resp3);
    match link::request(connection, argv) {
        Ok(value) => push(&value, &mut reply),
        Err(error) => match error_reply(&error) {
            Some(line) => reply.error(&line),
            None => reply.error(Error::new("the server", error).line().as_bytes()),
        },
    }
    reply.finish().unwrap_or(Reply::Null)
}

/// Pushes a reply.
pub(crate) fn push(value: &Value, sink: &mut dyn ReplySink) {
    match value {
        Value::Nil => sink.null(),
        Value::Int(value) => sink.integer(*value),
        Value::BulkString(bytes) => sink.bulk(bytes),
        Value::Array(items) => push_seq(Seq::Array, items, sink),
        Value::Set(items) => push_seq(Seq::Set, items, sink),
        Value::Push { data, .. } => push_seq(Seq::Push, data, sink),
        Value::SimpleString(text) => sink.status(text.as_bytes()),
        Value::Okay => sink.status(b"OK"),
        Value::Map(pairs) => {
            sink.map(pairs.len());
            push_pairs(pairs, sink);
        }
        Value::Attribute { data, attributes } => {
            sink.attribute(attributes.len());
            push_pairs(attributes, sink);
            push(data, sink);
        }
        Value::Double(value) => sink.double(*value),
        Value::Boolean(value) => sink.boolean(*value),
        Value::VerbatimString { format, text } => sink.verbatim(verbatim(format), text.as_bytes()),
        Value::BigNumber(digits) => sink.big_number(digits),
        Value::ServerError(error) => sink.error(&server_error(error)),
        // The library may learn of kinds that this version does not know.
        _ => sink.error(b"ERR the reply is of an unknown kind"),
    }
}

/// The line of an error reply, when the error is one.
pub(crate) fn error_reply(error: &RedisError) -> Option<Vec<u8>> {
    let code = error.code()?;
    Some(line(code, error.detail()))
}

fn server_error(error: &ServerError) -> Vec<u8> {
    line(error.code(), error.details())
}

fn line(code: &str, detail: Option<&str>) -> Vec<u8> {
    match detail {
        Some(detail) => format!("{code} {detail}").into_bytes(),
        None => code.as_bytes().to_vec(),
    }
}

fn push_seq(kind: Seq, items: &[Value], sink: &mut dyn ReplySink) {
    sink.seq(kind, items.len());
    for item in items {
        push(item, sink);
    }
}

fn push_pairs(pairs: &[(Value, Value)], sink: &mut dyn ReplySink) {
    for (key, value) in pairs {
        push(key, sink);
        push(value, sink);
    }
}

fn verbatim(format: &VerbatimFormat) -> [u8; 3] {
    match format {
        VerbatimFormat::Markdown => *b"mkd",
        VerbatimFormat::Unknown(name) => name.as_bytes().try_into().unwrap_or(*b"txt"),
        _ => *b"txt",
    }
}
