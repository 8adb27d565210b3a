//! Debugging sessions on sockets: the bytes, and `redis-cli --ldb` itself.

use std::io::Write;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::{Site, Socket};

const FIRST: &str =
    "*2\r\n+* Stopped at 1, stop reason = step over\r\n+-> 1   redis.call('incr', 'k')\r\n";
const COUNT: &str = "redis.call('incr', 'k')\nreturn redis.call('incr', 'k')";

fn words(words: &[&str]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len());
    for word in words {
        bytes += &format!("${}\r\n{word}\r\n", word.len());
    }
    bytes.into_bytes()
}

/// A connection in a session that stands at the first line of `COUNT`.
fn session(site: &Site, mode: &str) -> Socket<TcpStream> {
    let mut socket = site.connect();
    socket.ask(&format!("SCRIPT DEBUG {mode}"), "+OK\r\n");
    socket.send(&words(&["EVAL", COUNT, "0"]));
    socket.expect(FIRST);
    socket
}

#[test]
fn a_session_from_the_first_line_to_the_end() {
    let site = Site::new();
    for (mode, left) in [("YES", "$-1\r\n"), ("SYNC", "$1\r\n2\r\n")] {
        let mut socket = session(&site, mode);
        socket.send(&words(&["s"]));
        socket.expect("*4\r\n+<redis> incr k\r\n+<reply> 1\r\n");
        socket.expect("+* Stopped at 2, stop reason = step over\r\n+-> 2   return redis.call('incr', 'k')\r\n");
        // In pieces.
        for byte in words(&["continue"]) {
            socket.send(&[byte]);
        }
        assert_eq!(socket.rest(), b"*1\r\n+<endsession>\r\n:2\r\n");
        site.connect().ask("GET k", left);
    }
    site.empties();
}

#[test]
fn what_follows_in_the_same_bytes_is_dropped() {
    let site = Site::new();
    let mut socket = site.connect();
    socket.ask("SCRIPT DEBUG YES", "+OK\r\n");
    let eval = words(&["EVAL", COUNT, "0"]);
    socket.send(&[eval, words(&["s"]), words(&["PING"])].concat());
    socket.expect(FIRST);
    socket.send(&words(&["c"]));
    assert_eq!(socket.rest(), b"*1\r\n+<endsession>\r\n:2\r\n");
}

#[test]
fn debugging_is_not_asked_for_in_a_pipeline() {
    let site = Site::new();
    let mut socket = site.connect();
    socket.send(b"PING\r\nSCRIPT DEBUG YES\r\n");
    socket.expect("+PONG\r\n-ERR SCRIPT DEBUG must be called outside a pipeline\r\n");
    socket.ask("EVAL 'return 1' 0", ":1\r\n");
}

#[test]
fn what_is_no_command_ends_the_session() {
    let site = Site::new();
    let mut socket = session(&site, "YES");
    socket.send(b"step\r\n");
    let rest = String::from_utf8(socket.rest()).unwrap();
    assert!(rest.starts_with("*1\r\n+<endsession>\r\n-ERR protocol error script: "), "{rest}");
    site.lives();
}

#[test]
fn who_sends_no_more_still_hears_the_end() {
    let site = Site::new();
    let mut socket = session(&site, "SYNC");
    socket.send(&words(&["s"]));
    socket.0.shutdown(Shutdown::Write).unwrap();
    let rest = String::from_utf8(socket.rest()).unwrap();
    assert!(rest.ends_with("*1\r\n+<endsession>\r\n:2\r\n"), "{rest}");
    site.connect().ask("GET k", "$1\r\n2\r\n");
}

#[test]
fn who_goes_away_leaves_the_server_as_it_was() {
    let site = Site::new();
    for _ in 0..20 {
        drop(session(&site, "YES"));
        drop(session(&site, "SYNC"));
    }
    site.connect().ask("GET k", "$2\r\n40\r\n");
    site.empties();
    site.lives();
}

#[test]
fn many_sessions_at_once() {
    let site = Site::new();
    let mut sockets: Vec<_> = (0..50).map(|_| session(&site, "YES")).collect();
    site.connect().ask("INCRBY k 5", ":5\r\n");
    for socket in &mut sockets {
        socket.send(&words(&["c"]));
        assert_eq!(socket.rest(), b"*1\r\n+<endsession>\r\n:2\r\n");
    }
    site.connect().ask("GET k", "$1\r\n5\r\n");
}

