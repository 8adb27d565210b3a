//! Testing code that uses redis-rs, without a server: the clock is moved, a failure provoked, the
//! calls looked at. `cargo run --example mock --features redis`

use std::time::Duration;

use redis::{ConnectionLike, RedisResult, Script};
use redlua::MockRedis;

/// The code under test: a login that is refused after three wrong passwords within a minute.
fn may_try(connection: &mut impl ConnectionLike, user: &str) -> RedisResult<bool> {
    let script = Script::new(
        "local tries = redis.call('INCR', KEYS[1])
         if tries == 1 then redis.call('EXPIRE', KEYS[1], 60) end
         return tries <= 3",
    );
    // A false of Lua is a null.
    let allowed: Option<bool> = script.key(format!("tries:{user}")).invoke(connection)?;
    Ok(allowed.unwrap_or(false))
}

fn main() -> RedisResult<()> {
    let mock = MockRedis::new();
    let mut connection = mock.connection();

    let tries: Vec<bool> =
        (0..4).map(|_| may_try(&mut connection, "ada")).collect::<RedisResult<_>>()?;
    assert_eq!(tries, [true, true, true, false]);

    mock.advance(Duration::from_secs(61));
    assert!(may_try(&mut connection, "ada")?);

    mock.fail_next("INCR", "OOM command not allowed when used memory > 'maxmemory'.");
    let error = may_try(&mut connection, "ada").err();
    assert_eq!(error.and_then(|error| error.code().map(str::to_owned)).as_deref(), Some("OOM"));

    for call in mock.calls().iter().filter(|call| call.script) {
        println!("{call}");
    }
    Ok(())
}
