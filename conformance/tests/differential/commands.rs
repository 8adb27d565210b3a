//! Random calls of data commands, from one line of signature each.
//!
//! Owns the signatures and the words they are filled with. Whatever a server answers by chance,
//! by the clock or in the order of its hash tables is kept out here, not masked afterwards. Must
//! not know scripts.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::Union;

/// The words of one command.
pub(crate) type Argv = Vec<Vec<u8>>;

/// What may be called, and how: `?` is optional, `+` is once or more, `A|B` one of these words,
/// lower case a class of [`class`]. `!` keeps strange words out (they would make a set whose order
/// is the server's own, or a key that expires meanwhile); `=` keeps the call as it is.
const SIGNATURES: &[&str] = &[
    "SET ks v",
    "!SET ks v ?EX|PX|XX|NX ?t ?GET ?NX|KEEPTTL",
    "SETNX ks v",
    "!SETEX ks t v",
    "!PSETEX ks t v",
    "GET ks",
    "GETDEL ks",
    "GETSET ks v",
    "!GETEX ks ?PERSIST|EX|XX ?t",
    "APPEND ks v",
    "STRLEN ks",
    "GETRANGE ks i i",
    "SUBSTR ks i i",
    "SETRANGE ks o v",
    "INCR ks",
    "DECR ks",
    "INCRBY ks i",
    "DECRBY ks i",
    "INCRBYFLOAT ks f",
    "INCRBYFLOAT ks f",
    "MGET +k",
    "MSET +(ks v)",
    "MSETNX +(ks v)",
    "LCS ks ks ?LEN|IDX ?(MINMATCHLEN i) ?WITHMATCHLEN",
    "!HSET kh +(h w)",
    "!HMSET kh +(h w)",
    "HGET kh h",
    "HMGET kh +h",
    "HGETALL kh",
    "HDEL kh +h",
    "HEXISTS kh h",
    "!HINCRBY kh h i",
    "!HINCRBYFLOAT kh h fh",
    "HKEYS kh",
    "HVALS kh",
    "HLEN kh",
    "!HSETNX kh h w",
    "HSTRLEN kh h",
    "HSCAN kh 0|abc ?(MATCH p) ?(COUNT i)",
    "HRANDFIELD kh 0",
    "LPUSH kl +v",
    "RPUSH kl +v",
    "LPUSHX kl +v",
    "RPUSHX kl v",
    "LPOP kl ?i",
    "RPOP kl ?i",
    "LLEN kl",
    "LINDEX kl i",
    "LINSERT kl BEFORE|AFTER|foo v v",
    "LRANGE kl i i",
    "LREM kl i v",
    "LSET kl i v",
    "LTRIM kl i i",
    "LPOS kl v ?(RANK i) ?(COUNT i) ?(MAXLEN i)",
    "LMOVE kl kl LEFT|RIGHT LEFT|RIGHT|foo",
    "RPOPLPUSH kl kl",
    "LMPOP 1|2|0|abc kl ?kl LEFT|RIGHT ?(COUNT i)",
    "!SADD kt +m",
    "!SADD kt +m",
    "SREM kt +m",
    "SCARD kt",
    "SISMEMBER kt m",
    "SMISMEMBER kt +m",
    "SMEMBERS kt",
    "!SMOVE kt kt m",
    "SINTER +kt",
    "SUNION +kt",
    "SDIFF +kt",
    "SINTERSTORE kt +kt",
    "SUNIONSTORE kt +kt",
    "SDIFFSTORE kt +kt",
    "SINTERCARD 1|2|0|abc kt ?kt ?(LIMIT i)",
    "SSCAN kt 0 ?(MATCH p) ?(COUNT i)",
    "!ZADD kz ?NX|XX|GT ?GT|LT ?CH ?INCR +(f z)",
    "!ZADD kz f z f z",
    "ZSCORE kz z",
    "ZMSCORE kz +z",
    "!ZINCRBY kz f z",
    "ZCARD kz",
    "ZCOUNT kz r r",
    "ZRANGE kz i i ?REV ?WITHSCORES",
    "ZRANGE kz r r BYSCORE ?REV ?(LIMIT i i) ?WITHSCORES",
    "ZRANGE kz l l BYLEX ?REV ?(LIMIT i i)",
    "ZRANGESTORE kz kz i i ?REV",
    "ZRANGESTORE kz kz r r BYSCORE ?(LIMIT i i)",
    "ZREVRANGE kz i i ?WITHSCORES",
    "ZRANGEBYSCORE kz r r ?WITHSCORES ?(LIMIT i i)",
    "ZREVRANGEBYSCORE kz r r ?WITHSCORES ?(LIMIT i i)",
    "ZRANGEBYLEX kz l l ?(LIMIT i i)",
    "ZREVRANGEBYLEX kz l l ?(LIMIT i i)",
    "ZLEXCOUNT kz l l",
    "ZREMRANGEBYLEX kz l l",
    "ZREMRANGEBYSCORE kz r r",
    "ZREMRANGEBYRANK kz i i",
    "ZRANK kz z",
    "ZREVRANK kz z",
    "ZREM kz +z",
    "ZPOPMIN kz ?i",
    "ZPOPMAX kz ?i",
    "ZMPOP 1|2|0 kz ?kz MIN|MAX ?(COUNT i)",
    "ZUNION 2|1|0 kz kz ?(WEIGHTS f f) ?(AGGREGATE SUM|MIN|MAX|foo) ?WITHSCORES",
    "ZINTER 2|3 kz kz ?(WEIGHTS f f) ?(AGGREGATE SUM|MIN|MAX) ?WITHSCORES",
    "ZDIFF 2|abc kz kz ?WITHSCORES",
    "ZUNIONSTORE kz 2 kz kt ?(WEIGHTS f f) ?(AGGREGATE SUM|MAX)",
    "ZINTERSTORE kz 2 kz kz ?(AGGREGATE SUM|MIN|MAX)",
    "ZDIFFSTORE kz 2 kz kz",
    "ZINTERCARD 2 kz kz ?(LIMIT i)",
    "!GEOADD kg ?NX|XX ?CH +(lon lat z)",
    "!GEOADD kg lon lat z lon lat z",
    "GEOPOS kg +z",
    "GEODIST kg z z ?m|km|ft|mi|foo",
    "GEOHASH kg +z",
    "GEOSEARCH kg FROMMEMBER z BYRADIUS f m|km|ft|mi ASC|DESC ?WITHCOORD ?WITHDIST ?WITHHASH",
    "GEOSEARCH kg FROMLONLAT lon lat BYBOX f f km ASC|DESC ?(COUNT i ?ANY) ?WITHDIST",
    "GEORADIUS kg lon lat f km|m ASC|DESC ?WITHCOORD ?WITHDIST ?(COUNT i)",
    "GEORADIUSBYMEMBER kg z f km ASC ?WITHDIST ?(STORE kz)",
    "GEOSEARCHSTORE kz kg FROMMEMBER z BYRADIUS f km ASC ?STOREDIST",
    "SETBIT ks o 0|1|2",
    "GETBIT ks o",
    "BITCOUNT ks ?(i i) ?BYTE|BIT",
    "BITPOS ks 0|1|2 ?i ?i ?BIT|BYTE",
    "BITOP AND|OR|XOR|NOT|foo ks +ks",
    "BITFIELD ks +(GET|SET|INCRBY u8|i5|u63|i64|u64|i0 o|#1 ?i)",
    "BITFIELD ks ?(OVERFLOW WRAP|SAT|FAIL|foo) INCRBY u8|i8|i64|u2 o i GET u4|i3 o",
    "BITFIELD_RO ks +(GET u8|i16 o)",
    "PFADD kp +v",
    "PFADD kp v v v",
    "PFCOUNT +kp",
    "PFMERGE kp +kp",
    "!XADD kx ?NOMKSTREAM ?(MAXLEN ?=|~ i) id +(h w)",
    "!XADD kx id h w",
    "!XADD kx id h w",
    "XLEN kx",
    "XRANGE kx id id ?(COUNT i)",
    "XRANGE kx - +",
    "XREVRANGE kx + - ?(COUNT i)",
    "XREVRANGE kx id id",
    "XDEL kx +id",
    "XTRIM kx MAXLEN|MINID ?= i",
    "XSETID kx id",
    "XREAD ?(COUNT i) STREAMS kx id",
    "XREAD STREAMS kx kx id id",
    "=XINFO STREAM kx",
    "XINFO GROUPS kx",
    "XGROUP CREATE kx g1|g2 id ?MKSTREAM ?(ENTRIESREAD i)",
    "XGROUP SETID|DESTROY kx g1 ?id",
    "XGROUP CREATECONSUMER|DELCONSUMER kx g1 c1|c2",
    "XREADGROUP GROUP g1 c1|c2 ?(COUNT i) ?NOACK STREAMS kx >|0|id",
    "XACK kx g1 +id",
    "XPENDING kx g1",
    "XCLAIM kx g1 c1|c2 0 id JUSTID ?FORCE",
    "XAUTOCLAIM kx g1 c1 0 id ?(COUNT i) JUSTID",
    "DEL +k",
    "UNLINK k",
    "EXISTS +k",
    "TOUCH +k",
    "TYPE k",
    "RENAME k k",
    "RENAMENX k k",
    "COPY k k ?(DB 0|1|99|abc) ?REPLACE",
    "EXPIRE k t ?NX|XX|foo",
    "!PEXPIRE k T",
    "TTL k",
    "PERSIST k",
    "OBJECT ENCODING|REFCOUNT|FREQ|foo k",
    "DBSIZE",
    "=SCAN 0 MATCH k COUNT 1000",
    "=KEYS k",
    "MOVE k 1|0|abc|99",
    "SELECT 0|0|1|16|abc",
    "SWAPDB 0|1 1|2|abc|99",
    "FLUSHDB ?SYNC|ASYNC|foo",
    "SET ka v",
    "!EXPIREAT ka at ?NX|XX|GT|LT",
    "!PEXPIREAT ka at ?GT",
    "=EXPIRETIME ka",
    "=PEXPIRETIME ka",
    "SORT kl ?(BY nosort|w_*) ?(LIMIT i i) ?(GET p|#) ?ASC|DESC ?ALPHA",
    "SORT kt ?DESC ?(STORE kl)",
    "SORT_RO kl ?ALPHA",
    "SORT kz ?(BY nosort) ?DESC ALPHA",
    "ECHO v",
    "PING ?v",
    "PUBLISH c v",
    "=COMMAND INFO get|foo|EVAL",
    "=COMMAND GETKEYS GET|MSET|EVAL|ZUNION|XREAD|SORT k i k k",
    "=COMMAND GETKEYSANDFLAGS SET|LMOVE|EVAL k i k",
    "=CONFIG GET maxmemory|foo|lua-time-limit",
    "CLIENT GETNAME",
    "CLIENT SETNAME v",
    "PUBSUB CHANNELS|NUMPAT|NUMSUB|foo ?p",
    "=WAIT 0 0",
    "=ACL WHOAMI|CAT|foo ?foo",
    "OBJECT|XINFO|SCRIPT|FUNCTION|CONFIG|LATENCY HELP",
    "FOO ?v ?v",
    "v ?v",
    "READONLY",
    "ASKING",
    "UNWATCH",
    "DISCARD",
    "AUTH v ?v",
    "SUBSTR ks",
    "DUMP k",
];

