//! Why a Rust value and Redis' data do not fit.
//!
//! Owns the error of both directions. Must not know serde's traversal.

use std::fmt::Display;

/// Why a value is not an argument, or a reply not the value asked for.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The reply is an error.
    #[error("{code} {message}")]
    Redis {
        /// Its first word: `ERR`, `WRONGTYPE`.
        code: String,
        /// The rest.
        message: String,
    },
    /// Text was asked for and the bytes are not UTF-8.
    #[error("the bytes are not UTF-8")]
    Utf8,
    /// The reply is of another type.
    #[error("expected {expected}, got {found}")]
    Type {
        /// What was asked for.
        expected: &'static str,
        /// What the reply is.
        found: &'static str,
    },
    /// An array has another number of elements.
    #[error("expected {expected} elements, got {found}")]
    Length {
        /// How many were asked for.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A flat array of fields and values has an odd number of elements.
    #[error("a field without a value in an array of {0}")]
    Unpaired(usize),
    /// A struct's field or a map's key or value is not one argument.
    #[error("a field or its value must be one argument, not {0}")]
    Compound(&'static str),
    /// The reply is nested too deeply.
    #[error("the reply is nested too deeply")]
    Depth,
    /// What the type's own `Serialize` or `Deserialize` says.
    #[error("{0}")]
    Custom(String),
}

impl Error {
    /// An error reply.
    pub(super) fn redis(text: &[u8]) -> Self {
        let text = String::from_utf8_lossy(text);
        let (code, message) = text.split_once(' ').unwrap_or((&text, ""));
        Error::Redis { code: code.to_owned(), message: message.to_owned() }
    }
}

impl serde::ser::Error for Error {
    fn custom<T: Display>(message: T) -> Self {
        Error::Custom(message.to_string())
    }
}

impl serde::de::Error for Error {
    fn custom<T: Display>(message: T) -> Self {
        Error::Custom(message.to_string())
    }
}
