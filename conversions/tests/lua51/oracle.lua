-- Answers calls of library functions, one a line: what they return, or the error they raise.
-- A value is a letter and, behind it, its text: `n` number, `s` string in hexadecimal, `t` true,
-- `f` false, `z` nil, `c` one of the functions below, `{` and `}` around a list.
local functions = {
  [1] = function(a, b) return a < b end,
  [2] = function(a, b) return a > b end,
  [3] = function(a, b) return a <= b end,
  [4] = function() return true end,
  [5] = function() return nil end,
  [6] = function(a) return a end,
  [7] = function(a, b) return b end,
  [8] = function() return false end,
  [9] = function() return {} end,
  [10] = function() return 12.5 end,
  [11] = function() return '%1' end,
}
local read
function read(words, at)
  local word = words[at]
  local letter, rest = word:sub(1, 1), word:sub(2)
  if letter == 'n' then return tonumber(rest), at + 1
  elseif letter == 's' then
    return (rest:gsub('..', function(h) return string.char(tonumber(h, 16)) end)), at + 1
  elseif letter == 't' then return true, at + 1
  elseif letter == 'f' then return false, at + 1
  elseif letter == 'z' then return nil, at + 1
  elseif letter == 'c' then return functions[tonumber(rest)], at + 1
  elseif letter == '{' then
    local list, index = {}, 0
    at = at + 1
    while words[at] ~= '}' do
      index = index + 1
      list[index], at = read(words, at)
    end
    return list, at + 1
  end
end
local write
function write(value)
  local kind = type(value)
  if kind == 'number' then
    if value ~= value then return 'nnan' end
    if value == 1/0 then return 'ninf' elseif value == -1/0 then return 'n-inf' end
    return 'n' .. string.format('%.17g', value)
  elseif kind == 'string' then
    return 's' .. value:gsub('.', function(c) return string.format('%02x', c:byte()) end)
  elseif kind == 'boolean' then return value and 't' or 'f'
  elseif kind == 'nil' then return 'z'
  elseif kind == 'table' then
    local parts = { '{' }
    for index = 1, table.maxn(value) do parts[#parts + 1] = write(value[index]) end
    parts[#parts + 1] = '}'
    return table.concat(parts, ' ')
  end
  return '?' .. kind
end
local function results(...)
  local parts = {}
  for index = 1, select('#', ...) do parts[index] = write((select(index, ...))) end
  return table.concat(parts, ' ')
end
-- All matches of `string.gmatch`, one list each.
local function gmatch(text, pattern)
  local all = {}
  local iterator = string.gmatch(text, pattern)
  while true do
    local found = { iterator() }
    if #found == 0 then return all end
    all[#all + 1] = found
    if #all > 50 then return all end
  end
end
-- What a function that works on a table leaves there.
local function leaves(f)
  return function(list, ...)
    local kept = { f(list, ...) }
    return list, unpack(kept)
  end
end
local special = {
  gmatch = gmatch,
  sort = leaves(table.sort),
  insert = leaves(table.insert),
  remove = leaves(table.remove),
}
for line in io.lines() do
  local words = {}
  for word in line:gmatch('%S+') do words[#words + 1] = word end
  local library, name = words[1]:match('^(.-)%.(.*)$')
  local f = special[name] or (library == '' and _G[name]) or _G[library][name]
  local arguments, count, at = {}, 0, 2
  while words[at] do
    count = count + 1
    arguments[count], at = read(words, at)
  end
  print(results(pcall(f, unpack(arguments, 1, count))))
  io.stdout:flush()
end
