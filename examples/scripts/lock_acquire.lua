-- Takes a lock that expires, and hands out a fencing number that only grows.
--
-- KEYS[1]  the lock
-- KEYS[2]  counter of the fencing numbers
-- ARGV[1]  token of the owner, unique to it
-- ARGV[2]  lease, in milliseconds
-- Returns  the fencing number; nil when somebody else holds the lock
--
-- An owner that asks again keeps the lock for a new lease and gets a new number.
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then
  return nil
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return redis.call('INCR', KEYS[2])
