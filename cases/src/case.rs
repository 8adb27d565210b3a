//! The form of a case.
//!
//! Owns what `cases/README.md` describes: reading it, and the spelling of bytes as text. Must not
//! know how a case is run.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use redlua_conversions::resp::{Parsed, parse};
use redlua_conversions::{Reply, ReplyBuilder};
use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};

use crate::Error;

/// Replies longer than this are kept as a digest.
const WHOLE: usize = 4096;
/// How much of a long reply is kept.
const HEAD: usize = 256;

/// Commands and the replies of a real server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Unique name, `area/what`.
    pub id: String,
    /// The group it is counted in.
    pub area: String,
    /// 2 or 3.
    pub resp: u8,
    /// Sent first, replies ignored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub setup: Vec<Vec<Arg>>,
    /// The commands and directives whose replies count.
    pub steps: Vec<Vec<Arg>>,
    /// Steps of which only the reply's type counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skip: Vec<usize>,
    /// Steps in whose replies every number counts as 0: times, ports, lengths.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mask: Vec<usize>,
    /// Sent last, replies ignored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub post: Vec<Vec<Arg>>,
    /// The reply to each step, as [`text_of`] spells bytes; empty before recording.
    #[serde(default)]
    pub replies: Vec<String>,
    /// What other servers answer, by version.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub also: BTreeMap<String, Vec<String>>,
    /// The folder of the file that it was read from.
    #[serde(skip)]
    pub folder: PathBuf,
}

/// One word of a command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Arg {
    /// Bytes, as [`text_of`] spells them.
    Text(String),
    /// The payload of an earlier step's bulk or integer reply.
    Reply {
        /// The step, from 0.
        reply: usize,
    },
    /// Text put together from pieces, each as often as its number says: for what is long.
    Pieces {
        /// The pieces.
        pieces: Vec<(String, usize)>,
    },
    /// A file's contents.
    File {
        /// Its path from the case's folder, or from one of those around it.
        file: String,
    },
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Sends a command and waits for its reply.
    Call(String, Vec<Vec<u8>>),
    /// Sends a command.
    Send(String, Vec<Vec<u8>>),
    /// Waits for a reply.
    Receive(String),
    /// Waits.
    Sleep(Duration),
}

impl Case {
    /// What step `index` does, given the replies received so far.
    ///
    /// # Errors
    /// It is not a step, or refers to what is not there.
    pub fn step(&self, index: usize, received: &[Vec<u8>]) -> Result<Step, Error> {
        let words = self.steps.get(index).map(Vec::as_slice).unwrap_or_default();
        let argv = self.argv(words, received)?;
        let name = |word: Option<&Vec<u8>>| {
            let word = word.ok_or_else(|| self.wrong("a directive without its argument"))?;
            String::from_utf8(word.clone()).map_err(|_| self.wrong("an argument that is not text"))
        };
        Ok(match argv.first().map(Vec::as_slice) {
            Some(b"@on") => Step::Call(name(argv.get(1))?, argv.into_iter().skip(2).collect()),
            Some(b"@send") => Step::Send(name(argv.get(1))?, argv.into_iter().skip(2).collect()),
            Some(b"@recv") => Step::Receive(name(argv.get(1))?),
            Some(b"@sleep") => {
                let seconds = name(argv.get(1))?.parse().ok();
                let pause = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
                Step::Sleep(pause.ok_or_else(|| self.wrong("@sleep wants seconds"))?)
            }
            Some(_) => Step::Call("a".into(), argv),
            None => return Err(self.wrong("an empty step")),
        })
    }

