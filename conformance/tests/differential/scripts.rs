//! Random Lua scripts, from templates.
//!
//! Owns the grammar. What would end a real server, take it long or answer with an address is not
//! in it. Must not know how a script is sent.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::Union;

use crate::commands::{Argv, scripted, word};

/// Where a script is to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In EVAL, whose Lua state begins anew.
    Eval,
    /// In a function, whose state lives as long as the server.
    Function,
}

/// In templates: `$n` a number, `$s` a string, `$t` a table, `$a` anything, `$i` a small integer,
/// `$c` a call of redis without its `redis.`, `$P` a pattern, `$F` a format of struct,
/// `$S` a statement, `$w` a word in quotes.
const NUMBERS: &[&str] = &[
    "1",
    "0",
    "-1",
    "x+0",
    "2",
    "10",
    "3.5",
    "-0.5",
    "2^31",
    "2^53",
    "1e15",
    "1e100",
    "0/0",
    "1/0",
    "-1/0",
    "-2^63",
    "255",
    "#$s",
    "#$t",
    "$n+$n",
    "$n-$n",
    "$n*$n",
    "$n/$n",
    "$n%$n",
    "-$n",
    "$n^2",
    "math.floor($n)",
    "math.max($n,$n)",
    "math.min($n,$n)",
    "math.abs($n)",
    "math.sqrt($n)",
    "math.fmod($n,$n)",
    "math.ceil($n)",
    "math.log($n)",
    "math.exp($i)",
    "math.pi",
    "math.huge",
    "math.pow($n,$i)",
    "(math.modf($n))",
    "(math.frexp($n))",
    "math.ldexp($n,$i)",
    "math.log10($n)",
    "(math.randomseed($i) or math.random($i))",
    "(math.randomseed($i) or math.random($i,$i))",
    "(math.randomseed($i) or math.random())",
    "string.len($s)",
    "tonumber($s)",
    "tonumber($s,$i)",
    "tonumber($a)",
    "string.byte($s)",
    "string.byte($s,$i)",
    "select('#',$a,$a)",
    "bit.band($n,$n)",
    "bit.bor($n,$n)",
    "bit.bxor($n,$n)",
    "bit.bnot($n)",
    "bit.lshift($n,$i)",
    "bit.rshift($n,$i)",
    "bit.arshift($n,$i)",
    "bit.rol($n,$i)",
    "bit.ror($n,$i)",
    "bit.bswap($n)",
    "bit.tobit($n)",
    "struct.size('$F')",
    "redis.REPL_ALL",
    "redis.LOG_WARNING",
    "table.getn($t)",
    "table.maxn($t)",
    "redis.REDIS_VERSION_NUM",
    "math.sin($n)",
    "math.cos($n)",
    "math.deg($n)",
    "0x7fffffff",
    "0xffffffff",
    "9007199254740993",
    "1e-5",
    "123456789012",
    "0.1+0.2",
    "1e22",
    "-1e-310",
    "(2^53+1)%3",
    "$n%0",
    "math.tan($n)",
    "(math.random and 7)",
    "#ARGV",
    "#KEYS",
    "bit.band($n,$n,$n)",
    "struct.size('!4>bi4')",
    "tonumber('0x'..$s)",
    "tonumber('1e'..$i)",
    "string.find($s,$s) or 0",
    "next({5})",
    "unpack({$n})",
    "redis.setresp and 1",
    "math.atan2($n,$n)",
    "math.sinh($n)",
    "math.asin($n)",
];

