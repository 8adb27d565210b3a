//! Client-side caching as clients ask for it: `CLIENT TRACKING` and its kin (`networking.c`,
//! `tracking.c`).
//!
//! Owns the subcommands' options. It must not know who is told of what.

use redlua_core::Seq;

use super::client::this;
use crate::arg;
use crate::clients::Tracking;
use crate::context::Cx;
use crate::error::{CommandError, CommandResult, SYNTAX};

const MODE_STANDS: &str = "mode before disabling tracking for this client, and then re-enabling \
                           it with a different mode.";

pub(crate) fn tracking(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let mut wanted = Tracking::default();
    let mut prefixes: Vec<&[u8]> = Vec::new();
    let mut rest = argv.get(3..).unwrap_or_default();
    while let [word, after @ ..] = rest {
        rest = match after {
            [id, after @ ..] if arg::is(word, "redirect") => {
                wanted.redirect = redirection(cx, id, wanted.redirect)?;
                after
            }
            [prefix, after @ ..] if arg::is(word, "prefix") => {
                prefixes.push(prefix);
                after
            }
            _ if arg::is(word, "bcast") => {
                wanted.broadcast = true;
                after
            }
            _ if arg::is(word, "optin") => {
                wanted.opt_in = true;
                after
            }
            _ if arg::is(word, "optout") => {
                wanted.opt_out = true;
                after
            }
            _ if arg::is(word, "noloop") => {
                wanted.no_loop = true;
                after
            }
            _ => return Err(SYNTAX),
        };
    }
    if arg::is(argv[2], "off") {
        cx.server.untrack(cx.session.id);
    } else if arg::is(argv[2], "on") {
        enable(cx, wanted, &prefixes)?;
    } else {
        return Err(SYNTAX);
    }
    let tracks = cx.server.clients.tracking > 0;
    cx.keys.track(tracks);
    cx.ok()
}

/// The connection that is to be told instead, which must be there now.
fn redirection(cx: &Cx<'_>, word: &[u8], earlier: u64) -> Result<u64, CommandError> {
    if earlier != 0 {
        return Err(CommandError::fixed("ERR A client can only redirect to a single other client"));
    }
    let id = u64::try_from(arg::integer(word)?).unwrap_or(0);
    cx.server
        .clients
        .find(id)
        .map(|_| id)
        .ok_or(CommandError::fixed("ERR The client ID you want redirect to does not exist"))
}

/// Begins to track, or changes how (`enableTracking`).
fn enable(cx: &mut Cx<'_>, mut wanted: Tracking, prefixes: &[&[u8]]) -> CommandResult {
    let old = this(cx).tracking.clone();
    if !wanted.broadcast && !prefixes.is_empty() {
        return Err(CommandError::fixed("ERR PREFIX option requires BCAST mode to be enabled"));
    }
    if old.as_ref().is_some_and(|old| old.broadcast != wanted.broadcast) {
        return Err(CommandError::new(format!(
            "ERR You can't switch BCAST mode on/off {}",
            MODE_STANDS.trim_start_matches("mode ")
        )));
    }
    if wanted.broadcast && (wanted.opt_in || wanted.opt_out) {
        return Err(CommandError::fixed("ERR OPTIN and OPTOUT are not compatible with BCAST"));
    }
    if wanted.opt_in && wanted.opt_out {
        return Err(CommandError::fixed("ERR You can't specify both OPTIN mode and OPTOUT mode"));
    }
    if let Some(old) = &old
        && (wanted.opt_in && old.opt_out || wanted.opt_out && old.opt_in)
    {
        return Err(CommandError::new(format!("ERR You can't switch OPTIN/OPTOUT {MODE_STANDS}")));
    }
    if let Some(old) = &old {
        wanted.prefixes.clone_from(&old.prefixes);
    }
    if wanted.broadcast {
        check_prefixes(&wanted, prefixes)?;
        if prefixes.is_empty() && wanted.prefixes.is_empty() {
            wanted.prefixes.insert(Vec::new());
        }
        wanted.prefixes.extend(prefixes.iter().map(|prefix| prefix.to_vec()));
        cx.server.tracking.subscribe(cx.session.id, &wanted.prefixes);
    }
    cx.server.clients.tracking += usize::from(old.is_none());
    this(cx).tracking = Some(Box::new(wanted));
    Ok(())
}

/// No prefix may begin with another (`checkPrefixCollisionsOrReply`).
fn check_prefixes(known: &Tracking, new: &[&[u8]]) -> CommandResult {
    let overlap = |one: &[u8], two: &[u8]| one.starts_with(two) || two.starts_with(one);
    for (at, prefix) in new.iter().enumerate() {
        let existing = known.prefixes.iter().find(|known| overlap(prefix, known));
        let provided = new.iter().skip(at + 1).find(|other| overlap(prefix, other));
        let (kind, other) = match (existing, provided) {
            (Some(other), _) => ("an existing", other.as_slice()),
            (None, Some(other)) => ("another provided", *other),
            (None, None) => continue,
        };
        let mut text = b"ERR Prefix '".to_vec();
        text.extend_from_slice(prefix);
        text.extend_from_slice(format!("' overlaps with {kind} prefix '").as_bytes());
        text.extend_from_slice(other);
        text.extend_from_slice(b"'. Prefixes for a single client must not overlap.");
        return Err(CommandError::new(text));
    }
    Ok(())
}

pub(crate) fn caching(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    const NOT_TRACKING: CommandError = CommandError::fixed(
        "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or \
         OPTOUT mode enabled",
    );
    let tracking = this(cx).tracking.as_deref_mut().ok_or(NOT_TRACKING)?;
    if arg::is(argv[2], "yes") {
        if !tracking.opt_in {
            return Err(CommandError::fixed(
                "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.",
            ));
        }
    } else if arg::is(argv[2], "no") {
        if !tracking.opt_out {
            return Err(CommandError::fixed(
                "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.",
            ));
        }
    } else {
        return Err(SYNTAX);
    }
    tracking.caching = true;
    cx.ok()
}

pub(crate) fn getredir(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    let tracking = this(cx).tracking.as_deref();
    let redirect = tracking.map_or(-1, |tracking| tracking.redirect as i64);
    cx.integer(redirect)
}

pub(crate) fn trackinginfo(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    let tracking = this(cx).tracking.as_deref().cloned();
    let on = tracking.is_some();
    let state = tracking.unwrap_or_default();
    let words = [
        (if on { "on" } else { "off" }, true),
        ("bcast", state.broadcast),
        ("optin", state.opt_in),
        ("caching-yes", state.opt_in && state.caching),
        ("optout", state.opt_out),
        ("caching-no", state.opt_out && state.caching),
        ("noloop", state.no_loop),
        ("broken_redirect", state.broken),
    ];
    let flags: Vec<&str> = words.iter().filter(|(_, set)| *set).map(|(word, _)| *word).collect();
    cx.sink.map(3);
    cx.sink.bulk(b"flags");
    cx.sink.seq(Seq::Set, flags.len());
    flags.iter().for_each(|flag| cx.sink.bulk(flag.as_bytes()));
    cx.sink.bulk(b"redirect");
    cx.sink.integer(if on { state.redirect as i64 } else { -1 });
    cx.sink.bulk(b"prefixes");
    cx.sink.seq(Seq::Array, state.prefixes.len());
    state.prefixes.iter().for_each(|prefix| cx.sink.bulk(prefix));
    Ok(())
}
