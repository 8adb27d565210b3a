//! `LATENCY` (`latency.c latencyCommand`) and `SLOWLOG` (`slowlog.c slowlogCommand`).
//!
//! Owns the subcommands. It must not know what is measured when.

use redlua_core::Seq;

use crate::arg;
use crate::context::Cx;
use crate::error::{CommandError, CommandResult};
use crate::latency::Spikes;
use crate::table::Table;

pub(crate) fn latest(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    let events = cx.server.latency.iter();
    cx.sink.seq(Seq::Array, events.len());
    for (name, spikes) in events {
        let (at, millis) = spikes.samples.back().copied().unwrap_or_default();
        cx.sink.seq(Seq::Array, 4);
        cx.sink.bulk(name.as_bytes());
        for figure in [at, millis, spikes.max] {
            cx.sink.integer(figure as i64);
        }
    }
    Ok(())
}

pub(crate) fn history(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let spikes = cx.server.latency.event(argv[2]);
    let samples = spikes.into_iter().flat_map(|spikes| &spikes.samples);
    cx.sink.seq(Seq::Array, spikes.map_or(0, |spikes| spikes.samples.len()));
    for (at, millis) in samples {
        cx.sink.seq(Seq::Array, 2);
        cx.sink.integer(*at as i64);
        cx.sink.integer(*millis as i64);
    }
    Ok(())
}

pub(crate) fn reset(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let latency = &mut cx.server.latency;
    let forgotten = match &argv[2..] {
        [] => latency.clear(),
        events => events.iter().filter(|event| latency.forget(event)).count(),
    };
    cx.integer(forgotten)
}

pub(crate) fn histogram(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let table = Table::instance();
    let commands: Vec<_> = match &argv[2..] {
        [] => table.all().iter().collect(),
        names => names
            .iter()
            .filter_map(|name| table.full(name))
            .flat_map(|command| {
                // A container stands for its subcommands as well.
                let subcommands = command.subcommands.iter().filter_map(|id| table.number(*id));
                std::iter::once(command).chain(subcommands)
            })
            .collect(),
    };
    let stats = &cx.server.stats;
    let measured: Vec<_> = commands
        .into_iter()
        .filter_map(|command| Some((command, stats.calls(command.spec.id)?)))
        .filter(|(_, calls)| calls.calls > 0)
        .collect();
    cx.sink.map(measured.len());
    for (command, calls) in measured {
        let classes = calls.histogram();
        cx.sink.bulk(command.name.as_bytes());
        cx.sink.map(2);
        cx.sink.bulk(b"calls");
        cx.sink.integer(calls.calls as i64);
        cx.sink.bulk(b"histogram_usec");
        cx.sink.map(classes.len());
        for (bound, count) in classes {
            cx.sink.integer(bound as i64);
            cx.sink.integer(count as i64);
        }
    }
    Ok(())
}

pub(crate) fn graph(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let Some(spikes) = cx.server.latency.event(argv[2]) else {
        let mut text = b"ERR No samples available for event '".to_vec();
        text.extend_from_slice(argv[2]);
        text.push(b'\'');
        return Err(CommandError::new(text));
    };
    let name = String::from_utf8_lossy(argv[2]);
    let graph = drawing(&name, spikes, cx.server.clock.now().as_secs());
    cx.sink.verbatim(*b"txt", graph.as_bytes());
    Ok(())
}

/// Spikes as columns, filled from below, over how long ago they were (`sparklineRender` in
/// `sparkline.c`).
fn drawing(name: &str, spikes: &Spikes, now: u64) -> String {
    const COLUMNS: usize = 80;
    const ROWS: usize = 4;
    const LEVELS: [char; 3] = ['_', 'o', '#'];
    let millis = || spikes.samples.iter().map(|(_, millis)| *millis);
    let (low, high) = (millis().min().unwrap_or(0), millis().max().unwrap_or(0));
    let mut text = format!(
        "{name} - high {high} ms, low {low} ms (all time high {} ms)\n{}\n",
        spikes.max,
        "-".repeat(COLUMNS)
    );
    let samples: Vec<(u64, String)> =
        spikes.samples.iter().map(|(at, millis)| (*millis, ago(now.saturating_sub(*at)))).collect();
    let steps = (LEVELS.len() * ROWS) as u64;
    for (at, chunk) in samples.chunks(COLUMNS).enumerate() {
        if at > 0 {
            text.push('\n');
        }
        for row in (0..ROWS).rev() {
            text.extend(chunk.iter().map(|(millis, _)| {
                let step = ((millis - low) * steps / (high - low).max(1)).min(steps - 1) as usize;
                match step.checked_sub(row * LEVELS.len()) {
                    None => ' ',
                    Some(level) => LEVELS.get(level).copied().unwrap_or('|'),
                }
            }));
            text.push('\n');
        }
        let longest = chunk.iter().map(|(_, label)| label.len()).max().unwrap_or(0);
        text.push_str(&" ".repeat(chunk.len()));
        text.push('\n');
        for row in 0..longest {
            text.extend(chunk.iter().map(|(_, label)| label.chars().nth(row).unwrap_or(' ')));
            text.push('\n');
        }
    }
    text
}