const STRINGS: &[&str] = &[
    "'abc'",
    "''",
    "s",
    "$w",
    "'12'",
    "'\\0\\255\\r\\n'",
    "'héé'",
    "(KEYS[1] or 'k')",
    "(ARGV[1] or 'v')",
    "'[1,2,{\"a\":null}]'",
    "'{\"x\":1.5e3,\"y\":[]}'",
    "'\\147\\1\\2\\3'",
    "'0x1F'",
    "' 7 '",
    "'1e3'",
    "'line\\nbreak'",
    "$s..$s",
    "$s..$i",
    "$i..''",
    "string.rep($s,$i)",
    "string.sub($s,$n,$n)",
    "string.sub($s,$i)",
    "string.upper($s)",
    "string.reverse($s)",
    "string.lower($s)",
    "string.char($i,65,$i)",
    "string.format('%d|%s',$n,$s)",
    "string.format('%5.2f',$n)",
    "string.format('%g',$n)",
    "string.format('%x',$i)",
    "string.format('%q',$s)",
    "string.format('%-5s|%3s',$s,$s)",
    "string.format('%c%i',$i,$n)",
    "string.format($s,$a)",
    "string.format('%s %s',$s,$a)",
    "string.format('%.3s',$s)",
    "string.format('%e %G',$n,$n)",
    "string.format('%o',$i)",
    "string.format('%.17g',$n)",
    "tostring($n)",
    "tostring($s)",
    "tostring(nil)",
    "tostring($n>1)",
    "type($a)",
    "(string.gsub($s,'$P',$s))",
    "(string.gsub($s,'$P','%1'))",
    "(string.gsub($s,'$P',string.upper))",
    "(string.gsub($s,'%w',$t))",
    "(string.gsub($s,'.',function(c) return $a end))",
    "(string.gsub($s,'$P',$s,$i))",
    "table.concat($t)",
    "table.concat($t,$s)",
    "table.concat($t,$s,$i,$i)",
    "cjson.encode($a)",
    "cjson.encode($t)",
    "cjson.encode({$a,$a})",
    "cmsgpack.pack($a)",
    "cmsgpack.pack($a,$a)",
    "cmsgpack.pack($t)",
    "struct.pack('$F',$n,$n,$s)",
    "struct.pack('$F',$s,$n)",
    "struct.pack('>I2',$n)",
    "struct.pack('<d',$n)",
    "struct.pack('s',$s)",
    "redis.sha1hex($s)",
    "redis.sha1hex($n)",
    "bit.tohex($n)",
    "bit.tohex($n,$i)",
    "($s):upper()",
    "($s):sub($i,$i)",
    "_VERSION",
    "redis.REDIS_VERSION",
    "cjson._NAME",
    "cmsgpack._VERSION",
    r#"'{"a":{"b":[1,-2.5e-3,true,false,null,"\\u00e9\\ud83d\\ude00\\n"]}}'"#,
    "'[1,[2,[3,[4,[5]]]]]'",
    "'[1,]'",
    r#"'{"a" 1}'"#,
    "'nan'",
    "'[-0,1E400,0x1f,+1]'",
    r#"'"\\ud800"'"#,
    r#"'\202\161a\1\161b\192'"#,
    r#"'\203\63\248\0\0\0\0\0\0'"#,
    r#"'\207\255\255\255\255\255\255\255\255'"#,
    r#"'\221\0\0\0\2\1\194'"#,
    r#"'\217\3abc'"#,
    r#"'\196\2ab\193'"#,
    r#"'\1\2\3\4\5\6\7\8'"#,
    "'PING'",
    "'return 1+1'",
    "'function() end'",
    "string.format('%10.4f|%-8d|%+d',$n,$n,$n)",
    "string.format('%5s%%%c',$s,$i)",
    r#"string.format('%q',$s..'\r\0\n')"#,
    "string.format('%u %X',$i,$n)",
    "cjson.encode({a=$a,b=$a})",
    "cjson.encode(cjson.decode($s))",
    "cjson.encode({[$i]=$a,[$n]=$a})",
    "cmsgpack.pack({a=$a,[$i]=$a})",
    "cmsgpack.pack($n,$s,$t)",
    "struct.pack('>!4 $F',$n,$s)",
    "tostring($n/$n)",
    "tostring(-$n)",
    "($s):rep($i,$s)",
    "table.concat({$n,$s,$n},$s)",
    "string.format('%s',tostring(cjson.null))",
    "redis.sha1hex($a)",
    "tostring(0/0)..tostring(1/0)",
    "string.format('%-+ #0d',$i)",
    "string.format('%a',$i)",
    "redis.status_reply($s).ok",
    "redis.error_reply($s).err",
];

