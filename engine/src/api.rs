//! The functions of the `redis` table, `redis.call` aside, and the natives behind the globals.
//!
//! Owns their rules and texts (`script_lua.c`, `eval.c`). Must not know which script runs.

use redlua_conversions::number::{Text, g14, g17};
use redlua_core::{Arguments, Host, Kind, LogLevel, Protocol, Raise, Session, ValueWriter};
use sha1::{Digest, Sha1};

use crate::fault;
use crate::sandbox::{Native, REPL_ALL};
use crate::text as texts;

type Done = Result<(), Raise>;

/// Runs a native in the session of a script or of a library that is being loaded.
pub(crate) fn call(
    native: Native,
    host: &mut dyn Host,
    session: &mut Session,
    args: &mut dyn Arguments,
    out: &mut dyn ValueWriter,
) -> Done {
    match native {
        Native::MissingGlobal => missing_global(args),
        Native::ErrorHandler => {
            error_handler(args, out);
            Ok(())
        }
        Native::Sha1Hex => sha1_hex(args, out),
        Native::ErrorReply => {
            error_reply(args, out);
            Ok(())
        }
        Native::StatusReply => {
            status_reply(args, out);
            Ok(())
        }
        Native::SetRepl => set_repl(args, out),
        Native::ReplicateCommands => {
            out.boolean(true);
            Ok(())
        }
        // No debugger is attached.
        Native::Breakpoint => {
            out.boolean(false);
            Ok(())
        }
        Native::Debug => Ok(()),
        Native::RegisterFunction => {
            raise(out, b"redis.register_function can only be called on FUNCTION LOAD command")
        }
        Native::Log => log(host, args, out),
        Native::SetResp => set_resp(session, args, out),
        Native::AclCheckCmd => acl_check_cmd(host, session, args, out),
    }
}

/// Raises `{err = "ERR " .. text}` (`luaPushError`, `luaError`).
pub(crate) fn raise(out: &mut dyn ValueWriter, text: &[u8]) -> Done {
    fault::push(out, &fault::with_code(text));
    Err(Raise::Value)
}

/// `luaProtectedTableError`.
fn missing_global(args: &mut dyn Arguments) -> Done {
    if args.count() != 2 {
        return Err(Raise::message("Wrong number of arguments to luaProtectedTableError"));
    }
    args.select(1);
    let Some(name) = text(args) else {
        return Err(Raise::message(
            "Second argument to luaProtectedTableError must be a string or number",
        ));
    };
    let mut message = b"Script attempted to access nonexistent global variable '".to_vec();
    message.extend(name.bytes().iter().take_while(|&&byte| byte != 0));
    message.push(b'\'');
    Err(Raise::Message(message))
}

/// `__redis__err__handler`: makes a table of whatever was raised and notes where.
fn error_handler(args: &mut dyn Arguments, out: &mut dyn ValueWriter) {
    args.select(0);
    if args.kind() == Kind::Table {
        out.argument(0);
    } else {
        let mut message = b"ERR ".to_vec();
        match args.kind() {
            Kind::Boolean if args.boolean() => message.extend(b"true"),
            Kind::Boolean => message.extend(b"false"),
            Kind::None | Kind::Nil => message.extend(b"nil"),
            _ => match text(args) {
                Some(text) => message.extend(text.bytes()),
                None => {
                    message.extend(format!("{}: {:#x}", args.kind().name(), args.address()).bytes())
                }
            },
        }
        fault::push(out, &message);
    }
    if let Some(at) = args.caller() {
        out.string(at.source);
        out.set_field(b"source");
        out.integer(at.line);
        out.set_field(b"line");
    }
}

/// `luaRedisSha1hexCommand`.
fn sha1_hex(args: &mut dyn Arguments, out: &mut dyn ValueWriter) -> Done {
    if args.count() != 1 {
        return raise(out, b"wrong number of arguments");
    }
    args.select(0);
    let hex = match text(args) {
        Some(text) => sha1(text.bytes()),
        None => sha1(b""),
    };
    out.string(&hex);
    Ok(())
}

/// The SHA1 of some bytes as 40 lower-case hexadecimal digits.
pub fn sha1(bytes: &[u8]) -> [u8; 40] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut hex = [0; 40];
    for (pair, byte) in hex.chunks_exact_mut(2).zip(Sha1::digest(bytes)) {
        if let [high, low] = pair {
            *high = DIGITS[usize::from(byte >> 4)];
            *low = DIGITS[usize::from(byte & 15)];
        }
    }
    hex
}

/// The one string argument of `error_reply` and `status_reply`; without it the error table they
/// return instead was appended.
fn one_string<'a>(args: &'a mut dyn Arguments, out: &mut dyn ValueWriter) -> Option<&'a [u8]> {
    if args.count() == 1 {
        args.select(0);
        if args.kind() == Kind::String {
            return Some(args.bytes());
        }
    }
    fault::push(out, b"ERR wrong number or type of arguments");
    None
}

