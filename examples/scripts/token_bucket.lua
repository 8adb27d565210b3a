-- Token bucket: a client may spend tokens that come back at a steady rate.
--
-- KEYS[1]  hash of the bucket
-- ARGV[1]  capacity, in tokens
-- ARGV[2]  tokens regained each second
-- ARGV[3]  now, in milliseconds
-- ARGV[4]  tokens to spend (1 when left out)
-- Returns  { 1 if granted, whole tokens left, milliseconds until it would be granted }
--
-- The time is an argument, so the script is the same on every server and in every test.
local capacity, rate = tonumber(ARGV[1]), tonumber(ARGV[2])
local now, cost = tonumber(ARGV[3]), tonumber(ARGV[4] or '1')

local tokens, stamp = unpack(redis.call('HMGET', KEYS[1], 'tokens', 'stamp'))
tokens = tonumber(tokens or capacity)
stamp = tonumber(stamp or now)
-- A clock that went back gives nothing.
tokens = math.min(capacity, tokens + math.max(0, now - stamp) * rate / 1000)

local granted, wait = 0, 0
if tokens >= cost then
  granted, tokens = 1, tokens - cost
else
  wait = math.ceil((cost - tokens) * 1000 / rate)
end
redis.call('HSET', KEYS[1], 'tokens', tokens, 'stamp', math.max(now, stamp))
redis.call('PEXPIRE', KEYS[1], math.ceil(capacity * 1000 / rate))
return { granted, math.floor(tokens), wait }