const TABLES: &[&str] = &[
    "t",
    "{}",
    "{1,2,3}",
    "{$a}",
    "{$a,$a}",
    "{$a,$a,$a}",
    "{x=$a}",
    "{[$i]=$a}",
    "{$a,k=$a}",
    "{[$s]=$a}",
    "{$n,$n,$n}",
    "{$s,$s}",
    "{{$a},{$a}}",
    "{ok=$s}",
    "{err=$s}",
    "{1,nil,3}",
    "{nil,2}",
    "{double=$n}",
    "{map={$t}}",
    "{map={x=$a}}",
    "{set={x=true}}",
    "{big_number=$s}",
    "{verbatim_string={string=$s,format='txt'}}",
    "{[1]=$a,[2]=$a,[4]=$a}",
    "KEYS",
    "ARGV",
    "{unpack($t)}",
    "{unpack($t,$i,$i)}",
    "{pcall(error,$s)}",
    "{string.find($s,'$P')}",
    "{string.byte($s,1,$i)}",
    "{pcall(function() $S return $a end)}",
    "{redis.error_reply($s)}",
    "{redis.pcall($w)}",
    "{select($i,$a,$a,$a)}",
    "{math.modf($n)}",
    "{string.gsub($s,'$P','')}",
    "{struct.unpack('$F',$s)}",
    "{cmsgpack.unpack($s)}",
    "{cmsgpack.unpack_one($s)}",
    "{cmsgpack.unpack_limit($s,$i)}",
    "setmetatable({},{__index=function(_,k) return $a end})",
    "setmetatable({$a},{__call=function(_,a) return a end})",
    "setmetatable({1,2},{__len=function() return 9 end})",
    "{xpcall(function() $S return $a end,function(e) return e end)}",
    "{cjson.decode($s)}",
    "{coroutine.resume(coroutine.create(function(a) coroutine.yield($a) return $a end),$a)}",
    "{ok=$a}",
    "{err=$a,x=1}",
    "{double=$a}",
    "{big_number=$a}",
    "{map=$a}",
    "{set=$a}",
    "{verbatim_string=$a}",
    "{format=$s,string=$s}",
    "{attrib={x=$a},$a}",
];

