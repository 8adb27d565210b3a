//! Workloads that a real server is measured with too.
//!
//! Owns their scripts. Each repeats one thing inside one `EVAL`, so that the way to the server
//! does not count. Must not know who runs them.

/// A script that repeats one thing.
#[derive(Clone, Debug)]
pub struct Workload {
    /// What it does.
    pub name: &'static str,
    /// How often it does it.
    pub times: u32,
    /// The script.
    pub source: String,
    /// The number of keys, the keys and the arguments.
    pub words: Vec<String>,
}

const DOCUMENT: &str = r#"{"id":12345,"name":"Ada Lovelace","tags":["a","b","c"],"at":{"x":1.5,"y":-2},"ok":true,"none":null,"text":"hello world again"}"#;

/// The workloads, in the order in which a report shows them.
pub fn workloads() -> Vec<Workload> {
    let times = |name, times: u32, setup: &str, body: &str| Workload {
        name,
        times,
        source: format!("{setup} for i = 1, {times} do {body} end"),
        words: vec!["1".into(), "k".into(), DOCUMENT.into()],
    };
    vec![
        times("get", 50_000, "", "redis.call('get', 'k')"),
        times("set", 50_000, "", "redis.call('set', KEYS[1], i)"),
        times("lrange-100", 500, "", "redis.call('lrange', 'list', 0, -1)"),
        times("pcall-fails", 10_000, "", "redis.pcall('incr', 'hash')"),
        times("cjson", 2_500, "", "cjson.encode(cjson.decode(ARGV[1]))"),
        times(
            "cmsgpack",
            2_500,
            "local p = cmsgpack.pack(cjson.decode(ARGV[1]))",
            "cmsgpack.pack(cmsgpack.unpack(p))",
        ),
        times("sha1hex", 5_000, "", "redis.sha1hex('value' .. i)"),
        times(
            "gsub-function",
            50,
            "local s = string.rep('hello world ', 100)",
            "string.gsub(s, '%w+', function(w) return w end)",
        ),
        times(
            "fib-21",
            1,
            "local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end",
            "fib(21)",
        ),
        times(
            "table-concat",
            10,
            "",
            "local t = {} for j = 1, 1000 do t[j] = 'item' .. j end table.concat(t, ',')",
        ),
    ]
}

/// The scripts of `examples/scripts/`, each with a call that does what it is for.
pub fn examples() -> Vec<Workload> {
    // What a script needs to find each time is put there by a line before it.
    macro_rules! script {
        ($name:literal, $keys:literal, $arguments:literal, $before:literal) => {{
            let source = include_str!(concat!("../../examples/scripts/", $name, ".lua"));
            Workload {
                name: $name,
                times: 1,
                source: format!("{} {source}", $before),
                words: $keys.split(' ').chain($arguments.split(' ')).map(Into::into).collect(),
            }
        }};
    }
    vec![
        script!("count_many", "1 day", "60 a 1 b 2", ""),
        script!("enqueue_unique", "2 queue waiting", "job1 payload 100", ""),
        script!("leaderboard", "1 board", "ada 5 2", ""),
        script!("lock_acquire", "2 lock fence", "token 60000", ""),
        script!("lock_extend", "1 lock", "token 60000", ""),
        script!("lock_release", "1 lock", "other", ""),
        script!(
            "merge_json",
            "1 doc",
            r#"0 {"name":"Ada","at":{"x":1.5}}"#,
            "redis.call('del', KEYS[1])"
        ),
        script!("page", "1 feed", "10 ", ""),
        script!(
            "promote_due",
            "2 delayed ready",
            "10 5",
            "redis.call('zadd', KEYS[1], 1, 'a', 2, 'b', 30, 'c') redis.call('del', KEYS[2])"
        ),
        script!(
            "reserve_stock",
            "3 order apples pears",
            "1 2",
            "redis.call('del', KEYS[1])
             for i = 2, 3 do redis.call('hset', KEYS[i], 'stock', 100, 'reserved', 0) end"
        ),
        script!(
            "session_touch",
            "1 session",
            "2000 60000 600000",
            "redis.call('hset', KEYS[1], 'born', 1000, 'user', 'ada')"
        ),
        script!("sliding_window", "1 window", "5 1000 1700000000000 event", ""),
        script!("token_bucket", "1 bucket", "10 1 1700000000000 0", ""),
    ]
}
