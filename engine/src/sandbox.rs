//! What scripts find: the lists of globals and libraries of redis-server 7.0.15, as data.
//!
//! Must not know how a backend builds them, nor what the natives do.

use std::sync::LazyLock;

use redlua_conversions::Libraries;
use redlua_core::{Entry, Environment, Item, NativeId, View};

use crate::text;

/// The engine's own natives; the libraries' come before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Native {
    /// `__index` of the globals.
    MissingGlobal = Libraries::COUNT,
    /// The handler of uncaught errors, `__redis__err__handler`.
    ErrorHandler,
    Sha1Hex,
    ErrorReply,
    StatusReply,
    Log,
    SetResp,
    SetRepl,
    ReplicateCommands,
    Breakpoint,
    Debug,
    AclCheckCmd,
    RegisterFunction,
}

impl Native {
    const ALL: [Native; 13] = [
        Native::MissingGlobal,
        Native::ErrorHandler,
        Native::Sha1Hex,
        Native::ErrorReply,
        Native::StatusReply,
        Native::Log,
        Native::SetResp,
        Native::SetRepl,
        Native::ReplicateCommands,
        Native::Breakpoint,
        Native::Debug,
        Native::AclCheckCmd,
        Native::RegisterFunction,
    ];

    /// The native with that id.
    pub(crate) fn from_id(id: NativeId) -> Option<Native> {
        Native::ALL.get(id.checked_sub(Libraries::COUNT)? as usize).copied()
    }

    fn item(self) -> Item {
        Item::Native(self as NativeId)
    }
}

/// The version that is emulated.
pub(crate) const REDIS_VERSION: &str = "7.0.15";
/// The same as `0x00MMmmpp`.
const REDIS_VERSION_NUM: f64 = 0x0007_000f as f64;

/// `redis.REPL_ALL`, the sum of all replication targets.
pub(crate) const REPL_ALL: i64 = 3;

#[rustfmt::skip]
/// The globals in the order in which `pairs(_G)` of a server walks them.
const GLOBALS: [&str; 35] = [
    "string",
    "xpcall",
    "__redis__err__handler",
    "tostring",
    "_VERSION",
    "unpack",
    "setmetatable",
    "next",
    "assert",
    "tonumber",
    "rawequal",
    "collectgarbage",
    "struct",
    "getmetatable",
    "ARGV",
    "_G",
    "cjson",
    "math",
    "pcall",
    "KEYS",
    "redis",
    "type",
    "bit",
    "cmsgpack",
    "select",
    "rawset",
    "gcinfo",
    "rawget",
    "loadstring",
    "table",
    "coroutine",
    "pairs",
    "ipairs",
    "error",
    "load",
];

#[rustfmt::skip]
/// The fields of `redis` in the order in which `pairs(redis)` of a server walks them.
const REDIS: [&str; 23] = [
    "log",
    "LOG_WARNING",
    "error_reply",
    "REPL_AOF",
    "call",
    "REPL_ALL",
    "REDIS_VERSION_NUM",
    "REPL_SLAVE",
    "pcall",
    "LOG_NOTICE",
    "set_repl",
    "debug",
    "LOG_DEBUG",
    "sha1hex",
    "REDIS_VERSION",
    "status_reply",
    "acl_check_cmd",
    "REPL_REPLICA",
    "breakpoint",
    "setresp",
    "replicate_commands",
    "LOG_VERBOSE",
    "REPL_NONE",
];

/// The same for the functions of a library.
#[rustfmt::skip]
const REDIS_IN_FUNCTIONS: [&str; 20] = [
    "log", "LOG_WARNING", "error_reply", "REPL_AOF", "call", "REPL_ALL", "REDIS_VERSION_NUM",
    "REPL_SLAVE", "pcall", "LOG_NOTICE", "set_repl", "LOG_DEBUG", "sha1hex", "REDIS_VERSION",
    "status_reply", "REPL_REPLICA", "setresp", "acl_check_cmd", "LOG_VERBOSE", "REPL_NONE",
];

