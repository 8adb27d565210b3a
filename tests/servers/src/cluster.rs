//! Several redis-server processes as a cluster, on loopback.
//!
//! Owns how slots are dealt out, which is as `redis-cli --cluster create` does, and the wait until
//! all nodes agree.

use std::thread;
use std::time::Duration;

use crate::Server;
use crate::server::free_port;

/// A cluster of masters without replicas.
#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<Server>,
}

impl Cluster {
    /// Starts so many nodes; `None` when there is no redis-server.
    pub fn start(count: usize) -> Option<Self> {
        let mut nodes = Vec::new();
        let mut buses = Vec::new();
        for _ in 0..count {
            let bus = free_port().to_string();
            let options = ["--cluster-enabled", "yes", "--cluster-port", &bus];
            nodes.push(Server::start(&options)?);
            buses.push(bus);
        }
        let cluster = Cluster { nodes };
        cluster.join(&buses);
        Some(cluster)
    }

    fn join(&self, buses: &[String]) {
        let count = self.nodes.len();
        let first = |node: usize| (2 * node * 16384 + count) / (2 * count);
        let Some(seed) = self.nodes.first() else { return };
        for (index, (node, bus)) in self.nodes.iter().zip(buses).enumerate() {
            let (from, to) = (first(index), first(index + 1) - 1);
            assert_eq!(node.ask(&format!("CLUSTER ADDSLOTSRANGE {from} {to}")), "+OK\r\n");
            node.ask(&format!("CLUSTER SET-CONFIG-EPOCH {}", index + 1));
            if index > 0 {
                seed.ask(&format!("CLUSTER MEET 127.0.0.1 {} {bus}", node.port()));
            }
        }
        for _ in 0..600 {
            let agreed = self.nodes.iter().all(|node| {
                let info = node.ask("CLUSTER INFO");
                info.contains("cluster_state:ok")
                    && info.contains(&format!("cluster_known_nodes:{count}\r"))
            });
            if agreed {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("the nodes do not agree on a cluster");
    }

    /// Its nodes; those of lower slots first.
    pub fn nodes(&self) -> &[Server] {
        &self.nodes
    }

    /// `redis+cluster://127.0.0.1:PORT,…`
    pub fn url(&self) -> String {
        let hosts: Vec<String> =
            self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port())).collect();
        format!("redis+cluster://{}", hosts.join(","))
    }
}
