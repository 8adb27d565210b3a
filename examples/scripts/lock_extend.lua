-- Prolongs the lease of a lock we hold; never shortens it.
--
-- KEYS[1]  the lock
-- ARGV[1]  token of the owner
-- ARGV[2]  new lease from now, in milliseconds
-- Returns  1 if the lock is ours for at least that long, 0 if it is not ours
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('PEXPIRE', KEYS[1], ARGV[2], 'GT')
return 1
