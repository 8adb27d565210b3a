//! An engine without Lua: drives the functions of `lualib` on trees.
//!
//! Owns the steps and the same functions to call back that `oracle.lua` has. Must not know what
//! the answers should be.

use redlua_conversions::lualib::{Context, Function, Task, Unlimited};
use redlua_conversions::tree::{Reader, Table, Value, Writer};
use redlua_core::{Raise, Step, ValueWriter, Workspace};

use crate::oracle::written;

/// The answer in the oracle's text.
pub(crate) fn call(name: &str, arguments: &[Value]) -> String {
    let answer = match name {
        "string.gmatch" => gmatch(arguments),
        _ => run(name, arguments),
    };
    match answer {
        Ok(values) => format!("t {}", written(&values)).trim_end().to_owned(),
        Err(text) => format!("f {}", written(&[Value::String(text)])),
    }
}

fn run(name: &str, arguments: &[Value]) -> Result<Vec<Value>, Vec<u8>> {
    let (library, function) = name.split_once('.').unwrap();
    let function = Function::named(library, function).unwrap();
    let mut task = Task::new(function);
    let mut work = Writer::with_arguments(arguments);
    let (mut buffer, mut budget) = (b"kept".to_vec(), Unlimited);
    loop {
        let mut context = Context { buffer: &mut buffer, budget: &mut budget };
        let step = task.resume(&mut Reader::new(arguments), &mut work, &mut context);
        match step.map_err(text)? {
            Step::Return { results } => {
                assert_eq!(buffer, b"kept");
                let values = work.values();
                let mut values = values[values.len() - results..].to_vec();
                if matches!(name, "table.sort" | "table.insert" | "table.remove") {
                    values.insert(0, work.arguments()[0].clone());
                }
                return Ok(values);
            }
            Step::Call { arguments } => {
                let from = work.top() - arguments - 1;
                let called = work.values()[from..].to_vec();
                let answer = answer(&called[0], &called[1..])?;
                // What a function that raised has left behind.
                if name == "string.gsub" {
                    buffer.extend_from_slice(b"rubbish");
                }
                work.truncate(from);
                append(&mut work, answer);
            }
            Step::Less { left, right } => {
                let less = less(&work.values()[left], &work.values()[right])?;
                work.boolean(less);
            }
            Step::Index { table } => {
                let key = work.values()[work.top() - 1].clone();
                let value = match &work.arguments()[table] {
                    Value::Table(table) => table.get(&key).cloned(),
                    other => panic!("{other:?} is no table"),
                };
                work.truncate(work.top() - 1);
                append(&mut work, value.unwrap_or(Value::Nil));
            }
            Step::Next { table } => {
                let key = work.values()[work.top() - 1].clone();
                work.truncate(work.top() - 1);
                let Value::Table(table) = work.arguments()[table].clone() else { panic!() };
                match following(&table, &key) {
                    Some((key, value)) => {
                        append(&mut work, key);
                        append(&mut work, value);
                    }
                    None => work.nil(),
                }
            }
        }
    }
}

fn gmatch(arguments: &[Value]) -> Result<Vec<Value>, Vec<u8>> {
    let mut iterator = Function::gmatch(&mut Reader::new(arguments)).map_err(text)?;
    let mut all = Vec::new();
    loop {
        let mut out = Writer::default();
        iterator.advance(&mut out, &mut Unlimited).map_err(text)?;
        let found = out.into_values();
        if found.is_empty() {
            break;
        }
        all.push(Value::list(found));
        if all.len() > 50 {
            break;
        }
    }
    Ok(vec![Value::list(all)])
}

/// The message as it reads when `pcall` has called the function.
fn text(raise: Raise) -> Vec<u8> {
    match raise {
        Raise::Message(text) | Raise::Text(text) => text,
        Raise::Argument { index, message } => {
            let message = String::from_utf8_lossy(&message);
            format!("bad argument #{index} to '?' ({message})").into_bytes()
        }
        Raise::Value => panic!("no value is raised"),
    }
}

fn append(work: &mut Writer, value: Value) {
    match value {
        Value::Nil => work.nil(),
        Value::Boolean(boolean) => work.boolean(boolean),
        Value::Number(number) => work.number(number),
        Value::String(bytes) => work.string(&bytes),
        Value::Table(_) => work.table(0, 0),
        other => panic!("{other:?} is not answered"),
    }
}

fn answer(function: &Value, arguments: &[Value]) -> Result<Value, Vec<u8>> {
    let Value::Native(id) = function else { panic!("{function:?} is called") };
    let argument = |index: usize| arguments.get(index).cloned().unwrap_or(Value::Nil);
    Ok(match id {
        1 => Value::Boolean(less(&argument(0), &argument(1)).map_err(|e| at(14, &e))?),
        2 => Value::Boolean(less(&argument(1), &argument(0)).map_err(|e| at(15, &e))?),
        3 => {
            let (a, b) = (argument(0), argument(1));
            if a == b && matches!(a, Value::Number(_) | Value::String(_)) {
                Value::Boolean(true)
            } else {
                Value::Boolean(less(&a, &b).map_err(|e| at(16, &e))?)
            }
        }
        4 => Value::Boolean(true),
        5 => Value::Nil,
        6 => argument(0),
        7 => argument(1),
        8 => Value::Boolean(false),
        9 => Value::list([]),
        10 => Value::Number(12.5),
        11 => Value::from("%1"),
        other => panic!("there is no function {other}"),
    })
}

/// An error with the position in `oracle.lua`: not compared, hence cut to what is.
fn at(_line: u32, error: &[u8]) -> Vec<u8> {
    error.to_vec()
}

/// `lua_lessthan` without metamethods.
fn less(left: &Value, right: &Value) -> Result<bool, Vec<u8>> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => Ok(left < right),
        (Value::String(left), Value::String(right)) => Ok(left < right),
        _ => {
            let (left, right) = (left.kind().name(), right.kind().name());
            let text = if left == right {
                format!("attempt to compare two {left} values")
            } else {
                format!("attempt to compare {left} with {right}")
            };
            Err(text.into_bytes())
        }
    }
}

fn following(table: &Table, key: &Value) -> Option<(Value, Value)> {
    let mut pairs = table.pairs();
    if *key != Value::Nil {
        pairs.find(|pair| pair.0 == key);
    }
    pairs.next().map(|(key, value)| (key.clone(), value.clone()))
}
