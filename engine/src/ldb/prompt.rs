//! What a script does at a stop: one command of the one who debugs after another.
//!
//! Owns the commands of `ldbRepl` in `eval.c`, what they do and what they print. Must not know
//! when a script stops.

use std::time::Duration;

use redlua_conversions::number::{g14, parse_i64};
use redlua_core::{Chunk, Evaluation, Flow, Frame, Kind, Pause, ValueReader, ValueWriter};

use super::listen::Deaf;
use super::source::Unset;
use super::{CHUNK, Debugger, LONGEST, Spot, TIMEOUT, atoi, c_str, values};
use crate::fault;
use crate::run::Run;

/// The chunk name of what `eval` runs.
const EVALUATED: &str = "@ldb_eval";
/// The lines before and after that `list` shows.
const CONTEXT: i32 = 5;
/// The smallest length at which values are cut.
const SHORTEST: i32 = 60;

impl Run<'_, '_> {
    /// Stops the script here, if it is to stop.
    pub(crate) fn pause(
        &mut self,
        pause: Pause,
        frame: &mut dyn Frame,
        out: &mut dyn ValueWriter,
    ) -> Flow {
        let patience = self.patience();
        let Some(debugger) = self.debugger.as_deref_mut() else { return Flow::Return };
        let Some(level) = frame.level(0) else { return Flow::Return };
        let at = Spot { line: level.line, inside: is_script(level.source) };
        let Some(reason) = debugger.reason(pause, at, patience) else { return Flow::Return };
        debugger.step = false;
        debugger.breakpoint = false;
        debugger.log(format!("* Stopped at {}, stop reason = {reason}", at.line).into_bytes());
        debugger.log(debugger.source.show(at.line));
        debugger.send();
        let error: &[u8] = match self.converse(frame) {
            Err(Deaf::Error(text)) => text,
            Err(Deaf::Closed) if reason == TIMEOUT => {
                if let Some(debugger) = self.debugger.as_deref() {
                    debugger.give_up();
                }
                b"timeout during Lua debugging with client closing connection"
            }
            // Whose user is gone runs on to its end.
            Ok(()) | Err(Deaf::Closed) => {
                if let Some(debugger) = self.debugger.as_deref_mut() {
                    debugger.resume();
                }
                self.host.script_resumed();
                return Flow::Return;
            }
        };
        fault::push(out, &fault::with_code(error));
        Flow::Raise
    }

    /// Obeys commands until one lets the script go on.
    fn converse(&mut self, frame: &mut dyn Frame) -> Result<(), Deaf> {
        while let Some(debugger) = self.debugger.as_deref_mut() {
            let words = debugger.listen().inspect_err(|_| debugger.source.clear())?;
            let Some((name, rest)) = words.split_first() else { continue };
            match (c_str(name).to_ascii_lowercase().as_slice(), rest) {
                (b"s" | b"step" | b"n" | b"next", _) => {
                    debugger.step = true;
                    return Ok(());
                }
                (b"c" | b"continue", _) => return Ok(()),
                (b"a" | b"abort", _) => {
                    return Err(Deaf::Error(b"script aborted for user request"));
                }
                (b"e" | b"eval", code) => self.evaluate(frame, code),
                (b"r" | b"redis", [_, ..]) => self.command(rest),
                (b"h" | b"help", _) => HELP.lines().for_each(|line| debugger.log(line.into())),
                (b"t" | b"trace", _) => debugger.trace(frame),
                (b"m" | b"maxlen", _) => debugger.limit(rest),
                (b"b" | b"break", _) => debugger.edit_breakpoints(rest),
                (b"p" | b"print", [name]) => debugger.print_variable(frame, c_str(name)),
                (b"p" | b"print", _) => debugger.print_locals(frame),
                (b"l" | b"list", _) => debugger.list(rest),
                (b"w" | b"whole", _) => debugger.log_lines(1, 1_000_000),
                _ => debugger.log(
                    b"<error> Unknown Redis Lua debugger command or wrong number of arguments."
                        .to_vec(),
                ),
            }
            if let Some(debugger) = self.debugger.as_deref_mut() {
                debugger.send();
            }
        }
        Ok(())
    }

    /// `eval`: as an expression, else as a statement (`ldbEval`).
    fn evaluate(&mut self, frame: &mut dyn Frame, words: &[Vec<u8>]) {
        let room = self.debugger.as_deref().map_or(LONGEST, Debugger::room);
        let patience = self.patience();
        let code = words.join(&b' ');
        let expression = [b"return ", code.as_slice()].concat();
        let mut shown = Shown::Refused(Vec::new());
        for source in [expression.as_slice(), code.as_slice()] {
            let chunk = Chunk { name: EVALUATED, source };
            frame.evaluate(chunk, patience, self, &mut |evaluation| {
                shown = Shown::of(evaluation, room);
            });
            if !matches!(shown, Shown::Refused(_)) {
                break;
            }
        }
        let Some(debugger) = self.debugger.as_deref_mut() else { return };
        match shown {
            Shown::Value(line) => debugger.log_value(line),
            Shown::Error(text) | Shown::Refused(text) => {
                debugger.log([b"<error> ", c_str(&text)].concat());
            }
        }
    }

