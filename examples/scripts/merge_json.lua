-- Merges an object into a stored JSON document if nobody changed it in between.
--
-- KEYS[1]  string with the document
-- ARGV[1]  revision that the caller has read (0 for a new document)
-- ARGV[2]  JSON object whose members replace those of the document; null removes one
-- Returns  { new revision, names of the members, sorted }
-- Errors   CONFLICT with the present revision
local stored = redis.call('GET', KEYS[1])
local document = stored and cjson.decode(stored) or { revision = 0 }
if document.revision ~= tonumber(ARGV[1]) then
  return redis.error_reply('CONFLICT at revision ' .. document.revision)
end
for member, value in pairs(cjson.decode(ARGV[2])) do
  document[member] = value ~= cjson.null and value or nil
end
document.revision = tonumber(ARGV[1]) + 1
redis.call('SET', KEYS[1], cjson.encode(document))

local names = {}
for member in pairs(document) do
  names[#names + 1] = member
end
table.sort(names)
return { document.revision, names }
