//! Reading an error table through its metatable.
//!
//! Owns one function, which runs as a script does, within its limits.

use gc_arena::Collect;
use piccolo::{
    BoxSequence, CallbackReturn, Context, Error, Execution, Sequence, SequencePoll, Stack, Table,
    Value,
};

use crate::frontend::Name;
use crate::machine::{Answer, M};
use crate::meta::{self, Outcome};
use crate::tables;

/// Copies the fields that matter of the table on the stack into a plain one.
pub(crate) fn flatten<'gc>(
    m: M<'gc>,
    ctx: Context<'gc>,
    _: Execution<'gc, '_>,
    mut stack: Stack<'gc, '_>,
) -> Answer<'gc> {
    let fields =
        Fields { m, from: stack.get(0), to: tables::create(m, ctx, 0, 4), at: 0, waits: false };
    stack.clear();
    Ok(CallbackReturn::Sequence(BoxSequence::new(&ctx, fields)))
}

#[derive(Collect)]
#[collect(no_drop)]
struct Fields<'gc> {
    m: M<'gc>,
    from: Value<'gc>,
    to: Table<'gc>,
    /// The field whose turn it is.
    at: usize,
    /// Whether a metamethod was asked for it.
    waits: bool,
}

impl<'gc> Sequence<'gc> for Fields<'gc> {
    fn poll(
        &mut self,
        ctx: Context<'gc>,
        _: Execution<'gc, '_>,
        mut stack: Stack<'gc, '_>,
    ) -> Result<SequencePoll<'gc>, Error<'gc>> {
        let m = self.m;
        while let Some(field) = m.run.fields.get(self.at) {
            let key = tables::string(ctx, field.as_bytes());
            let value = if std::mem::take(&mut self.waits) {
                m.leave_call();
                stack.get(0)
            } else {
                match meta::index(m, self.from, key, || Name::NONE) {
                    Outcome::Value(value) => value,
                    Outcome::Call(function, args, count) => {
                        m.enter_call(ctx, None)?;
                        self.waits = true;
                        stack.clear();
                        stack.extend(args.into_iter().take(count));
                        return Ok(SequencePoll::Call { function, is_tail: false });
                    }
                    Outcome::Error(text) => return Err(m.text(ctx, None, text)),
                }
            };
            // A string is a valid key.
            let _ = tables::set(m, ctx, self.to, key, value);
            self.at += 1;
        }
        stack.clear();
        stack.push_back(self.to.into());
        Ok(SequencePoll::Return)
    }
}
