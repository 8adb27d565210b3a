//! A mock as redis-rs sees it.
//!
//! Owns redis-rs' two traits of a connection, and its own types of connection over a mock. Must
//! not know how commands work.

use std::future::Future;
use std::io;
use std::time::Duration;

use redis::aio::{MultiplexedConnection, PubSub};
use redis::{
    Cmd, ConnectionLike, Msg, Pipeline, PushInfo, RedisConnectionInfo, RedisFuture, RedisResult,
    Value,
};
use redlua_conversions::resp::RequestParser;

use super::connection::replies;
use super::{MockConnection, MockRedis};

impl MockRedis {
    /// redis-rs' own multiplexed connection, and the future that drives it and is to be spawned:
    /// what `redis::Client::create_multiplexed_tokio_connection` returns for a real server.
    ///
    /// ```
    /// use redis::AsyncCommands;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> redis::RedisResult<()> {
    /// let mock = redlua::MockRedis::new();
    /// let (mut connection, driver) = mock.multiplexed_connection(&Default::default()).await?;
    /// tokio::spawn(driver);
    /// connection.set("k", 1).await?;
    /// assert_eq!(connection.clone().incr("k", 2).await, Ok(3));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What `info` asks for, such as its password, is refused.
    pub async fn multiplexed_connection(
        &self,
        info: &RedisConnectionInfo,
    ) -> RedisResult<(MultiplexedConnection, impl Future<Output = ()> + 'static)> {
        MultiplexedConnection::new_with_config(info, self.stream(), Default::default()).await
    }

    /// redis-rs' own subscriber: what `redis::Client::get_async_pubsub` returns for a real
    /// server. It runs on the executor that redis-rs was built for.
    ///
    /// # Errors
    /// What `info` asks for, such as its password, is refused.
    pub async fn pubsub(&self, info: &RedisConnectionInfo) -> RedisResult<PubSub> {
        PubSub::new(info, self.stream()).await
    }
}

impl MockConnection {
    /// The next message as redis-rs' own type; `None` when none comes within `timeout`.
    pub fn next_msg(&mut self, timeout: Duration) -> Option<Msg> {
        loop {
            let bytes = match self.pushed.pop_front() {
                Some(bytes) => bytes,
                None => self.link.wait_message(timeout)?,
            };
            let msg = match redis::parse_redis_value(&bytes).ok()? {
                Value::Push { kind, data } => Msg::from_push_info(PushInfo { kind, data }),
                value => Msg::from_owned_value(value),
            };
            if msg.is_some() {
                return msg;
            }
        }
    }

    /// The replies among what was received; pushes are kept for whoever asks for messages.
    fn values(&mut self, bytes: &[u8]) -> RedisResult<Vec<Value>> {
        let mut values = Vec::new();
        for reply in replies(bytes) {
            if reply.starts_with(b">") {
                self.pushed.push_back(reply.to_vec());
            } else {
                values.push(redis::parse_redis_value(reply)?);
            }
        }
        Ok(values)
    }

    /// The reply to one command. What only has pushes, `SUBSCRIBE` in RESP3, has none.
    fn first(&mut self, bytes: &[u8]) -> RedisResult<Value> {
        let pushes = self.pushed.len();
        let value = self.values(bytes)?.into_iter().next();
        match value {
            Some(value) => Ok(value),
            None if self.pushed.len() > pushes => Ok(Value::Okay),
            None => Err(self.no_reply()),
        }
    }

    /// The replies to several commands, of which `offset` are for the client library alone.
    fn some(&mut self, bytes: &[u8], offset: usize, count: usize) -> RedisResult<Vec<Value>> {
        let values = self.values(bytes)?;
        let wanted: Vec<Value> = values.into_iter().skip(offset).take(count).collect();
        // An EXEC that is refused is not the array of replies that redis-rs looks for.
        if let (1.., [Value::ServerError(error)]) = (offset, wanted.as_slice()) {
            return Err(error.clone().into());
        }
        if wanted.len() == count { Ok(wanted) } else { Err(self.no_reply()) }
    }

    fn no_reply(&self) -> redis::RedisError {
        let kind = if self.is_open() { io::ErrorKind::TimedOut } else { io::ErrorKind::BrokenPipe };
        io::Error::from(kind).into()
    }

    /// Runs packed commands; their replies one after the other.
    fn exchange(&mut self, packed: &[u8]) -> RedisResult<Vec<u8>> {
        let mut received = Vec::new();
        for argv in requests(packed)? {
            let words: Vec<&[u8]> = argv.iter().map(Vec::as_slice).collect();
            received.extend(self.link.request(&words));
        }
        Ok(received)
    }

    async fn exchange_async(&mut self, packed: Vec<u8>) -> RedisResult<Vec<u8>> {
        let mut received = Vec::new();
        for argv in requests(&packed)? {
            let words: Vec<&[u8]> = argv.iter().map(Vec::as_slice).collect();
            received.extend(self.link.request_async(&words).await);
        }
        Ok(received)
    }
}

/// ```
/// use redis::{Commands, Script};
///
/// let mut connection = redlua::MockRedis::new().connection();
/// let script = Script::new("return redis.call('INCRBY', KEYS[1], ARGV[1])");
/// let total: i64 = script.key("n").arg(5).invoke(&mut connection)?;
/// assert_eq!(total, 5);
/// let (n, left): (i64, bool) =
///     redis::pipe().atomic().get("n").expire("n", 60).query(&mut connection)?;
/// assert_eq!((n, left), (5, true));
/// assert_eq!(connection.ttl("n"), Ok(60));
/// # Ok::<(), redis::RedisError>(())
/// ```
impl ConnectionLike for MockConnection {
    fn req_packed_command(&mut self, cmd: &[u8]) -> RedisResult<Value> {
        let received = self.exchange(cmd)?;
        self.first(&received)
    }

    fn req_command(&mut self, cmd: &Cmd) -> RedisResult<Value> {
        let received = self.exchange(&cmd.get_packed_command())?;
        if cmd.is_no_response() {
            return Ok(Value::Nil);
        }
        self.first(&received)
    }

    fn req_packed_commands(
        &mut self,
        cmd: &[u8],
        offset: usize,
        count: usize,
    ) -> RedisResult<Vec<Value>> {
        let received = self.exchange(cmd)?;
        self.some(&received, offset, count)
    }

    fn get_db(&self) -> i64 {
        self.link.db().into()
    }

    fn check_connection(&mut self) -> bool {
        redis::cmd("PING").query::<String>(self).is_ok()
    }

    fn is_open(&self) -> bool {
        MockConnection::is_open(self)
    }
}

/// Blocking commands do not block the thread: the task waits.
impl redis::aio::ConnectionLike for MockConnection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            let received = self.exchange_async(cmd.get_packed_command()).await?;
            if cmd.is_no_response() {
                return Ok(Value::Nil);
            }
            self.first(&received)
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            let received = self.exchange_async(pipeline.get_packed_pipeline()).await?;
            self.some(&received, offset, count)
        })
    }

    fn get_db(&self) -> i64 {
        self.link.db().into()
    }
}

/// The commands in what redis-rs would write to a socket.
fn requests(packed: &[u8]) -> RedisResult<Vec<Vec<Vec<u8>>>> {
    let mut parser = RequestParser::default();
    parser.feed(packed);
    let mut requests = Vec::new();
    while let Some(argv) = parser.next().map_err(io::Error::other)? {
        requests.push(argv);
    }
    Ok(requests)
}