    /// The bytes of a command's words.
    ///
    /// # Errors
    /// One of them refers to what is not there.
    pub fn argv(&self, words: &[Arg], received: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, Error> {
        words.iter().map(|word| self.word(word, received)).collect()
    }

    fn word(&self, word: &Arg, received: &[Vec<u8>]) -> Result<Vec<u8>, Error> {
        match word {
            Arg::Text(text) => bytes_of(text).ok_or_else(|| self.wrong("text beyond U+00FF")),
            Arg::Reply { reply } => {
                let mut builder = ReplyBuilder::default();
                let bytes = received.get(*reply).map(Vec::as_slice).unwrap_or_default();
                let parsed = parse(bytes, &mut builder);
                match (parsed, builder.finish()) {
                    (Ok(Parsed::Complete(_)), Some(Reply::Bulk(payload))) => Ok(payload),
                    (Ok(Parsed::Complete(_)), Some(Reply::Integer(number))) => {
                        Ok(number.to_string().into_bytes())
                    }
                    // The step has been answered wrongly, which its own verdict says.
                    _ => Ok(bytes.to_vec()),
                }
            }
            Arg::Pieces { pieces } => {
                let text: String =
                    pieces.iter().map(|(piece, times)| piece.repeat(*times)).collect();
                bytes_of(&text).ok_or_else(|| self.wrong("text beyond U+00FF"))
            }
            Arg::File { file } => {
                let places = self.folder.ancestors().map(|folder| folder.join(file));
                let path = places.into_iter().find(|path| path.exists());
                let path = path.unwrap_or_else(|| self.folder.join(file));
                fs::read(&path).map_err(|source| Error::File { path, source })
            }
        }
    }

    /// The replies of a server version, 7.0.15's unless another's are known to differ.
    pub fn expected(&self, server: &str) -> &[String] {
        self.also.get(server).unwrap_or(&self.replies)
    }

    /// How the reply to step `index` is kept.
    pub fn kept(&self, index: usize, reply: &[u8]) -> String {
        if self.skip.contains(&index) {
            return format!("<skipped {}>", text_of(reply.get(..1).unwrap_or_default()));
        }
        let masked;
        let reply = if self.mask.contains(&index) {
            masked = without_numbers(reply);
            &masked
        } else {
            reply
        };
        if reply.len() <= WHOLE {
            return text_of(reply);
        }
        let head = text_of(reply.get(..HEAD).unwrap_or_default());
        let digest: String = Sha1::digest(reply).iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{head}...<{} bytes sha1 {digest}>", reply.len())
    }

    fn wrong(&self, what: &str) -> Error {
        Error::Form { id: self.id.clone(), what: what.into() }
    }
}

/// The bytes with a 0 for each number, points within it included.
fn without_numbers(bytes: &[u8]) -> Vec<u8> {
    let mut masked = Vec::with_capacity(bytes.len());
    for (at, &byte) in bytes.iter().enumerate() {
        let after = bytes.get(at + 1).is_some_and(u8::is_ascii_digit);
        match byte {
            b'0'..=b'9' if masked.last() == Some(&b'0') => {}
            b'0'..=b'9' => masked.push(b'0'),
            b'.' if after && masked.last() == Some(&b'0') => {}
            byte => masked.push(byte),
        }
    }
    masked
}

/// Bytes as text whose code points are the bytes.
pub fn text_of(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// The bytes that [`text_of`] has spelt; `None` for text beyond U+00FF.
pub fn bytes_of(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|point| u8::try_from(point).ok()).collect()
}

/// Reads a file of JSON lines.
///
/// # Errors
/// The file cannot be read, or a line is of another form.
pub fn lines<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Vec<T>, Error> {
    let text =
        fs::read_to_string(path).map_err(|source| Error::File { path: path.to_owned(), source })?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(index, line)| {
            serde_json::from_str(line).map_err(|source| Error::Line {
                path: path.to_owned(),
                line: index + 1,
                source,
            })
        })
        .collect()
}

/// Reads the cases of one file.
///
/// # Errors
/// The file cannot be read, or a line is no case.
pub fn load(path: &Path) -> Result<Vec<Case>, Error> {
    let mut cases: Vec<Case> = lines(path)?;
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    cases.iter_mut().for_each(|case| case.folder.clone_from(&folder));
    Ok(cases)
}

/// Reads the cases of every `.jsonl` file in a directory, the files in the order of their names.
///
/// # Errors
/// As [`load`].
pub fn load_dir(dir: &Path) -> Result<Vec<Case>, Error> {
    let unreadable = |source| Error::File { path: dir.to_owned(), source };
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            paths.push(path);
        }
    }
    paths.sort();
    let mut cases = Vec::new();
    for path in paths {
        cases.extend(load(&path)?);
    }
    Ok(cases)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(json: &str) -> Case {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn steps_are_told_apart() {
        let case = case(
            r#"{"id":"x/y","area":"x","resp":2,"replies":[],"steps":[["GET","ÿ"],
            ["@on","b","PING"],["@send","b","PING"],["@recv","b"],["@sleep","0.5"],
            ["SET","k",{"reply":0}],["@sleep","-1"],[]]}"#,
        );
        let received = [b"$2\r\nhi\r\n".to_vec()];
        let step = |index| case.step(index, &received);
        assert_eq!(step(0).unwrap(), Step::Call("a".into(), vec![b"GET".to_vec(), vec![0xff]]));
        assert_eq!(step(1).unwrap(), Step::Call("b".into(), vec![b"PING".to_vec()]));
        assert_eq!(step(2).unwrap(), Step::Send("b".into(), vec![b"PING".to_vec()]));
        assert_eq!(step(3).unwrap(), Step::Receive("b".into()));
        assert_eq!(step(4).unwrap(), Step::Sleep(Duration::from_millis(500)));
        let words = ["SET", "k", "hi"].map(|word| word.as_bytes().to_vec()).to_vec();
        assert_eq!(step(5).unwrap(), Step::Call("a".into(), words));
        assert!(step(6).is_err());
        assert!(step(7).is_err());
    }

    #[test]
    fn long_replies_are_digests() {
        let case = case(r#"{"id":"x/y","area":"x","resp":2,"steps":[["PING"]],"skip":[1]}"#);
        assert_eq!(case.kept(0, b"+\xff\r\n"), "+\u{ff}\r\n");
        assert_eq!(case.kept(1, b"$1\r\na\r\n"), "<skipped $>");
        let kept = case.kept(0, &[b'a'; 5000]);
        assert!(kept.starts_with(&"a".repeat(256)));
        assert_eq!(&kept[256..], "...<5000 bytes sha1 6aa9bf7df2242ef867558584c02160023a96f2f9>");
    }
}
