-- Puts a job into a queue unless one of the same id waits there already.
--
-- KEYS[1]  list of the queue
-- KEYS[2]  hash of the waiting jobs' payloads, by id
-- ARGV[1]  id of the job
-- ARGV[2]  payload
-- ARGV[3]  how long the queue may grow
-- Returns  the queue's length, 0 when the job was there already
-- Errors   QUEUEFULL when there is no room
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then
  return 0
end
if redis.call('LLEN', KEYS[1]) >= tonumber(ARGV[3]) then
  return redis.error_reply('QUEUEFULL ' .. KEYS[1] .. ' holds ' .. ARGV[3] .. ' jobs')
end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return redis.call('RPUSH', KEYS[1], ARGV[1])
