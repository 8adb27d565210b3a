//! Programs whose values the front end knows something of, so that piccolo's own instructions
//! do what functions of the host do elsewhere: what it knows must be true.

/// Values and errors of programs.
pub(crate) const PROGRAMS: &[&str] = &[
    // Parameters and results of functions whose calls are all known.
    "local function f(a, b) return a + b end return f(1, 2), f(3, f(4, 5))",
    "local function f(a, b) return a + b end return pcall(function() return f(1) end)",
    "local function f(a, b) return a + b end return f(1, '2')",
    "local function f(a) return -a end return f(2), pcall(f, {})",
    "local function f(a) if a > 1 then return a end end return f(2), pcall(function() return f(1) + 1 end)",
    "local function f(a) return a end return pcall(function() return f() .. 'x' end)",
    "local function f(a) return a < 1 end return f(0), f(1), pcall(f), pcall(f, 'x')",
    "local function f(...) return ... end return f(1) + 1, pcall(function() return f() + 1 end)",
    "local function f() return 1, nil end local a, b = f() return pcall(function() return a + b end)",
    "local function f(a, b, c) return a, b, c end local function g() local x, y, z = 7, 8, 9 \
     local p, q, r = f(x) return p, q, r, f(1, 2) end return g()",
    "local function f(a, b, ...) return a, b, select('#', ...) end local x, y, z = 7, 8, 9 \
     local p, q, r = f(x) local g = x > 1 and f or function(a, b, c) return a, b, c end \
     return p, q, r, g(y)",
    "local M = {} function M:f(a, b) return self == M, a, b end local x, y, z = 7, 8, 9 \
     local p, q, r = M:f() return p, q, r, M:f(x)",
    "local function apply(g, x) return g(x) end \
     return apply(function(x) return x * 2 end, 4), apply(tostring, 5), pcall(apply, nil, 1)",
    "local function make() return function(x) return x .. '!' end end \
     local f = make() return f('a'), make()(1), pcall(make(), {})",
    "local function outer() local n = 0 return function() n = n + 1 return n end end \
     local f, g = outer(), outer() return f(), f(), g()",
    "local f local function g(x) return f(x) end f = function(x) return x + 1 end \
     local a = g(1) f = function(x) return x .. 'y' end return a, g(2)",
    "local f = function(x) return x + 1 end f = setmetatable({}, {__call = function(_, x) return x end}) \
     return f('q')",
    "local a = setmetatable({}, {__add = function(x, y) return 'sum' end}) \
     local function f(x, y) return x + y end return f(1, 2), f(a, 1), f(1, a)",
    "local function f(n) if n == 0 then return 0 end return 1 + f(n - 1) end return f(10), f(1000)",
    "local function f(n) return n + f(n + 1) end return pcall(f, 1)",
    "local n, m = 0, 0 local function f() n = n + 1 return 1 + f() end pcall(f) \
     local function g(x) m = m + 1 return 1 + g(x) end pcall(function() return g(1) end) \
     return n == m, n > 16000",
    "local n, m = 0, 0 local a local function b(x) n = n + 1 return (a(x)) end \
     function a(x) n = n + 1 return (b(x)) end pcall(function() return a(1) end) \
     local function c() m = m + 1 c() end pcall(c) return n == m",
    "local function f(n) if n == 0 then return 0 end return 1 + f(n - 1) end \
     local function g(n) if n == 0 then return pcall(f, 15000) end return (g(n - 1)) end \
     return f(15000), g(100), g(10000)",
    "local function even(n) if n == 0 then return true end return odd(n - 1) end return pcall(even, 1)",
    "local even, odd function even(n) if n == 0 then return true end return odd(n - 1) end \
     function odd(n) if n == 0 then return false end return even(n - 1) end \
     return even(20000), odd(7)",
    "local function f(n) if n == 0 then return 1 end return n * f(n - 1) end \
     local function g(n) return pcall(f, n) end return f(20), g(5)",
    "local function f(n) if n == 0 then return error('deep') end return (f(n - 1)) end \
     return pcall(f, 10), pcall(f, 3)",
    "local co = coroutine.wrap(function(n) local function f(k) if k == 0 then return 0 end \
     return k + f(k - 1) end while true do n = coroutine.yield(f(n)) end end) return co(3), co(4)",
    // Tables that nothing else gets, and those that something does.
    "local o = {n = 0} for i = 1, 10 do o.n = o.n + i end return o.n",
    "local o = {n = 0} o.n = nil return pcall(function() return o.n + 1 end)",
    "local o = {n = 0} local k = 'n' o[k] = nil return pcall(function() return o.n + 1 end)",
    "local o = {n = 0} rawset(o, 'n', 'x') return pcall(function() return o.n + 1 end)",
    "local o = {n = 0} local p = {o} p[1].n = 'q' return pcall(function() return o.n + 1 end)",
    "local o = {n = 0} local function f(t) t.n = {} end f(o) return pcall(function() return o.n + 1 end)",
    "local o = {n = 0} setmetatable(o, {__newindex = function(t, k, v) rawset(t, k, v .. '!') end}) \
     o.n = 1 o.m = 2 o.n = nil o.n = 3 return o.n, o.m",
    "local o = {n = 0, m = 1} o.n = nil o.n = 2 o.q = 3 local s = '' \
     for k, v in pairs(o) do s = s .. k .. v end return s",
    "local o = {a = 1, b = 2, c = 3} o.b = nil o.d = 4 o.b = 5 o.a = nil o.e = 6 local s = '' \
     for k, v in pairs(o) do s = s .. k .. v end return s",
    "local M = {} function M.f(x) return x + 1 end function M.g(x) return M.f(x) * 2 end \
     return M.g(1), pcall(function() return M.h(1) end), pcall(M.f, {})",
    "local M = {v = 3} function M:get(x) return self.v + x end return M:get(1), M.get({v = 4}, 1), \
     pcall(M.get, {}, 1), pcall(function() return M:no() end)",
    "local t = {} for i = 1, 10 do t[i] = i * i end local s = 0 for i = 1, #t do s = s + t[i] end return s",
    "local t = {1, 2, 3} local s = 0 for i = 1, 4 do s = s + (t[i] or 0) end \
     return s, pcall(function() for i = 1, 4 do s = s + t[i] end end)",
    "local t = {} for i = 1, 5 do t[i] = i end t[3] = nil local s = '' \
     for k, v in pairs(t) do s = s .. k end return s, #t",
    "local t = {} for i = 1, 5 do t[i] = i if i == 3 then t[3] = nil end end local s = '' \
     for k in pairs(t) do s = s .. k end return s",
    "local t = {} for i = 1, 6 do t[i] = i table.remove(t, 1) end local s = '' \
     for k, v in pairs(t) do s = s .. k .. ':' .. v .. ' ' end return s",
    "local t = {} for i = 1, 6 do if i ~= 3 then t[i] = i end end local s = '' \
     for k, v in pairs(t) do s = s .. k end return s",
    "local t = {} for i = 1, 3 do local t = {} t[i] = i for k in pairs(t) do if k ~= i then return k end end end return t[1]",
    "local t = {} for i = 1, 4 do local j = i t[i] = function() return j end end return t[1](), t[4]()",
    "local t = {} for i = 1, 9, 2 do t[i] = i end local s = '' for k in pairs(t) do s = s .. k end return s",
    "local t = {} for i = 1, 4 do t[i] = 'x' .. i t[i + 10] = i end local s = '' \
     for k in pairs(t) do s = s .. k .. ' ' end return s",
    "local t, u = {}, {} for i = 1, 4 do t[i] = u u[i] = i end return #t, #u, t[4][4]",
    "local t = {} for i = 1, 3 do i = 7 - i t[i] = i end local s = '' for k in pairs(t) do s = s .. k end return s",
    "local function fill(t) for i = 1, 3 do t[i] = i end return t end local t = fill({}) \
     t[2] = nil fill(t) return #t, #fill({5, 6, 7, 8}), #fill({x = 1})",
    "local q = {} local function push(v) q[#q + 1] = v end push(1) push(nil) push(2) return #q, q[2]",
    "local t = {a = {b = {c = 1}}} t.a.b.c = t.a.b.c + 1 return t.a.b.c, pcall(function() return t.b.c end)",
    "local t = {{1, 2}, {3, 4}} local s = 0 for _, r in ipairs(t) do for _, v in ipairs(r) do s = s + v end end return s",
    "local t = {1, 2, 'x'} local s = 0 return pcall(function() for _, v in ipairs(t) do s = s + v end end)",
    "local t = {x = 1, y = 2} local s = 0 for k, v in pairs(t) do s = s + v t[k] = nil end return s, next(t)",
    "local t = {f = function(x) return x + 1 end} t.f = nil return pcall(function() return t.f(1) end)",
    "local a = {1} local b = a b[1] = 'z' return pcall(function() return a[1] * 2 end)",
    "local t = {n = 1} local u = t or {} u.n = 'x' return pcall(function() return t.n - 1 end)",
    "local a, b, c, d, e, f = {v = 1}, {v = 2}, {v = 3}, {v = 4}, {v = 5}, {v = 6} local x = a \
     x = b x = c x = d x = e x = f x.v = 'q' return a.v + 1, pcall(function() return f.v + 1 end)",
    "local t = {1, 2, 3} local function drop(x) x[2] = nil end drop(t) \
     return pcall(function() return t[2] + 1 end)",
    "local keys = {} local o = {} o[keys] = 1 for k in pairs(o) do k.v = 'x' end \
     return pcall(function() return keys.v + 1 end)",
    "local t = {v = 1} local p = setmetatable({}, {__index = function(_, k) k.v = 'x' return 1 end}) \
     local _ = p[t] return pcall(function() return t.v + 1 end)",
    "local t = {v = 1} local ok = pcall(error, t) t = {v = 2} return t.v + 1",
    "local t = {v = 1} local _, e = pcall(function() error(t) end) e.v = 'x' \
     return pcall(function() return t.v + 1 end)",
    // Numbers: doubles, whatever counts them.
    "local s = '' for i = -1, 1 do s = s .. i * -1 .. ' ' .. 1 / (i * 0) .. ' ' end return s",
    "local s = '' for i = -1, 1 do s = s .. tostring(-i) .. ' ' end return s",
    "for i = 3037000500, 3037000500 do return i * i, i * i * i, i + i, i - i end",
    "for i = 2147483647, 2147483647 do return i * i * i, i * i * i * i end",
    "local s = 0 for i = 1, 10 do for j = i, 10 do s = s + i * j % 7 - i % j end end return s",
    "for i = 0, 0 do return i % i, 5 % i, i / i, -i, 1 / -i, 1 / i end",
    "for i = -7, -7 do return i % 3, i % -3, i % 2.5, i ^ 2, i ^ 0.5, 2 ^ i end",
    "local r = {} for i = 1, 3 do r[i] = i end return r[1.0], r[2], 3 == r[3], r[1] < 1.5, #r",
    "local s = '' for i = 1, 3.7 do s = s .. i end for i = 3, 0.5, -1 do s = s .. i end return s",
    "local n = 0 for i = 1, '3' do n = n + i end for i = 9007199254740992, 9007199254740993 do n = n + 1 break end return n",
    "local n = 0 for i = 1, 2^53, 2^52 do n = n + 1 end return n",
    "local n = 0 for i = 1, math.huge do n = n + 1 if n == 5 then break end end return n",
    "local a = {10, 20, 30} local s = 0 for i = #a, 1, -1 do s = s * 2 + a[i] end return s",
    "local t = {} for i = 1, 3 do t[#t + 1] = i t['k' .. i] = i end return t[1] + t.k3, t.k1 .. t[2]",
    "local x for i = 1, 2 do x = i end return x * x, x .. '', tostring(x), x + x, -x, x == 2",
    "local t = {} for i = 1, 3 do t[i] = i end return t[1] * t[2] * t[3], t[3] - t[3], table.concat(t, ',')",
    "return tonumber('5') + 1, pcall(function() return tonumber('x') + 1 end), tonumber('0x10') * 2",
    "local n = tonumber('3') for i = 1, n do n = n + i end return n, pcall(function() return tonumber('') < 1 end)",
    "local n = tonumber('z') if n and n > 3 then return 1 end return n",
    "return math.floor(2.5) + 1, math.floor(-0.5) * 2, ('abc'):len() % 2, #'abc' - 1",
    "local x, y = 1 x = x + 1 return x, pcall(function() return x + y end), pcall(function() return y < x end)",
    "local x = 5 x = x - (function() x = 10 return 1 end)() return x",
    "local x = 'a' x = x .. (function() x = 'b' return 'c' end)() return x",
    "local a, b = 1, 2 a = a + b * a b = a - b - a return a, b",
    // Strings.
    "local s = '' for i = 1, 50 do s = s .. 'xy' end return #s, s:sub(1, 4), s:upper():len()",
    "local s = 'x' for i = 1, 12 do s = s .. s end return #s",
    "local s, t = 'a', 'b' s = s .. t .. s t = t .. s return s, t, s .. 1, s < t, s <= t, s == t",
    "local s = 'a' s = s .. nil return s",
    "local s = 'abc' return s:len(), s:rep(2), s:nope()",
    "local s = 'abc' return pcall(function() return s:rep({}) end), pcall(function() return s.x.y end)",
    "local function j(a, b) return a .. b end return j('a', 'b'), j(1, 2), pcall(j, 'a')",
    "local s = ('x'):rep(2000) s = s .. 'y' .. s return #s, #(s .. s)",
    "return ('%d'):format(3) .. 'x', tostring(1) .. tostring(nil), type(1) .. type({}), -'2' .. ''",
    "local s = 'k' local t = {k1 = 5} return t[s .. '1'] + 1, pcall(function() return t[s .. '2'] + 1 end)",
    // Conditions.
    "local function f(a, b) if a < b then return 'lt' elseif a <= b then return 'le' else return 'gt' end end \
     return f(1, 2), f(2, 2), f(3, 2), f('a', 'b'), pcall(f, 1, 'x'), pcall(f, nil, 1)",
    "local t = {3} local a = t[1] < 4 local b = t[1] >= 4 return a, b, pcall(function() return t[2] < 1 end)",
    "local t = {3} if t[1] > 2 and t[1] ~= 4 then return 'y' end return 'n'",
    "local t = {5, 1} while t[1] > t[2] do t[1] = t[1] - 1 end repeat t[2] = t[2] + 1 until t[2] >= 4 return t[1], t[2]",
    "local f if true then f = function(x) return x * 2 end end return f(4)",
    "local f return pcall(function() return f(4, (function() error('arg') end)()) end)",
    "local t = {} return pcall(function() t.f((function() error('arg') end)()) end)",
    "local t = {} return pcall(function() local x = t.a.b end), pcall(function() t.a.b = 1 end)",
];
