//! The grammar, as `lparser.c` of Lua 5.1 follows it.
//!
//! Owns what may stand where and the messages when something else does. Must not know
//! characters.

use super::lexer::{Lexer, Token, describe};
use super::{Edit, Target};
use Token::{Char, Word};

/// `LUAI_MAXCCALLS`: blocks and expressions inside one another.
const LEVELS: usize = 200;
/// `LUAI_MAXVARS`.
const LOCALS: usize = 200;
/// How many there may be one after the other (`registerlocalvar`), of which no message tells where.
const DECLARED: usize = i16::MAX as usize;
/// `LUAI_MAXUPVALUES`.
const UPVALUES: usize = 60;
/// The priority of unary operators.
const UNARY: u8 = 8;

type Result<T> = std::result::Result<T, Vec<u8>>;

/// Checks a chunk; returns what has to be written in another way, and how many tokens there are.
pub(super) fn check<'a>(lexer: Lexer<'a>, target: &'a Target) -> Result<(Vec<Edit>, usize)> {
    let main = Function { vararg: true, ..Function::default() };
    let mut parser = Parser {
        lexer,
        target,
        level: 0,
        current: main,
        outer: Vec::new(),
        last_kind: Kind::Other,
    };
    parser.lexer.next()?;
    parser.chunk()?;
    parser.check(Token::End)?;
    Ok((parser.lexer.edits, parser.lexer.tokens))
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    target: &'a Target,
    level: usize,
    /// The function that is being read, and those around it, the innermost last.
    current: Function<'a>,
    outer: Vec<Function<'a>>,
    /// What the last `primary` was.
    last_kind: Kind,
}

/// A function that is being read (`FuncState`).
#[derive(Default)]
struct Function<'a> {
    line: usize,
    vararg: bool,
    locals: Vec<&'a [u8]>,
    /// All that there have been.
    declared: usize,
    upvalues: Vec<&'a [u8]>,
    /// Loops around the statement.
    loops: usize,
}

/// What an expression is, as far as a statement may begin with it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Variable,
    Call,
    Other,
}

impl<'a> Parser<'a> {
    fn token(&self) -> Token {
        self.lexer.token
    }

    fn next(&mut self) -> Result<()> {
        self.lexer.next()
    }

    fn test_next(&mut self, token: Token) -> Result<bool> {
        let found = self.token() == token;
        if found {
            self.next()?;
        }
        Ok(found)
    }

    fn expected(&self, token: Token) -> Vec<u8> {
        let what = String::from_utf8_lossy(&describe(token)).into_owned();
        self.lexer.error(&format!("'{what}' expected"))
    }

    fn check(&self, token: Token) -> Result<()> {
        if self.token() == token { Ok(()) } else { Err(self.expected(token)) }
    }

    fn check_next(&mut self, token: Token) -> Result<()> {
        self.check(token)?;
        self.next()
    }

    fn check_match(&mut self, what: Token, who: Token, line: usize) -> Result<()> {
        if self.test_next(what)? {
            return Ok(());
        }
        if line == self.lexer.line {
            return Err(self.expected(what));
        }
        let show = |token| String::from_utf8_lossy(&describe(token)).into_owned();
        Err(self.lexer.error(&format!(
            "'{}' expected (to close '{}' at line {line})",
            show(what),
            show(who)
        )))
    }

