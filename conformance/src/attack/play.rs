//! One attack, in this process.
//!
//! Owns the limits that attackers get, and what is looked at afterwards: the reply, the time, the
//! memory, and whether the next script finds everything as it was. Must not know what becomes of
//! a process that does not survive.

use std::collections::HashMap;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use redlua::core::Backend;
use redlua::server::{Link, Server};
use redlua::{Engine, Limits, Store};
use serde::{Deserialize, Serialize};

use super::{Attack, Expect, rss};
use crate::{Error, Step, text_of};

/// What scripts may hold.
pub(super) const MEMORY: usize = 32 << 20;
/// What they may answer.
pub(super) const REPLY: usize = 4 << 20;
/// For how long they may run.
const TIME: Duration = Duration::from_millis(400);

/// The stack that attacks run on, an ordinary one of a thread.
const STACK: usize = 2 << 20;

/// What came of an attack that this process survived.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Played {
    /// The beginning of the last reply, bytes as text.
    pub reply: String,
    /// Whether it is what must come.
    pub satisfied: bool,
    /// How long all of it took, in milliseconds.
    pub milliseconds: u64,
    /// By how many bytes the process grew at most during one request, where the system tells.
    pub grown: Option<usize>,
    /// What the next script found changed, if anything.
    pub polluted: Option<String>,
}

/// Runs an attack on a server of its own.
///
/// # Errors
/// The attack is not well formed.
pub fn play(attack: &Attack, backend: Arc<dyn Backend>) -> Result<Played, Error> {
    let attack = attack.clone();
    let run = move || {
        let mut engine = Engine::new(backend);
        engine.set_limits(limits(&attack));
        let server = Server::with(engine, Store::new());
        let before = probe(&mut server.link());
        let requests = requests(&attack)?;
        let begun = Instant::now();
        let (reply, grown) = send(&requests, &server);
        let milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let after = probe(&mut server.link());
        Ok(Played {
            satisfied: attack.satisfied_by(&reply),
            reply: text_of(reply.get(..300).unwrap_or(&reply)),
            milliseconds,
            grown,
            polluted: (before != after).then(|| text_of(&after)),
        })
    };
    let thread = thread::Builder::new().stack_size(STACK).spawn(run);
    match thread.map(thread::JoinHandle::join) {
        Ok(Ok(played)) => played,
        Ok(Err(_)) => Err(Error::Backend("a panic came through to the caller".into())),
        Err(error) => Err(Error::Target(error)),
    }
}

/// What attackers may take. Where a reply must come, a slow machine gets the time for it.
fn limits(attack: &Attack) -> Limits {
    let replies = matches!(attack.expect, Expect::Reply(_));
    let time = if replies { TIME * 25 } else { within(attack) };
    Limits { memory: Some(MEMORY), time: Some(time), reply: Some(REPLY), ..Limits::default() }
}

/// For how long an attack should run at most: those on memory get the time to run out of it.
pub(super) fn within(attack: &Attack) -> Duration {
    if attack.topic() == "memory" { TIME * 5 } else { TIME }
}

/// The words of a command for a connection of that name.
type Request = (String, Vec<Vec<u8>>);

/// The steps: who sends which words.
fn requests(attack: &Attack) -> Result<Vec<Request>, Error> {
    let request = |index| match attack.step(index)? {
        Step::Call(name, argv) => Ok((name, argv)),
        _ => {
            let what = "an attack only calls".into();
            Err(Error::Form { id: attack.id.clone(), what })
        }
    };
    (0..attack.steps.len()).map(request).collect()
}

/// Sends the requests; returns the last reply and the most that one of them took.
fn send(requests: &[Request], server: &Server) -> (Vec<u8>, Option<usize>) {
    let mut links: HashMap<&str, Link> = HashMap::new();
    let (mut reply, mut most) = (Vec::new(), None);
    for (name, argv) in requests {
        let link = links.entry(name).or_insert_with(|| server.link());
        let words: Vec<&[u8]> = argv.iter().map(Vec::as_slice).collect();
        rss::reset_peak();
        let resident = rss::resident();
        reply = link.request(&words);
        let grown = rss::peak().zip(resident).map(|(peak, before)| peak.saturating_sub(before));
        most = most.max(grown);
    }
    (reply, most)
}

/// What a script finds: globals, libraries, how values are converted.
fn probe(link: &mut Link) -> Vec<u8> {
    link.request(&[b"EVAL", PROBE.as_bytes(), b"1", b"key", b"argument"])
}

const PROBE: &str = r#"
local out = {}
local function names(name, t)
  local all = {}
  for k, v in pairs(t) do all[#all + 1] = tostring(k) .. ':' .. type(v) end
  table.sort(all)
  out[#out + 1] = name .. '=' .. table.concat(all, ',')
end
names('_G', _G)
for _, name in ipairs({'string', 'table', 'math', 'coroutine', 'os', 'redis', 'cjson', 'cmsgpack', 'struct', 'bit'}) do
  if type(_G[name]) == 'table' then names(name, _G[name]) end
end
local function put(...) out[#out + 1] = table.concat({...}, ' ') end
put(('x'):rep(3), ('%5.1f'):format(1.25), tostring(1 / 3), type(getmetatable('')))
for _, v in ipairs({1, true, 'x', print or 0}) do
  put(type(v), tostring(getmetatable(v) ~= nil))
end
put(tostring(getmetatable(nil)), tostring(getmetatable(function() end)))
put(tostring(pcall(function() return nothing_of_that_name end)))
put(tostring(pcall(function() a_global = 1 end)))
put(tostring(pcall(rawset, string, 'rep', 1)), tostring(pcall(rawset, _G, 'x', 1)))
put(cjson.encode({1, 2, {a = 1.5}}), cjson.encode(cjson.decode('[null,{"a":[]}]')))
put(tostring(pcall(cjson.encode, 1 / 0)), #cmsgpack.pack({1, {a = 2}}), #struct.pack('>I2', 1))
put(#KEYS, KEYS[1], #ARGV, ARGV[1], tostring(coroutine.running()))
put(redis.call('PING').ok, redis.sha1hex(''), tostring(redis.call('GET', 'no such key')))
local t = {} for i = 1, 50 do t[i] = redis.call('ECHO', i) end
put(#table.concat(t))
return table.concat(out, '\n')
"#;
