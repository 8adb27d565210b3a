//! The functions of the `redis` table, `redis.call` aside, and the natives behind the globals.
//!
//! Owns their rules and texts (`script_lua.c`, `eval.c`). Must not know which script runs.

use redlua_conversions::number::{Text, g14, g17};
use redlua_core::{Arguments, Host, Kind, LogLevel, Protocol, Raise, Session, ValueWriter};
use sha1::{Digest, Sha1};

use crate::fault;
use crate::ldb::Debugger;
use crate::sandbox::{Native, REPL_ALL};
use crate::text as texts;

/// How a native ends; a text is to be raised as an error table, with a code word when it has none.
type Done = Result<(), Wrong>;

/// What a native raises.
enum Wrong {
    /// An error of Redis: `{err = "ERR " .. text}` (`luaPushError`, `luaError`).
    Error(&'static [u8]),
    /// An error of Lua.
    Lua(Raise),
}

/// Runs a native in the session of a script or of a library that is being loaded.
///
/// # Errors
/// What is to be raised.
pub(crate) fn call(
    native: Native,
    host: &mut dyn Host,
    session: &mut Session,
    mut debugger: Option<&mut Debugger<'_>>,
    args: &mut dyn Arguments,
    out: &mut dyn ValueWriter,
) -> Result<(), Raise> {
    let done = match native {
        Native::MissingGlobal => missing_global(args),
        Native::ErrorHandler => {
            error_handler(args, out);
            Ok(())
        }
        Native::Sha1Hex => sha1_hex(args, out),
        Native::ErrorReply => {
            returned(error_reply(args), debugger.as_deref_mut(), out);
            Ok(())
        }
        Native::StatusReply => {
            if let Err(error) = status_reply(args, out) {
                returned(error.to_vec(), debugger.as_deref_mut(), out);
            }
            Ok(())
        }
        Native::SetRepl => set_repl(args),
        Native::ReplicateCommands => {
            out.boolean(true);
            Ok(())
        }
        Native::Breakpoint => {
            out.boolean(debugger.is_some());
            if let Some(debugger) = debugger.as_deref_mut() {
                debugger.stop_at_next();
            }
            Ok(())
        }
        Native::Debug => {
            if let Some(debugger) = debugger.as_deref_mut() {
                debugger.print(args);
            }
            Ok(())
        }
        Native::RegisterFunction => Err(Wrong::Error(NOT_LOADING)),
        Native::Log => log(host, args),
        Native::SetResp => set_resp(session, args),
        Native::AclCheckCmd => acl_check_cmd(host, session, args, out),
    };
    done.map_err(|wrong| match wrong {
        Wrong::Lua(raise) => raise,
        Wrong::Error(text) => {
            if let Some(debugger) = debugger {
                debugger.error(text);
            }
            raise(out, text)
        }
    })
}

const NOT_LOADING: &[u8] = b"redis.register_function can only be called on FUNCTION LOAD command";

/// Raises `{err = "ERR " .. text}`.
pub(crate) fn raise(out: &mut dyn ValueWriter, text: &[u8]) -> Raise {
    fault::push(out, &fault::with_code(text));
    Raise::Value
}

/// `luaProtectedTableError`.
fn missing_global(args: &mut dyn Arguments) -> Done {
    if args.count() != 2 {
        return Err(Wrong::Lua(Raise::message(
            "Wrong number of arguments to luaProtectedTableError",
        )));
    }
    args.select(1);
    let Some(name) = text(args) else {
        return Err(Wrong::Lua(Raise::message(
            "Second argument to luaProtectedTableError must be a string or number",
        )));
    };
    let mut message = b"Script attempted to access nonexistent global variable '".to_vec();
    message.extend(name.bytes().iter().take_while(|&&byte| byte != 0));
    message.push(b'\'');
    Err(Wrong::Lua(Raise::Message(message)))
}

/// `__redis__err__handler`: makes a table of whatever was raised and notes where.
fn error_handler(args: &mut dyn Arguments, out: &mut dyn ValueWriter) {
    // The handler, which is a script itself, cannot write to it and is called with its own error.
    if args.is_read_only(0) {
        let (source, line) = (texts::HANDLER_SOURCE, texts::HANDLER_LINE);
        let failed = format!("ERR {}:{line}: {}", &source[1..], texts::READONLY_TABLE);
        fault::push(out, failed.as_bytes());
        out.string(source.as_bytes());
        out.set_field(b"source");
        out.integer(line);
        out.set_field(b"line");
        return;
    }
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
        return Err(Wrong::Error(b"wrong number of arguments"));
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

/// The one string argument of `error_reply` and `status_reply`.
///
/// # Errors
/// The error that both return instead.
fn one_string(args: &mut dyn Arguments) -> Result<&[u8], &'static [u8]> {
    if args.count() == 1 {
        args.select(0);
        if args.kind() == Kind::String {
            return Ok(args.bytes());
        }
    }
    Err(b"wrong number or type of arguments")
}

/// Returns an error table to the script.
fn returned(text: Vec<u8>, debugger: Option<&mut Debugger<'_>>, out: &mut dyn ValueWriter) {
    if let Some(debugger) = debugger {
        debugger.error(&text);
    }
    fault::push(out, &fault::with_code(&text));
}

/// `luaRedisReturnSingleFieldTable` with `err`: the code word is the script's own business.
fn error_reply(args: &mut dyn Arguments) -> Vec<u8> {
    match one_string(args) {
        Ok(text) => {
            let text: Vec<u8> = text.iter().copied().take_while(|&byte| byte != 0).collect();
            [b"-", text.strip_prefix(b"-").unwrap_or(&text)].concat()
        }
        Err(error) => error.to_vec(),
    }
}

fn status_reply(args: &mut dyn Arguments, out: &mut dyn ValueWriter) -> Result<(), &'static [u8]> {
    let text = one_string(args)?;
    out.table(0, 0);
    out.string(text);
    out.set_field(b"ok");
    Ok(())
}

