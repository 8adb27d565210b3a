//! The searches: `GEOSEARCH`, `GEORADIUS` and their variants (`georadiusGeneric`).
//!
//! Owns their options and the order of results. It must not know geometry.

use std::cmp::Ordering;

use redlua_core::Seq;

use super::{place, push_distance, push_place, unit};
use crate::arg;
use crate::context::Cx;
use crate::error::{CommandError, CommandResult, SYNTAX};
use crate::events::Class;
use crate::geo::{Area, Form, Place};
use crate::pqsort::partial_sort;
use crate::value::{Bound, Bytes, ScoreRange, Variant, ZSet};

const NOT_DECODED: CommandError = CommandError::fixed("ERR could not decode requested zset member");
const COUNT_POSITIVE: CommandError = CommandError::fixed("ERR COUNT must be > 0");
const ANY_ALONE: CommandError = CommandError::fixed("ERR the ANY argument requires COUNT argument");
const STORE_ALONE: CommandError = CommandError::fixed(
    "ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD \
     options",
);
const SEARCHSTORE_ALONE: CommandError = CommandError::fixed(
    "ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options",
);

pub(crate) fn georadius(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    search(cx, argv, Variety { around: Around::Place, stores: true })
}

pub(crate) fn georadius_ro(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    search(cx, argv, Variety { around: Around::Place, stores: false })
}

pub(crate) fn georadiusbymember(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    search(cx, argv, Variety { around: Around::Member, stores: true })
}

pub(crate) fn georadiusbymember_ro(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    search(cx, argv, Variety { around: Around::Member, stores: false })
}

pub(crate) fn geosearch(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    search(cx, argv, Variety { around: Around::Options, stores: false })
}

pub(crate) fn geosearchstore(cx: &mut Cx<'_>, argv: &[&[u8]]) -> CommandResult {
    search(cx, argv, Variety { around: Around::Options, stores: true })
}

/// Which of the commands it is.
#[derive(Clone, Copy)]
struct Variety {
    around: Around,
    /// Whether results can be stored; `GEOSEARCHSTORE` always does.
    stores: bool,
}

/// Where a command's middle is given.
#[derive(Clone, Copy, PartialEq)]
enum Around {
    Place,
    Member,
    Options,
}

/// A place found.
struct Found {
    member: Bytes,
    score: f64,
    place: Place,
    /// In metres.
    distance: f64,
}

fn search(cx: &mut Cx<'_>, argv: &[&[u8]], variety: Variety) -> CommandResult {
    let store = variety.stores && variety.around == Around::Options;
    let source = if store { argv[2] } else { argv[1] };
    let zset = cx.keys.read::<ZSet>(source)?;
    let query = Query::parse(argv, variety, zset)?;
    let (Some(zset), Some(area)) = (zset, query.area()) else {
        return match query.store {
            Some(key) => {
                cx.keys.erase(key);
                cx.integer(0)
            }
            None => {
                cx.sink.seq(Seq::Array, 0);
                Ok(())
            }
        };
    };
    let limit = query.count.unwrap_or(usize::MAX);
    let enough = if query.any { limit } else { usize::MAX };
    let mut found = inside(zset, &area, enough);
    let returned = limit.min(found.len());
    // A count without an order asks for the nearest ones.
    let descending = match query.descending {
        None if query.count.is_some() && !query.any => Some(false),
        order => order,
    };
    if let Some(descending) = descending {
        let compare = |a: &Found, b: &Found| {
            let order = a.distance.partial_cmp(&b.distance).unwrap_or(Ordering::Equal);
            if descending { order.reverse() } else { order }
        };
        if returned == found.len() {
            found.sort_by(compare);
        } else {
            partial_sort(&mut found, 0, returned.saturating_sub(1), &compare);
        }
    }
    found.truncate(returned);
    match query.store {
        Some(key) => store_found(cx, key, &found, query.store_distance.then_some(area.unit)),
        None => {
            reply(cx, &found, &query, area.unit);
            Ok(())
        }
    }
}

