//! Compiling: source text in, functions out.
//!
//! Owns the way to omniLua's compiler for scripts, `load` and `loadstring`. Precompiled code does
//! not pass: a chunk that begins with its signature is read as text.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use lua_types::{LuaError, LuaStatus, LuaValue};
use lua_vm::state::LuaState;

use crate::frame::{argument, kind, message, no_memory, plain, set_count, wrong_type};
use crate::interrupt;
use crate::shared::Shared;
use redlua_conversions::syntax::{Target, Wanted, translate};
use redlua_core::{CompileError, Kind};

/// What Lua puts first in precompiled code.
const SIGNATURE: u8 = 0x1b;
/// A byte the compiler refuses as it refuses the signature, naming it in the message.
const DISGUISE: u8 = 1;
/// What the compiler takes for each byte of source at worst, when it is a list of numbers, each of
/// them another: the constant, its place in a table of constants, instructions, line numbers.
const EXPANSION: usize = 16;

/// Bytes that the compiler gets at once: between two pieces somebody looks at the clock, because
/// its time grows with the square of what it has to jump over.
const PIECE: usize = 512;

/// Why a chunk became no function.
pub(crate) enum Failed {
    /// There is no memory for it.
    Memory,
    /// The compiler's message, or what the reader raised.
    Raised(LuaValue),
}

impl From<Failed> for CompileError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Memory => CompileError::memory(),
            Failed::Raised(LuaValue::Str(message)) => CompileError::syntax(message.as_bytes()),
            Failed::Raised(_) => CompileError::syntax(""),
        }
    }
}

/// Compiles `source`.
pub(crate) fn text(
    state: &mut LuaState,
    shared: &Shared,
    source: &[u8],
    name: &[u8],
) -> Result<LuaValue, Failed> {
    if source.len() > shared.room(state) / EXPANSION {
        return Err(Failed::Memory);
    }
    // omniLua's parser words its messages otherwise, and counts where it does not look.
    let ask = || interrupt::due(shared).is_some();
    let wanted = Wanted::unless(&ask).within(shared.room(state));
    let translated = match translate(source, name, &Target::default(), &wanted) {
        Ok(translated) => translated,
        Err(_) if wanted.is_short() => return Err(Failed::Memory),
        Err(message) => {
            if let Some(reason) = interrupt::due(shared).filter(|_| wanted.given_up()) {
                interrupt::stop(state, shared, reason);
            }
            return Err(Failed::Raised(string(state, &message)));
        }
    };
    let mut source = translated.text.into_owned();
    let disguised = Rc::new(Cell::new(false));
    disguise(&mut source, &disguised);
    let mut pieces = Some(source);
    finish(state, shared, Box::new(move |_| Ok(pieces.take())), name, &disguised)
}

thread_local! {
    /// Whose clock is looked at while a chunk is compiled: omniLua gives its parser no more than
    /// the state.
    static WATCHED: RefCell<Option<Rc<Shared>>> = const { RefCell::new(None) };
}

/// A chunk for omniLua's parser in pieces, the last of which comes early when the run must end:
/// what ends there is wrong in most cases, and nothing comes of it in any.
pub(crate) fn in_pieces(text: Vec<u8>) -> lua_vm::zio::ChunkReader {
    let mut at = 0;
    Box::new(move |state| {
        let watched = WATCHED.with_borrow(Clone::clone);
        if at > 0
            && let Some(shared) = watched
            && let Some(reason) = interrupt::reason(&shared)
        {
            interrupt::stop(state, &shared, reason);
            return Ok(None);
        }
        let rest = text.get(at..).unwrap_or_default();
        let piece = rest.get(..PIECE).unwrap_or(rest).to_vec();
        at += piece.len();
        Ok((!piece.is_empty()).then_some(piece))
    })
}

/// `loadstring`.
pub(crate) fn loadstring(state: &mut LuaState, shared: &Rc<Shared>) -> Result<usize, LuaError> {
    let source = checked_string(state, 1)?;
    let name = match kind(state, 2) {
        Kind::None | Kind::Nil => source.clone(),
        _ => checked_string(state, 2)?,
    };
    // A C string ends at its first NUL.
    let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
    let result = text(state, shared, &source, name);
    loaded(state, shared, result)
}

