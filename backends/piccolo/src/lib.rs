//! x
#![forbid(unsafe_code)]
#[allow(dead_code)]
mod frontend;
#[derive(gc_arena::Collect)]
#[collect(no_drop)]
struct Foo<'gc>(piccolo::Table<'gc>);