/// What only a script may call: outside of one it would wait.
const IN_SCRIPTS: &[&str] = &[
    "BLPOP kl f",
    "BLMPOP f 1 kl LEFT|RIGHT ?(COUNT i)",
    "BZMPOP f 1 kz MIN|MAX",
    "BZPOPMIN kz f",
    "XREAD BLOCK i STREAMS kx $|0",
    "WATCH k",
    "MULTI",
    "EVAL v 0",
    "SUBSCRIBE c",
    "DEBUG v",
    "=SPOP kt 0",
    "CONFIG SET foo bar",
    "CLIENT ID|KILL",
    "QUIT",
    "RESET",
    "AUTH v",
    "SCRIPT LOAD v",
    "FCALL f1 0",
    "=WAIT 0 0",
    "KEYS v",
    "SHUTDOWN v v",
];

/// A call of some data command, now and then with a word too many, too few or out of place.
pub(crate) fn command() -> BoxedStrategy<Argv> {
    calls(SIGNATURES)
}

/// The same with what only scripts may call.
pub(crate) fn scripted() -> BoxedStrategy<Argv> {
    prop_oneof![9 => calls(SIGNATURES), 1 => calls(IN_SCRIPTS)].boxed()
}

/// A word of any class, strange ones among them.
pub(crate) fn word() -> BoxedStrategy<Vec<u8>> {
    prop_oneof![class("v"), class("i"), class("f"), class("k"), class("p"), class("id")].boxed()
}

