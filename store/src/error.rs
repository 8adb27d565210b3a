//! The error replies of commands.
//!
//! Owns [`CommandError`] and the texts that several commands share. It must not know which
//! command answers what.

use std::borrow::Cow;

/// An error reply: its text without the leading dash, code word first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommandError(Cow<'static, [u8]>);

/// What a command's function returns; its reply has been pushed when it is `Ok`.
pub(crate) type CommandResult = Result<(), CommandError>;

impl CommandError {
    /// An error with a fixed text.
    pub(crate) const fn fixed(text: &'static str) -> Self {
        CommandError(Cow::Borrowed(text.as_bytes()))
    }

    /// An error whose text is made up.
    pub(crate) fn new(text: impl Into<Vec<u8>>) -> Self {
        CommandError(Cow::Owned(text.into()))
    }

    /// The text.
    pub(crate) fn text(&self) -> &[u8] {
        &self.0
    }

    /// `ERR unknown subcommand or wrong number of arguments` of container commands
    /// (`addReplySubcommandSyntaxError` in `networking.c`).
    pub(crate) fn subcommand(container: &str, word: &[u8]) -> Self {
        let mut text = b"ERR unknown subcommand or wrong number of arguments for '".to_vec();
        let word = printed(word);
        text.extend_from_slice(&word[..word.len().min(128)]);
        text.extend_from_slice(b"'. Try ");
        text.extend_from_slice(container.to_ascii_uppercase().as_bytes());
        text.extend_from_slice(b" HELP.");
        CommandError(Cow::Owned(text))
    }

    /// `ERR wrong number of arguments for '…' command` (`addReplyErrorArity`).
    pub(crate) fn arity(name: &str) -> Self {
        CommandError::new(format!("ERR wrong number of arguments for '{name}' command"))
    }

    /// `ERR invalid expire time in '…' command` (`addReplyErrorExpireTime`).
    pub(crate) fn expire_time(name: &str) -> Self {
        CommandError::new(format!("ERR invalid expire time in '{name}' command"))
    }
}

/// A word as `%s` prints it: up to a NUL.
pub(crate) fn printed(word: &[u8]) -> &[u8] {
    word.split(|byte| *byte == 0).next().unwrap_or_default()
}

pub(crate) const WRONG_TYPE: CommandError =
    CommandError::fixed("WRONGTYPE Operation against a key holding the wrong kind of value");
pub(crate) const SYNTAX: CommandError = CommandError::fixed("ERR syntax error");
pub(crate) const NOT_INTEGER: CommandError =
    CommandError::fixed("ERR value is not an integer or out of range");
pub(crate) const OUT_OF_RANGE: CommandError = CommandError::fixed("ERR value is out of range");
pub(crate) const MUST_BE_POSITIVE: CommandError =
    CommandError::fixed("ERR value is out of range, must be positive");
pub(crate) const NOT_FLOAT: CommandError = CommandError::fixed("ERR value is not a valid float");
pub(crate) const NO_SUCH_KEY: CommandError = CommandError::fixed("ERR no such key");
pub(crate) const INDEX_OUT_OF_RANGE: CommandError = CommandError::fixed("ERR index out of range");
pub(crate) const OVERFLOW: CommandError =
    CommandError::fixed("ERR increment or decrement would overflow");
pub(crate) const NAN_OR_INFINITY: CommandError =
    CommandError::fixed("ERR increment would produce NaN or Infinity");
pub(crate) const DB_INDEX: CommandError = CommandError::fixed("ERR DB index is out of range");
