//! Concatenation that looks before it allocates, and other changes to compiled functions.
//!
//! Owns the way from source to function: omniLua's parser, and a change to what it emits. It must
//! not know what a chunk is for.
//!
//! One instruction of omniLua, `OP_CONCAT`, can ask for any amount of memory at once: `s=s..s` a
//! hundred times over asks for more than there is, long before the count hook looks again. So
//! each such instruction gets a call before it, of a native that adds up the operands.

use std::rc::Rc;

use lua_gc::HeapGuard;
use lua_types::closure::{LuaClosure, LuaLClosure};
use lua_types::gc::GcRef;
use lua_types::opcode::Instruction;
use lua_types::proto::{AbsLineInfo, LuaProto};
use lua_types::{LuaError, LuaValue, StackIdx};
use lua_vm::prelude::{InstructionExt, OpCode};
use lua_vm::state::LuaState;
use lua_vm::zio::ZIO;

use crate::frame::{closure, no_memory, set_field};
use crate::load::in_pieces;
use crate::shared::Shared;
use crate::source::{positioned, tidied};

/// The field of the registry where the parser finds the native.
const NATIVE: &[u8] = b"redlua.operands";
/// What omniLua calls the upvalue that holds the globals.
const ENVIRONMENT: &[u8] = b"_ENV";
/// Operands that are not looked at twice.
const SMALL: usize = 4096;
/// The most a number takes as text.
const NUMBER: usize = 32;
/// Registers of a function (`MAXREGS`).
const REGISTERS: i32 = 255;
/// The largest operand of `OP_LOADK`.
const CONSTANTS: usize = (1 << 17) - 1;
/// From here on a difference of lines does not fit its byte (`LIMLINEDIFF`).
const FAR: i32 = 0x80;
/// Instructions between two absolute lines at most (`MAXIWTHABS`).
const ABSOLUTE_EVERY: usize = 128;
/// Stands in the place of a difference where the line is absolute (`ABSLINEINFO`).
const ABSOLUTE: i8 = -0x80;

/// Makes `state` compile through this module.
pub(crate) fn install(state: &mut LuaState, shared: &Rc<Shared>) -> Result<(), LuaError> {
    let record = shared.clone();
    let native = closure(state, move |state| operands(state, &record));
    if let LuaValue::Table(registry) = state.registry_value() {
        set_field(state, &registry, NATIVE, native)?;
    }
    state.global_mut().parser_hook = Some(parse);
    Ok(())
}

/// Adds up the operands of the concatenation that follows the call of this native.
fn operands(state: &mut LuaState, shared: &Shared) -> Result<usize, LuaError> {
    let Some(caller) = state.prev_ci(state.current_ci_idx()) else { return Ok(0) };
    let function = state.get_ci(caller).func;
    let LuaValue::Function(LuaClosure::Lua(closure)) = state.get_at(function) else {
        return Ok(0);
    };
    let next = closure.proto.code.get(state.ci_savedpc(caller) as usize).copied();
    let Some(concat) = next.filter(|next| next.opcode() == OpCode::Concat) else { return Ok(0) };
    let first = function.0 + 1 + concat.arg_a() as u32;
    let total: usize = (first..first + concat.arg_b() as u32)
        .map(|slot| match state.get_at(StackIdx(slot)) {
            LuaValue::Str(string) => string.as_bytes().len(),
            _ => NUMBER,
        })
        .sum();
    // While the result is put together it is there twice.
    if total > SMALL && total > shared.room(state) / 2 {
        shared.collect(state);
        if total > shared.room(state) / 2 {
            return Err(no_memory());
        }
    }
    Ok(0)
}

