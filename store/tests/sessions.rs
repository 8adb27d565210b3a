//! What the server layer is told of connections, and what happens without a command.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::time::Duration;

use redlua_conversions::resp::RespWriter;
use redlua_core::{CommandFlags, Host, Protocol, Session};
use redlua_store::{Action, Clock, Message, Store};

/// Runs a command, its words between blanks, and returns the reply.
fn run(store: &mut Store, session: &mut Session, call: &str) -> String {
    let argv: Vec<&[u8]> = call.split(' ').map(str::as_bytes).collect();
    let spec = store.command(&argv).expect("a known command");
    let mut reply = RespWriter::new(session.protocol);
    store.call(session, &spec, &argv, &mut reply);
    String::from_utf8_lossy(reply.bytes()).into_owned()
}

fn client(store: &mut Store, id: u64, protocol: Protocol) -> Session {
    store.connect(id, "10.0.0.1:5");
    Session { id, protocol, ..Session::default() }
}

/// What a message looks like to a RESP3 client.
fn shown(message: &Message) -> String {
    let mut writer = RespWriter::new(Protocol::Resp3);
    message.push(&mut writer);
    String::from_utf8_lossy(writer.bytes()).replace("\r\n", " ")
}

#[test]
fn the_number_of_databases_is_the_embedders() {
    let mut store = Store::with_databases(Clock::system(), 3);
    let mut one = client(&mut store, 1, Protocol::Resp2);
    assert_eq!(run(&mut store, &mut one, "SELECT 2"), "+OK\r\n");
    assert_eq!(run(&mut store, &mut one, "SELECT 3"), "-ERR DB index is out of range\r\n");
    assert_eq!(run(&mut store, &mut one, "SWAPDB 0 3"), "-ERR DB index is out of range\r\n");
    assert_eq!(
        run(&mut store, &mut one, "CONFIG GET databases"),
        "*2\r\n$9\r\ndatabases\r\n$1\r\n3\r\n"
    );
}

#[test]
fn keys_expire_without_being_asked_for() {
    let clock = Clock::manual(Duration::from_secs(1_700_000_000));
    let mut store = Store::with_clock(clock.clone());
    let mut one = client(&mut store, 1, Protocol::Resp3);
    run(&mut store, &mut one, "CONFIG SET notify-keyspace-events Ex");
    run(&mut store, &mut one, "SUBSCRIBE __keyevent@0__:expired");
    run(&mut store, &mut one, "CLIENT TRACKING on");
    run(&mut store, &mut one, "SET k v PX 100");
    run(&mut store, &mut one, "GET k");
    run(&mut store, &mut one, "DEBUG SET-ACTIVE-EXPIRE 0");
    clock.advance(Duration::from_millis(101));
    store.cron();
    assert!(store.take_messages().is_empty());
    run(&mut store, &mut one, "DEBUG SET-ACTIVE-EXPIRE 1");
    store.cron();
    let messages: Vec<String> =
        store.take_messages().iter().map(|(_, message)| shown(message)).collect();
    assert_eq!(
        messages,
        [">3 $7 message $22 __keyevent@0__:expired $1 k ", ">2 $10 invalidate *1 $1 k ",]
    );
}

#[test]
fn a_large_database_is_searched_in_pieces() {
    let clock = Clock::manual(Duration::from_secs(1_700_000_000));
    let mut store = Store::with_clock(clock.clone());
    let mut one = client(&mut store, 1, Protocol::Resp2);
    for number in 0..10_000 {
        run(&mut store, &mut one, &format!("SET k{number} v PX {}", 10 + number % 2 * 100_000));
    }
    clock.advance(Duration::from_millis(50));
    for _ in 0..3 {
        store.cron();
    }
    let info = run(&mut store, &mut one, "INFO stats");
    assert!(info.contains("expired_keys:5000\r\n"), "{info}");
    let info = run(&mut store, &mut one, "INFO keyspace");
    assert!(info.contains("db0:keys=5000,expires=5000"), "{info}");
}

