//! Runs of scripts: which file, with which keys and arguments, after which seeds.
//!
//! Owns the form of a folder of scripts. Must not know where they run.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use redlua::conversions::resp::split_args;

use crate::error::Error;
use crate::script;

/// One run of one script.
pub(crate) struct Case {
    pub(crate) file: PathBuf,
    pub(crate) seeds: Vec<PathBuf>,
    /// Keys, then arguments.
    pub(crate) words: Vec<Vec<u8>>,
    keys: usize,
    numkeys: String,
}

impl Case {
    /// The runs that a command line asks for: those of a folder, or the one of a file.
    pub(crate) fn all(
        folder: Option<&Path>,
        file: Option<&Path>,
        words: &[OsString],
        seeds: &[PathBuf],
    ) -> Result<Vec<Case>, Error> {
        if let Some(folder) = folder {
            return of_folder(folder, seeds);
        }
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_encoded_bytes()).collect();
        Ok(vec![Case::new(file.unwrap_or(Path::new("-")), seeds.to_vec(), &words)])
    }

    fn new(file: &Path, seeds: Vec<PathBuf>, words: &[&[u8]]) -> Self {
        let (keys, words) = script::split(words);
        let words = words.into_iter().map(<[u8]>::to_vec).collect();
        Case { file: file.to_owned(), seeds, words, keys, numkeys: keys.to_string() }
    }

    /// The command that runs it.
    pub(crate) fn argv<'a>(&'a self, source: &'a [u8]) -> Vec<&'a [u8]> {
        let mut argv: Vec<&[u8]> = vec![b"EVAL", source, self.numkeys.as_bytes()];
        argv.extend(self.words.iter().map(Vec::as_slice));
        argv
    }

    /// As it stands on a command line.
    pub(crate) fn title(&self) -> String {
        let mut title = self.file.display().to_string();
        for (index, word) in self.words.iter().enumerate() {
            title.push_str(if index == self.keys { " , " } else { " " });
            title.push_str(&String::from_utf8_lossy(word));
        }
        title
    }
}

/// The scripts of a folder, by name.
fn of_folder(folder: &Path, seeds: &[PathBuf]) -> Result<Vec<Case>, Error> {
    let unreadable = |source| Error::File { path: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "lua") {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(Error::Empty { path: folder.to_owned() });
    }
    files.sort_unstable();
    let mut cases = Vec::new();
    for file in files {
        let mut seeds = seeds.to_vec();
        seeds.extend(Some(file.with_extension("seed")).filter(|path| path.exists()));
        let path = file.with_extension("args");
        if !path.exists() {
            cases.push(Case::new(&file, seeds, &[]));
            continue;
        }
        let text = fs::read(&path).map_err(|source| Error::File { path: path.clone(), source })?;
        for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
            let Ok(words) = split_args(line) else {
                return Err(Error::Quotes { path, line: index + 1 });
            };
            if !words.is_empty() {
                let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
                cases.push(Case::new(&file, seeds.clone(), &words));
            }
        }
    }
    Ok(cases)
}