const ANYTHING: &[&str] = &[
    "nil",
    "true",
    "false",
    "$n",
    "$s",
    "$t",
    "x",
    "redis.$c",
    "redis.p$c",
    "redis.$c",
    "redis.p$c",
    "function() return $a end",
    "cjson.null",
    "cjson.decode($s)",
    "(cmsgpack.unpack($s))",
    "string.match($s,'$P')",
    "(string.find($s,$s,$i,true))",
    "$n==$n",
    "$s<$s",
    "$n<=$n",
    "$a==$a",
    "not $a",
    "$a and $a",
    "$a or $a",
    "rawequal($a,$a)",
    "next({})",
    "next($t)",
    "t[$a]",
    "t.k",
    "({$a,$a})[$i]",
    "redis.status_reply($a)",
    "redis.error_reply($a)",
    "redis.error_reply('-'..$s)",
    "(function(...) return $a,... end)($a)",
    "(function(...) return select($i,...) end)($a,$a)",
    "unpack({$a,$a})",
    "undefined_global",
    "s.x",
    "x.y",
    "x()",
    "$s+$s",
    "$a+$n",
    "$a..$s",
    "-$s",
    "$a<$a",
    "#$a",
    "loadstring('return '..$s)",
    "loadstring($s)",
    "rawget($t,$a)",
    "rawlen",
    "getmetatable($s)==nil",
    "assert($a)",
    "assert($a,$s)",
    "error($s)",
    "error($s,$i)",
    "error()",
    "string.rep()",
    "string.sub($a)",
    "math.floor($a)",
    "table.concat($a)",
    "ipairs($a)",
    "KEYS[$i]",
    "ARGV[$i]",
    "coroutine.wrap(function() return $a end)()",
    "coroutine.status(coroutine.create(print))",
    "redis.acl_check_cmd($s)",
    "redis.acl_check_cmd($w,$s)",
    "redis.setresp($n)",
    "redis.set_repl($n)",
    "redis.replicate_commands()",
    "redis.breakpoint()",
    "redis.log($n,$s)",
    "redis.sha1hex()",
    "redis.log($a)",
    "struct.unpack('$F',$s)",
    "struct.unpack('$F',$s,$i)",
    "select(-1,$a,$a)",
    "xpcall(error,function(e) return $a end,$s)",
    "pcall($a,$a)",
    "tostring($n)..$a",
    "_G.x",
    "os",
    "cjson.encode(cjson.decode($s))",
    "(cmsgpack.unpack(cmsgpack.pack($a)))",
    "cjson.decode(cjson.encode($a))",
    "string.gmatch($s,'$P')()",
    "table.remove($t)",
    "table.remove($t,$i)",
    "type(redis.$c)",
    "redis.call()",
    "redis.call($a)",
    "redis.pcall($a,$a)",
    "redis.call(unpack($t))",
    "redis.pcall(s,$n)",
    "cjson.encode($a,$a)",
    "cjson.decode($a)",
    "cjson.encode()",
    "cmsgpack.unpack($a)",
    "cmsgpack.pack()",
    "bit.band($a)",
    "bit.tohex($a)",
    "struct.pack($s,$a)",
    "redis.$c['ok']",
    "redis.p$c['err']",
    "redis.p$c.err",
    "(redis.$c or 0)",
    "#redis.$c",
    "redis.$c..'x'",
    "redis.$c+1",
    "select('#',unpack($t))",
    "{cjson.decode('[1,{}]')}",
    "cjson.decode('{}')",
    "cjson.decode('[]')",
    "cjson.decode($s..'x')",
    "cjson.new().encode($a)",
    "rawequal($t,$t)",
    "tostring(cjson.null)",
    "{cmsgpack.unpack(cmsgpack.pack($a,$a))}",
    "redis.setresp(3) or redis.$c",
    "redis.setresp(3) or redis.call('HGETALL','h1')",
    "redis.setresp(3) or redis.call('ZRANGE','z1',0,-1,'WITHSCORES')",
    "redis.setresp(3) or redis.call('SMEMBERS','t1')",
    "redis.setresp(3) or redis.call('ZSCORE','z1','a')",
    "redis.setresp(3) or redis.call('GET','nokey')",
    "redis.setresp(3) or redis.call('XREAD','STREAMS','x1','0')",
    "redis.setresp(3) or redis.call('CONFIG','GET','maxmemory')",
    "redis.setresp(2) or redis.call('HGETALL','h1')",
    "redis.call('RESTORE','s1',0,redis.call('DUMP','l1') or '','REPLACE')",
    "redis.call('RESTORE','s2','0',redis.call('DUMP','h1') or 'x')",
    "redis.pcall('RESTORE','s2',0,$s)",
    "redis.call('EVAL','return 1',0)",
    "redis.call('FUNCTION','LIST')",
    "redis.call('LPUSH','l1',$n,$s)",
    "redis.call('SET','s1',$n) and redis.call('GET','s1')",
    "redis.call('INCRBYFLOAT','s2',$n)",
    "redis.call('ZADD','z1',$n,'m')",
    "redis.call('ZADD','z1',$n,'m') and redis.call('ZSCORE','z1','m')",
    "redis.call('ECHO',$n)",
    "redis.call('ECHO',$s)",
    "redis.call('HINCRBYFLOAT','h3','f',$n)",
    "redis.call('GEOPOS','g1','a')",
    "redis.call('LPOS','l1','a','COUNT',0)",
    "redis.call('OBJECT','HELP')",
    "redis.call('TYPE',$s)",
    "redis.call($s)",
    "redis.call($s,$s)",
    "redis.call({$s})",
    "redis.error_reply($s).err",
    "redis.error_reply('ERR '..$s)",
    "redis.error_reply('CODE')",
    "redis.error_reply('')",
    "error(redis.error_reply('-CODE '..$s))",
    "error({err='CODE '..$s,code=$n,source='x',line=$i})",
    "error({err=$s,line=7})",
    "error('msg',$i)",
    "string.rep($s,$i,$s)",
    "{f=redis.$c,[1]=redis.$c}",
    "{map={a={map={b=$a}}}}",
    "{set={a=true,[$n]=true}}",
    "{double=0/0}",
    "{double=-1/0}",
    r#"{big_number='123\\r\\n4'}"#,
    "{verbatim_string={format='txtx',string=$s}}",
    "{verbatim_string={string=$s}}",
    "{ok=1}",
    "{err=1}",
    r#"{ok='a\\r\\nb'}"#,
    "{1,2,nil,4}",
    "{{ok=$s},{err=$s},$a}",
    "type(redis.p$c)=='table' and 'T' or 'F'",
    "tostring(type(redis.$c))",
    "({redis.pcall($s,$s)})[1].err",
    "KEYS",
    "ARGV",
    "#$s..$s",
];

