//! The same code on `MockRedis`.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use redlua::{MockConnection, MockRedis};
use redlua_redis_rs::{asynchronous, synchronous};

#[test]
fn synchronous_code() {
    for (name, test) in synchronous::tests::<MockConnection>() {
        println!("{name}");
        let mock = MockRedis::new();
        test(&|| mock.connection());
    }
}

#[tokio::test]
async fn asynchronous_code() {
    let mock = MockRedis::new();
    asynchronous::commands(mock.connection()).await;
    asynchronous::blocking(mock.connection(), mock.connection()).await;
    asynchronous::messages(mock.pubsub(&Default::default()).await.unwrap(), mock.connection())
        .await;
}

#[tokio::test]
async fn its_own_connection_in_both_protocols() {
    for protocol in [redis::ProtocolVersion::RESP2, redis::ProtocolVersion::RESP3] {
        let mock = MockRedis::new();
        let info = redis::RedisConnectionInfo::default().set_protocol(protocol);
        let (one, driver) = mock.multiplexed_connection(&info).await.unwrap();
        tokio::spawn(driver);
        let (two, driver) = mock.multiplexed_connection(&info).await.unwrap();
        tokio::spawn(driver);
        asynchronous::commands(one.clone()).await;
        asynchronous::blocking(one.clone(), two).await;
        asynchronous::messages(mock.pubsub(&info).await.unwrap(), one).await;
    }
}
