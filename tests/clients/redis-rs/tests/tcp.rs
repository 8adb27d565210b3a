//! The same code over TCP, on the server that REDIS_URL names, which it empties.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::{Mutex, PoisonError};

use redis::Connection;
use redlua_redis_rs::{asynchronous, synchronous};

/// The tests empty the one server there is.
static ALONE: Mutex<()> = Mutex::new(());

fn client() -> Option<redis::Client> {
    let url = std::env::var("REDIS_URL").ok()?;
    Some(redis::Client::open(url).unwrap())
}

#[test]
fn synchronous_code() {
    let Some(client) = client() else { return println!("skipped: no REDIS_URL") };
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for (name, test) in synchronous::tests::<Connection>() {
        println!("{name}");
        let connect = || client.get_connection().unwrap();
        redis::cmd("FLUSHALL").exec(&mut connect()).unwrap();
        test(&connect);
    }
}

#[test]
fn asynchronous_code() {
    let Some(client) = client() else { return println!("skipped: no REDIS_URL") };
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let connect = || client.get_multiplexed_async_connection();
        let (one, two) = (connect().await.unwrap(), connect().await.unwrap());
        asynchronous::commands(one.clone()).await;
        asynchronous::blocking(one.clone(), two).await;
        asynchronous::messages(client.get_async_pubsub().await.unwrap(), one).await;
    });
}