const STATEMENTS: &[&str] = &[
    "x=$n",
    "s=$s",
    "x=$a",
    "t=$t",
    "t[#t+1]=$a",
    "t[$a]=$a",
    "t.k=$a",
    "t[$i]=$a",
    "redis.$c",
    "redis.p$c",
    "x=redis.$c",
    "x=redis.p$c",
    "t[#t+1]=redis.$c",
    "t[#t+1]=redis.p$c",
    "local r=redis.p$c if type(r)=='table' and r.err then error(r) end",
    "table.insert(t,$a)",
    "table.insert(t,$i,$a)",
    "table.remove(t)",
    "table.sort(t)",
    "table.sort(t,function(a,b) return $a end)",
    "for i=1,$i do x=$a end",
    "for k,v in pairs($t) do x=k s=s..type(v) end",
    "for i,v in ipairs($t) do x=v end",
    "for w in string.gmatch($s,'$P') do t[#t+1]=w end",
    "if $a then x=$a else s=$s end",
    "while x==1 do x=2 end",
    "repeat local y=$a until true",
    "do local s=$s x=s end",
    "local ok,e=pcall(function() $S end) t[1]=ok t[2]=e",
    "local f=function(a,...) $S return a,... end x=f($a,$a)",
    "xpcall(function() $S end,function(e) x=e return $a end)",
    "error($s)",
    "error({err=$s})",
    "error($n)",
    "error(redis.error_reply($s))",
    "error({err=$s,code=1})",
    "error($s,$i)",
    "assert($a,$s)",
    "return $a",
    "redis.setresp(3)",
    "redis.setresp(2)",
    "global_x=1",
    "KEYS[1]=$a",
    "string.x=1",
    "redis.call=nil",
    "local function f(n) if n>0 then return f(n-1) end return $a end x=f($i)",
    "t=setmetatable(t,$t)",
    "local co=coroutine.wrap(function(a) $S local b=coroutine.yield($a) return b end) x=co($a) x=co($a)",
    "cjson.encode_invalid_numbers($a)",
    "cjson.encode_sparse_array($a)",
    "cjson.encode_number_precision($i)",
    "cjson.decode_max_depth($i)",
    "cjson.encode_max_depth($i)",
    "cjson.decode_invalid_numbers($a)",
    "x=cjson.encode(t)",
    "setmetatable(t,{__index=function(_,k) return $a end})",
    "x=#t",
    "x.y=1",
    "x()",
    "s=s..$s",
    "t={t}",
    "x={x,x}",
    "rawset(t,$a,$a)",
    "table.foreach(t,function(k,v) x=k end)",
    "x=t",
    "collectgarbage()",
    "_G.y=1",
    "redis.log(redis.LOG_DEBUG,$a)",
    "redis.call('RPUSH','l1',$s,$n) redis.call('HSET','h1','f1',$n) redis.call('SADD','t1',1) redis.call('ZADD','z1',1.5,'a')",
    "for i=1,3 do t[i]=redis.p$c end",
    "local ok,e=pcall(redis.call,$w,$w) x=e",
    "local ok,e=pcall(redis.$c) x=ok",
    "local e=select(2,pcall(function() redis.$c end)) x=type(e)=='table' and e.err or e",
    "local e=select(2,xpcall(function() redis.$c end,function(e) return e end)) x=type(e)=='table' and e.err or e",
    "redis.call('SELECT',$i) redis.call('SET','s1',$n)",
    "goto x",
    "local a<const> = 1",
    "x=1;;y=2",
    "if x then end",
    "return",
    "break",
    "x,s=$n,$s",
    "local function g() return g2() end g()",
    "t.f=function(self) return self.k end x=t:f()",
    "x=t:nope()",
    "x=('x'):nope()",
    "x=nil+1",
    "x=t..s",
    "x=t<t",
    "x=nil<1",
    "x=#nil",
    "t[nil]=1",
    "t[0/0]=1",
    "for i=1,'x' do end",
    "for i='a',2 do end",
    "for i=1,2,0 do break end",
    "x=math.nope",
    "x=redis.nope",
    "x=cjson.nope",
    "math.floor=1",
    "redis.x=1",
    "_G.print=1",
    "setmetatable(_G,{})",
    "x=getmetatable(_G)==nil",
    "rawset(_G,'a',1)",
    "table.insert(redis,1)",
    "x=rawget(_G,'x')",
    "x=next(redis)",
    "local x2 <close> = 1",
    "error(setmetatable({err='x'},{__index=function() return 1 end}))",
    r#"error(cjson.decode('{"err":"e"}'))"#,
];

