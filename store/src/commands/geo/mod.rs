//! Sorted sets of places: `GEOADD`, `GEODIST`, `GEOHASH`, `GEOPOS` (`geo.c`).
//!
//! Owns how coordinates, units and distances are read and written. It must not know geometry.

mod search;

pub(crate) use search::{
    georadius, georadius_ro, georadiusbymember, georadiusbymember_ro, geosearch, geosearchstore,
};

use redlua_core::{ReplySink, Seq};

use crate::arg;
use crate::commands::zsets;
use crate::context::Cx;
use crate::error::{CommandError, CommandResult, SYNTAX};
use crate::geo::{Place, distance};
use crate::value::ZSet;

const BAD_UNIT: CommandError =
    CommandError::fixed("ERR unsupported unit provided. please use M, KM, FT, MI");

/// Translates into a `ZADD` (`geoaddCommand`).
pub(crate) fn geoadd(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let words = argv.iter().skip(2);
    let options =
        words.take_while(|word| ["nx", "xx", "ch"].iter().any(|option| arg::is(word, option)));
    let start = 2 + options.count();
    let given = |option: &str| argv[2..start].iter().any(|word| arg::is(word, option));
    let (triples, rest) = argv[start..].as_chunks::<3>();
    if !rest.is_empty() || given("nx") && given("xx") {
        return Err(SYNTAX);
    }
    let mut scores = Vec::with_capacity(triples.len());
    for [longitude, latitude, _] in triples {
        scores.push(place(longitude, latitude)?.score().to_string());
    }
    let mut call: Vec<&[u8]> = argv[..start].to_vec();
    for (score, [_, _, member]) in scores.iter().zip(triples) {
        call.extend([score.as_bytes(), *member]);
    }
    zsets::zadd(cx, &call)
}

pub(crate) fn geodist(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let metres = match argv[4..] {
        [] => 1.0,
        [word] => unit(word)?,
        _ => return Err(SYNTAX),
    };
    let zset = cx.keys.read::<ZSet>(argv[1])?;
    let place = |member: &[u8]| zset.and_then(|zset| zset.score(member)).map(Place::from_score);
    match place(argv[2]).zip(place(argv[3])) {
        Some((from, to)) => push_distance(cx.sink, distance(from, to) / metres),
        None => cx.sink.null(),
    }
    Ok(())
}

pub(crate) fn geohash(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let zset = cx.keys.read::<ZSet>(argv[1])?;
    cx.sink.seq(Seq::Array, argv.len() - 2);
    for member in &argv[2..] {
        match zset.and_then(|zset| zset.score(member)) {
            Some(score) => cx.sink.bulk(&Place::from_score(score).text()),
            None => cx.sink.null(),
        }
    }
    Ok(())
}

pub(crate) fn geopos(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    let zset = cx.keys.read::<ZSet>(argv[1])?;
    cx.sink.seq(Seq::Array, argv.len() - 2);
    for member in &argv[2..] {
        match zset.and_then(|zset| zset.score(member)) {
            Some(score) => push_place(cx.sink, Place::from_score(score)),
            None => cx.sink.null_array(),
        }
    }
    Ok(())
}

/// A longitude and a latitude (`extractLongLatOrReply`).
fn place(longitude: &[u8], latitude: &[u8]) -> Result<Place, CommandError> {
    let place = Place { longitude: arg::float(longitude)?, latitude: arg::float(latitude)? };
    if place.is_valid() {
        return Ok(place);
    }
    let Place { longitude, latitude } = place;
    let text = format!("ERR invalid longitude,latitude pair {longitude:.6},{latitude:.6}");
    Err(CommandError::new(text))
}

/// How many metres a unit has (`extractUnitOrReply`).
fn unit(word: &[u8]) -> Result<f64, CommandError> {
    const UNITS: [(&str, f64); 4] = [("m", 1.0), ("km", 1000.0), ("ft", 0.3048), ("mi", 1609.34)];
    let found = UNITS.iter().find(|(name, _)| arg::is(word, name));
    found.map(|(_, metres)| *metres).ok_or(BAD_UNIT)
}

/// Pushes a distance with four digits after the point (`addReplyDoubleDistance`).
fn push_distance(sink: &mut dyn ReplySink, distance: f64) {
    sink.bulk(format!("{distance:.4}").as_bytes());
}

/// Pushes longitude and latitude.
fn push_place(sink: &mut dyn ReplySink, place: Place) {
    sink.seq(Seq::Array, 2);
    for degrees in [place.longitude, place.latitude] {
        // `addReplyHumanLongDouble`: seventeen digits after the point, zeros trimmed.
        let text = format!("{degrees:.17}");
        sink.double_text(degrees, text.trim_end_matches('0').trim_end_matches('.').as_bytes());
    }
}