/// What omniLua calls to read a chunk of text.
fn parse(
    state: &mut LuaState,
    source: &mut ZIO,
    name: &[u8],
    first: i32,
) -> Result<GcRef<LuaLClosure>, LuaError> {
    let heap = state.global().heap.clone();
    let _guard = HeapGuard::push(&heap);
    let native = match state.registry_value() {
        LuaValue::Table(registry) => registry.get_str_bytes(NATIVE),
        _ => LuaValue::Nil,
    };
    let mut text = Vec::new();
    let mut next = first;
    while let Ok(byte) = u8::try_from(next) {
        text.push(byte);
        next = source.getc(state)?;
    }
    let text = tidied(text);
    let first = text.first().map_or(-1, |byte| i32::from(*byte));
    let mut rest = ZIO::new(in_pieces(text.get(1..).unwrap_or_default().to_vec()));
    let parsed = lua_parse::parse(state, lua_parse::DynData::default(), &mut rest, name, first);
    let chunk = match parsed {
        Ok(chunk) => chunk,
        Err(LuaError::SyntaxMsg(message)) => {
            let mut left = 0;
            while rest.getc(state)? >= 0 {
                left += 1;
            }
            let read = text.get(..text.len() - left).unwrap_or_default();
            let message = positioned(&message, name, read, left == 0).unwrap_or(message.into());
            return Err(LuaError::SyntaxMsg(message.into()));
        }
        Err(error) => return Err(error),
    };
    let names = match state.intern_str(ENVIRONMENT) {
        Ok(name) => LuaValue::Str(name),
        Err(error) => return Err(error),
    };
    let extra = Extra { native, environment: names };
    let chunk = match rewritten(&chunk, &extra)? {
        Some(changed) => changed,
        None => wrapped(*chunk),
    };
    let upvalues = chunk.upvalues.len();
    Ok(state.new_lclosure(chunk, upvalues))
}

/// Constants that rewritten functions get.
struct Extra {
    native: LuaValue,
    environment: LuaValue,
}

/// The function with its concatenations guarded and with `_ENV` as the name of a global; `None`
/// when nothing had to change.
fn rewritten(function: &LuaProto, extra: &Extra) -> Result<Option<GcRef<LuaProto>>, LuaError> {
    let mut changed = false;
    let mut inner = Vec::with_capacity(function.p.len());
    for child in &function.p {
        let new = rewritten(child, extra)?;
        changed |= new.is_some();
        inner.push(new.unwrap_or(*child));
    }
    let named = function.code.iter().any(|instruction| names_environment(function, instruction));
    if !changed && !named && !function.code.iter().any(is_concat) {
        return Ok(None);
    }
    let mut k = function.k.clone();
    let name = k.len();
    if named {
        k.push(extra.environment);
    }
    let number = k.len();
    k.push(extra.native);
    if number > CONSTANTS || named && name > 0xff {
        return Err(LuaError::syntax(format_args!("constant table overflow")));
    }
    // Where each instruction goes: behind what is put before it.
    let mut places = Vec::with_capacity(function.code.len() + 1);
    let mut size = 0;
    for instruction in &function.code {
        places.push(size);
        size += if is_concat(instruction) { 3 } else { 1 };
    }
    places.push(size);
    let place = |pc: i64| {
        let pc = usize::try_from(pc).unwrap_or(0);
        places.get(pc).copied().unwrap_or(size) as i64
    };
    let mut code = Vec::with_capacity(size);
    let mut lines = Lines::new(function.linedefined);
    let mut registers = i32::from(function.maxstacksize);
    for (pc, (instruction, line)) in function.code.iter().zip(lines_of(function)).enumerate() {
        let pc = pc as i64;
        if is_concat(instruction) {
            let free = instruction.arg_a() + instruction.arg_b();
            if free + 1 > REGISTERS {
                let text = "function or expression too complex";
                return Err(LuaError::syntax(format_args!("{text}")));
            }
            registers = registers.max(free + 1);
            let free = (free as u32) << 7;
            code.push(Instruction::new(OpCode::LoadK as u32 | free | (number as u32) << 15));
            code.push(Instruction::new(OpCode::Call as u32 | free | 1 << 16 | 1 << 24));
            lines.push(line);
            lines.push(line);
        }
        // The place of the instruction itself, and of the one that follows it.
        let here = code.len() as i64;
        let from = |distance: i64| place(pc + 1 + distance) - (here + 1);
        let raw = instruction.raw();
        code.push(match instruction.opcode() {
            // As if the name were that of any global.
            OpCode::GetUpVal if names_environment(function, instruction) => {
                let table = raw & 0xff_0000;
                Instruction::new(
                    OpCode::GetTabUp as u32 | raw & 0x7f80 | table | (name as u32) << 24,
                )
            }
            OpCode::SetUpVal if names_environment(function, instruction) => {
                let (value, table) = (raw >> 7 & 0xff, raw >> 16 & 0xff);
                let place = table << 7 | (name as u32) << 16 | value << 24;
                Instruction::new(OpCode::SetTabUp as u32 | place)
            }
            OpCode::Jmp => {
                let jump = from(i64::from(instruction.arg_s_j())) + 0xFF_FFFF;
                Instruction::new((raw & 0x7f) | (jump as u32) << 7)
            }
            OpCode::ForPrep | OpCode::TForPrep => {
                let jump = from(i64::from(instruction.arg_bx()));
                Instruction::new((raw & 0x7fff) | (jump as u32) << 15)
            }
            OpCode::ForLoop | OpCode::TForLoop => {
                let jump = -from(-i64::from(instruction.arg_bx()));
                Instruction::new((raw & 0x7fff) | (jump as u32) << 15)
            }
            _ => *instruction,
        });
        lines.push(line);
    }
    let mut locvars = function.locvars.clone();
    for variable in &mut locvars {
        variable.startpc = place(i64::from(variable.startpc)) as i32;
        variable.endpc = place(i64::from(variable.endpc)) as i32;
    }
    Ok(Some(wrapped(LuaProto {
        numparams: function.numparams,
        is_vararg: function.is_vararg,
        maxstacksize: registers.min(REGISTERS) as u8,
        upvalues: function.upvalues.clone(),
        k,
        code,
        p: inner,
        lineinfo: lines.differences,
        abslineinfo: lines.absolute,
        locvars,
        linedefined: function.linedefined,
        lastlinedefined: function.lastlinedefined,
        source: function.source,
        vararg_table_reg: function.vararg_table_reg,
        vararg_table_needed: function.vararg_table_needed,
        ..LuaProto::placeholder()
    })))
}