/// The world of EVAL scripts.
pub(crate) static EVAL: LazyLock<Environment> = LazyLock::new(eval);
/// The world of function libraries: [`CALL_VIEW`] and [`LOAD_VIEW`].
pub(crate) static FUNCTIONS: LazyLock<Environment> = LazyLock::new(functions);

fn eval() -> Environment {
    let mut globals = lua_libraries();
    let mut redis = redis_api();
    redis.extend([
        Entry::new("breakpoint", Native::Breakpoint.item()),
        Entry::new("debug", Native::Debug.item()),
        Entry::new("replicate_commands", Native::ReplicateCommands.item()),
    ]);
    globals.push(Entry::new("redis", Item::Table(arranged(redis, &REDIS))));
    globals.push(Entry::new("__redis__err__handler", Native::ErrorHandler.item()));
    globals.extend([Entry::new("KEYS", Item::Absent), Entry::new("ARGV", Item::Absent)]);
    environment(vec![View { globals: arranged(globals, &GLOBALS) }])
}

/// The entries in the order of `names`; what is not named goes last.
fn arranged(mut entries: Vec<Entry>, names: &[&str]) -> Vec<Entry> {
    let place =
        |entry: &Entry| names.iter().position(|name| *name == entry.name).unwrap_or(names.len());
    entries.sort_by_key(place);
    entries
}

/// The view of a library's functions when they are called.
pub(crate) const CALL_VIEW: usize = 0;
/// The view of a library's code while it is loaded.
pub(crate) const LOAD_VIEW: usize = 1;

fn functions() -> Environment {
    let mut globals = lua_libraries();
    globals.push(Entry::new("redis", Item::Table(arranged(redis_api(), &REDIS_IN_FUNCTIONS))));
    let globals = arranged(globals, &GLOBALS);
    let mut load = vec![Entry::new("register_function", Native::RegisterFunction.item())];
    load.extend(log_api());
    load.extend(version_api());
    let load = vec![Entry::new("redis", Item::StrictTable(load))];
    environment(vec![View { globals }, View { globals: load }])
}

fn environment(views: Vec<View>) -> Environment {
    Environment {
        globals: Vec::new(),
        views,
        missing_global: Native::MissingGlobal as NativeId,
        readonly_message: text::READONLY_TABLE,
        error_handler: Native::ErrorHandler as NativeId,
        error_fields: &["err", "source", "line", "ignore_error_stats_update"],
        unwrap_field: "err",
    }
}

fn stock(name: &'static str) -> Entry {
    Entry::new(name, Item::Stock)
}

fn library_of(name: &'static str, functions: &[&'static str]) -> Entry {
    Entry::new(name, Item::Table(functions.iter().copied().map(stock).collect()))
}

/// Lua's own libraries, cut down as `luaLoadLibraries` and `luaRemoveUnsupportedFunctions` do,
/// and those redis-server adds.
fn lua_libraries() -> Vec<Entry> {
    #[rustfmt::skip]
    const BASE: [&str; 23] = [
        "_G",
        "assert",
        "collectgarbage",
        "error",
        "gcinfo",
        "getmetatable",
        "load",
        "loadstring",
        "next",
        "pcall",
        "rawequal",
        "rawget",
        "rawset",
        "select",
        "setmetatable",
        "tonumber",
        "tostring",
        "type",
        "unpack",
        "xpcall",
        "_VERSION",
        "ipairs",
        "pairs",
    ];
    let mut globals: Vec<Entry> = BASE.into_iter().map(stock).collect();
    globals.extend(ORDERED.iter().map(|(name, functions)| library_of(name, functions)));
    globals.extend(Libraries::entries().into_iter().map(|mut library| {
        if let Item::Table(entries) = &mut library.item {
            let order = ADDED.iter().find(|(name, _)| *name == library.name);
            *entries = arranged(std::mem::take(entries), order.map_or(&[], |(_, names)| names));
        }
        library
    }));
    for entry in globals.iter_mut().filter(|entry| entry.name == "math") {
        if let Item::Table(math) = &mut entry.item {
            for function in math {
                match function.name {
                    "random" => function.item = Item::Native(Libraries::RANDOM),
                    "randomseed" => function.item = Item::Native(Libraries::RANDOMSEED),
                    _ => {}
                }
            }
        }
    }
    globals
}