const PATTERNS: &[&str] = &[
    "a",
    ".",
    "%a+",
    "(%w)(%w)",
    "^.",
    ".$",
    "%d*",
    "[a-c]",
    "()",
    "%b()",
    "(",
    "[",
    "%",
    "x?",
    ".-",
    "[^%s]+",
    "%1",
    "(a*(.)%w(%s*))",
    "%f[%w]",
    "",
    "\\0",
    "a-b",
    "([a-z]*)",
];

const FORMATS: &[&str] = &[
    "b", ">I4", "<i2h", "d", "f", "s", "c3", "c0", "Bc0", "!4bi4", "x", "L", "i9", "z", ">!8 b d",
    "i3", " ", "hs", ">f<d", "bb", "I33", "!", "i", "bxxb", "H", "T",
];

const INTEGERS: &[&str] = &["0", "1", "2", "3", "-1", "5", "10", "-3", "17", "20"];

/// A script, one statement a line; now and then with a character missing.
pub(crate) fn script(place: Place) -> BoxedStrategy<Vec<u8>> {
    let grammar = Grammar::new(place);
    let lines = vec(grammar.statement.clone(), 0..5);
    let broken = proptest::option::weighted(0.04, any::<Index>());
    (lines, grammar.anything.clone(), broken)
        .prop_map(|(lines, result, broken)| {
            let mut text = String::from("local x,s,t=1,'abc',{1,'b',k='v'}\n");
            for line in lines {
                // What follows a `return` does not compile: a block makes it a statement.
                text.push_str(&match line.starts_with("return") {
                    true => format!("do {line} end\n"),
                    false => format!("{line}\n"),
                });
            }
            text.push_str(&format!("return {result}"));
            let mut text = text.into_bytes();
            if let Some(at) = broken {
                text.remove(at.index(text.len()));
            }
            text
        })
        .boxed()
}

/// Strategies for each kind of hole, at one depth.
#[derive(Clone)]
struct Grammar {
    number: BoxedStrategy<String>,
    string: BoxedStrategy<String>,
    table: BoxedStrategy<String>,
    anything: BoxedStrategy<String>,
    statement: BoxedStrategy<String>,
    call: BoxedStrategy<String>,
}

