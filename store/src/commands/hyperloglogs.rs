//! `PFADD`, `PFCOUNT`, `PFMERGE` and their debugging aids (`hyperloglog.c`). They must not know
//! how registers are kept.

use redlua_core::Seq;

use crate::arg;
use crate::context::Cx;
use crate::error::{CommandError, CommandResult, WRONG_TYPE};
use crate::events::Class;
use crate::hyperloglog::{self, Corrupt, Layout, Run};
use crate::keyspace::Keyspace;
use crate::value::{Digits, Str, Value};

const NOT_HYPERLOGLOG: CommandError =
    CommandError::fixed("WRONGTYPE Key is not a valid HyperLogLog string value.");
const CORRUPT: CommandError = CommandError::fixed("INVALIDOBJ Corrupted HLL object detected");
const NO_KEY: CommandError = CommandError::fixed("ERR The specified key does not exist");

impl From<Corrupt> for CommandError {
    fn from(_: Corrupt) -> Self {
        CORRUPT
    }
}

pub(crate) fn pfadd(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let sparse_max = cx.keys.tuning.hll_sparse;
    let mut changed = !cx.keys.exists(argv[1]);
    let bytes = edited(cx.keys, argv[1])?;
    for element in &argv[2..] {
        changed |= hyperloglog::add(bytes, element, sparse_max)?;
    }
    if changed {
        hyperloglog::invalidate(bytes);
        cx.keys.changed(Class::STRING, "pfadd", argv[1]);
    }
    cx.integer(changed)
}

pub(crate) fn pfcount(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    if let [_, key] = argv {
        // Though it may change, it is looked up as if for reading.
        cx.keys.glance(key);
        let Some(bytes) = existing(cx.keys, key)? else {
            return cx.integer(0);
        };
        if let Some(count) = hyperloglog::cached(bytes) {
            return cx.integer(count);
        }
        let count = hyperloglog::count(&hyperloglog::registers(bytes)?);
        // The cache is part of the value, so that counting modifies it.
        hyperloglog::cache(bytes, count);
        cx.keys.modified(key);
        return cx.integer(count);
    }
    let mut most = vec![0; hyperloglog::REGISTERS];
    for key in &argv[1..] {
        if let Some(registers) = registers(cx.keys, key)? {
            raise_all(&mut most, &registers.1?);
        }
    }
    cx.integer(hyperloglog::count(&most))
}

pub(crate) fn pfmerge(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let sparse_max = cx.keys.tuning.hll_sparse;
    let mut most = vec![0; hyperloglog::REGISTERS];
    let mut dense = false;
    for key in &argv[1..] {
        if let Some((layout, registers)) = registers(cx.keys, key)? {
            dense |= layout == Layout::Dense;
            raise_all(&mut most, &registers?);
        }
    }
    let bytes = edited(cx.keys, argv[1])?;
    if dense {
        hyperloglog::to_dense(bytes)?;
    }
    for (register, &value) in most.iter().enumerate().filter(|(_, value)| **value > 0) {
        hyperloglog::raise(bytes, register, value, sparse_max)?;
    }
    hyperloglog::invalidate(bytes);
    cx.keys.changed(Class::STRING, "pfadd", argv[1]);
    cx.ok()
}

pub(crate) fn pfdebug(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let (word, key) = (argv[1], argv[2]);
    let bytes = existing(cx.keys, key)?.ok_or(NO_KEY)?;
    let layout = hyperloglog::layout(bytes);
    if arg::is(word, "getreg") {
        hyperloglog::to_dense(bytes)?;
        let registers = hyperloglog::registers(bytes)?;
        cx.sink.seq(Seq::Array, registers.len());
        registers.into_iter().for_each(|register| cx.sink.integer(i64::from(register)));
    } else if arg::is(word, "decode") {
        if layout != Some(Layout::Sparse) {
            return Err(CommandError::fixed("ERR HLL encoding is not sparse"));
        }
        let words: Vec<_> = hyperloglog::runs(bytes).flatten().map(describe).collect();
        cx.sink.bulk(words.join(" ").as_bytes());
    } else if arg::is(word, "encoding") {
        let name: &[u8] = if layout == Some(Layout::Dense) { b"dense" } else { b"sparse" };
        cx.sink.status(name);
    } else if arg::is(word, "todense") {
        let changed = layout == Some(Layout::Sparse);
        hyperloglog::to_dense(bytes)?;
        cx.keys.modified(key);
        return cx.integer(changed);
    } else {
        let mut text = b"ERR Unknown PFDEBUG subcommand '".to_vec();
        text.extend_from_slice(word);
        text.extend_from_slice(b"'");
        return Err(CommandError::new(text));
    }
    Ok(())
}

/// Checks that registers survive being written and that estimates are near the truth.
pub(crate) fn pfselftest(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    const ELEMENTS: u64 = 20_000;
    let mut bytes = hyperloglog::empty();
    for number in 0..ELEMENTS {
        hyperloglog::add(&mut bytes, &number.to_le_bytes(), cx.keys.tuning.hll_sparse)?;
    }
    let count = hyperloglog::count(&hyperloglog::registers(&bytes)?);
    if count.abs_diff(ELEMENTS) > ELEMENTS / 20 {
        return Err(CommandError::new(format!(
            "ERR TESTFAILED Too big error. card:{ELEMENTS} estimate:{count}"
        )));
    }
    cx.ok()
}

fn describe(run: Run) -> String {
    match run {
        Run::Zero(len) => format!("z:{len}"),
        Run::LongZero(len) => format!("Z:{len}"),
        Run::Value(value, len) => format!("v:{value},{len}"),
    }
}

fn raise_all(most: &mut [u8], registers: &[u8]) {
    most.iter_mut().zip(registers).for_each(|(most, register)| *most = (*most).max(*register));
}

type Registers = (Layout, Result<Vec<u8>, Corrupt>);

/// The layout and the registers of a key.
fn registers(keys: &mut Keyspace, key: &[u8]) -> Result<Option<Registers>, CommandError> {
    let Some(text) = keys.read::<Str>(key)? else { return Ok(None) };
    let mut digits = Digits::new();
    let bytes = text.bytes(&mut digits);
    let layout = hyperloglog::layout(bytes).ok_or(NOT_HYPERLOGLOG)?;
    Ok(Some((layout, hyperloglog::registers(bytes))))
}

/// The HyperLogLog of a key, to be changed.
fn existing<'a>(
    keys: &'a mut Keyspace,
    key: &[u8],
) -> Result<Option<&'a mut Vec<u8>>, CommandError> {
    let Some(text) = keys.write::<Str>(key)? else { return Ok(None) };
    if hyperloglog::layout(text.bytes(&mut Digits::new())).is_none() {
        return Err(NOT_HYPERLOGLOG);
    }
    Ok(Some(text.edit()))
}

/// The same, made when it is not there.
fn edited<'a>(keys: &'a mut Keyspace, key: &[u8]) -> Result<&'a mut Vec<u8>, CommandError> {
    if !keys.exists(key) {
        keys.set(key, Value::Str(Str::Raw(hyperloglog::empty())));
    }
    existing(keys, key)?.ok_or(WRONG_TYPE)
}
