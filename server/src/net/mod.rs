//! A server on TCP and Unix sockets.
//!
//! Owns [`Options`], [`Listening`] and the runtime the sockets live on. Must not know what a
//! client says (`peer`), nor how a command works.
//!
//! One worker serves all sockets, as in redis-server, so that clients never contend for the
//! core. A second one stands by and takes over while a script keeps the first from its sockets
//! (`reserve`).

mod accept;
mod buffer;
mod cron;
mod peer;
mod reserve;
mod settings;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::coop::unconstrained;

use crate::Server;
use crate::shared::Shared;

use accept::Door;
use reserve::Reserve;
use settings::Settings;

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Addresses, as `bind` in redis.conf: `*` and `::*` are any of IPv4 and IPv6, and one with
    /// a `-` in front may be unavailable.
    pub bind: Vec<String>,
    /// The TCP port; 0 is any free one. `None`: no TCP.
    pub port: Option<u16>,
    /// The path of a Unix socket.
    pub unix: Option<PathBuf>,
    /// The permissions of the Unix socket.
    pub unix_mode: Option<u32>,
}

impl Default for Options {
    /// Any free port on this machine only.
    fn default() -> Self {
        Options {
            bind: vec!["127.0.0.1".to_owned(), "-::1".to_owned()],
            port: Some(0),
            unix: None,
            unix_mode: None,
        }
    }
}

/// Why a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// A client sent `SHUTDOWN`.
    Shutdown,
    /// SIGINT.
    Interrupted,
    /// SIGTERM.
    Terminated,
}

/// What all sockets of a server share.
struct Net {
    shared: Arc<Shared>,
    settings: Settings,
    reserve: Reserve,
    end: watch::Sender<Option<End>>,
}

/// A server that accepts connections. It ends when this is dropped; its clients are then cut
/// off, and a script that runs is stopped.
pub struct Listening {
    net: Arc<Net>,
    /// Gone only while being dropped.
    runtime: Option<Runtime>,
    addresses: Vec<SocketAddr>,
    unix: Option<PathBuf>,
}

impl Server {
    /// Accepts connections from sockets.
    ///
    /// ```
    /// use std::io::{Read, Write};
    /// use std::sync::Arc;
    /// use redlua_server::{Server, net::Options};
    ///
    /// let server = Server::with_backend(Arc::new(redlua_mlua::Lua51));
    /// let listening = server.listen(&Options::default())?;
    /// let mut socket = std::net::TcpStream::connect(listening.addresses()[0])?;
    /// socket.write_all(b"PING\r\n")?;
    /// let mut reply = [0; 7];
    /// socket.read_exact(&mut reply)?;
    /// assert_eq!(&reply, b"+PONG\r\n");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// An address cannot be listened on; the error's text names it.
    pub fn listen(&self, options: &Options) -> io::Result<Listening> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("redlua")
            .enable_io()
            .enable_time()
            .build()?;
        let door = {
            let _inside = runtime.enter();
            Door::open(options)?
        };
        let (end, _) = watch::channel(None);
        let net = Arc::new(Net {
            shared: self.shared.clone(),
            settings: Settings::default(),
            reserve: Reserve::default(),
            end,
        });
        let addresses = door.addresses();
        net.introduce(&addresses, options);
        let reserve = net.clone();
        runtime.spawn(async move { reserve.stand_by() });
        runtime.spawn(unconstrained(cron::run(net.clone())));
        let doors = door.admit(&runtime, &net);
        let closing = net.clone();
        runtime.spawn(unconstrained(async move {
            ended(&closing).await;
            doors.iter().for_each(tokio::task::JoinHandle::abort);
            closing.shared.lock_async().await.end_all();
        }));
        Ok(Listening { net, runtime: Some(runtime), addresses, unix: options.unix.clone() })
    }
}

impl Listening {
    /// The TCP addresses, the port included.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The path of the Unix socket.
    pub fn unix(&self) -> Option<&PathBuf> {
        self.unix.as_ref()
    }

    /// Waits until a client ends the server.
    pub fn wait(&self) -> End {
        let Some(runtime) = &self.runtime else { return End::Shutdown };
        runtime.block_on(ended(&self.net))
    }

    /// Calls `act` for every SIGINT and SIGTERM from now on, instead of the process' end.
    ///
    /// # Errors
    /// The signals cannot be listened to.
    pub fn on_signal(&self, act: impl Fn(End) + Send + Sync + 'static) -> io::Result<()> {
        let Some(runtime) = &self.runtime else { return Ok(()) };
        let act = Arc::new(act);
        let _inside = runtime.enter();
        for (kind, end) in [
            (SignalKind::interrupt(), End::Interrupted),
            (SignalKind::terminate(), End::Terminated),
        ] {
            let (mut signal, act) = (signal(kind)?, act.clone());
            runtime.spawn(unconstrained(async move {
                while signal.recv().await.is_some() {
                    act(end);
                }
            }));
        }
        Ok(())
    }

    /// What makes [`wait`](Self::wait) return, from any thread.
    pub fn ender(&self) -> impl Fn(End) + Send + Sync + 'static {
        let net = self.net.clone();
        move |end| {
            net.end.send_replace(Some(end));
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.net.end.send_replace(Some(End::Shutdown));
        self.net.reserve.dismiss();
        self.net.shared.monitor.stop();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_secs(1));
        }
        if let Some(path) = &self.unix {
            let _ = std::fs::remove_file(path);
        }
    }
}

impl std::fmt::Debug for Listening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listening").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

impl Net {
    /// Tells the store where the server listens: clients ask for it.
    fn introduce(&self, addresses: &[SocketAddr], options: &Options) {
        let mut core = self.shared.lock();
        let port = addresses.first().map_or(0, SocketAddr::port);
        // These parameters take any number and any text.
        let _ = core.store.configure("port", &port.to_string());
        if let Some(path) = &options.unix {
            let _ = core.store.configure("unixsocket", &path.to_string_lossy());
        }
        self.settings.refresh(&core.store);
    }

    /// The server is to end (`SHUTDOWN`).
    fn shut_down(&self) {
        self.end.send_replace(Some(End::Shutdown));
    }
}

async fn ended(net: &Net) -> End {
    let mut end = net.end.subscribe();
    // The sender lives as long as `net`.
    match end.wait_for(Option::is_some).await {
        Ok(end) => end.unwrap_or(End::Shutdown),
        Err(_) => End::Shutdown,
    }
}
