//! The plain `lua5.1` as the judge of patterns and formats.
//!
//! Owns the snippet that runs on both sides and the batches in which the judge is asked. Must not
//! know who makes the cases.

use std::io::Write;
use std::process::{Command, Stdio};

/// Cases that one process of the judge gets.
const BATCH: usize = 500;

/// What runs on both sides, with the words in `ARGV`; the result is one text.
pub const SNIPPET: &str = r#"
local s, p, r = ARGV[1], ARGV[2], ARGV[3]
local out = {}
local function put(...)
  for i = 1, select('#', ...) do
    local v = select(i, ...)
    out[#out + 1] = type(v) == 'string' and v:gsub('^[^:]*:%d+: ', '') or tostring(v)
  end
  out[#out + 1] = ';'
end
if #s < 200 and #p < 40 then
  put(pcall(string.find, s, p))
  put(pcall(string.find, s, p, #r, #r % 2 == 0))
  put(pcall(string.match, s, p, -#r))
  put(pcall(string.gsub, s, p, r))
  put(pcall(string.gsub, s, p, r, 2))
  put(pcall(string.gsub, s, p, {a = 1, b = 'x', [''] = false}))
  put(pcall(string.gsub, s, p, function(a) return a .. '.' end))
  local n = 0
  put(pcall(function() for a, b in string.gmatch(s, p) do n = n + 1 put(a, b) if n > 20 then break end end end))
  put(pcall(string.rep, s, #r % 7), pcall(string.sub, s, #r - 3, #p - 2), pcall(string.byte, s, #r - 2, #p))
end
put(pcall(string.format, p, #s - 7.5, s, 3 - #r, 65))
put(pcall(string.format, p, s, s, s))
put(tonumber(s), tonumber(r, 2 + #p % 35), s < p, #s)
return table.concat(out, '\1')
"#;

/// A case: the words, what each backend answered.
type Case = (Vec<Vec<u8>>, Vec<Vec<u8>>);

/// The judge, and what waits to be judged.
#[derive(Default)]
pub struct Oracle {
    waiting: Vec<Case>,
}

impl Oracle {
    /// The judge, if there is one on the `PATH`.
    pub fn find() -> Option<Self> {
        let found = Command::new("lua5.1").arg("-v").stderr(Stdio::null()).status();
        found.is_ok_and(|status| status.success()).then(Oracle::default)
    }

    /// Puts a case off until there are enough.
    pub(crate) fn check(&mut self, words: Vec<&[u8]>, ours: Vec<Vec<u8>>) {
        let words = words.into_iter().map(<[u8]>::to_vec).collect();
        self.waiting.push((words, ours));
        if self.waiting.len() >= BATCH {
            self.flush();
        }
    }

    /// Asks for all that waits.
    pub fn flush(&mut self) {
        let cases = std::mem::take(&mut self.waiting);
        if cases.is_empty() {
            return;
        }
        let mut script = String::from("local function run(ARGV)\n");
        script += SNIPPET;
        script += "end\nlocal function show(t) io.write(#t, ':', t) end\n";
        for (words, _) in &cases {
            let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
            script += &format!("show(run{{{}}})\n", words.join(","));
        }
        let mut judge = Command::new("lua5.1")
            .arg("-")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("lua5.1 starts");
        let mut input = judge.stdin.take().expect("it has an input");
        let writer = std::thread::spawn(move || input.write_all(script.as_bytes()));
        let output = judge.wait_with_output().expect("lua5.1 ends");
        writer.join().expect("no panic").expect("lua5.1 reads");
        let mut rest = output.stdout.as_slice();
        for (words, ours) in &cases {
            let colon = rest.iter().position(|&byte| byte == b':').expect("a length");
            let length: usize = String::from_utf8_lossy(&rest[..colon]).parse().expect("a number");
            let theirs = &rest[colon + 1..colon + 1 + length];
            rest = &rest[colon + 1 + length..];
            for our in ours {
                assert!(
                    our == theirs,
                    "{words:?}\nours   {}\ntheirs {}",
                    String::from_utf8_lossy(our),
                    String::from_utf8_lossy(theirs)
                );
            }
        }
    }
}

/// Bytes as a Lua string.
fn quoted(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    for byte in bytes {
        text += &format!("\\{byte:03}");
    }
    text + "\""
}
