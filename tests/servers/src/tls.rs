//! A server that speaks TLS, with certificates made for it by `openssl`.
//!
//! Must not know how a client checks them.

use std::process::{Command, Stdio};

use crate::server::free_port;
use crate::{Folder, Server};

/// A server with a TLS port besides its plain one.
#[derive(Debug)]
pub struct Tls {
    server: Server,
    port: u16,
}

impl Tls {
    /// Starts one; `None` when there is no redis-server, or no openssl to make certificates.
    pub fn start() -> Option<Self> {
        let folder = Folder::new();
        let made = [
            "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=redlua-test-ca \
             -keyout ca.key -out ca.crt",
            "req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr",
            "x509 -req -days 2 -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial \
             -extfile names -out server.crt",
        ];
        folder.write("names", "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
        for command in made {
            let status = Command::new("openssl")
                .args(command.split_whitespace())
                .current_dir(folder.path())
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            if !status.is_ok_and(|status| status.success()) {
                eprintln!("skipped: no openssl that makes certificates");
                return None;
            }
        }
        let port = free_port();
        let paths = ["server.crt", "server.key", "ca.crt"].map(|name| folder.join(name));
        let [certificate, key, authority] = &paths;
        let tls_port = port.to_string();
        let options = [
            ["--tls-port", tls_port.as_str()],
            ["--tls-cert-file", certificate.as_str()],
            ["--tls-key-file", key.as_str()],
            ["--tls-ca-cert-file", authority.as_str()],
            ["--tls-auth-clients", "no"],
        ];
        Server::start_in(folder, options.as_flattened()).map(|server| Tls { server, port })
    }

    /// `rediss://localhost:PORT`
    pub fn url(&self) -> String {
        format!("rediss://localhost:{}", self.port)
    }

    /// The certificate that a client has to trust.
    pub fn authority(&self) -> String {
        self.server.folder().join("ca.crt")
    }

    /// The server, by its plain port.
    pub fn server(&self) -> &Server {
        &self.server
    }
}
