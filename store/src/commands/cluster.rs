//! `CLUSTER` of a server that is a cluster by itself: one node that has every slot
//! (`cluster.c clusterCommand`, `cluster-enabled yes`).
//!
//! Owns what clients of clusters ask before anything else, and what no database but the first
//! means. Which calls cross slots is the engine's to say; it must not know how slots are counted.

use redlua_conversions::slot::{SLOTS, slot};
use redlua_core::Seq;

use crate::arg;
use crate::context::Cx;
use crate::error::{CommandError, CommandResult};
use crate::value::Bytes;

const INVALID_SLOT: CommandError = CommandError::fixed("ERR Invalid slot");

/// Refuses what a server in a cluster does not do.
pub(crate) fn forbid(cx: &Cx<'_>, text: &'static str) -> CommandResult {
    if cx.server.config.cluster { Err(CommandError::fixed(text)) } else { Ok(()) }
}

/// Refuses what only a server in a cluster does.
fn enabled(cx: &Cx<'_>) -> CommandResult {
    match cx.server.config.cluster {
        true => Ok(()),
        false => Err(CommandError::fixed("ERR This instance has cluster support disabled")),
    }
}

/// What would change the cluster, or has no use in it.
pub(crate) fn absent(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    enabled(cx)?;
    super::absent(cx, argv)
}

/// `ASKING`, `READONLY`, `READWRITE`: nothing moves, and there are no replicas.
pub(crate) fn granted(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    enabled(cx)?;
    cx.ok()
}

pub(crate) fn help(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    enabled(cx)?;
    super::help::show(cx, argv)
}

pub(crate) fn info(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    enabled(cx)?;
    let text = "cluster_state:ok\r\n\
                cluster_slots_assigned:16384\r\n\
                cluster_slots_ok:16384\r\n\
                cluster_slots_pfail:0\r\n\
                cluster_slots_fail:0\r\n\
                cluster_known_nodes:1\r\n\
                cluster_size:1\r\n\
                cluster_current_epoch:0\r\n\
                cluster_my_epoch:0\r\n\
                cluster_stats_messages_sent:0\r\n\
                cluster_stats_messages_received:0\r\n\
                total_cluster_links_buffer_limit_exceeded:0\r\n";
    cx.sink.verbatim(*b"txt", text.as_bytes());
    Ok(())
}

pub(crate) fn keyslot(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    enabled(cx)?;
    cx.integer(slot(argv[2]))
}

pub(crate) fn myid(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    enabled(cx)?;
    cx.sink.bulk(cx.server.run_id.as_bytes());
    Ok(())
}

pub(crate) fn nodes(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    enabled(cx)?;
    let port = cx.server.config.number("port");
    let text = format!(
        "{} :{port}@{} myself,master - 0 0 0 connected 0-16383\n",
        cx.server.run_id,
        port + 10000
    );
    cx.sink.verbatim(*b"txt", text.as_bytes());
    Ok(())
}

/// An empty address means that by which the client came.
pub(crate) fn slots(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    enabled(cx)?;
    let port = cx.server.config.number("port");
    cx.sink.seq(Seq::Array, 1);
    cx.sink.seq(Seq::Array, 3);
    cx.sink.integer(0);
    cx.sink.integer(i64::from(SLOTS) - 1);
    cx.sink.seq(Seq::Array, 4);
    cx.sink.bulk(b"");
    cx.sink.integer(port);
    cx.sink.bulk(cx.server.run_id.as_bytes());
    cx.sink.map(0);
    Ok(())
}

pub(crate) fn shards(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    enabled(cx)?;
    let port = cx.server.config.number("port");
    let sink = &mut *cx.sink;
    sink.seq(Seq::Array, 1);
    sink.map(2);
    sink.bulk(b"slots");
    sink.seq(Seq::Array, 2);
    sink.integer(0);
    sink.integer(i64::from(SLOTS) - 1);
    sink.bulk(b"nodes");
    sink.seq(Seq::Array, 1);
    sink.map(7);
    sink.bulk(b"id");
    sink.bulk(cx.server.run_id.as_bytes());
    sink.bulk(b"port");
    sink.integer(port);
    for (field, value) in [("ip", ""), ("endpoint", ""), ("role", "master")] {
        sink.bulk(field.as_bytes());
        sink.bulk(value.as_bytes());
    }
    sink.bulk(b"replication-offset");
    sink.integer(0);
    sink.bulk(b"health");
    sink.bulk(b"online");
    Ok(())
}

/// Connections to other nodes: there are none.
pub(crate) fn links(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    enabled(cx)?;
    cx.sink.seq(Seq::Array, 0);
    Ok(())
}

/// What is asked of another node: none is known.
pub(crate) fn of_node(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    enabled(cx)?;
    if argv[2] == cx.server.run_id.as_bytes() {
        return super::absent(cx, argv);
    }
    Err(CommandError::new([b"ERR Unknown node ", argv[2]].concat()))
}

pub(crate) fn countkeysinslot(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    enabled(cx)?;
    let wanted = u16::try_from(arg::integer(argv[2])?).ok().filter(|number| *number < SLOTS);
    let wanted = wanted.ok_or(INVALID_SLOT)?;
    let count = in_slot(cx, wanted).len();
    cx.integer(count)
}

pub(crate) fn getkeysinslot(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    const INVALID: CommandError = CommandError::fixed("ERR Invalid slot or number of keys");
    enabled(cx)?;
    let wanted = u16::try_from(arg::integer(argv[2])?).ok().filter(|number| *number < SLOTS);
    let most = usize::try_from(arg::integer(argv[3])?);
    let (Some(wanted), Ok(most)) = (wanted, most) else { return Err(INVALID) };
    let mut keys: Vec<Bytes> = in_slot(cx, wanted).into_iter().cloned().collect();
    keys.sort_unstable();
    keys.truncate(most);
    cx.sink.seq(Seq::Array, keys.len());
    for key in keys {
        cx.sink.bulk(&key);
    }
    Ok(())
}

fn in_slot<'a>(cx: &'a mut Cx<'_>, wanted: u16) -> Vec<&'a Bytes> {
    cx.keys.purge();
    cx.keys.iter().map(|(key, _)| key).filter(|key| slot(key) == wanted).collect()
}
