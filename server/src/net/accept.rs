//! The listening sockets.
//!
//! Owns [`Door`]: opening them, and a task each that accepts connections as long as there are
//! not too many (`networking.c acceptCommonHandler`). Must not know what clients say.

use std::fs::Permissions;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, UnixListener};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio::task::coop::unconstrained;

use super::peer::Peer;
use super::{Net, Options};
use crate::client::Address;

/// How many connections may wait to be accepted; the system has a limit of its own.
const BACKLOG: u32 = 4096;

/// All listening sockets of a server.
pub(super) struct Door {
    tcp: Vec<TcpListener>,
    unix: Option<UnixListener>,
    /// What clients of the Unix socket are said to come from.
    path: String,
}

impl Door {
    /// Listens; inside of a runtime.
    pub(super) fn open(options: &Options) -> io::Result<Self> {
        let mut tcp: Vec<TcpListener> = Vec::new();
        let mut port = options.port.unwrap_or(0);
        for name in options.bind.iter().filter(|_| options.port.is_some()) {
            let optional = name.starts_with('-');
            let name = name.strip_prefix('-').unwrap_or(name);
            let listener = address(name).and_then(|ip| listen(SocketAddr::new(ip, port)));
            match listener {
                Ok(listener) => {
                    // All addresses have the port that the first one got.
                    port = listener.local_addr()?.port();
                    tcp.push(listener);
                }
                Err(_) if optional => {}
                Err(error) => {
                    let text = format!(
                        "Could not create server TCP listening socket {name}:{port}: bind: {}",
                        reason(&error)
                    );
                    return Err(io::Error::new(error.kind(), text));
                }
            }
        }
        let unix = options.unix.as_deref().map(|path| open_unix(path, options.unix_mode));
        let path = options.unix.as_ref().map(|path| path.to_string_lossy().into_owned());
        let door = Door { tcp, unix: unix.transpose()?, path: path.unwrap_or_default() };
        if door.tcp.is_empty() && door.unix.is_none() {
            let text = "Configured to not listen anywhere";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        Ok(door)
    }

    /// The TCP addresses.
    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        self.tcp.iter().filter_map(|listener| listener.local_addr().ok()).collect()
    }

    /// Accepts connections until the tasks are aborted.
    pub(super) fn admit(self, runtime: &Runtime, net: &Arc<Net>) -> Vec<JoinHandle<()>> {
        let mut tasks = Vec::new();
        let count = Arc::new(AtomicU64::new(0));
        for listener in self.tcp {
            let (net, count) = (net.clone(), count.clone());
            tasks.push(runtime.spawn(unconstrained(async move {
                loop {
                    match listener.accept().await {
                        Ok((socket, from)) => {
                            let _ = socket.set_nodelay(true);
                            let local = socket.local_addr().map(|to| to.to_string());
                            let (from, local) = (from.to_string(), local.unwrap_or_default());
                            enter(&net, &count, socket, Address { from, local });
                        }
                        Err(error) => pause_after(&error).await,
                    }
                }
            })));
        }
        if let Some(listener) = self.unix {
            let net = net.clone();
            let address = Address { from: format!("{}:0", self.path), local: self.path };
            tasks.push(runtime.spawn(unconstrained(async move {
                loop {
                    match listener.accept().await {
                        Ok((socket, _)) => enter(&net, &count, socket, address.clone()),
                        Err(error) => pause_after(&error).await,
                    }
                }
            })));
        }
        tasks
    }
}

/// Serves one more client, or refuses to.
fn enter<S>(net: &Arc<Net>, count: &Arc<AtomicU64>, mut socket: S, address: Address)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    if count.fetch_add(1, Ordering::Relaxed) >= net.settings.max_clients() {
        count.fetch_sub(1, Ordering::Relaxed);
        tokio::spawn(unconstrained(async move {
            let _ = socket.write_all(b"-ERR max number of clients reached\r\n").await;
        }));
        return;
    }
    let place = Place(count.clone());
    let peer = Peer::new(net.clone(), socket, address);
    tokio::spawn(unconstrained(async move {
        let _place = place;
        peer.serve().await;
    }));
}

/// One of `maxclients`.
struct Place(Arc<AtomicU64>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Out of file descriptors, for instance: there is no use in trying again at once.
async fn pause_after(error: &io::Error) {
    if !matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn address(name: &str) -> io::Result<IpAddr> {
    match name {
        "*" => Ok(Ipv4Addr::UNSPECIFIED.into()),
        "::*" => Ok(Ipv6Addr::UNSPECIFIED.into()),
        "localhost" => Ok(Ipv4Addr::LOCALHOST.into()),
        name => name
            .parse()
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "not an IP address")),
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn open_unix(path: &Path, mode: Option<u32>) -> io::Result<UnixListener> {
    // One that an earlier server has left behind is in the way.
    let _ = std::fs::remove_file(path);
    let listener = UnixListener::bind(path).and_then(|listener| {
        if let Some(mode) = mode {
            std::fs::set_permissions(path, Permissions::from_mode(mode))?;
        }
        Ok(listener)
    });
    listener.map_err(|error| {
        let text =
            format!("Failed opening Unix socket {}: bind: {}", path.display(), reason(&error));
        io::Error::new(error.kind(), text)
    })
}

/// What went wrong in the system's words, without the number that Rust adds.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}