    fn name(&mut self) -> Result<&'a [u8]> {
        self.check(Token::Name)?;
        let name = self.lexer.word();
        self.next()?;
        Ok(name)
    }

    fn enter(&mut self) -> Result<()> {
        self.level += 1;
        if self.level > LEVELS {
            return Err(self.lexer.error_near("chunk has too many syntax levels", None));
        }
        Ok(())
    }

    /// `errorlimit`.
    fn limit(&self, line: usize, limit: usize, what: &str) -> Vec<u8> {
        let whose =
            if line == 0 { "main function".to_owned() } else { format!("function at line {line}") };
        self.lexer.error_near(&format!("{whose} has more than {limit} {what}"), None)
    }

    /// `new_localvar`; `pending` are those of the same statement.
    fn declare(&mut self, names: &[&'a [u8]]) -> Result<()> {
        let function = &mut self.current;
        function.declared += 1;
        if function.declared > DECLARED {
            return Err(b"too many local variables".to_vec());
        }
        if function.locals.len() + names.len() > LOCALS {
            let line = function.line;
            return Err(self.limit(line, LOCALS, "local variables"));
        }
        Ok(())
    }

    /// `singlevar`: upvalues are counted in every function that hands them on.
    fn variable(&mut self, name: &'a [u8]) -> Result<()> {
        if self.current.locals.contains(&name) {
            return Ok(());
        }
        let Some(owner) = self.outer.iter().rposition(|f| f.locals.contains(&name)) else {
            return Ok(());
        };
        let mut full = None;
        let between = self.outer.iter_mut().skip(owner + 1);
        for function in between.chain([&mut self.current]) {
            if !function.upvalues.contains(&name) {
                function.upvalues.push(name);
                if function.upvalues.len() > UPVALUES {
                    full = Some(function.line);
                    break;
                }
            }
        }
        match full {
            Some(line) => Err(self.limit(line, UPVALUES, "upvalues")),
            None => Ok(()),
        }
    }

    fn block_follows(&self) -> bool {
        matches!(self.token(), Word("else" | "elseif" | "end" | "until") | Token::End)
    }

    fn chunk(&mut self) -> Result<()> {
        self.enter()?;
        let mut last = false;
        while !last && !self.block_follows() {
            last = self.statement()?;
            self.test_next(Char(b';'))?;
        }
        self.level -= 1;
        Ok(())
    }

    /// A chunk whose locals end with it.
    fn block(&mut self) -> Result<()> {
        let locals = self.current.locals.len();
        self.chunk()?;
        self.current.locals.truncate(locals);
        Ok(())
    }

    fn loop_block(&mut self) -> Result<()> {
        self.current.loops += 1;
        self.block()?;
        self.current.loops -= 1;
        Ok(())
    }

    fn statement(&mut self) -> Result<bool> {
        let line = self.lexer.line;
        match self.token() {
            Word("if") => self.if_statement(line)?,
            Word("while") => {
                self.next()?;
                self.expression()?;
                self.check_next(Word("do"))?;
                self.loop_block()?;
                self.check_match(Word("end"), Word("while"), line)?;
            }
            Word("do") => {
                self.next()?;
                self.block()?;
                self.check_match(Word("end"), Word("do"), line)?;
            }
            Word("for") => self.for_statement(line)?,
            Word("repeat") => {
                self.next()?;
                let locals = self.current.locals.len();
                self.current.loops += 1;
                self.chunk()?;
                self.check_match(Word("until"), Word("repeat"), line)?;
                self.expression()?;
                self.current.loops -= 1;
                self.current.locals.truncate(locals);
            }
            Word("function") => {
                self.next()?;
                let name = self.name()?;
                self.variable(name)?;
                let mut method = false;
                while self.token() == Char(b'.') {
                    self.next()?;
                    self.name()?;
                }
                if self.token() == Char(b':') {
                    self.next()?;
                    self.name()?;
                    method = true;
                }
                self.body(method, line)?;
            }
            Word("local") => {
                self.next()?;
                if self.test_next(Word("function"))? {
                    let name = self.name()?;
                    self.declare(&[name])?;
                    self.current.locals.push(name);
                    let line = self.lexer.line;
                    self.body(false, line)?;
                } else {
                    self.local_statement()?;
                }
            }
            Word("return") => {
                self.next()?;
                if !self.block_follows() && self.token() != Char(b';') {
                    self.expressions()?;
                }
                return Ok(true);
            }
            Word("break") => {
                self.next()?;
                if self.current.loops == 0 {
                    return Err(self.lexer.error("no loop to break"));
                }
                return Ok(true);
            }
            _ => {
                if self.primary()? != Kind::Call {
                    // The kind of the expression is looked at in `assignment`.
                    return self.assignment_after(1).map(|()| false);
                }
            }
        }
        Ok(false)
    }

    fn if_statement(&mut self, line: usize) -> Result<()> {
        loop {
            self.next()?;
            self.expression()?;
            self.check_next(Word("then"))?;
            self.block()?;
            if self.token() != Word("elseif") {
                break;
            }
        }
        if self.test_next(Word("else"))? {
            self.block()?;
        }
        self.check_match(Word("end"), Word("if"), line)
    }

    fn for_statement(&mut self, line: usize) -> Result<()> {
        self.next()?;
        let mut names = vec![self.name()?];
        // Three or so that have no name.
        let hidden: [&'a [u8]; 3] = [b"(for)"; 3];
        match self.token() {
            Char(b'=') => {
                self.next()?;
                self.expression()?;
                self.check_next(Char(b','))?;
                self.expression()?;
                if self.test_next(Char(b','))? {
                    self.expression()?;
                }
            }
            Char(b',') | Word("in") => {
                while self.test_next(Char(b','))? {
                    names.push(self.name()?);
                    self.declare(&names)?;
                }
                self.check_next(Word("in"))?;
                self.expressions()?;
            }
            _ => return Err(self.lexer.error("'=' or 'in' expected")),
        }
        self.check_next(Word("do"))?;
        let locals = self.current.locals.len();
        self.current.declared += hidden.len();
        names.extend(hidden);
        self.declare(&names)?;
        self.current.locals.extend(names);
        self.loop_block()?;
        self.current.locals.truncate(locals);
        self.check_match(Word("end"), Word("for"), line)
    }

    fn local_statement(&mut self) -> Result<()> {
        let mut names = Vec::new();
        loop {
            names.push(self.name()?);
            self.declare(&names)?;
            if !self.test_next(Char(b','))? {
                break;
            }
        }
        if self.test_next(Char(b'='))? {
            self.expressions()?;
        }
        self.current.locals.extend(names);
        Ok(())
    }

    /// What follows the first expression of a statement that is no call (`assignment`).
    fn assignment_after(&mut self, count: usize) -> Result<()> {
        if self.last_kind != Kind::Variable {
            return Err(self.lexer.error("syntax error"));
        }
        if self.test_next(Char(b','))? {
            self.primary()?;
            if count + self.level > LEVELS {
                let line = self.current.line;
                return Err(self.limit(line, LEVELS - self.level, "variables in assignment"));
            }
            return self.assignment_after(count + 1);
        }
        self.check_next(Char(b'='))?;
        self.expressions()
    }

    fn body(&mut self, method: bool, line: usize) -> Result<()> {
        let inner = Function { line: line.max(1), ..Function::default() };
        self.outer.push(std::mem::replace(&mut self.current, inner));
        self.check_next(Char(b'('))?;
        if method {
            self.current.locals.push(b"self");
        }
        let mut names = Vec::new();
        if self.token() != Char(b')') {
            loop {
                match self.token() {
                    Token::Name => {
                        names.push(self.name()?);
                        self.declare(&names)?;
                    }
                    Word("...") => {
                        self.next()?;
                        self.current.vararg = true;
                    }
                    _ => return Err(self.lexer.error("<name> or '...' expected")),
                }
                if self.current.vararg || !self.test_next(Char(b','))? {
                    break;
                }
            }
        }
        self.current.locals.extend(names);
        self.check_next(Char(b')'))?;
        self.chunk()?;
        self.check_match(Word("end"), Word("function"), line)?;
        self.current = self.outer.pop().unwrap_or_default();
        Ok(())
    }

    fn expressions(&mut self) -> Result<()> {
        loop {
            self.expression()?;
            if !self.test_next(Char(b','))? {
                return Ok(());
            }
        }
    }

    fn expression(&mut self) -> Result<()> {
        self.operand(0)
    }

    /// `subexpr`.
    fn operand(&mut self, limit: u8) -> Result<()> {
        self.enter()?;
        let start = self.lexer.start;
        match self.token() {
            Word("not") | Char(b'#') => {
                self.next()?;
                self.operand(UNARY)?;
            }
            Char(b'-') => {
                self.next()?;
                self.negative_zero()?;
                self.operand(UNARY)?;
            }
            _ => self.simple()?,
        }
        while let Some((left, right)) = priorities(self.token()) {
            if left <= limit {
                break;
            }
            let float = matches!(self.token(), Char(b'/' | b'^'));
            self.next()?;
            self.operand(right)?;
            if float && let Some(function) = self.target.integers {
                let end = self.lexer.last_end;
                self.lexer.edit(start, start, format!("{function}("))?;
                self.lexer.edit(end, end, *b")")?;
            }
        }
        self.level -= 1;
        Ok(())
    }

    /// The zero in `-0` must be a float where integers have no sign of zero.
    fn negative_zero(&mut self) -> Result<()> {
        let zero = self.lexer.word().iter().all(|byte| matches!(byte, b'0' | b'.'));
        if self.token() == Token::Number && self.target.integers.is_some() && zero {
            let (start, end) = (self.lexer.start, self.lexer.end);
            self.lexer.edits.retain(|edit| edit.start != start || edit.end != end);
            return self.lexer.edit(start, end, *b"0.0");
        }
        Ok(())
    }

    fn simple(&mut self) -> Result<()> {
        match self.token() {
            Token::Number | Token::String | Word("nil" | "true" | "false") => self.next(),
            Word("...") => {
                if !self.current.vararg {
                    let message = "cannot use '...' outside a vararg function";
                    return Err(self.lexer.error(message));
                }
                self.next()
            }
            Char(b'{') => self.constructor(),
            Word("function") => {
                self.next()?;
                let line = self.lexer.line;
                self.body(false, line)
            }
            _ => self.primary().map(drop),
        }
    }

    /// `primaryexp`.
    fn primary(&mut self) -> Result<Kind> {
        let mut kind = match self.token() {
            Token::Name => {
                let name = self.name()?;
                self.variable(name)?;
                Kind::Variable
            }
            Char(b'(') => {
                let line = self.lexer.line;
                self.next()?;
                self.expression()?;
                self.check_match(Char(b')'), Char(b'('), line)?;
                Kind::Other
            }
            _ => return Err(self.lexer.error("unexpected symbol")),
        };
        loop {
            match self.token() {
                Char(b'.') => {
                    self.next()?;
                    self.name()?;
                    kind = Kind::Variable;
                }
                Char(b'[') => {
                    self.index()?;
                    kind = Kind::Variable;
                }
                Char(b':') => {
                    self.next()?;
                    self.name()?;
                    self.arguments()?;
                    kind = Kind::Call;
                }
                Char(b'(' | b'{') | Token::String => {
                    self.arguments()?;
                    kind = Kind::Call;
                }
                _ => {
                    self.last_kind = kind;
                    return Ok(kind);
                }
            }
        }
    }

    fn index(&mut self) -> Result<()> {
        self.next()?;
        self.expression()?;
        self.check_next(Char(b']'))
    }

    fn arguments(&mut self) -> Result<()> {
        let line = self.lexer.line;
        match self.token() {
            Char(b'(') => {
                if line != self.lexer.last_line {
                    let message = "ambiguous syntax (function call x new statement)";
                    return Err(self.lexer.error(message));
                }
                self.next()?;
                if self.token() != Char(b')') {
                    self.expressions()?;
                }
                self.check_match(Char(b')'), Char(b'('), line)
            }
            Char(b'{') => self.constructor(),
            Token::String => self.next(),
            _ => Err(self.lexer.error("function arguments expected")),
        }
    }

    fn constructor(&mut self) -> Result<()> {
        let line = self.lexer.line;
        self.check_next(Char(b'{'))?;
        while self.token() != Char(b'}') {
            match self.token() {
                Token::Name => {
                    if self.lexer.look_ahead()? == Char(b'=') {
                        self.next()?;
                        self.next()?;
                    }
                    self.expression()?;
                }
                Char(b'[') => {
                    self.index()?;
                    self.check_next(Char(b'='))?;
                    self.expression()?;
                }
                _ => self.expression()?,
            }
            if !self.test_next(Char(b','))? && !self.test_next(Char(b';'))? {
                break;
            }
        }
        self.check_match(Char(b'}'), Char(b'{'), line)
    }
}

/// The priorities of a binary operator to its left and to its right.
fn priorities(token: Token) -> Option<(u8, u8)> {
    Some(match token {
        Char(b'+' | b'-') => (6, 6),
        Char(b'*' | b'/' | b'%') => (7, 7),
        Char(b'^') => (10, 9),
        Word("..") => (5, 4),
        Word("~=" | "==" | "<=" | ">=") | Char(b'<' | b'>') => (3, 3),
        Word("and") => (2, 2),
        Word("or") => (1, 1),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
