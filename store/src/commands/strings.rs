//! Strings: `GET`, `SET` and what belongs to them (`t_string.c`).

use crate::context::Cx;
use crate::error::CommandResult;
use crate::value::Str;

pub(crate) fn get(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    match cx.keys.read::<Str>(argv[1])? {
        Some(text) => text.push(cx.sink),
        None => cx.sink.null(),
    }
    Ok(())
}