/// A number of keys as EVAL takes it.
pub(crate) fn number_of_keys() -> BoxedStrategy<Vec<u8>> {
    prop_oneof![4 => class("n"), 1 => class("i")].boxed()
}

fn calls(signatures: &[&str]) -> BoxedStrategy<Argv> {
    Union::new(signatures.iter().map(|text| signature(text))).boxed()
}

fn signature(text: &str) -> BoxedStrategy<Argv> {
    let argv = sequence(&mut text.trim_start_matches(['!', '=']).chars().peekable());
    if text.starts_with('=') {
        return argv;
    }
    let strict = text.starts_with('!');
    let change = prop_oneof![
        any::<Index>().prop_map(Change::Drop),
        (any::<Index>(), word()).prop_map(move |(at, word)| match strict {
            true => Change::Drop(at),
            false => Change::Insert(at, word),
        }),
        (any::<Index>(), word()).prop_map(move |(at, word)| match strict {
            true => Change::Drop(at),
            false => Change::Replace(at, word),
        }),
        Just(Change::Lower),
    ];
    (argv, proptest::option::weighted(0.12, change))
        .prop_map(|(argv, change)| apply(argv, change))
        .boxed()
}

#[derive(Clone, Debug)]
enum Change {
    Drop(Index),
    Insert(Index, Vec<u8>),
    Replace(Index, Vec<u8>),
    Lower,
}

