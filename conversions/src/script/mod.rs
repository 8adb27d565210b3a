//! Replies into Lua values and Lua values into replies: the two conversions at the border of a
//! script.
//!
//! Owns the rules of `script_lua.c`. It must not know scripts or Lua engines: it reads and
//! writes through the traits of `redlua-core`.

mod reply_to_value;
mod value_to_reply;

pub use reply_to_value::ReplyToValue;
pub use value_to_reply::{bounded_reply, integer, value_to_reply};