#[test]
fn connections_are_closed_and_unblocked_by_the_server_layer() {
    let mut store = Store::new();
    let mut one = client(&mut store, 1, Protocol::Resp2);
    client(&mut store, 2, Protocol::Resp2);
    assert_eq!(run(&mut store, &mut one, "CLIENT UNBLOCK 2"), ":0\r\n");
    store.set_blocked(2, true);
    assert_eq!(run(&mut store, &mut one, "CLIENT UNBLOCK 2 ERROR"), ":1\r\n");
    assert_eq!(store.take_actions(), [Action::Unblock { client: 2, error: true }]);
    assert_eq!(run(&mut store, &mut one, "CLIENT KILL ADDR 10.0.0.1:5"), ":1\r\n");
    assert_eq!(store.take_actions(), [Action::Close(2)]);
    assert_eq!(run(&mut store, &mut one, "CLIENT KILL 10.0.0.1:5"), "+OK\r\n");
    assert_eq!(store.take_actions(), [Action::Close(1), Action::Close(2)]);
}

#[test]
fn a_pause_ends_by_the_stores_clock() {
    let clock = Clock::manual(Duration::from_secs(1_700_000_000));
    let mut store = Store::with_clock(clock.clone());
    let mut one = client(&mut store, 1, Protocol::Resp2);
    let writes = store.command(&[b"set"]).expect("SET");
    let reads = store.command(&[b"get"]).expect("GET");
    run(&mut store, &mut one, "CLIENT PAUSE 1000 WRITE");
    assert!(store.is_paused());
    assert_eq!(store.paused(&writes), Some(clock.now() + Duration::from_secs(1)));
    assert_eq!(store.paused(&reads), None);
    let script = store.command(&[b"eval"]).expect("EVAL");
    assert!(script.flags.contains(CommandFlags::MAY_REPLICATE) && store.paused(&script).is_some());
    clock.advance(Duration::from_secs(1));
    assert_eq!(store.paused(&writes), None);
    assert!(!store.is_paused());
}

#[test]
fn the_table_of_tracked_keys_has_a_limit() {
    let mut store = Store::new();
    let mut one = client(&mut store, 1, Protocol::Resp3);
    run(&mut store, &mut one, "CONFIG SET tracking-table-max-keys 2");
    run(&mut store, &mut one, "CLIENT TRACKING on");
    run(&mut store, &mut one, "MGET a b c");
    assert_eq!(store.take_messages().len(), 1);
    let info = run(&mut store, &mut one, "INFO stats");
    assert!(info.contains("tracking_total_keys:2\r\ntracking_total_items:2\r\n"), "{info}");
    store.forget(1);
    let mut two = client(&mut store, 2, Protocol::Resp3);
    let info = run(&mut store, &mut two, "INFO clients");
    assert!(info.contains("tracking_clients:0\r\n"), "{info}");
}

#[test]
fn slow_commands_are_logged_by_the_stores_clock() {
    let clock = Clock::manual(Duration::from_secs(1_700_000_000));
    let mut store = Store::with_clock(clock);
    let mut one = client(&mut store, 1, Protocol::Resp2);
    run(&mut store, &mut one, "CONFIG SET latency-monitor-threshold 20");
    // Sleeping moves a manual clock.
    run(&mut store, &mut one, "DEBUG SLEEP 0.025");
    run(&mut store, &mut one, "DEBUG SLEEP 0.005");
    assert_eq!(
        run(&mut store, &mut one, "SLOWLOG GET"),
        "*1\r\n*6\r\n:0\r\n:1700000000\r\n:25000\r\n*3\r\n$5\r\nDEBUG\r\n$5\r\nSLEEP\r\n$5\r\n\
         0.025\r\n$10\r\n10.0.0.1:5\r\n$0\r\n\r\n"
    );
    assert_eq!(
        run(&mut store, &mut one, "LATENCY LATEST"),
        "*1\r\n*4\r\n$7\r\ncommand\r\n:1700000000\r\n:25\r\n:25\r\n"
    );
    let histogram = run(&mut store, &mut one, "LATENCY HISTOGRAM debug");
    assert!(histogram.contains(":8454\r\n:1\r\n:33816\r\n:2\r\n"), "{histogram}");
}