fn is_concat(instruction: &Instruction) -> bool {
    instruction.opcode() == OpCode::Concat
}

/// Whether an instruction reads or writes the upvalue through which omniLua finds globals, which
/// in Lua 5.1 has no name.
fn names_environment(function: &LuaProto, instruction: &Instruction) -> bool {
    matches!(instruction.opcode(), OpCode::GetUpVal | OpCode::SetUpVal)
        && function
            .upvalues
            .get(instruction.arg_b() as usize)
            .and_then(|upvalue| upvalue.name.as_ref())
            .is_some_and(|name| name.as_bytes() == ENVIRONMENT)
}

/// Puts a function under the collector.
fn wrapped(function: LuaProto) -> GcRef<LuaProto> {
    let function = GcRef::new(function);
    function.account_buffer(function.buffer_bytes() as isize);
    function
}

/// The line of each instruction (`luaG_getfuncline` in `ldebug.c`).
fn lines_of(function: &LuaProto) -> impl Iterator<Item = i32> + '_ {
    let mut absolute = function.abslineinfo.iter();
    let mut line = function.linedefined;
    let lines = function.lineinfo.iter().map(move |difference| {
        line = match *difference {
            ABSOLUTE => absolute.next().map_or(line, |entry| entry.line),
            difference => line + i32::from(difference),
        };
        line
    });
    lines.chain(std::iter::repeat(function.linedefined))
}

/// Line numbers as a function keeps them (`savelineinfo` in `lcode.c`).
struct Lines {
    last: i32,
    since: usize,
    differences: Vec<i8>,
    absolute: Vec<AbsLineInfo>,
}

impl Lines {
    fn new(first: i32) -> Self {
        Lines { last: first, since: 0, differences: Vec::new(), absolute: Vec::new() }
    }

    fn push(&mut self, line: i32) {
        let difference = line - self.last;
        let far = difference.abs() >= FAR || self.since >= ABSOLUTE_EVERY;
        if far {
            let pc = self.differences.len() as i32;
            self.absolute.push(AbsLineInfo { pc, line });
            self.since = 1;
        } else {
            self.since += 1;
        }
        self.differences.push(if far { ABSOLUTE } else { difference as i8 });
        self.last = line;
    }
}