/// The members inside an area, at most `enough` of them (`membersOfAllNeighbors`).
fn inside(zset: &ZSet, area: &Area, enough: usize) -> Vec<Found> {
    let mut found = Vec::new();
    for (from, to) in area.score_ranges() {
        let (start, end) = zset.by_score(ScoreRange {
            min: Bound { score: from as f64, exclusive: false },
            max: Bound { score: to as f64, exclusive: true },
        });
        for (member, score) in zset.ascending(start, end - start) {
            if found.len() >= enough {
                return found;
            }
            let place = Place::from_score(score);
            if let Some(distance) = area.distance_inside(place) {
                found.push(Found { member: member.clone(), score, place, distance });
            }
        }
    }
    found
}

fn store_found(cx: &mut Cx<'_>, key: &[u8], found: &[Found], unit: Option<f64>) -> CommandResult {
    let mut zset = ZSet::default();
    let threshold = cx.keys.tuning.zset;
    for Found { member, score, distance, .. } in found {
        zset.admit(member.len(), threshold);
        zset.set(member, unit.map_or(*score, |unit| distance / unit));
    }
    if found.is_empty() {
        cx.keys.erase(key);
    } else {
        cx.keys.set(key, zset.wrap());
        // The commands that store beside their reading share one name.
        let radius = cx.command.name != "geosearchstore";
        let event = if radius { "georadiusstore" } else { "geosearchstore" };
        cx.keys.notify(Class::ZSET, event, key);
    }
    cx.integer(found.len() as u64)
}

fn reply(cx: &mut Cx<'_>, found: &[Found], query: &Query<'_>, unit: f64) {
    let extras = [query.with_distance, query.with_hash, query.with_place];
    let extras = extras.into_iter().filter(|wanted| *wanted).count();
    cx.sink.seq(Seq::Array, found.len());
    for Found { member, score, place, distance } in found {
        if extras > 0 {
            cx.sink.seq(Seq::Array, extras + 1);
        }
        cx.sink.bulk(member);
        if query.with_distance {
            push_distance(cx.sink, distance / unit);
        }
        if query.with_hash {
            cx.sink.integer(*score as i64);
        }
        if query.with_place {
            push_place(cx.sink, *place);
        }
    }
}

/// What a search asks for.
#[derive(Default)]
struct Query<'a> {
    middle: Option<Place>,
    form: Option<(Form, f64)>,
    with_distance: bool,
    with_hash: bool,
    with_place: bool,
    count: Option<usize>,
    any: bool,
    descending: Option<bool>,
    store: Option<&'a [u8]>,
    store_distance: bool,
}