/// `luaRedisReturnSingleFieldTable` with `err`: the code word is the script's own business.
fn error_reply(args: &mut dyn Arguments, out: &mut dyn ValueWriter) {
    if let Some(text) = one_string(args, out) {
        let text: Vec<u8> = text.iter().copied().take_while(|&byte| byte != 0).collect();
        let text = text.strip_prefix(b"-").unwrap_or(&text);
        fault::push(out, &fault::with_code(&[b"-", text].concat()));
    }
}

fn status_reply(args: &mut dyn Arguments, out: &mut dyn ValueWriter) {
    if let Some(text) = one_string(args, out) {
        out.table(0, 0);
        out.string(text);
        out.set_field(b"ok");
    }
}

/// `luaRedisSetReplCommand`; there is nothing to replicate to.
fn set_repl(args: &mut dyn Arguments, out: &mut dyn ValueWriter) -> Done {
    if args.count() != 1 {
        return raise(out, b"redis.set_repl() requires two arguments.");
    }
    args.select(0);
    let flags = integer(args);
    if flags & !REPL_ALL != 0 {
        return raise(
            out,
            b"Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.",
        );
    }
    Ok(())
}

/// `luaSetResp`.
fn set_resp(session: &mut Session, args: &mut dyn Arguments, out: &mut dyn ValueWriter) -> Done {
    if args.count() != 1 {
        return raise(out, b"redis.setresp() requires one argument.");
    }
    args.select(0);
    session.protocol = match integer(args) {
        2 => Protocol::Resp2,
        3 => Protocol::Resp3,
        _ => return raise(out, b"RESP version must be 2 or 3."),
    };
    Ok(())
}

/// `luaLogCommand`.
fn log(host: &mut dyn Host, args: &mut dyn Arguments, out: &mut dyn ValueWriter) -> Done {
    if args.count() < 2 {
        return raise(out, b"redis.log() requires two arguments or more.");
    }
    args.select(0);
    if number(args).is_none() {
        return raise(out, b"First argument must be a number (log level).");
    }
    let level = match integer(args) {
        0 => LogLevel::Debug,
        1 => LogLevel::Verbose,
        2 => LogLevel::Notice,
        3 => LogLevel::Warning,
        _ => return raise(out, b"Invalid debug level."),
    };
    let mut message = Vec::new();
    for index in 1..args.count() {
        args.select(index);
        if let Some(text) = text(args) {
            if !message.is_empty() {
                message.push(b' ');
            }
            message.extend(text.bytes());
        }
    }
    host.log(level, &message);
    Ok(())
}

/// `luaRedisAclCheckCmdPermissionsCommand`.
fn acl_check_cmd(
    host: &dyn Host,
    session: &Session,
    args: &mut dyn Arguments,
    out: &mut dyn ValueWriter,
) -> Done {
    if args.count() == 0 {
        return raise(out, texts::NO_ARGUMENT);
    }
    let mut argv = Vec::with_capacity(args.count());
    for index in 0..args.count() {
        args.select(index);
        let arg = match args.kind() {
            Kind::String => args.bytes().to_vec(),
            Kind::Number => g17(args.number()).to_vec(),
            _ => {
                return raise(out, texts::BAD_ARGUMENT);
            }
        };
        argv.push(arg);
    }
    let argv: Vec<&[u8]> = argv.iter().map(Vec::as_slice).collect();
    let Some(spec) = host.command(&argv) else {
        return raise(out, b"Invalid command passed to redis.acl_check_cmd()");
    };
    out.boolean(host.permits(session, &spec, &argv).is_ok());
    Ok(())
}

/// A string or a number as text (`lua_tolstring`).
enum Words<'a> {
    Bytes(&'a [u8]),
    Number(Text),
}

impl Words<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Words::Bytes(bytes) => bytes,
            Words::Number(text) => text,
        }
    }
}

fn text(args: &dyn Arguments) -> Option<Words<'_>> {
    match args.kind() {
        Kind::String => Some(Words::Bytes(args.bytes())),
        Kind::Number => Some(Words::Number(g14(args.number()))),
        _ => None,
    }
}

/// The string or number under the cursor as bytes.
pub(crate) fn text_of(value: &dyn Arguments) -> Option<Vec<u8>> {
    text(value).map(|text| text.bytes().to_vec())
}

/// A number, or a string that is one (`lua_isnumber`).
fn number(args: &dyn Arguments) -> Option<f64> {
    match args.kind() {
        Kind::Number => Some(args.number()),
        Kind::String => redlua_conversions::number::lua_str2number(args.bytes()),
        _ => None,
    }
}

/// `lua_tonumber` cast to an integer.
fn integer(args: &dyn Arguments) -> i64 {
    redlua_conversions::script::integer(number(args).unwrap_or(0.0))
}
