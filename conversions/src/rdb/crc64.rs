//! The CRC64 of RDB files and DUMP payloads. It must not know what it sums up.

/// The "Jones" CRC64 of `data`: polynomial `ad93d23594c935a9`, reflected, starting from 0 and
/// not inverted (`crc64.c`).
///
/// ```
/// assert_eq!(redlua_conversions::rdb::crc64(b"123456789"), 0xe9c6_d914_c4b8_d9ca);
/// ```
pub fn crc64(data: &[u8]) -> u64 {
    data.iter().fold(0, |crc, byte| TABLE[usize::from(crc as u8 ^ byte)] ^ (crc >> 8))
}

const REFLECTED: u64 = 0xad93_d235_94c9_35a9_u64.reverse_bits();

const TABLE: [u64; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u64;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { REFLECTED ^ (crc >> 1) } else { crc >> 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};
