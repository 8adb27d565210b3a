//! A script as a value: its source, its SHA1, and the invoking of it.
//!
//! Must not know what kind of connection it is invoked on.

use std::sync::{Arc, Mutex, PoisonError};

use redlua_conversions::{Error, Reply, from_reply, to_args};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Connection;

/// A Lua script that is sent once and then called by its SHA1.
///
/// Belongs to no connection: the same value may be invoked on many, from many threads. Each
/// invocation tries `EVALSHA` first and loads the script when the server does not know it.
///
/// ```
/// use redlua::{Client, Script};
///
/// let script = Script::new("return {KEYS[1], tonumber(ARGV[1]) + 1}");
/// let (key, next): (String, u32) = script.key("k").arg(41).invoke(&mut Client::new())?;
/// assert_eq!((key.as_str(), next), ("k", 42));
/// # Ok::<(), redlua::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Script {
    source: Arc<[u8]>,
    sha: [u8; 40],
}

impl Script {
    /// A script of this source; nothing is sent or compiled yet.
    pub fn new(source: impl AsRef<[u8]>) -> Self {
        let source = source.as_ref();
        Script { source: source.into(), sha: redlua_engine::sha1(source) }
    }

    /// The source.
    pub fn source(&self) -> &[u8] {
        &self.source
    }

    /// The SHA1 of the source, 40 hexadecimal digits.
    pub fn sha(&self) -> &str {
        std::str::from_utf8(&self.sha).unwrap_or_default()
    }

    /// An invocation with a first key.
    pub fn key(&self, key: impl Serialize) -> Invocation<'_> {
        self.prepare().key(key)
    }

    /// An invocation with a first argument.
    pub fn arg(&self, arg: impl Serialize) -> Invocation<'_> {
        self.prepare().arg(arg)
    }

    /// An invocation without keys and arguments yet.
    pub fn prepare(&self) -> Invocation<'_> {
        Invocation {
            script: self,
            keys: Vec::new(),
            args: Vec::new(),
            read_only: false,
            error: None,
        }
    }

    /// Loads the script (`SCRIPT LOAD`).
    ///
    /// # Errors
    /// It does not compile.
    pub fn load(&self, connection: &mut impl Connection) -> Result<(), Error> {
        from_reply::<String>(&connection.request(&[b"SCRIPT", b"LOAD", &self.source])).map(drop)
    }

    /// Invokes the script without keys and arguments.
    ///
    /// # Errors
    /// As for [`Invocation::invoke`].
    pub fn invoke<T: DeserializeOwned>(
        &self,
        connection: &mut impl Connection,
    ) -> Result<T, Error> {
        self.prepare().invoke(connection)
    }
}

/// One call of a [`Script`]: its keys and arguments.
#[derive(Debug)]
pub struct Invocation<'a> {
    script: &'a Script,
    keys: Vec<Vec<u8>>,
    args: Vec<Vec<u8>>,
    read_only: bool,
    /// The first key or argument that could not be serialized.
    error: Option<Error>,
}

impl Invocation<'_> {
    /// Adds a key, or several: whatever serializes to a flat list ([`to_args`]).
    #[must_use]
    pub fn key(mut self, key: impl Serialize) -> Self {
        match to_args(&key) {
            Ok(keys) => self.keys.extend(keys),
            Err(error) => self.error = self.error.or(Some(error)),
        }
        self
    }

    /// Adds an argument, or several: a struct adds its fields and values.
    #[must_use]
    pub fn arg(mut self, arg: impl Serialize) -> Self {
        match to_args(&arg) {
            Ok(args) => self.args.extend(args),
            Err(error) => self.error = self.error.or(Some(error)),
        }
        self
    }

    /// Runs with `EVALSHA_RO`: the script may not write.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// Runs the script and converts its reply ([`from_reply`]).
    ///
    /// # Errors
    /// The script's own error, a reply of another shape than `T`, or a key or argument that
    /// cannot be serialized.
    pub fn invoke<T: DeserializeOwned>(self, connection: &mut impl Connection) -> Result<T, Error> {
        from_reply(&self.reply(connection)?)
    }

    /// Runs the script and returns its reply as it is, errors included.
    ///
    /// # Errors
    /// A key or argument that cannot be serialized.
    pub fn reply(self, connection: &mut impl Connection) -> Result<Reply, Error> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let (by_sha, by_source): (&[u8], &[u8]) =
            if self.read_only { (b"EVALSHA_RO", b"EVAL_RO") } else { (b"EVALSHA", b"EVAL") };
        let numkeys = self.keys.len().to_string();
        let mut argv: Vec<&[u8]> = vec![by_sha, &self.script.sha, numkeys.as_bytes()];
        argv.extend(self.keys.iter().chain(&self.args).map(Vec::as_slice));
        let reply = connection.request(&argv);
        match &reply {
            // EVAL caches what it runs, so one more round trip is enough.
            Reply::Error(text) if text.starts_with(b"NOSCRIPT") => {
                argv.splice(..2, [by_source, &self.script.source]);
                Ok(connection.request(&argv))
            }
            _ => Ok(reply),
        }
    }
}

/// Many threads may share one connection.
impl<C: Connection> Connection for &Mutex<C> {
    fn request(&mut self, argv: &[&[u8]]) -> Reply {
        self.lock().unwrap_or_else(PoisonError::into_inner).request(argv)
    }
}