fn apply(mut argv: Argv, change: Option<Change>) -> Argv {
    match change {
        Some(Change::Drop(at)) if argv.len() > 1 => {
            argv.remove(1 + at.index(argv.len() - 1));
        }
        Some(Change::Insert(at, word)) => argv.insert(1 + at.index(argv.len()), word),
        Some(Change::Replace(at, word)) if argv.len() > 1 => {
            let at = 1 + at.index(argv.len() - 1);
            argv[at] = word;
        }
        Some(Change::Lower) => argv[0].make_ascii_lowercase(),
        _ => {}
    }
    argv
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// The parts up to the end or a closing parenthesis.
fn sequence(chars: &mut Chars<'_>) -> BoxedStrategy<Argv> {
    let mut parts = Vec::new();
    while let Some(&next) = chars.peek() {
        match next {
            ' ' => {
                chars.next();
            }
            ')' => break,
            _ => parts.push(part(chars)),
        }
    }
    parts.prop_map(|parts: Vec<Argv>| parts.concat()).boxed()
}

fn part(chars: &mut Chars<'_>) -> BoxedStrategy<Argv> {
    match chars.peek() {
        Some('?') => {
            chars.next();
            let inner = part(chars);
            proptest::option::weighted(0.3, inner).prop_map(Option::unwrap_or_default).boxed()
        }
        Some('+') => {
            chars.next();
            if matches!(chars.peek(), None | Some(' ')) {
                return Just(vec![b"+".to_vec()]).boxed();
            }
            vec(part(chars), 1..4).prop_map(|repeats| repeats.concat()).boxed()
        }
        Some('(') => {
            chars.next();
            let inner = sequence(chars);
            chars.next();
            inner
        }
        _ => {
            let mut word = String::new();
            while let Some(next) = chars.next_if(|next| !matches!(next, ' ' | ')')) {
                word.push(next);
            }
            class(&word).prop_map(|word| vec![word]).boxed()
        }
    }
}

/// The words of a class; of any other name, the alternatives that it spells.
fn class(name: &str) -> BoxedStrategy<Vec<u8>> {
    const KEYS: &[&str] = &["s1", "s2", "h1", "h2", "l1", "l2", "t1", "t2", "z1", "z2", "x1", "g1"];
    const SMALL: &[&str] = &["0", "1", "-1", "2", "3", "5", "-2", "10", "-10"];
    let key = |own: &'static [&'static str]| prop_oneof![12 => of(own), 1 => of(KEYS)].boxed();
    match name {
        "k" => of(KEYS),
        "ks" => key(&["s1", "s2", "s3"]),
        "kh" => key(&["h1", "h2"]),
        "kl" => key(&["l1", "l2"]),
        "kt" => key(&["t1", "t2", "t3"]),
        "kz" => key(&["z1", "z2"]),
        "kx" => key(&["x1", "x2"]),
        "kg" => key(&["g1"]),
        "kp" => key(&["p1", "p2"]),
        "ka" => of(&["a1", "a2"]),
        "i" => prop_oneof![5 => of(SMALL), 1 => of(&[
            "100", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "abc", "",
            "1.5", " 1", "+1", "01", "-0", "4294967296", "2147483648", "\u{0}", "1\u{0}",
        ])]
        .boxed(),
        "n" => of(&["0", "1", "2"]),
        "o" => of(&["0", "1", "7", "8", "20", "100", "-1", "abc", "9223372036854775807"]),
        "t" => of(&[
            "100",
            "1000",
            "0",
            "-1",
            "abc",
            "9223372036854775807",
            "10000000000000000",
            "1.5",
        ]),
        "T" => of(&["100000", "0", "-5", "abc", "9223372036854775807"]),
        "at" => of(&["33177117420", "33177117421", "33177117420000", "33177117421000", "abc"]),
        "fh" => of(&["1.5", "-2", "0.1", "abc", "1e-7", "1e17", "inf", "nan", "", "3.0e3", "5."]),
        "f" => prop_oneof![3 => of(SMALL), 2 => of(&[
            "1.5", "-2.25", "0.1", "3.0e3", "1e-7", "100", "inf", "-inf", "nan", "abc", "", "1e308",
            "1e17", "123456789.123456789", "0x10", "1e400", "5e-324", " 1", "1 ", "+5", ".5", "5.",
            "12345678901234567890", "0.30000000000000004", "1e21", "-0",
        ])]
        .boxed(),
        "v" => prop_oneof![4 => of(&[
            "a", "b", "hello world", "12", "-7", "3.14", "ohmytext", "", "mytext", "5", "10", "abc",
        ]), 1 => Union::new([
            Just(b"\xff\x00\r\n".to_vec()), Just(vec![b'x'; 70]), Just(b"007".to_vec()),
            Just(b"9223372036854775807".to_vec()), Just(b"1e5".to_vec()), Just(b"nan".to_vec()),
            Just(b"\xe2\x82\xac".to_vec()), Just(b"'\"\\\n\t".to_vec()), Just(vec![b'y'; 45]),
        ])]
        .boxed(),
        "w" => of(&[
            "a",
            "1",
            "-5",
            "3.5",
            "",
            "text",
            "1e3",
            "\u{ff}\u{0}",
            "10",
            "99999999999999999999",
        ]),
        "h" => of(&["f1", "f2", "f3", "", "1"]),
        "m" => of(&["1", "2", "3", "5", "-7", "100", "70000", "5000000000"]),
        "z" => of(&["a", "b", "c", "dd", "", "1"]),
        "lon" => of(&["13.361389", "15.087269", "0", "-180", "181", "2.5", "abc", "-122.27652"]),
        "lat" => of(&["38.115556", "37.502669", "0", "85.05", "86", "-12.5", "nan"]),
        "r" => of(&["-inf", "+inf", "0", "1", "(1", "(2", "5", "-1", "abc", "(inf", "2.5", "nan"]),
        "l" => of(&["-", "+", "[a", "(a", "[b", "(c", "[", "a", "[dd", "(", ""]),
        "p" => {
            of(&["*", "f*", "a", "?", "[a-c]*", "x*y", "\\*", "[^a]*", "", "f1", "w_*->f1", "s*"])
        }
        "id" => of(&[
            "1-1",
            "1-2",
            "2-1",
            "3",
            "5-*",
            "0",
            "0-0",
            "-",
            "+",
            "$",
            "abc",
            "(1-1",
            "7-7",
            "-1",
            "18446744073709551615-18446744073709551615",
            "1-1-1",
            "",
            "10-0",
            "9-*",
        ]),
        "c" => of(&["c1", "c2"]),
        other => {
            let words: Vec<Vec<u8>> = other.split('|').map(|word| word.into()).collect();
            select(words).boxed()
        }
    }
}

/// One of these; their code points are the bytes.
fn of(words: &[&str]) -> BoxedStrategy<Vec<u8>> {
    let words: Vec<Vec<u8>> =
        words.iter().map(|word| word.chars().map(|point| point as u8).collect()).collect();
    select(words).boxed()
}
