-- Reads a session and keeps it alive, but not past its absolute end.
--
-- KEYS[1]  hash of the session, with the field born (milliseconds)
-- ARGV[1]  now, in milliseconds
-- ARGV[2]  how long it lives without being used, in milliseconds
-- ARGV[3]  how long it lives at all, in milliseconds
-- Returns  { milliseconds it has left, { field, value, … } }; nil when there is no such session
local born = redis.call('HGET', KEYS[1], 'born')
if not born then
  return nil
end
local left = math.min(tonumber(ARGV[2]), tonumber(born) + tonumber(ARGV[3]) - tonumber(ARGV[1]))
if left <= 0 then
  redis.call('DEL', KEYS[1])
  return nil
end
redis.call('HSET', KEYS[1], 'seen', ARGV[1])
redis.call('HINCRBY', KEYS[1], 'hits', 1)
redis.call('PEXPIRE', KEYS[1], left)
return { left, redis.call('HGETALL', KEYS[1]) }
