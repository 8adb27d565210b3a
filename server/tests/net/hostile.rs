//! Clients that break the protocol, leave, or do not read.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use super::Site;

#[test]
fn malformed_frames_are_answered_as_redis_does() {
    let site = Site::new();
    let long = [&[b'x'; 70_000][..], b"\r\n"].concat();
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (b"*x\r\n".to_vec(), "invalid multibulk length"),
        (b"*2147483648\r\n".to_vec(), "invalid multibulk length"),
        (b"*1\r\n:1\r\n".to_vec(), "expected '$', got ':'"),
        (b"*1\r\n$-1\r\n".to_vec(), "invalid bulk length"),
        (b"*1\r\n$536870913\r\n".to_vec(), "invalid bulk length"),
        (b"*1\r\n$99999999999999999999\r\n".to_vec(), "invalid bulk length"),
        (b"GET \"k\r\n".to_vec(), "unbalanced quotes in request"),
        (vec![b'x'; 70_000], "too big inline request"),
        ([b"*", &long[..]].concat(), "invalid multibulk length"),
        ([b"*1\r\n$", &[b'1'; 70_000][..]].concat(), "too big bulk count string"),
        ([b"*", &[b'1'; 70_000][..]].concat(), "too big mbulk count string"),
    ];
    for (request, text) in cases {
        let mut socket = site.connect();
        socket.send(&[b"PING\r\n", &request[..]].concat());
        let found = String::from_utf8_lossy(&socket.rest()).into_owned();
        // A close with bytes unread may take the reply away; all others must be whole.
        if request.len() < 60_000 {
            assert_eq!(found, format!("+PONG\r\n-ERR Protocol error: {text}\r\n"));
        } else {
            assert!(format!("+PONG\r\n-ERR Protocol error: {text}\r\n").starts_with(&found));
        }
    }
    assert_eq!(site.answer(b"POST / HTTP/1.1\r\nHost: a\r\n\r\n"), b"");
    assert_eq!(site.answer(b"*-1\r\n*0\r\n\r\nPING\r\n"), b"+PONG\r\n");
    site.lives();
    site.empties();
}

#[test]
fn random_bytes_harm_nobody() {
    let site = Site::new();
    let mut seed = 7_u64;
    let mut next = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let pieces: [&[u8]; 12] = [
        b"*",
        b"$",
        b"\r\n",
        b"3",
        b"-1",
        b"GET",
        b"\0",
        b"\"",
        b"*2\r\n$4\r\nECHO\r\n$1\r\nx\r\n",
        b"MULTI\r\n",
        b"SUBSCRIBE c\r\n",
        b"1000000",
    ];
    for _ in 0..500 {
        let mut bytes = Vec::new();
        for _ in 0..next() % 20 {
            bytes.extend_from_slice(pieces[(next() % 12) as usize]);
        }
        let mut socket = site.connect();
        // The server may have closed it before all is written.
        let _ = socket.0.write_all(&bytes);
        if next() % 2 == 0 {
            let _ = socket.0.shutdown(Shutdown::Write);
            socket.rest();
        }
    }
    site.lives();
    site.empties();
}

#[test]
fn limits_on_what_a_client_sends() {
    let site = Site::new();
    let mut socket = site.connect();
    socket.ask("CONFIG SET proto-max-bulk-len 1mb client-query-buffer-limit 2mb", "+OK\r\n");
    // The first request sees the new limit already.
    let mut other = site.connect();
    other.send(b"*2\r\n$4\r\nECHO\r\n$1048577\r\n");
    assert_eq!(other.rest(), b"-ERR Protocol error: invalid bulk length\r\n");
    let mut other = site.connect();
    let whole = [b"*2\r\n$6\r\nSTRLEN\r\n$1048576\r\n", &vec![b'x'; 1 << 20][..], b"\r\n"].concat();
    other.send(&whole);
    other.expect(":0\r\n");
    // Many arguments, none of them too long, but together too much to hold.
    let mut other = site.connect();
    let piece = [b"$1000000\r\n", &vec![b'x'; 1_000_000][..], b"\r\n"].concat();
    let _ = other.0.write_all(b"*9\r\n");
    for _ in 0..8 {
        if other.0.write_all(&piece).is_err() {
            break;
        }
    }
    assert_eq!(other.rest(), b"");
    socket.ask("PING", "+PONG\r\n");
}

