//! The primitives of the RDB format: lengths, strings, LZF, CRC64 and the footer of DUMP payloads.
//!
//! Both `DUMP`/`RESTORE` and `FUNCTION DUMP`/`FUNCTION RESTORE` are built of them. This module
//! must not know which types of values exist.
//!
//! ```
//! use redlua_conversions::rdb;
//!
//! let mut payload = vec![0xf5]; // an opcode: a function library follows
//! rdb::write_string(&mut payload, b"#!lua name=lib");
//! rdb::seal(&mut payload);
//!
//! let mut body = rdb::Reader::new(rdb::unseal(&payload).unwrap());
//! assert_eq!(body.byte(), Some(0xf5));
//! assert_eq!(body.string().unwrap().as_ref(), b"#!lua name=lib");
//! assert!(body.is_empty());
//! ```

mod crc64;
mod lzf;
mod reader;

pub use crc64::crc64;
pub use lzf::{compress, decompress};
pub use reader::Reader;

use crate::number::parse_i64;

/// The RDB version that redis-server 7.0 writes (`RDB_VERSION` in `rdb.h`).
pub const VERSION: u16 = 10;

/// Bytes of the footer: the version and the checksum.
const FOOTER: usize = 10;

/// The two high bits that announce a string in a special encoding instead of a length.
const SPECIAL: u8 = 0xc0;
const INT8: u8 = SPECIAL;
const INT16: u8 = SPECIAL | 1;
const INT32: u8 = SPECIAL | 2;
const LZF: u8 = SPECIAL | 3;

/// Appends the footer to a payload: the RDB version and the CRC64 of everything before it
/// (`createDumpPayload` in `cluster.c`).
pub fn seal(payload: &mut Vec<u8>) {
    payload.extend_from_slice(&VERSION.to_le_bytes());
    let crc = crc64(payload);
    payload.extend_from_slice(&crc.to_le_bytes());
}

/// The payload without its footer; `None` when it is too short, of a later RDB version or
/// damaged (`verifyDumpPayload` in `cluster.c`).
pub fn unseal(payload: &[u8]) -> Option<&[u8]> {
    let (summed, crc) = payload.split_last_chunk::<8>()?;
    let (body, version) = summed.split_last_chunk::<2>()?;
    debug_assert_eq!(body.len() + FOOTER, payload.len());
    let known = u16::from_le_bytes(*version) <= VERSION;
    (known && crc64(summed) == u64::from_le_bytes(*crc)).then_some(body)
}

/// Appends a length in 1, 2, 5 or 9 bytes (`rdbSaveLen`).
pub fn write_length(out: &mut Vec<u8>, length: u64) {
    if length < 1 << 6 {
        out.push(length as u8);
    } else if length < 1 << 14 {
        out.extend_from_slice(&[0x40 | (length >> 8) as u8, length as u8]);
    } else if let Ok(length) = u32::try_from(length) {
        out.push(0x80);
        out.extend_from_slice(&length.to_be_bytes());
    } else {
        out.push(0x81);
        out.extend_from_slice(&length.to_be_bytes());
    }
}

/// Appends a string: as an integer when it is the decimal form of one, compressed when that is
/// shorter, else as it is (`rdbSaveRawString`).
pub fn write_string(out: &mut Vec<u8>, bytes: &[u8]) {
    if bytes.len() <= 11 && write_integer(out, bytes) {
        return;
    }
    if bytes.len() > 20
        && let Some(packed) = compress(bytes, bytes.len() - 4)
    {
        out.push(LZF);
        write_length(out, packed.len() as u64);
        write_length(out, bytes.len() as u64);
        out.extend_from_slice(&packed);
        return;
    }
    write_length(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// `rdbTryIntegerEncoding`: whether `bytes` is an integer of at most 32 bits, then written.
fn write_integer(out: &mut Vec<u8>, bytes: &[u8]) -> bool {
    let Some(value) = parse_i64(bytes) else { return false };
    if let Ok(value) = i8::try_from(value) {
        out.push(INT8);
        out.extend_from_slice(&value.to_le_bytes());
    } else if let Ok(value) = i16::try_from(value) {
        out.push(INT16);
        out.extend_from_slice(&value.to_le_bytes());
    } else if let Ok(value) = i32::try_from(value) {
        out.push(INT32);
        out.extend_from_slice(&value.to_le_bytes());
    } else {
        return false;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What redis-server 7.0.15 answers to `DUMP` after `SET k hello`, `SET k 12345` and
    /// `SET k` of 40 times `a`.
    #[test]
    fn payloads_of_a_server() {
        let cases: [(&[u8], &[u8]); 3] = [
            (b"hello", b"\x00\x05hello\x0a\x00cr\xdfve4 \x0a"),
            (b"12345", b"\x00\xc190\x0a\x00\x9d\x94\xea'\x93\xfc\x08\xb9"),
            (
                &[b'a'; 40],
                b"\x00\xc3\x09(\x01aa\xe0\x1b\x00\x01aa\x0a\x00\xcf\x09/\xaa\xae%\x83\x1d",
            ),
        ];
        for (text, want) in cases {
            let mut payload = vec![0];
            write_string(&mut payload, text);
            seal(&mut payload);
            assert_eq!(payload, want, "{}", String::from_utf8_lossy(text));
            let mut body = Reader::new(unseal(&payload).unwrap());
            assert_eq!(body.byte(), Some(0));
            assert_eq!(body.string().unwrap().as_ref(), text);
        }
    }

    #[test]
    fn damage_is_noticed() {
        let mut payload = vec![0, 1, b'x'];
        seal(&mut payload);
        assert_eq!(unseal(&payload), Some(&[0, 1, b'x'][..]));
        payload[2] ^= 1;
        assert_eq!(unseal(&payload), None);
        assert_eq!(unseal(b"short"), None);
        let mut later = vec![0, 1, b'x', 11, 0];
        let crc = crc64(&later);
        later.extend_from_slice(&crc.to_le_bytes());
        assert_eq!(unseal(&later), None);
    }

    proptest! {
        #[test]
        fn strings_and_lengths_round_trip(bytes: Vec<u8>, length: u64, value: i64) {
            let mut out = Vec::new();
            write_string(&mut out, &bytes);
            write_length(&mut out, length);
            write_string(&mut out, value.to_string().as_bytes());
            let mut reader = Reader::new(&out);
            prop_assert_eq!(reader.string().unwrap().into_owned(), bytes);
            prop_assert_eq!(reader.length(), Some(length));
            let digits = value.to_string().into_bytes();
            prop_assert_eq!(reader.string().unwrap().into_owned(), digits);
            prop_assert!(reader.is_empty());
        }

        #[test]
        fn readers_never_panic(bytes: Vec<u8>) {
            let mut reader = Reader::new(&bytes);
            while reader.string().is_some() && reader.length().is_some() {}
            let _ = unseal(&bytes);
        }
    }
}