/// How long ago, in one unit.
fn ago(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86400),
    }
}

pub(crate) fn doctor(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    let report = diagnosis(cx);
    cx.sink.verbatim(*b"txt", report.as_bytes());
    Ok(())
}

/// `createLatencyReport`, with its advice about slow commands, which are all that is measured.
fn diagnosis(cx: &Cx<'_>) -> String {
    let (config, latency) = (&cx.server.config, &cx.server.latency);
    if config.latency == 0 {
        return "I'm sorry, Dave, I can't do that. Latency monitoring is disabled in this Redis \
                instance. You may use \"CONFIG SET latency-monitor-threshold <milliseconds>.\" in \
                order to enable it. If we weren't in a deep space mission I'd suggest to take a \
                look at https://redis.io/topics/latency-monitor.\n"
            .to_owned();
    }
    if latency.iter().len() == 0 {
        return "Dave, no latency spike was observed during the lifetime of this Redis instance, \
                not in the slightest bit. I honestly think you ought to sit down calmly, take a \
                stress pill, and think things over.\n"
            .to_owned();
    }
    let mut report = "Dave, I have observed latency spikes in this Redis instance. You don't \
                      mind talking about it, do you Dave?\n\n"
        .to_owned();
    for (at, (name, spikes)) in latency.iter().enumerate() {
        let count = spikes.samples.len() as u64;
        let average = spikes.samples.iter().map(|(_, millis)| millis).sum::<u64>() / count.max(1);
        let apart = spikes.samples.iter().map(|(_, millis)| millis.abs_diff(average));
        let deviation = apart.sum::<u64>() / count.max(1);
        let first = spikes.samples.front().map_or(0, |(at, _)| *at);
        let span = cx.server.clock.now().as_secs().saturating_sub(first).max(1);
        report.push_str(&format!(
            "{}. {name}: {count} latency spikes (average {average}ms, mean deviation \
             {deviation}ms, period {:.2} sec). Worst all time event {}ms.\n",
            at + 1,
            span as f64 / count.max(1) as f64,
            spikes.max
        ));
    }
    if latency.event(b"command").is_none() {
        return report;
    }
    report.push_str("\nI have a few advices for you:\n\n");
    let threshold = config.latency.saturating_mul(1000);
    match config.slow.map(|slow| slow.as_micros() as u64) {
        None => report.push_str(&format!(
            "- There are latency issues with potentially slow commands you are using. Try to \
             enable the Slow Log Redis feature using the command 'CONFIG SET \
             slowlog-log-slower-than {threshold}'. If the Slow log is disabled Redis is not able \
             to log slow commands execution for you.\n"
        )),
        Some(slow) if slow > threshold => report.push_str(&format!(
            "- Your current Slow Log configuration only logs events that are slower than your \
             configured latency monitor threshold. Please use 'CONFIG SET \
             slowlog-log-slower-than {threshold}'.\n"
        )),
        Some(_) => {}
    }
    report.push_str(
        "- Check your Slow Log to understand what are the commands you are running which are too \
         slow to execute. Please check https://redis.io/commands/slowlog for more \
         information.\n- Deleting, expiring or evicting (because of maxmemory policy) large \
         objects is a blocking operation. If you have very large objects that are often deleted, \
         expired, or evicted, try to fragment those objects into multiple smaller objects.\n",
    );
    report
}

pub(crate) fn slowlog_get(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    const RANGE: CommandError =
        CommandError::fixed("ERR count should be greater than or equal to -1");
    let most = match argv[2..] {
        [] => 10,
        [count] => match arg::ranged(count, -1, i64::MAX, RANGE)? {
            -1 => usize::MAX,
            count => usize::try_from(count).unwrap_or(usize::MAX),
        },
        _ => return Err(super::wrong_subcommand(cx, argv)),
    };
    let entries = cx.server.slowlog.entries().take(most);
    cx.sink.seq(Seq::Array, entries.len());
    for entry in entries {
        cx.sink.seq(Seq::Array, 6);
        cx.sink.integer(entry.id as i64);
        cx.sink.integer(entry.at as i64);
        cx.sink.integer(entry.took.as_micros() as i64);
        cx.sink.seq(Seq::Array, entry.words.len());
        entry.words.iter().for_each(|word| cx.sink.bulk(word));
        cx.sink.bulk(entry.address.as_bytes());
        cx.sink.bulk(&entry.name);
    }
    Ok(())
}

pub(crate) fn slowlog_len(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    let len = cx.server.slowlog.entries().len();
    cx.integer(len)
}

pub(crate) fn slowlog_reset(cx: &mut Cx<'_>, _argv: &[&[u8]]) -> CommandResult {
    cx.server.slowlog.clear();
    cx.ok()
}
