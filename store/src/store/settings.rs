//! What whoever runs the store may read and set of its configuration.
//!
//! Owns the way in from outside; the parameters are `config`'s. It must not know what a server
//! does with them.

use std::error::Error;
use std::fmt;

use super::Store;
use crate::commands::configuration::take_effect;
use crate::config::SetError;

/// Why a parameter was not set at start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadParameter {
    /// There is none of that name.
    Unknown,
    /// It does not take this value; why.
    Refused(String),
}

impl fmt::Display for BadParameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadParameter::Unknown => f.write_str("Bad directive or wrong number of arguments"),
            BadParameter::Refused(why) => f.write_str(why),
        }
    }
}

impl Error for BadParameter {}

impl Store {
    /// The value of a `CONFIG` parameter; empty for an unknown one.
    pub fn parameter(&self, name: &str) -> &[u8] {
        self.server.config.value(name)
    }

    /// How often any parameter has been set: while it stands still [`parameter`](Self::parameter)
    /// says the same.
    pub fn parameter_changes(&self) -> u64 {
        self.server.config.changes
    }

    /// Sets a parameter as a configuration file does, those included that `CONFIG SET` may not
    /// set. For a store nobody is connected to yet.
    ///
    /// ```
    /// let mut store = redlua_store::Store::new();
    /// store.configure("maxmemory", "100mb")?;
    /// assert_eq!(store.parameter("maxmemory"), b"104857600");
    /// assert!(store.configure("maxmemories", "1").is_err());
    /// # Ok::<(), redlua_store::BadParameter>(())
    /// ```
    ///
    /// # Errors
    /// There is no such parameter, or it does not take this value.
    pub fn configure(&mut self, name: &str, value: &str) -> Result<(), BadParameter> {
        let (name, value) = (name.as_bytes(), value.as_bytes());
        self.server.config.set_at_start(name, value).map_err(|error| match error {
            SetError::Unknown(_) => BadParameter::Unknown,
            SetError::Refused(_, reason) => BadParameter::Refused(reason),
        })?;
        take_effect(&mut self.keys, &mut self.server, name);
        Ok(())
    }
}
