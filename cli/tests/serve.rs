//! `redlua serve`, from outside.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

const REDLUA: &str = env!("CARGO_BIN_EXE_redlua");

/// A server that runs, and is killed should the test fail.
struct Serving {
    child: Child,
    /// The lines of its log up to the one that says it is ready.
    log: Vec<String>,
    rest: BufReader<std::process::ChildStdout>,
}

impl Serving {
    fn new(program: &Path, args: &[&str]) -> Self {
        let mut child = Command::new(program).args(args).stdout(Stdio::piped()).spawn().unwrap();
        let rest = BufReader::new(child.stdout.take().unwrap());
        let mut serving = Serving { child, log: Vec::new(), rest };
        while !serving.log.last().is_some_and(|line| line.contains("Ready to accept connections")) {
            let mut line = String::new();
            let read = serving.rest.read_line(&mut line).unwrap();
            assert_ne!(read, 0, "ended after {:?}", serving.log);
            serving.log.push(line.trim_end().to_owned());
        }
        serving
    }

    /// `127.0.0.1:PORT`
    fn address(&self) -> String {
        let line = self.log.iter().find_map(|line| line.split("redis://").nth(1));
        line.unwrap().to_owned()
    }

    fn ask(&self, request: &str) -> String {
        ask(TcpStream::connect(self.address()).unwrap(), request)
    }

    fn signal(&mut self, name: &str) -> (i32, String) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
        self.end()
    }

    /// Waits for its end: the exit code and the rest of the log.
    fn end(&mut self) -> (i32, String) {
        let mut rest = String::new();
        self.rest.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code().unwrap(), rest)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends inline commands and reads all replies.
fn ask(mut stream: impl Read + Write, request: &str) -> String {
    stream.write_all(format!("{request}\r\nQUIT\r\n").as_bytes()).unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    reply.strip_suffix("+OK\r\n").unwrap_or(&reply).to_owned()
}

fn redlua(args: &[&str]) -> Output {
    Command::new(REDLUA).args(args).output().unwrap()
}

/// Exit code, standard output, standard error.
fn outcome(output: Output) -> (i32, String, String) {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn temporary(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("redlua-serve-{}-{name}", std::process::id()))
}

#[test]
fn says_where_it_listens_and_ends_on_signals() {
    for signal in ["-INT", "-TERM"] {
        let mut serving = Serving::new(REDLUA.as_ref(), &["serve", "--port", "0"]);
        assert_eq!(serving.ask("EVAL \"return redis.call('PING')\" 0"), "+PONG\r\n");
        let (code, log) = serving.signal(signal);
        assert_eq!(code, 0);
        assert!(log.contains(&format!("Received SIG{} scheduling shutdown", &signal[1..])));
    }
}

