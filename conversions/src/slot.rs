//! Which slot of a cluster a key belongs to (`cluster.c keyHashSlot`, `crc16.c`). It must not know
//! who has which slot.

/// How many slots there are.
pub const SLOTS: u16 = 16384;

/// The slot of a key: of what stands between its first `{` and the next `}`, when that is
/// anything, else of the whole key.
///
/// ```
/// use redlua_conversions::slot::slot;
///
/// assert_eq!(slot(b"foo"), 12182);
/// assert_eq!(slot(b"{user:1}:name"), slot(b"user:1"));
/// ```
pub fn slot(key: &[u8]) -> u16 {
    crc16(tag(key)) % SLOTS
}

fn tag(key: &[u8]) -> &[u8] {
    let Some(open) = key.iter().position(|&byte| byte == b'{') else { return key };
    let rest = key.get(open + 1..).unwrap_or_default();
    match rest.iter().position(|&byte| byte == b'}') {
        Some(len @ 1..) => rest.get(..len).unwrap_or(key),
        _ => key,
    }
}

/// The XMODEM CRC: polynomial 1021, starting from 0, not reflected.
fn crc16(data: &[u8]) -> u16 {
    data.iter().fold(0, |crc, &byte| {
        (0..8).fold(crc ^ u16::from(byte) << 8, |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `CLUSTER KEYSLOT` of a real server answers.
    #[test]
    fn as_a_server_counts() {
        let known: [(&[u8], u16); 11] = [
            (b"", 0),
            (b"123456789", 12739),
            (b"a", 15495),
            (b"b", 3300),
            (b"foo", 12182),
            (b"{a}x", 15495),
            (b"x{a}{b}", 15495),
            (b"{}a", 10875),
            (b"{a", 10276),
            (b"a{{b}}c", 6215),
            (b"\xff\xfe", 3374),
        ];
        for (key, expected) in known {
            assert_eq!(slot(key), expected, "{key:?}");
        }
    }
}
