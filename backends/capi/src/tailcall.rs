//! Tail calls of LuaJIT that Lua 5.1 does not make.
//!
//! Owns the rewriting of compiled chunks. It must not know how a chunk is compiled or loaded.
//!
//! Lua 5.1 keeps the frame of a function that tail-calls a C function (`lvm.c` runs it inside of
//! `OP_TAILCALL`), and error messages take their position from that frame. LuaJIT has given the
//! frame away by then, so that an error in `return redis.call(…)` has no position. Whether the
//! callee is written in C is not known when a chunk is compiled; what is known is whether it is a
//! local function of the chunk. Tail calls of those stay, which is what recursion without end
//! needs; all others become a call and a return.
//!
//! The form of a dump is that of `lj_bcdump.h` (version 2).

use crate::code::op;

/// A dumped chunk.
pub(crate) struct Chunk<'a> {
    /// What stands before the functions.
    head: &'a [u8],
    /// The functions, each behind those inside of it.
    protos: Vec<Proto<'a>>,
}

impl<'a> Chunk<'a> {
    /// Takes a dump apart; `None` when it is not of the form that is known here.
    pub(crate) fn read(dump: &'a [u8]) -> Option<Self> {
        let mut input = Input(dump);
        if input.take(4)? != [0x1b, b'L', b'J', 2] {
            return None;
        }
        let flags = input.uleb()?;
        if flags & !FR2 != 0 {
            return None;
        }
        let name_len = input.uleb()? as usize;
        input.take(name_len)?;
        let head = dump.get(..dump.len() - input.0.len())?;
        let mut protos = Vec::new();
        loop {
            let len = input.uleb()? as usize;
            if len == 0 {
                break;
            }
            protos.push(Proto::read(input.take(len)?)?);
        }
        link(&mut protos)?;
        Some(Chunk { head, protos })
    }

    /// The dump with its tail calls made plain; `None` when there is nothing to do.
    pub(crate) fn plain_calls(&self) -> Option<Vec<u8>> {
        let mut out = self.head.to_vec();
        let mut changed = false;
        for proto in &self.protos {
            let plain = proto.tail_calls(&self.protos)?;
            changed |= plain.iter().any(Option::is_some);
            let body = proto.write(&plain)?;
            uleb(&mut out, u32::try_from(body.len()).ok()?);
            out.extend(body);
        }
        out.push(0);
        changed.then_some(out)
    }
}

/// Two slots a frame: the only flag of a dump that is expected.
const FR2: u32 = 8;

/// A function of the dump.
struct Proto<'a> {
    /// flags, parameters, frame size, upvalues.
    bytes: &'a [u8],
    sizes: [u32; 2],
    code: Vec<u32>,
    first_line: u32,
    lines: u32,
    upvalues: Vec<u16>,
    /// Constants as they are.
    constants: &'a [u8],
    /// How many of the constants are functions.
    children: usize,
    /// Line numbers, names of upvalues, names of locals.
    debug: &'a [u8],
    has_debug: bool,
    /// The function around this one.
    parent: Option<usize>,
}

