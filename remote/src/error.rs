//! Why a server could not be used.
//!
//! Owns the kinds and their one-line messages. An error *reply* is none of them: that is data.

use std::fmt;

use crate::value;

/// Why a server could not be reached or asked.
#[derive(Debug)]
pub struct Error {
    /// What went wrong.
    pub fault: Fault,
    /// The address, without a password.
    pub address: String,
    cause: Cause,
    source: redis::RedisError,
}

/// The client library's own words, once: its errors repeat those of their sources.
#[derive(Debug)]
struct Cause(String);

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The address is not one of a server.
    Address,
    /// Nobody listens there, or the name does not resolve.
    Unreachable,
    /// The server wants a user or a password, or another one.
    Authentication,
    /// No answer in time.
    Timeout,
    /// The connection ended before the reply was complete.
    Dropped,
    /// The server answered something that is not understood, or refused the connection.
    Protocol,
}

impl Error {
    pub(crate) fn new(address: &str, source: redis::RedisError) -> Self {
        let cause = Cause(match value::error_reply(&source) {
            Some(line) => String::from_utf8_lossy(&line).into_owned(),
            // The system's own word for it says nothing.
            None if source.is_timeout() => "the time is over".to_owned(),
            None => source.to_string(),
        });
        Error { fault: fault(&source), address: address.to_owned(), cause, source }
    }

    /// The line of an error reply that tells a script, or whoever asked, about it.
    pub fn line(&self) -> String {
        let text = format!("ERR {self}: {}", self.cause);
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
    }

    pub(crate) fn into_source(self) -> redis::RedisError {
        self.source
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.fault {
            Fault::Address => "is no address of a Redis",
            Fault::Unreachable => "cannot be reached",
            Fault::Authentication => "refuses to let us in",
            Fault::Timeout => "does not answer in time",
            Fault::Dropped => "dropped the connection",
            Fault::Protocol => "answers something unexpected",
        };
        write!(f, "{} {what}", self.address)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Cause {}

/// The kind of a client error. Whoever could not connect is told so by the system, not by a
/// reply, hence the order.
fn fault(error: &redis::RedisError) -> Fault {
    use redis::ErrorKind;
    let refused = matches!(error.code(), Some("NOAUTH" | "WRONGPASS" | "NOPERM"));
    match error.kind() {
        _ if refused => Fault::Authentication,
        ErrorKind::AuthenticationFailed => Fault::Authentication,
        ErrorKind::InvalidClientConfig => Fault::Address,
        _ if error.is_timeout() => Fault::Timeout,
        _ if error.is_connection_refusal() => Fault::Unreachable,
        _ if error.is_connection_dropped() => Fault::Dropped,
        ErrorKind::Io | ErrorKind::ClusterConnectionNotFound => Fault::Unreachable,
        _ => Fault::Protocol,
    }
}
