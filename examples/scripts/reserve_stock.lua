-- Reserves several articles for an order: all of them or none.
--
-- KEYS[1]  hash of what the order has reserved
-- KEYS[2…] hash of an article, with the fields stock and reserved
-- ARGV     quantity of each article, in the order of its key
-- Returns  OK
-- Errors   STOCK with the first article of which there is not enough
if #ARGV ~= #KEYS - 1 then
  return redis.error_reply('ERR one quantity for each article')
end
for i = 2, #KEYS do
  local stock, reserved = unpack(redis.call('HMGET', KEYS[i], 'stock', 'reserved'))
  local free = tonumber(stock or 0) - tonumber(reserved or 0)
  if free < tonumber(ARGV[i - 1]) then
    return redis.error_reply(string.format('STOCK %s has only %d', KEYS[i], free))
  end
end
for i = 2, #KEYS do
  redis.call('HINCRBY', KEYS[i], 'reserved', ARGV[i - 1])
  redis.call('HINCRBY', KEYS[1], KEYS[i], ARGV[i - 1])
end
return redis.status_reply('OK')