#[test]
fn redis_servers_own_spelling_under_its_own_name() {
    let dir = temporary("bin");
    fs::create_dir_all(&dir).unwrap();
    let program = dir.join("redis-server");
    let _ = fs::remove_file(&program);
    symlink(REDLUA, &program).unwrap();
    let version = Command::new(&program).arg("-v").output().unwrap();
    assert!(outcome(version).1.starts_with("Redis server v=7.0.15 sha="));
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let words = [
        "--port",
        &port,
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
        "--dir",
        "/tmp",
        "--databases",
        "3",
        "--requirepass",
        "pw",
        "--daemonize",
        "no",
        "--loadmodule",
        "x.so",
        "--hash-max-listpack-entries",
        "7",
    ];
    let mut serving = Serving::new(&program, &words);
    assert_eq!(serving.address(), format!("127.0.0.1:{port}"));
    let ignored = serving.log.iter().filter(|line| line.contains("is ignored")).count();
    assert_eq!(ignored, 5, "{:#?}", serving.log);
    let line = serving.log.last().unwrap();
    let (process, rest) = line.split_once(":M ").unwrap();
    assert_eq!(process, serving.child.id().to_string());
    assert_eq!(rest.split_once(" * ").unwrap().1, "Ready to accept connections");
    assert_eq!(serving.ask("PING"), "-NOAUTH Authentication required.\r\n");
    assert_eq!(
        serving.ask("AUTH pw\r\nSELECT 2\r\nSELECT 3\r\nCONFIG GET hash-max-listpack-entries"),
        "+OK\r\n+OK\r\n-ERR DB index is out of range\r\n\
         *2\r\n$25\r\nhash-max-listpack-entries\r\n$1\r\n7\r\n"
    );
    let (code, log) = {
        serving.ask("AUTH pw\r\nSHUTDOWN NOSAVE");
        serving.end()
    };
    assert_eq!(code, 0);
    assert!(log.contains("User requested shutdown"));
    fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn a_configuration_file_and_the_standard_input() {
    let file = temporary("redis.conf");
    let users = "# users\nport 0\nuser ada on >secret ~a* +@all\nmaxmemory 10mb\n\nsave 60 1\n";
    fs::write(&file, users).unwrap();
    let path = file.to_str().unwrap();
    let serving = Serving::new(REDLUA.as_ref(), &["serve", path, "--maxmemory", "20mb"]);
    assert_eq!(
        serving.ask("AUTH ada secret\r\nGET a\r\nGET b\r\nCONFIG GET maxmemory"),
        "+OK\r\n$-1\r\n-NOPERM this user has no permissions to access one of the keys used as \
         arguments\r\n*2\r\n$9\r\nmaxmemory\r\n$8\r\n20971520\r\n"
    );
    fs::write(&file, "port 0\nfoo bar\n").unwrap();
    let (code, _, error) = outcome(redlua(&["serve", path]));
    assert_eq!(code, 1);
    assert!(error.contains("FATAL CONFIG FILE ERROR") && error.contains("at line 2"), "{error}");
    assert!(error.contains(">>> 'foo \"bar\"'\nBad directive or wrong number of arguments"));
    fs::remove_file(&file).unwrap();
    let mut child = Command::new(REDLUA)
        .args(["serve", "--port", "0", "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"databases many\n").unwrap();
    let (code, _, error) = outcome(child.wait_with_output().unwrap());
    assert_eq!(code, 1);
    assert!(error.contains("argument couldn't be parsed into an integer"), "{error}");
}

#[test]
fn what_cannot_be_started() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let (code, _, error) = outcome(redlua(&["serve", "--port", &port]));
    assert_eq!(code, 1);
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.ends_with("bind: Address already in use\n"), "{error}");
    for (args, text) in [
        (&["--port", "70000"][..], "argument must be between 0 and 65535 inclusive"),
        (&["--port"], "wrong number of arguments"),
        (&["--port", "1", "2"], "wrong number of arguments"),
        (&["--nope", "1"], "Bad directive or wrong number of arguments"),
        (&["--backend", "none"], "no backend `none` in this build"),
        (&["--config-set", "maxmemory"], "wants NAME=VALUE"),
        (&["/no/such/file"], "can't open config file '/no/such/file': No such file"),
        (&["--port", "0", "--", "/no/such/program"], "cannot run `/no/such/program`"),
    ] {
        let (code, _, error) = outcome(redlua(&[&["serve"], args].concat()));
        assert_eq!(code, 1, "{args:?}");
        assert!(error.contains(text), "{args:?}: {error}");
    }
}

#[test]
fn a_command_gets_a_server_and_its_status_is_the_end() {
    let run = |words: &[&str]| outcome(redlua(&[&["serve"], words].concat()));
    assert_eq!(run(&["--", "sh", "-c", "exit 7"]), (7, String::new(), String::new()));
    assert_eq!(run(&["--", "true"]).0, 0);
    assert_eq!(run(&["--", "sh", "-c", "kill -9 $$"]).0, 128 + 9);
    let (code, out, _) =
        run(&["--requirepass", "p w", "--", "sh", "-c", "echo $REDIS_URL $REDIS_HOST $REDIS_PORT"]);
    assert_eq!(code, 0);
    let words: Vec<&str> = out.split_whitespace().collect();
    assert_eq!(words[0], format!("redis://:p%20w@127.0.0.1:{}", words[2]));
    assert_eq!(words[1], "127.0.0.1");
    assert_ne!(words[2], "6379");
    // The server is there for the command.
    let script = "exec 3<>/dev/tcp/$REDIS_HOST/$REDIS_PORT; printf 'PING\\r\\n' >&3; read r <&3; \
                  echo $r";
    let (code, out, error) = run(&["--", "bash", "-c", script]);
    assert_eq!((code, out.trim()), (0, "+PONG"), "{error}");
}

#[test]
fn unix_sockets_and_log_files() {
    let (path, log) = (temporary("socket"), temporary("log"));
    let _ = fs::remove_file(&log);
    let mut child = Command::new(REDLUA)
        .args(["serve", "--port", "0", "--unixsocket"])
        .arg(&path)
        .args(["--unixsocketperm", "700", "--logfile"])
        .arg(&log)
        .spawn()
        .unwrap();
    let ready = || fs::read_to_string(&log).is_ok_and(|log| log.contains("Ready to accept"));
    for _ in 0..500 {
        if ready() {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(ask(UnixStream::connect(&path).unwrap(), "PING"), "+PONG\r\n");
    let text = fs::read_to_string(&log).unwrap();
    assert!(!text.contains("redis://"), "port 0 beside a Unix socket is no TCP: {text}");
    ask(UnixStream::connect(&path).unwrap(), "SHUTDOWN");
    assert!(child.wait().unwrap().success());
    assert!(!path.exists());
    fs::remove_file(&log).unwrap();
}
