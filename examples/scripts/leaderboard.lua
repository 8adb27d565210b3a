-- Records a player's score if it is the best so far and shows where the player stands.
--
-- KEYS[1]  sorted set of the players
-- ARGV[1]  player
-- ARGV[2]  score
-- ARGV[3]  how many neighbours to show above and below
-- Returns  { rank from 1, best score as text, { player, score, … } around the player }
redis.call('ZADD', KEYS[1], 'GT', ARGV[2], ARGV[1])
local rank = redis.call('ZREVRANK', KEYS[1], ARGV[1])
local reach = tonumber(ARGV[3])
local around = redis.call('ZRANGE', KEYS[1], math.max(0, rank - reach), rank + reach, 'REV', 'WITHSCORES')
return { rank + 1, redis.call('ZSCORE', KEYS[1], ARGV[1]), around }
