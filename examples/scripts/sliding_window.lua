-- Sliding window: at most so many events in any stretch of time.
--
-- KEYS[1]  sorted set of the events, by time
-- ARGV[1]  events allowed in a window
-- ARGV[2]  length of the window, in milliseconds
-- ARGV[3]  now, in milliseconds
-- ARGV[4]  unique id of this event
-- Returns  { 1 if accepted, events in the window, milliseconds until the next is accepted }
local limit, window, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])

redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
local used = redis.call('ZCARD', KEYS[1])
if used < limit then
  redis.call('ZADD', KEYS[1], now, ARGV[4])
  redis.call('PEXPIRE', KEYS[1], window)
  return { 1, used + 1, 0 }
end
local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
local wait = oldest[2] and tonumber(oldest[2]) + window - now or window
return { 0, used, wait }
