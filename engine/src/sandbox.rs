//! What scripts find: the lists of globals and libraries of redis-server 7.0.15, as data.
//!
//! Must not know how a backend builds them, nor what the natives do.

use redlua_conversions::library::{self, Libraries};
use redlua_core::{Entry, Environment, Item, NativeId, View};

use crate::text;

/// The engine's own natives; the libraries' come before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Native {
    /// `__index` of the globals.
    MissingGlobal = library::COUNT,
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
        Native::ALL.get(id.checked_sub(library::COUNT)? as usize).copied()
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

/// The world of EVAL scripts.
pub(crate) fn eval() -> Environment {
    let mut globals = lua_libraries();
    let mut redis = redis_api();
    redis.extend([
        Entry::new("breakpoint", Native::Breakpoint.item()),
        Entry::new("debug", Native::Debug.item()),
        Entry::new("replicate_commands", Native::ReplicateCommands.item()),
    ]);
    globals.push(Entry::new("redis", Item::Table(redis)));
    globals.push(Entry::new("__redis__err__handler", Native::ErrorHandler.item()));
    environment(vec![View { globals }])
}

/// The view of a library's functions when they are called.
pub(crate) const CALL_VIEW: usize = 0;
/// The view of a library's code while it is loaded.
pub(crate) const LOAD_VIEW: usize = 1;

/// The world of function libraries: [`CALL_VIEW`] and [`LOAD_VIEW`].
pub(crate) fn functions() -> Environment {
    let mut globals = lua_libraries();
    globals.push(Entry::new("redis", Item::Table(redis_api())));
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
    const BASE: [&str; 23] = [
        "_G",
        "_VERSION",
        "assert",
        "collectgarbage",
        "error",
        "gcinfo",
        "getmetatable",
        "ipairs",
        "load",
        "loadstring",
        "next",
        "pairs",
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
    ];
    let mut globals: Vec<Entry> = BASE.into_iter().map(stock).collect();
    globals
        .push(library_of("coroutine", &["create", "resume", "running", "status", "wrap", "yield"]));
    globals.push(library_of(
        "table",
        &["concat", "foreach", "foreachi", "getn", "maxn", "insert", "remove", "setn", "sort"],
    ));
    globals.push(library_of(
        "string",
        &[
            "byte", "char", "dump", "find", "format", "gfind", "gmatch", "gsub", "len", "lower",
            "match", "rep", "reverse", "sub", "upper",
        ],
    ));
    let mut math: Vec<Entry> = [
        "abs",
        "acos",
        "asin",
        "atan2",
        "atan",
        "ceil",
        "cosh",
        "cos",
        "deg",
        "exp",
        "floor",
        "fmod",
        "frexp",
        "ldexp",
        "log10",
        "log",
        "max",
        "min",
        "modf",
        "pow",
        "rad",
        "random",
        "randomseed",
        "sinh",
        "sin",
        "sqrt",
        "tanh",
        "tan",
        "pi",
        "huge",
        "mod",
    ]
    .into_iter()
    .map(stock)
    .collect();
    for entry in &mut math {
        match entry.name {
            "random" => entry.item = Item::Native(library::RANDOM),
            "randomseed" => entry.item = Item::Native(library::RANDOMSEED),
            _ => {}
        }
    }
    globals.push(Entry::new("math", Item::Table(math)));
    globals.extend(Libraries::entries());
    globals
}

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

/// The `redis` table, in the order of `luaRegisterRedisAPI` (`script_lua.c`), which decides how
/// `pairs` walks it.
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
