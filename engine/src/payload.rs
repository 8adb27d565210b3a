//! `FUNCTION DUMP` and `FUNCTION RESTORE`: libraries as an RDB fragment.
//!
//! Owns the payload: an opcode and the source of each library, version and checksum at the end
//! (`functionDumpCommand`, `functionRestoreCommand`). Must not know the encodings of lengths and
//! strings.

use redlua_conversions::rdb;
use redlua_core::{Host, Session};

use crate::engine::Engine;
use crate::functions::{Functions, Loaded};

/// `RDB_OPCODE_FUNCTION2`: a library's source follows.
const FUNCTION2: u8 = 245;
/// `RDB_OPCODE_FUNCTION_PRE_GA`, of a release candidate; refused.
const FUNCTION_PRE_GA: u8 = 246;

/// What happens to the libraries that are there already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Policy {
    Flush,
    Append,
    Replace,
}

/// All libraries as one payload.
pub(crate) fn dump(functions: &Functions) -> Vec<u8> {
    let mut payload = Vec::new();
    for (_, library) in functions.iter() {
        payload.push(FUNCTION2);
        rdb::write_string(&mut payload, &library.code);
    }
    rdb::seal(&mut payload);
    payload
}

impl Engine {
    /// `FUNCTION RESTORE payload [FLUSH|APPEND|REPLACE]`; on an error nothing has changed.
    pub(crate) fn function_restore(
        &mut self,
        host: &mut dyn Host,
        session: &Session,
        payload: &[u8],
        policy: &[&[u8]],
    ) -> Result<(), Vec<u8>> {
        let policy = match policy {
            [] => Policy::Append,
            [word] => match word.to_ascii_lowercase().as_slice() {
                b"flush" => Policy::Flush,
                b"append" => Policy::Append,
                b"replace" => Policy::Replace,
                _ => {
                    return Err(b"ERR Wrong restore policy given, value should be either FLUSH, \
APPEND or REPLACE."
                        .to_vec());
                }
            },
            _ => {
                return Err(crate::text::subcommand_syntax(&[b"FUNCTION", b"RESTORE"]));
            }
        };
        let body = rdb::unseal(payload).ok_or(b"ERR DUMP payload version or checksum are wrong")?;
        let codes = codes(body)?;
        let loaded = self.load_all(host, session, &codes)?;
        if policy == Policy::Flush {
            // The new functions live in the same Lua state: drop only the old libraries.
            self.functions.remove_all();
        }
        let limits = self.limits().clone();
        self.functions.add(loaded, policy == Policy::Replace, &limits)
    }

    fn load_all(
        &mut self,
        host: &mut dyn Host,
        session: &Session,
        codes: &[Vec<u8>],
    ) -> Result<Vec<Loaded>, Vec<u8>> {
        let mut loaded: Vec<Loaded> = Vec::with_capacity(codes.len());
        let mut failure = None;
        for code in codes {
            match self.load(host, session, code) {
                Ok(library) => loaded.push(library),
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        let failure = failure.or_else(|| Functions::clash(&loaded));
        match failure {
            None => Ok(loaded),
            Some(error) => {
                for library in &loaded {
                    self.functions.release(library.ids());
                }
                Err(error)
            }
        }
    }
}

/// The sources in a payload's body.
fn codes(body: &[u8]) -> Result<Vec<Vec<u8>>, Vec<u8>> {
    let mut reader = rdb::Reader::new(body);
    let mut codes = Vec::new();
    while !reader.is_empty() {
        match reader.byte() {
            Some(FUNCTION2) => {}
            Some(FUNCTION_PRE_GA) => {
                return Err(b"ERR Pre-GA function format not supported".to_vec());
            }
            _ => return Err(b"ERR given type is not a function".to_vec()),
        }
        let code = reader.string().ok_or(b"ERR Failed loading library payload")?;
        codes.push(code.into_owned());
    }
    Ok(codes)
}
