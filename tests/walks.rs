//! Tables that `cjson.decode` and `cmsgpack.unpack` make are walked as if they had grown.
//!
//! Owns the comparison with tables that the script itself fills, key after key, which is what the
//! libraries of Redis do. Must not know how the values come to be.
#![cfg(feature = "mlua-lua51")]

use redlua::{Client, Connection, Reply};

/// Makes documents at random, and the same tables by hand, and compares how both are walked: at
/// once, and again after more keys have been set, which shows where there was room.
const SCRIPT: &str = r#"
math.randomseed(tonumber(ARGV[1]))
local random = math.random

local function walk(t, seen)
  for k, v in next, t do
    seen[#seen + 1] = type(k) == 'table' and 'table' or tostring(k)
    seen[#seen + 1] = type(v) == 'table' and 'table' or tostring(v)
    if type(v) == 'table' then walk(v, seen) end
  end
  seen[#seen + 1] = '#' .. #t
  return seen
end

local function grow(t, by)
  for i = 1, by do t['more' .. i] = i end
  for k, v in next, t do if type(v) == 'table' then grow(v, by) end end
end

local function same(made, expected, what)
  for by = 0, 3 do
    grow(made, by)
    grow(expected, by)
    local a, b = table.concat(walk(made, {}), ' '), table.concat(walk(expected, {}), ' ')
    if a ~= b then error(what .. ': ' .. a .. ' instead of ' .. b) end
  end
end

local function name()
  return string.rep(string.char(97 + random(0, 25)), random(0, 40)) .. random(0, 60)
end

-- A JSON text and the table that it is.
local function json(depth)
  local parts, t = {}, {}
  local count = random(0, random(0, 1) == 0 and 9 or 40)
  local list = random(0, 1) == 0
  for i = 1, count do
    local text, value
    local kind = random(0, depth > 0 and 3 or 2)
    if kind == 3 then
      text, value = json(depth - 1)
    elseif kind == 2 then
      text, value = 'null', cjson.null
    else
      value = random(0, 99)
      text = tostring(value)
    end
    if list then
      t[i] = value
      parts[i] = text
    else
      local key = name()
      t[key] = value
      parts[i] = '"' .. key .. '":' .. text
    end
  end
  local all = table.concat(parts, ',')
  return list and '[' .. all .. ']' or '{' .. all .. '}', t
end

-- A MessagePack message and the table that it is; nil is a value, and keys are of any kind.
local function message(depth)
  local parts, t = {}, {}
  local count = random(0, random(0, 1) == 0 and 9 or 40)
  local list = random(0, 1) == 0
  local nils = random(0, 3)
  local numbers = random(0, 3) == 0
  for i = 1, count do
    local text, value
    local kind = random(0, depth > 0 and 3 or 2)
    if kind == 3 then
      text, value = message(depth - 1)
    elseif kind == 2 and nils > 0 and random(1, nils) == 1 then
      text, value = '\192', nil
    else
      value = random(0, 99)
      text = cmsgpack.pack(value)
    end
    if list then
      t[i] = value
      parts[i] = text
    else
      local key = numbers and random(0, 2) == 0 and random(0, 20) or name()
      t[key] = value
      parts[i] = cmsgpack.pack(key) .. text
    end
  end
  local head = string.char(list and 220 or 222, 0, count)
  return head .. table.concat(parts), t
end

for round = 1, tonumber(ARGV[2]) do
  local text, t = json(2)
  if string.sub(text, 1, 1) == '{' or string.sub(text, 1, 1) == '[' then
    same(cjson.decode(text), t, text)
  end
  text, t = message(2)
  same(cmsgpack.unpack(text), t, 'message')
end
return 'same'
"#;

#[test]
fn decoded_tables_are_walked_as_if_they_had_grown() {
    let mut client = Client::new();
    for seed in ["1", "2", "3", "4", "5"] {
        let argv: [&[u8]; 5] = [b"EVAL", SCRIPT.as_bytes(), b"0", seed.as_bytes(), b"12"];
        assert_eq!(client.request(&argv), Reply::Bulk(b"same".to_vec()));
    }
}

/// What waits on the stack must not make a value too deep that is not: the limits are those of
/// the original, which holds nothing back.
#[test]
fn deep_values_are_as_deep_as_ever() {
    const DEEP: &str = r#"
cjson.decode_max_depth(100000)
local function json(depth)
  local inside = string.rep('{"a":1,"b":', depth) .. '1' .. string.rep('}', depth)
  return (pcall(cjson.decode, inside))
end
local function arrays(depth)
  return (pcall(cmsgpack.unpack, string.rep('\145', depth) .. '\1'))
end
local function last(works, from, to)
  while to - from > 1 do
    local middle = math.floor((from + to) / 2)
    if works(middle) then from = middle else to = middle end
  end
  return from
end
return {last(json, 1, 9000), last(arrays, 1, 9000)}
"#;
    let mut client = Client::new();
    let argv: [&[u8]; 3] = [b"EVAL", DEEP.as_bytes(), b"0"];
    // As redis-server 7.0.15 answers.
    let expected = vec![Reply::Integer(3999), Reply::Integer(3999)];
    assert_eq!(client.request(&argv), Reply::Array(expected.into()));
}