/// `luaRedisSetReplCommand`; there is nothing to replicate to.
fn set_repl(args: &mut dyn Arguments) -> Done {
    if args.count() != 1 {
        return Err(Wrong::Error(b"redis.set_repl() requires two arguments."));
    }
    args.select(0);
    let flags = integer(args);
    if flags & !REPL_ALL != 0 {
        return Err(Wrong::Error(
            b"Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.",
        ));
    }
    Ok(())
}

/// `luaSetResp`.
fn set_resp(session: &mut Session, args: &mut dyn Arguments) -> Done {
    if args.count() != 1 {
        return Err(Wrong::Error(b"redis.setresp() requires one argument."));
    }
    args.select(0);
    session.protocol = match integer(args) {
        2 => Protocol::Resp2,
        3 => Protocol::Resp3,
        _ => return Err(Wrong::Error(b"RESP version must be 2 or 3.")),
    };
    Ok(())
}

/// `luaLogCommand`.
fn log(host: &mut dyn Host, args: &mut dyn Arguments) -> Done {
    if args.count() < 2 {
        return Err(Wrong::Error(b"redis.log() requires two arguments or more."));
    }
    args.select(0);
    if number(args).is_none() {
        return Err(Wrong::Error(b"First argument must be a number (log level)."));
    }
    let level = match integer(args) {
        0 => LogLevel::Debug,
        1 => LogLevel::Verbose,
        2 => LogLevel::Notice,
        3 => LogLevel::Warning,
        _ => return Err(Wrong::Error(b"Invalid debug level.")),
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
        return Err(Wrong::Error(texts::NO_ARGUMENT));
    }
    let mut argv = Vec::with_capacity(args.count());
    for index in 0..args.count() {
        args.select(index);
        let arg = match args.kind() {
            Kind::String => args.bytes().to_vec(),
            Kind::Number => g17(args.number()).to_vec(),
            _ => {
                return Err(Wrong::Error(texts::BAD_ARGUMENT));
            }
        };
        argv.push(arg);
    }
    let argv: Vec<&[u8]> = argv.iter().map(Vec::as_slice).collect();
    let Some(spec) = host.command(&argv) else {
        return Err(Wrong::Error(b"Invalid command passed to redis.acl_check_cmd()"));
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