    /// `redis`: runs a command as the script would (`ldbRedis`).
    fn command(&mut self, words: &[Vec<u8>]) {
        let argv: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        self.show_calls(true);
        self.execute(&argv, &mut Nowhere);
        self.show_calls(false);
    }

    fn show_calls(&mut self, show: bool) {
        if let Some(debugger) = self.debugger.as_deref_mut() {
            debugger.step = show;
        }
    }

    /// How long Lua code may run before it is taken for a loop.
    fn patience(&self) -> Duration {
        match self.host.busy_threshold() {
            Duration::ZERO => Duration::from_secs(5),
            threshold => threshold,
        }
    }
}

/// What an evaluation comes to.
enum Shown {
    /// Its result, as a line.
    Value(Vec<u8>),
    /// Its error.
    Error(Vec<u8>),
    /// The compiler's message.
    Refused(Vec<u8>),
}

impl Shown {
    fn of(evaluation: Evaluation<'_>, room: usize) -> Self {
        match evaluation {
            Evaluation::Returned(value) => Shown::Value(line_of(b"<retval> ", value, room)),
            Evaluation::Refused(message) => Shown::Refused(message.to_vec()),
            Evaluation::Late => Shown::Error(b"the evaluation took too long".to_vec()),
            Evaluation::Raised(value) => Shown::Error(match value.kind() {
                Kind::String => value.bytes().to_vec(),
                Kind::Number => g14(value.number()).to_vec(),
                // redis-server itself ends here, for it takes every error for a string.
                _ => line_of(b"", value, room),
            }),
        }
    }
}

fn line_of(prefix: &[u8], value: &mut dyn ValueReader, room: usize) -> Vec<u8> {
    let mut line = prefix.to_vec();
    values::append(value, room, &mut line);
    line
}

fn is_script(source: &[u8]) -> bool {
    source.windows(CHUNK.len()).any(|part| part == CHUNK)
}

