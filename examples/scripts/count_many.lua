-- Adds to many counters at once, in hashes of one day each, and returns their sums.
--
-- KEYS     hash of a day
-- ARGV[1]  seconds after which a new hash is forgotten
-- ARGV[2…] name and increment, alternating
-- Returns  { name, sum over all days given, … } in the order of the names
if #ARGV % 2 == 0 then
  return redis.error_reply('ERR a name without its increment')
end
local today, reply = KEYS[1], {}
for i = 2, #ARGV, 2 do
  redis.call('HINCRBY', today, ARGV[i], ARGV[i + 1])
end
if redis.call('TTL', today) == -1 then
  redis.call('EXPIRE', today, ARGV[1])
end
for i = 2, #ARGV, 2 do
  local sum = 0
  for _, day in ipairs(KEYS) do
    sum = sum + (redis.call('HGET', day, ARGV[i]) or 0)
  end
  reply[#reply + 1] = ARGV[i]
  reply[#reply + 1] = sum
end
return reply
