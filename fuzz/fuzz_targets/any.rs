//! Every target under libFuzzer: `REDLUA_TARGET=cjson cargo fuzz run any`.
#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;
use redlua_fuzz::Target;

thread_local! {
    static TARGET: RefCell<Target> = RefCell::new(
        Target::named(&std::env::var("REDLUA_TARGET").unwrap_or("scripts".into())).unwrap(),
    );
}

fuzz_target!(|data: &[u8]| TARGET.with_borrow_mut(|target| target.run(data)));