/// Finds out which function is in which: a function follows those inside of it.
fn link(protos: &mut [Proto<'_>]) -> Option<()> {
    let mut open: Vec<usize> = Vec::new();
    for index in 0..protos.len() {
        let children = protos.get(index)?.children;
        for _ in 0..children {
            protos.get_mut(open.pop()?)?.parent = Some(index);
        }
        open.push(index);
    }
    Some(())
}

impl<'a> Proto<'a> {
    fn read(body: &'a [u8]) -> Option<Self> {
        let mut input = Input(body);
        let bytes = input.take(4)?;
        let upvalue_count = usize::from(*bytes.get(3)?);
        let objects = input.uleb()?;
        let numbers = input.uleb()?;
        let instructions = input.uleb()? as usize;
        let debug_len = input.uleb()? as usize;
        let (first_line, lines) =
            if debug_len > 0 { (input.uleb()?, input.uleb()?) } else { (0, 0) };
        let word = |bytes: &[u8]| bytes.try_into().map(u32::from_le_bytes).unwrap_or_default();
        let code = input.take(instructions.checked_mul(4)?)?.chunks_exact(4).map(word).collect();
        let half = |bytes: &[u8]| bytes.try_into().map(u16::from_le_bytes).unwrap_or_default();
        let upvalues = input.take(upvalue_count * 2)?.chunks_exact(2).map(half).collect();
        let rest = input.0;
        let mut children = 0;
        for _ in 0..objects {
            children += usize::from(input.skip_object()?);
        }
        for _ in 0..numbers {
            // The lowest bit tells a double from an integer.
            let double = input.0.first()? & 1 != 0;
            input.uleb()?;
            if double {
                input.uleb()?;
            }
        }
        let constants = rest.get(..rest.len() - input.0.len())?;
        let debug = input.take(debug_len)?;
        let has_debug = debug_len > 0;
        let sizes = [objects, numbers];
        input.0.is_empty().then_some(Proto {
            bytes,
            sizes,
            code,
            first_line,
            lines,
            upvalues,
            constants,
            children,
            debug,
            has_debug,
            parent: None,
        })
    }

    /// Which instructions are tail calls that must not be, each with the instruction whose line is
    /// the call's: LuaJIT notes the line where the statement ends, Lua 5.1 (`luaK_fixline`) that of
    /// the arguments' beginning, which is where the callee is loaded.
    fn tail_calls(&self, protos: &[Proto<'_>]) -> Option<Vec<Option<usize>>> {
        let tail = |(at, word): (usize, &u32)| {
            if !matches!(opcode(*word), op::CALLT | op::CALLMT) {
                return None;
            }
            let load = self.load(at, first(*word));
            let local = load.is_some_and(|load| self.is_local_function(load, protos));
            (!local).then(|| load.unwrap_or(at))
        };
        Some(self.code.iter().enumerate().map(tail).collect())
    }

    /// The instruction before `at` that loads `register`.
    fn load(&self, at: usize, register: u8) -> Option<usize> {
        self.code.get(..at)?.iter().rposition(|&word| {
            let code = opcode(word);
            let writes =
                op::WRITES.contains(&code) || op::READS.contains(&code) || code == op::UGET;
            (writes || code == op::FNEW) && first(word) == register
        })
    }

    /// Whether an instruction loads a function of this chunk.
    fn is_local_function(&self, load: usize, protos: &[Proto<'_>]) -> bool {
        let Some(&load) = self.code.get(load) else { return false };
        match opcode(load) {
            op::MOV => self.makes_function((load >> 16) as u8),
            op::UGET => self.captured((load >> 16) as usize, protos),
            code => code == op::FNEW,
        }
    }

    fn makes_function(&self, register: u8) -> bool {
        self.code.iter().any(|word| opcode(*word) == op::FNEW && first(*word) == register)
    }

    /// Whether an upvalue is a local function of one of the functions around.
    fn captured(&self, upvalue: usize, protos: &[Proto<'_>]) -> bool {
        const LOCAL: u16 = 0x8000;
        let (Some(&from), Some(parent)) =
            (self.upvalues.get(upvalue), self.parent.and_then(|parent| protos.get(parent)))
        else {
            return false;
        };
        if from & LOCAL != 0 {
            parent.makes_function(from as u8)
        } else {
            parent.captured(usize::from(from), protos)
        }
    }

    /// The function with a return after each of the calls that `plain` marks.
    fn write(&self, plain: &[Option<usize>]) -> Option<Vec<u8>> {
        // Where each instruction, counted as LuaJIT does from 1, gets to; and the end.
        let mut moved = vec![0u32, 1];
        for added in plain {
            moved.push(moved.last()? + 1 + u32::from(added.is_some()));
        }
        let to = |pc: usize| moved.get(pc.min(moved.len() - 1)).copied();
        let mut code = Vec::with_capacity(self.code.len() + 8);
        for ((&word, &added), pc) in self.code.iter().zip(plain).zip(1usize..) {
            let a = word & 0xff00;
            if added.is_some() {
                // CALLT A D is CALL A 0 D, and RETM A 0.
                let count = word >> 16 & 0xff;
                code.push(u32::from(opcode(word) - op::TAIL) | a | count << 16);
                code.push(u32::from(op::RETM) | a);
            } else if op::JUMPS.contains(&opcode(word)) {
                let target = pc as i64 + 1 + i64::from(word >> 16) - 0x8000;
                let target = to(usize::try_from(target).ok()?)?;
                let jump = i64::from(target) - i64::from(to(pc)?) - 1 + 0x8000;
                code.push(word & 0xffff | u32::from(u16::try_from(jump).ok()?) << 16);
            } else {
                code.push(word);
            }
        }
        let debug = self.debug(plain, &to)?;
        let mut out = self.bytes.to_vec();
        for size in self.sizes {
            uleb(&mut out, size);
        }
        uleb(&mut out, u32::try_from(code.len()).ok()?);
        uleb(&mut out, u32::try_from(debug.len()).ok()?);
        if self.has_debug {
            uleb(&mut out, self.first_line);
            uleb(&mut out, self.lines);
        }
        out.extend(code.iter().flat_map(|word| word.to_le_bytes()));
        out.extend(self.upvalues.iter().flat_map(|upvalue| upvalue.to_le_bytes()));
        out.extend(self.constants);
        out.extend(debug);
        Some(out)
    }

    fn debug(
        &self,
        plain: &[Option<usize>],
        to: &impl Fn(usize) -> Option<u32>,
    ) -> Option<Vec<u8>> {
        if !self.has_debug {
            return Some(Vec::new());
        }
        let mut input = Input(self.debug);
        let mut out = Vec::with_capacity(self.debug.len() + 16);
        let width = match self.lines {
            ..256 => 1,
            256..65536 => 2,
            _ => 4,
        };
        let lines = input.take(width * self.code.len())?;
        let line = |index: usize| lines.get(index * width..(index + 1) * width);
        for (index, added) in plain.iter().enumerate() {
            if let Some(load) = added {
                out.extend(line(*load)?);
            }
            out.extend(line(index)?);
        }
        for _ in &self.upvalues {
            out.extend(input.until_nul()?);
        }
        // Locals: a name (or one byte below 7 for those without), first and last instruction as
        // distances.
        let (mut old, mut new) = (0usize, 0u32);
        loop {
            let kind = *input.0.first()?;
            if kind == 0 {
                out.extend(input.0);
                return Some(out);
            }
            out.extend(if kind < 7 { input.take(1)? } else { input.until_nul()? });
            old += input.uleb()? as usize;
            let end = old + input.uleb()? as usize;
            let start = to(old)?;
            uleb(&mut out, start.checked_sub(new)?);
            uleb(&mut out, to(end)?.checked_sub(start)?);
            new = start;
        }
    }
}

fn opcode(word: u32) -> u8 {
    word as u8
}

/// The first operand.
fn first(word: u32) -> u8 {
    (word >> 8) as u8
}

fn uleb(out: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// What is left of the dump.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn uleb(&mut self) -> Option<u32> {
        let (mut value, mut shift) = (0u64, 0);
        loop {
            let [byte] = self.take(1)?.try_into().ok()?;
            let byte: u8 = byte;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                // Numbers of 33 bits are skipped only.
                return Some(value as u32);
            }
            shift += 7;
            if shift > 35 {
                return None;
            }
        }
    }

    fn until_nul(&mut self) -> Option<&'a [u8]> {
        let len = self.0.iter().position(|&byte| byte == 0)? + 1;
        self.take(len)
    }

    /// Skips a constant that is an object; returns whether it is a function.
    fn skip_object(&mut self) -> Option<bool> {
        match self.uleb()? {
            0 => return Some(true),
            1 => {
                let (array, hash) = (self.uleb()?, self.uleb()?);
                for _ in 0..u64::from(array) + 2 * u64::from(hash) {
                    match self.uleb()? {
                        0..=2 => {}
                        3 => {
                            self.uleb()?;
                        }
                        4 => {
                            self.uleb()?;
                            self.uleb()?;
                        }
                        string => {
                            self.take(string as usize - 5)?;
                        }
                    }
                }
            }
            2 | 3 => {
                self.uleb()?;
                self.uleb()?;
            }
            4 => {
                for _ in 0..4 {
                    self.uleb()?;
                }
            }
            string => {
                self.take(string as usize - 5)?;
            }
        }
        Some(false)
    }
}
