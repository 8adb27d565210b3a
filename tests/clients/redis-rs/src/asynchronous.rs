//! Code on `redis::aio::ConnectionLike`, and on redis-rs' own subscriber.
//!
//! Must not know what kind of connection it is.

use std::time::Duration;

use futures_util::StreamExt;
use redis::aio::{ConnectionLike, PubSub};
use redis::{AsyncCommands, Script};
use tokio::time::{sleep, timeout};

/// Scripts, pipelines, transactions.
pub async fn commands<C: ConnectionLike + Send + Sync>(mut con: C) {
    redis::cmd("FLUSHALL").exec_async(&mut con).await.unwrap();
    let script = Script::new("return {redis.call('INCRBY', KEYS[1], ARGV[1]), ARGV[1]}");
    redis::cmd("SCRIPT").arg("FLUSH").exec_async(&mut con).await.unwrap();
    for total in [5, 10] {
        let reply: (i64, i64) = script.key("n").arg(5).invoke_async(&mut con).await.unwrap();
        assert_eq!(reply, (total, 5));
    }
    let (n, left): (i64, bool) =
        redis::pipe().atomic().incr("n", 1).expire("n", 60).query_async(&mut con).await.unwrap();
    assert_eq!((n, left), (11, true));
    assert_eq!(con.ttl("n").await, Ok(60));
    let aborted = redis::pipe().atomic().cmd("NOSUCH").exec_async(&mut con).await;
    assert!(aborted.is_err());
    con.rpush::<_, _, ()>("l", &[1, 2, 3]).await.unwrap();
    assert_eq!(con.lpop::<_, Vec<u8>>("l", std::num::NonZeroUsize::new(2)).await, Ok(vec![1, 2]));
    let failed = con.incr::<_, _, i64>("l", 1).await.unwrap_err();
    assert_eq!(failed.code(), Some("WRONGTYPE"));
}

/// A blocking command waits while others work on the same thread.
pub async fn blocking<C: ConnectionLike + Send + Sync>(mut waiting: C, mut con: C) {
    redis::cmd("FLUSHALL").exec_async(&mut con).await.unwrap();
    let pop = async { waiting.blpop::<_, (String, i64)>("q", 10.0).await };
    let push = async {
        sleep(Duration::from_millis(30)).await;
        con.rpush::<_, _, i64>("q", 7).await
    };
    let both = async { tokio::join!(pop, push) };
    let (popped, pushed) = timeout(Duration::from_secs(10), both).await.unwrap();
    assert_eq!((popped, pushed), (Ok(("q".to_owned(), 7)), Ok(1)));
}

/// Messages, by name and by pattern.
pub async fn messages<C: ConnectionLike + Send + Sync>(mut pubsub: PubSub, mut con: C) {
    pubsub.subscribe(&["news", "other"]).await.unwrap();
    pubsub.psubscribe("n*").await.unwrap();
    let heard: i64 = Script::new("return redis.call('PUBLISH', KEYS[1], ARGV[1])")
        .key("news")
        .arg("hello")
        .invoke_async(&mut con)
        .await
        .unwrap();
    assert_eq!(heard, 2);
    let mut messages = pubsub.on_message();
    for pattern in [None, Some("n*".to_owned())] {
        let msg = timeout(Duration::from_secs(10), messages.next()).await.unwrap().unwrap();
        assert_eq!(msg.get_channel_name(), "news");
        assert_eq!(msg.get_payload::<String>().unwrap(), "hello");
        assert_eq!(msg.get_pattern::<Option<String>>().unwrap(), pattern);
    }
    drop(messages);
    pubsub.unsubscribe("news").await.unwrap();
    assert_eq!(con.publish::<_, _, i64>("news", "again").await, Ok(1));
    drop(pubsub);
}
