-- Moves jobs whose time has come from the delayed set to the queue.
--
-- KEYS[1]  sorted set of delayed jobs, by due time
-- KEYS[2]  list of jobs that are ready
-- ARGV[1]  now, in milliseconds
-- ARGV[2]  how many jobs to move at most
-- Returns  { jobs moved, due time of the next one or nil }
local due = redis.call('ZRANGE', KEYS[1], '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, ARGV[2])
-- In pieces: unpack cannot put more on Lua's stack than it holds.
for first = 1, #due, 1000 do
  local last = math.min(first + 999, #due)
  redis.call('RPUSH', KEYS[2], unpack(due, first, last))
  redis.call('ZREM', KEYS[1], unpack(due, first, last))
end
local upcoming = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return { #due, upcoming[2] or false }