/// Lua's libraries and their functions, in the order in which a server walks them.
#[rustfmt::skip]
const ORDERED: [(&str, &[&str]); 4] = [
    ("coroutine", &["resume", "yield", "status", "wrap", "create", "running"]),
    ("table", &["setn", "insert", "getn", "foreachi", "maxn", "foreach", "concat", "sort", "remove"]),
    ("string", &[
        "sub", "upper", "len", "gfind", "rep", "find", "match", "char", "dump", "gmatch",
        "reverse", "byte", "format", "gsub", "lower",
    ]),
    ("math", &[
        "log", "max", "acos", "huge", "ldexp", "pi", "cos", "tanh", "pow", "deg", "tan", "cosh",
        "sinh", "random", "randomseed", "frexp", "ceil", "floor", "rad", "abs", "sqrt", "modf",
        "asin", "min", "mod", "fmod", "log10", "atan2", "exp", "sin", "atan",
    ]),
];

/// The same for the libraries that redis-server adds.
#[rustfmt::skip]
const ADDED: [(&str, &[&str]); 4] = [
    ("cjson", &[
        "_NAME", "encode", "decode_max_depth", "_VERSION", "decode_invalid_numbers",
        "encode_keep_buffer", "null", "encode_number_precision", "new", "encode_max_depth",
        "encode_invalid_numbers", "decode", "encode_sparse_array",
    ]),
    ("cmsgpack", &[
        "_DESCRIPTION", "pack", "_NAME", "unpack", "_COPYRIGHT", "_VERSION", "unpack_one",
        "unpack_limit",
    ]),
    ("struct", &["pack", "size", "unpack"]),
    ("bit", &[
        "band", "rshift", "bor", "bnot", "bswap", "bxor", "tobit", "ror", "lshift", "tohex",
        "rol", "arshift",
    ]),
];

fn log_api() -> Vec<Entry> {
    let mut entries = vec![Entry::new("log", Native::Log.item())];
    for (level, name) in
        ["LOG_DEBUG", "LOG_VERBOSE", "LOG_NOTICE", "LOG_WARNING"].into_iter().enumerate()
    {
        entries.push(Entry::new(name, Item::Number(level as f64)));
    }
    entries
}

fn version_api() -> Vec<Entry> {
    vec![
        Entry::new("REDIS_VERSION_NUM", Item::Number(REDIS_VERSION_NUM)),
        Entry::new("REDIS_VERSION", Item::Text(REDIS_VERSION)),
    ]
}

/// The `redis` table of `luaRegisterRedisAPI` (`script_lua.c`).
fn redis_api() -> Vec<Entry> {
    let mut entries = vec![Entry::new("call", Item::Call), Entry::new("pcall", Item::Pcall)];
    entries.extend(log_api());
    entries.push(Entry::new("setresp", Native::SetResp.item()));
    entries.extend(version_api());
    entries.extend([
        Entry::new("sha1hex", Native::Sha1Hex.item()),
        Entry::new("error_reply", Native::ErrorReply.item()),
        Entry::new("status_reply", Native::StatusReply.item()),
        Entry::new("set_repl", Native::SetRepl.item()),
        Entry::new("REPL_NONE", Item::Number(0.0)),
        Entry::new("REPL_AOF", Item::Number(1.0)),
        Entry::new("REPL_SLAVE", Item::Number(2.0)),
        Entry::new("REPL_REPLICA", Item::Number(2.0)),
        Entry::new("REPL_ALL", Item::Number(REPL_ALL as f64)),
        Entry::new("acl_check_cmd", Native::AclCheckCmd.item()),
    ]);
    entries
}
