-- One page of a feed, newest first, that stays right while entries come and go.
--
-- KEYS[1]  sorted set of the entries, by time
-- ARGV[1]  entries on a page
-- ARGV[2]  cursor of the page before (empty for the first)
-- Returns  { cursor of the next page or an empty string, { entry, … } }
--
-- The cursor holds the score and the name of the last entry seen, so it needs no state and does
-- not shift when entries are added above. Entries of one score are ordered by name.
local size = tonumber(ARGV[1])
local score, name = ARGV[2]:match('^([^/]*)/(.*)$')
local entries, last = {}, nil

local from, skip = score or '+inf', 0
while #entries < size do
  local batch = redis.call('ZRANGE', KEYS[1], from, '-inf', 'BYSCORE', 'REV', 'LIMIT', skip, size, 'WITHSCORES')
  for i = 1, #batch, 2 do
    local seen = batch[i + 1] == score and batch[i] >= name
    if not seen and #entries < size then
      entries[#entries + 1] = batch[i]
      last = batch[i + 1] .. '/' .. batch[i]
    end
  end
  if #batch < 2 * size then
    break
  end
  skip = skip + size
end
if #entries < size then
  last = nil
end
return { last or '', entries }