#[test]
fn half_closed_sockets() {
    let site = Site::new();
    assert_eq!(site.answer(b"PING\r\nECHO a\r\n"), b"+PONG\r\n$1\r\na\r\n");
    assert_eq!(site.answer(b"*2\r\n$4\r\nECHO\r\n$1"), b"");
    // One that waits does so no longer: what is pushed stays.
    assert_eq!(site.answer(b"BLPOP l 0\r\n"), b"");
    site.empties();
    let mut socket = site.connect();
    socket.ask("RPUSH l x", ":1\r\n");
    socket.ask("LLEN l", ":1\r\n");
}

#[test]
fn ten_thousand_connections_opened_and_dropped() {
    let site = Site::new();
    let mut kept = site.connect();
    for round in 0..100 {
        let mut group: Vec<_> = (0..100).map(|_| site.connect()).collect();
        if round % 10 == 0 {
            for socket in &mut group {
                socket.send(b"SUBSCRIBE c\r\nMULTI\r\nSET");
            }
        }
        drop(group);
    }
    kept.ask("PING", "+PONG\r\n");
    site.empties_but(&mut kept);
    kept.ask("PUBLISH c x", ":0\r\n");
}

#[test]
fn a_client_may_send_everything_before_it_reads() {
    let site = Site::new();
    let mut socket = site.connect();
    let value = "v".repeat(10_000);
    socket.ask(&format!("SET k {value}"), "+OK\r\n");
    let mut reader = TcpStream::connect(site.address()).unwrap();
    reader.write_all(&b"GET k\r\n".repeat(5000)).unwrap();
    let reply = format!("$10000\r\n{value}\r\n");
    let mut found = vec![0; reply.len()];
    for _ in 0..5000 {
        reader.read_exact(&mut found).unwrap();
        assert!(found == reply.as_bytes());
    }
}

#[test]
fn slow_readers_are_cut_off() {
    let site = Site::new();
    let mut socket = site.connect();
    let limits = "\"normal 8mb 0 0 pubsub 4mb 0 0\"";
    socket.ask(&format!("CONFIG SET client-output-buffer-limit {limits}"), "+OK\r\n");
    socket.ask(&format!("SET k {}", "v".repeat(60_000)), "+OK\r\n");
    // One asks for much and reads nothing.
    let mut slow = site.connect();
    for _ in 0..1000 {
        if slow.0.write_all(b"GET k\r\n").is_err() {
            break;
        }
    }
    // One listens and reads nothing.
    let mut deaf = site.connect();
    deaf.ask("SUBSCRIBE c", "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n");
    let message = format!("PUBLISH c {}\r\n", "m".repeat(60_000));
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        socket.send(message.as_bytes());
        if socket.line() == ":0" {
            break;
        }
        assert!(Instant::now() < end, "the subscriber is still there");
    }
    site.empties_but(&mut socket);
    assert!(slow.rest().len() < 60_000_000);
    assert!(deaf.rest().len() < 60_000_000);
    site.lives();
}

#[test]
fn a_client_killed_in_the_middle_of_a_pipeline() {
    let site = Site::new();
    let mut other = site.connect();
    for round in 0..20 {
        let mut socket = site.connect();
        socket.send(&b"INCR n\r\n".repeat(2000));
        socket.send(b"MULTI\r\nSET half 1\r\nWATCH");
        if round % 2 == 0 {
            // With replies unread this is a reset.
            drop(socket);
        } else {
            let mut some = [0; 100];
            socket.0.read_exact(&mut some).unwrap();
        }
        other.ask("PING", "+PONG\r\n");
    }
    site.empties_but(&mut other);
    other.ask("EXISTS half", ":0\r\n");
    // Those that another client kills.
    let mut victim = site.connect();
    victim.ask("CLIENT ID", ":");
    let id: u64 = victim.line().parse().unwrap();
    assert!(site.server.disconnect(id));
    assert_eq!(victim.rest(), b"");
}

/// A server closes the socket before it answers.
#[test]
fn a_killed_client_is_gone_when_the_killer_hears_of_it() {
    let site = Site::new();
    let mut killer = site.connect();
    for _ in 0..200 {
        let mut other = site.connect();
        other.send(b"CLIENT ID\r\n");
        let id = other.line();
        killer.ask(&format!("CLIENT KILL ID {}", id.trim_start_matches(':').trim()), ":1\r\n");
        other.0.set_nonblocking(true).unwrap();
        assert_eq!(other.0.read(&mut [0; 8]).unwrap(), 0);
    }
}