#[test]
fn a_flood_of_commands_is_no_harm() {
    let site = Site::new();
    site.connect().ask("CONFIG SET client-query-buffer-limit 1mb", "+OK\r\n");
    let mut socket = session(&site, "SYNC");
    socket.0.set_write_timeout(Some(Duration::from_secs(5))).unwrap();
    // An endless loop reads nothing.
    socket.send(&words(&["e", "while true do end"]));
    let piece = words(&["p"]).repeat(1000);
    for _ in 0..1000 {
        if socket.0.write_all(&piece).is_err() {
            break;
        }
    }
    drop(socket);
    site.connect().ask("CONFIG SET busy-reply-threshold 5000", "+OK\r\n");
    site.lives();
}

/// A redis-server of the test's own, killed when it is dropped.
struct Reference(Child, u16);

impl Reference {
    fn start() -> Option<Self> {
        let version = Command::new("redis-server").arg("--version").output().ok()?;
        Command::new("redis-cli").arg("--version").output().ok()?;
        if !String::from_utf8_lossy(&version.stdout).contains("v=7.0.15") {
            return None;
        }
        let free = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let child = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--save", "", "--appendonly", "no"])
            .args(["--bind", "127.0.0.1", "--loglevel", "warning"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let server = Reference(child, port);
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(server);
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        panic!("redis-server does not listen");
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const SCRIPT: &str = "\
local function fill(key, count)
  for i = 1, count do
    redis.call('rpush', key, i)
  end
  return redis.call('llen', key)
end
local names = {first = KEYS[1], ARGV[1], ARGV[2], nested = {1, {2}}}
local count = fill(KEYS[1], 3)
redis.debug('filled', count, names[1])
redis.breakpoint()
local wrong = redis.pcall('incr', KEYS[1])
return {count, wrong.err, redis.call('lrange', KEYS[1], 0, -1)}
";

/// What redis-cli prints when it debugs the script on the server at `port` and somebody types
/// `input`.
fn typed(port: u16, option: &str, input: &str) -> String {
    let path = std::env::temp_dir().join(format!("redlua-ldb-{}-{port}.lua", std::process::id()));
    std::fs::write(&path, SCRIPT).unwrap();
    let mut child = Command::new("redis-cli")
        .args(["-p", &port.to_string(), option, "--eval"])
        .arg(&path)
        .args(["list", ",", "one", "two words"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let _ = std::fs::remove_file(&path);
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    // Where a function lies in memory is nobody's promise.
    let mut parts = text.split("@0x");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        shown += "@";
        shown += part.trim_start_matches(|digit: char| digit.is_ascii_hexdigit());
    }
    shown
}

#[test]
fn redis_cli_prints_the_same() {
    let Some(reference) = Reference::start() else {
        return println!("skipped: no redis-server 7.0.15 or no redis-cli on the PATH");
    };
    let site = Site::new();
    let inputs = [
        "s\ns\ns\np\nt\nl\nb 4 12\nc\nt\np\np i\nc\nc\np key\nb 0\nc\np\ns\ns\nr llen list\ne #KEYS\nw\nc\n",
        "h\nfoo\nm 60\nw\nb\nb -1\nb 99\nn\nn\np names\nm 0\nc\nr lrange list 0 -1\nmaxlen\na\n",
        "c\nrestart\ns\nc\nc\n",
        "b 12\nc\nc\ne redis.call('set','x','y')\nr get x\nr nosuch\ns\n",
        "s\nquit\n",
        "\n\nc\nc\n",
    ];
    for option in ["--ldb", "--ldb-sync-mode"] {
        for input in inputs {
            let expected = typed(reference.1, option, input);
            assert!(expected.contains("Stopped at"), "{expected}");
            assert_eq!(typed(site.address().port(), option, input), expected, "{option} {input:?}");
            // What a session has left behind is the same, too.
            let left = [reference.1, site.address().port()].map(|port| {
                let mut socket = Socket(TcpStream::connect(("127.0.0.1", port)).unwrap());
                socket.send(b"DBSIZE\r\nFLUSHALL\r\n");
                let left = socket.line();
                socket.expect("+OK\r\n");
                left
            });
            assert_eq!(left[0], left[1], "{option} {input:?}");
            assert!(option != "--ldb" || left[0] == ":0", "{left:?}");
        }
    }
}
