-- Gives a lock back, unless it has meanwhile passed to somebody else.
--
-- KEYS[1]  the lock
-- ARGV[1]  token of the owner
-- Returns  1 if released, 0 if it was not ours
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