impl<'a> Query<'a> {
    fn parse(
        argv: &[&'a [u8]],
        variety: Variety,
        zset: Option<&ZSet>,
    ) -> Result<Self, CommandError> {
        let mut query = Query::default();
        let options = variety.around == Around::Options;
        let from = match variety.around {
            Around::Place => {
                query.middle = Some(place(argv[2], argv[3])?);
                query.form = Some(circle(argv[4], argv[5])?);
                6
            }
            Around::Member => {
                if let Some(zset) = zset {
                    query.middle = Some(member_place(zset, argv[2])?);
                    query.form = Some(circle(argv[3], argv[4])?);
                }
                5
            }
            Around::Options if variety.stores => {
                query.store = Some(argv[1]);
                3
            }
            Around::Options => 2,
        };
        // Where the middle is given, even if it cannot be looked up.
        let (mut by_member, mut by_place) = (false, false);
        let mut rest = argv.get(from..).unwrap_or_default();
        while let [word, after @ ..] = rest {
            let word = |name: &str| arg::is(word, name);
            rest = match after {
                _ if word("withdist") => {
                    query.with_distance = true;
                    after
                }
                _ if word("withhash") => {
                    query.with_hash = true;
                    after
                }
                _ if word("withcoord") => {
                    query.with_place = true;
                    after
                }
                _ if word("any") => {
                    query.any = true;
                    after
                }
                _ if word("asc") || word("desc") => {
                    query.descending = Some(word("desc"));
                    after
                }
                [count, after @ ..] if word("count") => {
                    let count = usize::try_from(arg::integer(count)?).unwrap_or(0);
                    query.count = Some(count).filter(|count| *count > 0);
                    query.count.ok_or(COUNT_POSITIVE)?;
                    after
                }
                [key, after @ ..]
                    if variety.stores && !options && (word("store") || word("storedist")) =>
                {
                    query.store = Some(key);
                    query.store_distance = word("storedist");
                    after
                }
                _ if variety.stores && options && word("storedist") => {
                    query.store_distance = true;
                    after
                }
                [member, after @ ..] if options && word("frommember") && !by_place => {
                    by_member = true;
                    if let Some(zset) = zset {
                        query.middle = Some(member_place(zset, member)?);
                    }
                    after
                }
                [longitude, latitude, after @ ..]
                    if options && word("fromlonlat") && !by_member =>
                {
                    by_place = true;
                    query.middle = Some(place(longitude, latitude)?);
                    after
                }
                [radius, unit, after @ ..]
                    if options
                        && word("byradius")
                        && !matches!(query.form, Some((Form::Box(..), _))) =>
                {
                    query.form = Some(circle(radius, unit)?);
                    after
                }
                [width, height, word_unit, after @ ..]
                    if options
                        && word("bybox")
                        && !matches!(query.form, Some((Form::Circle(_), _))) =>
                {
                    query.form = Some(rectangle(width, height, word_unit)?);
                    after
                }
                _ => return Err(SYNTAX),
            };
        }
        if query.store.is_some() && (query.with_distance || query.with_hash || query.with_place) {
            return Err(if options { SEARCHSTORE_ALONE } else { STORE_ALONE });
        }
        if options && !by_member && !by_place {
            return Err(exactly_one("FROMMEMBER or FROMLONLAT can", argv[0]));
        }
        if options && query.form.is_none() {
            return Err(exactly_one("BYRADIUS and BYBOX can", argv[0]));
        }
        if query.any && query.count.is_none() {
            return Err(ANY_ALONE);
        }
        Ok(query)
    }

    fn area(&self) -> Option<Area> {
        let (form, unit) = self.form?;
        Some(Area { middle: self.middle?, form, unit })
    }
}

fn exactly_one(of: &str, command: &[u8]) -> CommandError {
    let mut text = format!("ERR exactly one of {of} be specified for ").into_bytes();
    text.extend_from_slice(command);
    CommandError::new(text)
}

fn member_place(zset: &ZSet, member: &[u8]) -> Result<Place, CommandError> {
    zset.score(member).map(Place::from_score).ok_or(NOT_DECODED)
}

/// A radius and its unit (`extractDistanceOrReply`).
fn circle(radius: &[u8], word: &[u8]) -> Result<(Form, f64), CommandError> {
    let radius = arg::float_or(radius, CommandError::fixed("ERR need numeric radius"))?;
    if radius < 0.0 {
        return Err(CommandError::fixed("ERR radius cannot be negative"));
    }
    Ok((Form::Circle(radius), unit(word)?))
}

/// A width, a height and their unit (`extractBoxOrReply`).
fn rectangle(width: &[u8], height: &[u8], word: &[u8]) -> Result<(Form, f64), CommandError> {
    let width = arg::float_or(width, CommandError::fixed("ERR need numeric width"))?;
    let height = arg::float_or(height, CommandError::fixed("ERR need numeric height"))?;
    if width < 0.0 || height < 0.0 {
        return Err(CommandError::fixed("ERR height or width cannot be negative"));
    }
    Ok((Form::Box(width, height), unit(word)?))
}
