//! The same code over TCP, on the server that REDIS_URL names, which it empties.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use redis::Connection;
use redlua_redis_rs::{asynchronous, synchronous};

fn client() -> Option<redis::Client> {
    let url = std::env::var("REDIS_URL").ok()?;
    Some(redis::Client::open(url).unwrap())
}

#[test]
fn synchronous_code() {
    let Some(client) = client() else { return println!("skipped: no REDIS_URL") };
    for (name, test) in synchronous::tests::<Connection>() {
        println!("{name}");
        let connect = || client.get_connection().unwrap();
        redis::cmd("FLUSHALL").exec(&mut connect()).unwrap();
        test(&connect);
    }
}

#[tokio::test]
async fn asynchronous_code() {
    let Some(client) = client() else { return println!("skipped: no REDIS_URL") };
    let connect = || client.get_multiplexed_async_connection();
    asynchronous::commands(connect().await.unwrap()).await;
    asynchronous::blocking(connect().await.unwrap(), connect().await.unwrap()).await;
    asynchronous::messages(client.get_async_pubsub().await.unwrap(), connect().await.unwrap())
        .await;
}
