//! Scripts out of bytes: each byte is a choice.
//!
//! Owns the grammar. Must not know what a script is for.

/// A script that these bytes choose; it is nearly always one that compiles.
pub(crate) fn script(data: &[u8]) -> String {
    let mut maker = Maker { data, at: 0, text: String::new(), names: 1 };
    maker.text += "local a,b,c,t,n={},'x',1,{1,2,3},0 ";
    maker.block(0);
    maker.text += " return {a,b,c,t}";
    maker.text
}

struct Maker<'a> {
    data: &'a [u8],
    at: usize,
    text: String,
    names: usize,
}

const NAMES: [&str; 5] = ["a", "b", "c", "t", "n"];
const VALUES: [&str; 24] = [
    "nil",
    "true",
    "0",
    "-1",
    "2^53",
    "1e308",
    "0/0",
    "1/0",
    "''",
    "'x'",
    "('ab'):rep(50)",
    "{}",
    "{1,2,nil,4}",
    "{x=1,['y']={}}",
    "function(...) return ... end",
    "cjson.null",
    "redis",
    "_G",
    "KEYS",
    "ARGV[1]",
    "coroutine.create(function() coroutine.yield(1) end)",
    "#t",
    "setmetatable({},{__index=function(_,k) return k end})",
    "'\\0\\255\\n'",
];
const CALLS: [&str; 48] = [
    "tostring",
    "tonumber",
    "type",
    "pcall",
    "error",
    "select",
    "unpack",
    "rawget",
    "rawset",
    "rawequal",
    "setmetatable",
    "getmetatable",
    "next",
    "loadstring",
    "load",
    "assert",
    "xpcall",
    "collectgarbage",
    "string.rep",
    "string.find",
    "string.gsub",
    "string.format",
    "string.byte",
    "string.char",
    "string.sub",
    "string.gmatch",
    "table.insert",
    "table.remove",
    "table.concat",
    "table.sort",
    "math.random",
    "math.fmod",
    "math.floor",
    "coroutine.wrap",
    "coroutine.resume",
    "cjson.encode",
    "cjson.decode",
    "cmsgpack.pack",
    "cmsgpack.unpack",
    "struct.pack",
    "struct.unpack",
    "bit.tohex",
    "bit.lshift",
    "redis.call",
    "redis.pcall",
    "redis.sha1hex",
    "redis.error_reply",
    "redis.setresp",
];
const BINARY: [&str; 14] =
    ["+", "-", "*", "/", "%", "^", "..", "==", "~=", "<", "<=", ">", "and", "or"];
const COMMANDS: [&str; 10] = [
    "'SET','k',",
    "'GET','k'",
    "'RPUSH','l',",
    "'LRANGE','l',0,-1",
    "'HSET','h','f',",
    "'HGETALL','h'",
    "'DEL','k','l','h'",
    "'ZADD','z',1,",
    "'NOTHING'",
    "'PING'",
];

impl Maker<'_> {
    fn choose(&mut self, choices: usize) -> usize {
        let byte = self.data.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        usize::from(byte) % choices
    }

    fn pick(&mut self, list: &[&'static str]) -> &'static str {
        let at = self.choose(list.len());
        list.get(at).copied().unwrap_or("nil")
    }

    fn over(&self, depth: usize) -> bool {
        depth > 5 || self.at >= self.data.len() || self.text.len() > 4000
    }

    fn block(&mut self, depth: usize) {
        for _ in 0..=self.choose(6) {
            if self.over(depth) {
                break;
            }
            self.statement(depth + 1);
            self.text.push(' ');
        }
    }

    fn statement(&mut self, depth: usize) {
        match self.choose(14) {
            0..=3 => {
                let name = self.pick(&NAMES);
                self.text += &format!("{name}=");
                self.expression(depth);
            }
            4 => {
                self.text += "t[";
                self.expression(depth);
                self.text += " or 1]=";
                self.expression(depth);
            }
            5 => {
                self.text += "if ";
                self.expression(depth);
                self.text += " then ";
                self.block(depth);
                self.text += "else ";
                self.block(depth);
                self.text += "end";
            }
            6 => {
                let turns = self.choose(50);
                self.text += &format!("for i=1,{turns} do n=i ");
                self.block(depth);
                self.text += "end";
            }
            7 => {
                self.text += "for k,v in pairs(type(t)=='table' and t or {}) do b=k ";
                self.block(depth);
                self.text += "end";
            }
            8 => {
                self.text += "while ";
                self.expression(depth);
                self.text += " do n=(tonumber(n) or 0)+1 if n>100 then break end ";
                self.block(depth);
                self.text += "end";
            }
            9 => {
                self.names += 1;
                let name = self.names;
                self.text += &format!("local function f{name}(a,...) ");
                self.block(depth);
                self.text += &format!("return a end pcall(f{name},");
                self.expression(depth);
                self.text += ")";
            }
            10 => {
                self.text += "a=coroutine.wrap(function() ";
                self.block(depth);
                self.text += "coroutine.yield(b) end) pcall(a)";
            }
            11 => {
                let command = self.pick(&COMMANDS);
                self.text += "b=redis.pcall(";
                self.text += command;
                if command.ends_with(',') {
                    self.text += "tostring(";
                    self.expression(depth);
                    self.text += ")";
                }
                self.text += ")";
            }
            12 => {
                self.text += "pcall(function() ";
                self.block(depth);
                self.text += "end)";
            }
            _ => {
                self.text += "repeat local x=";
                self.expression(depth);
                self.text += " until true";
            }
        }
    }

    fn expression(&mut self, depth: usize) {
        if self.over(depth) {
            self.text += "1";
            return;
        }
        match self.choose(10) {
            0..=2 => {
                let value = self.pick(&VALUES);
                self.text += value;
            }
            3 | 4 => {
                let name = self.pick(&NAMES);
                self.text += name;
            }
            5 => {
                self.text += "(";
                self.expression(depth + 1);
                let operator = self.pick(&BINARY);
                self.text += &format!(" {operator} ");
                self.expression(depth + 1);
                self.text += ")";
            }
            6 => {
                let operator = self.pick(&["-", "not ", "#"]);
                self.text += operator;
                self.text += "(";
                self.expression(depth + 1);
                self.text += ")";
            }
            _ => {
                let name = self.pick(&CALLS);
                self.text += &format!("select(-1,pcall({name}");
                for _ in 0..self.choose(4) {
                    self.text += ",";
                    self.expression(depth + 1);
                }
                self.text += "))";
            }
        }
    }
}