impl Debugger<'_> {
    /// `trace` (`ldbTrace`).
    fn trace(&mut self, frame: &mut dyn Frame) {
        let mut depth = 0;
        while let Some(level) = frame.level(depth) {
            if is_script(level.source) {
                let word = if depth == 0 { &b"In "[..] } else { b"From " };
                let line = level.line;
                self.log([word, level.name.unwrap_or(b"top level"), b":"].concat());
                self.log(self.source.show(line));
            }
            depth += 1;
        }
        if depth == 0 {
            self.log(b"<error> Can't retrieve Lua stack.".to_vec());
        }
    }

    /// `maxlen` (`ldbMaxlen`).
    fn limit(&mut self, words: &[Vec<u8>]) {
        if let [word] = words {
            // Who uses this knows of it.
            self.hinted = true;
            self.max_len = match atoi(word) {
                0 => 0,
                // A negative length is beyond every length there is.
                wanted => usize::try_from(wanted.max(SHORTEST)).unwrap_or(LONGEST),
            };
        }
        self.log(if self.max_len > 0 {
            format!("<value> replies are truncated at {} bytes.", self.max_len).into_bytes()
        } else {
            b"<value> replies are unlimited.".to_vec()
        });
    }

    /// `break` (`ldbBreak`).
    fn edit_breakpoints(&mut self, words: &[Vec<u8>]) {
        if words.is_empty() {
            return self.show_breakpoints();
        }
        for word in words {
            let Some(line) = parse_i64(word) else {
                self.log([b"Invalid argument:'", c_str(word), b"'"].concat());
                continue;
            };
            // Lines are ints: of larger numbers the lower bits count.
            let low = line as i32;
            match line.signum() {
                0 => {
                    self.source.clear();
                    self.log(b"All breakpoints removed.".to_vec());
                }
                1 => match self.source.set(low) {
                    Ok(()) => self.log_lines(i64::from(low), 1),
                    Err(Unset::Full) => self.log(b"Too many breakpoints set.".to_vec()),
                    Err(Unset::Line) => self.log(b"Wrong line number.".to_vec()),
                },
                _ if self.source.unset(low.wrapping_neg()) => {
                    self.log(b"Breakpoint removed.".to_vec());
                }
                _ => self.log(b"No breakpoint in the specified line.".to_vec()),
            }
        }
    }

    fn show_breakpoints(&mut self) {
        let lines: Vec<Vec<u8>> =
            self.source.breakpoints().iter().map(|&at| self.source.show(at.into())).collect();
        if lines.is_empty() {
            return self.log(b"No breakpoints set. Use 'b <line>' to add one.".to_vec());
        }
        self.log(format!("{} breakpoints set:", lines.len()).into_bytes());
        lines.into_iter().for_each(|line| self.log(line));
    }

    /// `print` with a name: the innermost local of that name, or KEYS or ARGV (`ldbPrint`).
    fn print_variable(&mut self, frame: &mut dyn Frame, name: &[u8]) {
        let room = self.room();
        let mut line = None;
        let mut level = 0;
        while line.is_none() && frame.level(level).is_some() {
            let mut index = 1;
            let mut visit = |local: &[u8], value: &mut dyn ValueReader| {
                if line.is_none() && local == name {
                    line = Some(line_of(b"<value> ", value, room));
                }
            };
            while frame.local(level, index, &mut visit) {
                index += 1;
            }
            level += 1;
        }
        if line.is_none() && (name == b"KEYS" || name == b"ARGV") {
            frame.global(name, &mut |value| line = Some(line_of(b"<value> ", value, room)));
        }
        match line {
            Some(line) => self.log_value(line),
            None => self.log(b"No such variable.".to_vec()),
        }
    }

    /// `print`: the locals of the innermost function (`ldbPrintAll`).
    fn print_locals(&mut self, frame: &mut dyn Frame) {
        let room = self.room();
        let mut lines = Vec::new();
        let mut visit = |name: &[u8], value: &mut dyn ValueReader| {
            // `(*temporary)`, or as later versions of Lua call it.
            if !name.ends_with(b"temporary)") {
                lines.push(line_of(&[b"<value> ", name, b" = "].concat(), value, room));
            }
        };
        let mut index = 1;
        while frame.local(0, index, &mut visit) {
            index += 1;
        }
        if lines.is_empty() {
            self.log(b"No local variables in the current context.".to_vec());
        }
        lines.into_iter().for_each(|line| self.log_value(line));
    }

    /// `list`.
    fn list(&mut self, words: &[Vec<u8>]) {
        let line = words.first().map_or(0, |word| i64::from(atoi(word)));
        let line = if line > 0 { line } else { self.source.current() };
        self.log_lines(line, words.get(1).map_or(CONTEXT, |word| atoi(word)));
    }

    fn log_lines(&mut self, line: i64, context: i32) {
        self.source.around(line, context).into_iter().for_each(|line| self.log(line));
    }
}

/// Takes values and forgets them.
struct Nowhere;

impl ValueWriter for Nowhere {
    fn nil(&mut self) {}
    fn boolean(&mut self, _: bool) {}
    fn number(&mut self, _: f64) {}
    fn string(&mut self, _: &[u8]) {}
    fn null_pointer(&mut self) {}
    fn argument(&mut self, _: usize) {}
    fn table(&mut self, _: usize, _: usize) {}
    fn set_index(&mut self, _: i64) {}
    fn set_field(&mut self, _: &[u8]) {}
    fn set_pair(&mut self) {}
    fn room(&mut self, _: usize) -> bool {
        true
    }
    fn failed(&self) -> bool {
        false
    }
}

/// What `help` prints.
const HELP: &str = "\
Redis Lua debugger help:
[h]elp               Show this help.
[s]tep               Run current line and stop again.
[n]ext               Alias for step.
[c]ontinue           Run till next breakpoint.
[l]ist               List source code around current line.
[l]ist [line]        List source code around [line].
                     line = 0 means: current position.
[l]ist [line] [ctx]  In this form [ctx] specifies how many lines
                     to show before/after [line].
[w]hole              List all source code. Alias for 'list 1 1000000'.
[p]rint              Show all the local variables.
[p]rint <var>        Show the value of the specified variable.
                     Can also show global vars KEYS and ARGV.
[b]reak              Show all breakpoints.
[b]reak <line>       Add a breakpoint to the specified line.
[b]reak -<line>      Remove breakpoint from the specified line.
[b]reak 0            Remove all breakpoints.
[t]race              Show a backtrace.
[e]val <code>        Execute some Lua code (in a different callframe).
[r]edis <cmd>        Execute a Redis command.
[m]axlen [len]       Trim logged Redis replies and Lua var dumps to len.
                     Specifying zero as <len> means unlimited.
[a]bort              Stop the execution of the script. In sync
                     mode dataset changes will be retained.

Debugger functions you can call from Lua scripts:
redis.debug()        Produce logs in the debugger console.
redis.breakpoint()   Stop execution like if there was a breakpoint in the
                     next line of code.";