impl Grammar {
    fn new(place: Place) -> Self {
        let plain = |texts: &[&str]| {
            let texts: Vec<String> = texts
                .iter()
                .filter(|text| !text.contains('$') && allowed(text, place))
                .map(|text| (*text).to_owned())
                .collect();
            select(texts).boxed()
        };
        let call = scripted().prop_map(|argv| call_of(&argv, None)).boxed();
        let mut grammar = Grammar {
            number: plain(NUMBERS),
            string: plain(STRINGS),
            table: plain(TABLES),
            anything: prop_oneof![plain(ANYTHING), plain(NUMBERS), plain(STRINGS)].boxed(),
            statement: plain(STATEMENTS),
            call,
        };
        for _ in 0..3 {
            grammar = grammar.deeper(place);
        }
        grammar
    }

    fn deeper(&self, place: Place) -> Self {
        let all = |texts: &[&str]| {
            let texts = texts.iter().filter(|text| allowed(text, place));
            Union::new(texts.map(|text| self.fill(text))).boxed()
        };
        let mixed =
            (scripted(), proptest::option::weighted(0.25, (any::<Index>(), self.anything.clone())));
        Grammar {
            number: all(NUMBERS),
            string: all(STRINGS),
            table: all(TABLES),
            anything: all(ANYTHING),
            statement: all(STATEMENTS),
            call: mixed.prop_map(|(argv, odd)| call_of(&argv, odd)).boxed(),
        }
    }

    /// The template with its holes filled from this depth.
    fn fill(&self, template: &str) -> BoxedStrategy<String> {
        let mut pieces = template.split('$');
        let mut parts = vec![Just(pieces.next().unwrap_or_default().to_owned()).boxed()];
        for piece in pieces {
            let (hole, rest) = piece.split_at(1);
            parts.push(self.hole(hole));
            parts.push(Just(rest.to_owned()).boxed());
        }
        parts.prop_map(|parts: Vec<String>| parts.concat()).boxed()
    }

    fn hole(&self, name: &str) -> BoxedStrategy<String> {
        let one_of = |texts: &[&str]| {
            select(texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()).boxed()
        };
        match name {
            "n" => self.number.clone(),
            "s" => self.string.clone(),
            "t" => self.table.clone(),
            "a" => self.anything.clone(),
            "S" => self.statement.clone(),
            "c" => self.call.clone(),
            "i" => one_of(INTEGERS),
            "P" => one_of(PATTERNS),
            "F" => one_of(FORMATS),
            _ => word().prop_map(|word| quoted(&word)).boxed(),
        }
    }
}

/// What outlives a script may not stand in a function.
fn allowed(template: &str, place: Place) -> bool {
    place == Place::Eval || !["encode_", "decode_"].iter().any(|word| template.contains(word))
}

/// `call('SET','k',1)`; `odd` takes the place of one argument.
fn call_of(argv: &Argv, odd: Option<(Index, String)>) -> String {
    // Strange members would make a set or a hash whose order is the server's own.
    const STRICT: [&[u8]; 13] = [
        b"SADD", b"SMOVE", b"HSET", b"HMSET", b"HSETNX", b"HINCRBY", b"ZADD", b"ZINCRBY", b"KEYS",
        b"SCAN", b"WAIT", b"COMMAND", b"XADD",
    ];
    let strict =
        argv.first().is_some_and(|name| STRICT.iter().any(|own| name.eq_ignore_ascii_case(own)));
    let mut words: Vec<String> = argv.iter().map(|word| literal(word)).collect();
    if let Some((at, text)) = odd
        && !strict
        && words.len() > 1
    {
        let at = 1 + at.index(words.len() - 1);
        words[at] = text;
    }
    format!("call({})", words.join(","))
}

/// A word as a number where that is the same to the server, else in quotes.
fn literal(word: &[u8]) -> String {
    match word {
        b"0" | b"1" | b"-1" | b"1.5" | b"100" => String::from_utf8_lossy(word).into_owned(),
        _ => quoted(word),
    }
}

fn quoted(word: &[u8]) -> String {
    let mut text = String::from("'");
    for &byte in word {
        match byte {
            b'\'' | b'\\' | b'$' | 0..=31 | 127..=255 => text.push_str(&format!("\\{byte:03}")),
            _ => text.push(char::from(byte)),
        }
    }
    text.push('\'');
    text
}