/// `load`.
pub(crate) fn load(state: &mut LuaState, shared: &Rc<Shared>) -> Result<usize, LuaError> {
    let name = match kind(state, 2) {
        Kind::None | Kind::Nil => b"=(load)".to_vec(),
        _ => checked_string(state, 2)?,
    };
    if kind(state, 1) != Kind::Function {
        return Err(wrong_type(state, 1, "function"));
    }
    set_count(state, 1);
    let reader = argument(state, 1);
    let disguised = Rc::new(Cell::new(false));
    let (mark, record) = (disguised.clone(), shared.clone());
    let (mut first, mut total) = (true, 0);
    let pieces = move |state: &mut LuaState| {
        state.push(reader);
        lua_vm::api::call_k(state, 0, 1, 0, None)?;
        let piece = state.pop();
        let mut piece = match &piece {
            LuaValue::Nil => return Ok(None),
            LuaValue::Str(string) => string.as_bytes().to_vec(),
            LuaValue::Int(_) | LuaValue::Float(_) => number_text(&piece),
            _ => return Err(message(state, b"reader function must return a string")),
        };
        if std::mem::take(&mut first) {
            disguise(&mut piece, &mark);
        }
        total += piece.len();
        if total > record.room(state) / EXPANSION {
            return Err(no_memory());
        }
        Ok((!piece.is_empty()).then_some(piece))
    };
    let name = name.split(|byte| *byte == 0).next().unwrap_or_default().to_vec();
    let result = finish(state, shared, Box::new(pieces), &name, &disguised);
    loaded(state, shared, result)
}

/// The results of `load` and `loadstring`.
fn loaded(
    state: &mut LuaState,
    shared: &Shared,
    result: Result<LuaValue, Failed>,
) -> Result<usize, LuaError> {
    if interrupt::tripped(state, shared).is_some() {
        return Err(plain(b"script stopped"));
    }
    match result {
        Ok(function) => {
            state.push(function);
            if shared.over_limit(state) { Err(no_memory()) } else { Ok(1) }
        }
        Err(failed) => {
            let text = match failed {
                Failed::Memory => string(state, &CompileError::memory().message),
                Failed::Raised(text) => text,
            };
            state.push(LuaValue::Nil);
            state.push(text);
            Ok(2)
        }
    }
}

fn finish(
    state: &mut LuaState,
    shared: &Shared,
    pieces: lua_vm::zio::ChunkReader,
    name: &[u8],
    disguised: &Cell<bool>,
) -> Result<LuaValue, Failed> {
    WATCHED.set(shared.this.get().and_then(Weak::upgrade));
    let status = lua_vm::api::load(state, pieces, Some(name), Some(b"t"));
    WATCHED.set(None);
    let value = match status {
        Ok(LuaStatus::Ok) => return Ok(state.pop()),
        Ok(LuaStatus::ErrMem) => {
            state.pop();
            return Err(Failed::Memory);
        }
        Ok(_) => state.pop(),
        Err(error) => error.into_value(),
    };
    Err(Failed::Raised(match &value {
        LuaValue::Str(text) if disguised.get() => {
            let text = reveal(text.as_bytes());
            string(state, &text)
        }
        _ => value,
    }))
}

fn disguise(piece: &mut [u8], disguised: &Cell<bool>) {
    if let Some(first) = piece.first_mut()
        && *first == SIGNATURE
    {
        *first = DISGUISE;
        disguised.set(true);
    }
}

/// Names the signature in a message where the disguise stands.
fn reveal(message: &[u8]) -> Vec<u8> {
    const SHOWN: &[u8] = b"near 'char(1)'";
    match message.windows(SHOWN.len()).position(|part| part == SHOWN) {
        Some(at) => {
            let (before, after) = message.split_at(at);
            [before, b"near 'char(27)'", after.get(SHOWN.len()..).unwrap_or_default()].concat()
        }
        None => message.to_vec(),
    }
}

fn string(state: &mut LuaState, text: &[u8]) -> LuaValue {
    state.intern_str(text).map(LuaValue::Str).unwrap_or_default()
}

/// `luaL_checkstring`.
fn checked_string(state: &mut LuaState, index: usize) -> Result<Vec<u8>, LuaError> {
    match argument(state, index) {
        LuaValue::Str(string) => Ok(string.as_bytes().to_vec()),
        value @ (LuaValue::Int(_) | LuaValue::Float(_)) => Ok(number_text(&value)),
        _ => Err(wrong_type(state, index, "string")),
    }
}

fn number_text(value: &LuaValue) -> Vec<u8> {
    redlua_conversions::number::g14(crate::reader::number(value)).to_vec()
}
