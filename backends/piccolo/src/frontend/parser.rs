//! The grammar of Lua 5.1 (`lparser.c`): statements.
//!
//! Owns the order in which tokens are read and the wording of syntax errors. It must not know
//! how code is generated. Expressions are in `term`.

use std::rc::Rc;

use redlua_core::CompileError;

use super::World;
use super::ast::{Block, Expr, Function, Numeric, Stat, Suffix, Target, Tree, VarId};
use super::lexer::{Keyword, Lexer, SyntaxError, Token};
use super::scope::{Scopes, limit};

/// `LUAI_MAXCCALLS`: levels of blocks and expressions inside one another.
pub(super) const MAX_LEVELS: u32 = 200;

/// Reads a chunk.
///
/// # Errors
/// The message of Lua's compiler.
pub(super) fn parse(source: &[u8], name: &[u8], world: &World<'_>) -> Result<Tree, SyntaxError> {
    let mut parser = Parser {
        lexer: Lexer::new(source, name, world.wanted),
        scopes: Scopes::default(),
        levels: world.depth,
        nodes: world.room / NODE,
    };
    parser.scopes.current.vararg = true;
    parser.lexer.advance()?;
    let body = parser.block()?;
    parser.check(&Token::End)?;
    let main = Function {
        site: parser.scopes.site(),
        params: Vec::new(),
        vararg: true,
        arg: None,
        body,
        line: 0,
        last_line: parser.lexer.line,
    };
    Ok(Tree { main, vars: parser.scopes.vars, sites: parser.scopes.sites })
}

pub(super) struct Parser<'a> {
    pub(super) lexer: Lexer<'a>,
    pub(super) scopes: Scopes,
    pub(super) levels: u32,
    /// How many parts the tree may still get.
    nodes: usize,
}

pub(super) type Parsed<T> = Result<T, SyntaxError>;

/// What a statement or an expression takes, in the tree and as instructions.
const NODE: usize = 320;

impl Parser<'_> {
    /// Counts a part of the tree; the message is Lua's when memory is out.
    pub(super) fn grow(&mut self) -> Parsed<()> {
        match self.nodes.checked_sub(1) {
            Some(left) => {
                self.nodes = left;
                Ok(())
            }
            None => Err(CompileError::memory()),
        }
    }

    pub(super) fn enter_level(&mut self) -> Parsed<()> {
        self.levels += 1;
        if self.levels > MAX_LEVELS {
            return Err(self.lexer.error(b"chunk has too many syntax levels"));
        }
        Ok(())
    }

    pub(super) fn leave_level(&mut self) {
        self.levels -= 1;
    }

    pub(super) fn expected(&self, token: &Token) -> SyntaxError {
        self.lexer.error_near(&[b"'", token.text().as_slice(), b"' expected"].concat())
    }

    pub(super) fn check(&self, token: &Token) -> Parsed<()> {
        if self.lexer.token == *token { Ok(()) } else { Err(self.expected(token)) }
    }

    pub(super) fn test_next(&mut self, token: &Token) -> Parsed<bool> {
        let found = self.lexer.token == *token;
        if found {
            self.lexer.advance()?;
        }
        Ok(found)
    }

    pub(super) fn check_next(&mut self, token: &Token) -> Parsed<()> {
        self.check(token)?;
        self.lexer.advance()?;
        Ok(())
    }

    pub(super) fn check_match(&mut self, what: &Token, who: &Token, line: u32) -> Parsed<()> {
        if self.test_next(what)? {
            return Ok(());
        }
        if line == self.lexer.line {
            return Err(self.expected(what));
        }
        let line = line.to_string();
        let (what, who) = (what.text(), who.text());
        let parts: [&[u8]; 7] =
            [b"'", &what, b"' expected (to close '", &who, b"' at line ", line.as_bytes(), b")"];
        Err(self.lexer.error_near(&parts.concat()))
    }

    pub(super) fn check_name(&mut self) -> Parsed<Rc<[u8]>> {
        if !matches!(self.lexer.token, Token::Name(_)) {
            return Err(self.expected(&Token::Name(Rc::from(&b""[..]))));
        }
        match self.lexer.advance()? {
            Token::Name(name) => Ok(name),
            _ => Ok(Rc::from(&b""[..])),
        }
    }

    fn declare(&mut self, name: Rc<[u8]>) -> Parsed<VarId> {
        self.scopes.declare(name).map_err(|limit| self.lexer.error(&limit))
    }

    fn block_follows(&self) -> bool {
        use Keyword::{Else, Elseif, End, Until};
        matches!(self.lexer.token, Token::End | Token::Keyword(Else | Elseif | End | Until))
    }

    /// A block with a scope of its own.
    fn scoped_block(&mut self) -> Parsed<Block> {
        let level = self.scopes.level();
        let block = self.block();
        self.scopes.leave(level);
        block
    }

    /// Statements up to the end of the block; what they declare stays in sight.
    fn block(&mut self) -> Parsed<Block> {
        self.enter_level()?;
        let mut stats = Vec::new();
        let mut last = false;
        while !last && !self.block_follows() {
            let (stat, ends) = self.statement()?;
            stats.push(stat);
            last = ends;
            self.test_next(&Token::Char(b';'))?;
        }
        self.leave_level();
        Ok(Block { stats })
    }

    /// A statement, and whether it must be the last of its block.
    fn statement(&mut self) -> Parsed<(Stat, bool)> {
        self.grow()?;
        let line = self.lexer.line;
        let Token::Keyword(keyword) = self.lexer.token else {
            return Ok((self.expression_statement(line)?, false));
        };
        let stat = match keyword {
            Keyword::If => self.if_statement(line)?,
            Keyword::While => self.while_statement(line)?,
            Keyword::Do => {
                self.lexer.advance()?;
                let body = self.scoped_block()?;
                self.close(Keyword::End, Keyword::Do, line)?;
                Stat::Do(body)
            }
            Keyword::For => self.for_statement(line)?,
            Keyword::Repeat => self.repeat_statement(line)?,
            Keyword::Function => self.function_statement(line)?,
            Keyword::Local => {
                self.lexer.advance()?;
                if self.test_next(&Token::Keyword(Keyword::Function))? {
                    self.local_function(line)?
                } else {
                    self.local_statement(line)?
                }
            }
            Keyword::Return => return Ok((self.return_statement(line)?, true)),
            Keyword::Break => {
                self.lexer.advance()?;
                if self.scopes.current.loops == 0 {
                    return Err(self.lexer.error_near(b"no loop to break"));
                }
                return Ok((Stat::Break { line }, true));
            }
            _ => self.expression_statement(line)?,
        };
        Ok((stat, false))
    }

    fn close(&mut self, what: Keyword, who: Keyword, line: u32) -> Parsed<()> {
        self.check_match(&Token::Keyword(what), &Token::Keyword(who), line)
    }

    fn if_statement(&mut self, line: u32) -> Parsed<Stat> {
        let mut arms = Vec::new();
        loop {
            self.lexer.advance()?;
            let cond = self.expr()?;
            self.check_next(&Token::Keyword(Keyword::Then))?;
            arms.push((cond, self.scoped_block()?));
            if self.lexer.token != Token::Keyword(Keyword::Elseif) {
                break;
            }
        }
        let other = if self.test_next(&Token::Keyword(Keyword::Else))? {
            Some(self.scoped_block()?)
        } else {
            None
        };
        self.close(Keyword::End, Keyword::If, line)?;
        Ok(Stat::If { arms, other, line })
    }

    fn while_statement(&mut self, line: u32) -> Parsed<Stat> {
        self.lexer.advance()?;
        let cond = self.expr()?;
        self.scopes.current.loops += 1;
        self.check_next(&Token::Keyword(Keyword::Do))?;
        let body = self.scoped_block()?;
        self.close(Keyword::End, Keyword::While, line)?;
        self.scopes.current.loops -= 1;
        Ok(Stat::While { cond, body, line })
    }

    fn repeat_statement(&mut self, line: u32) -> Parsed<Stat> {
        self.scopes.current.loops += 1;
        self.lexer.advance()?;
        let level = self.scopes.level();
        let body = self.block()?;
        self.close(Keyword::Until, Keyword::Repeat, line)?;
        let cond = self.expr()?;
        self.scopes.leave(level);
        self.scopes.current.loops -= 1;
        Ok(Stat::Repeat { body, cond, line })
    }

    fn for_statement(&mut self, line: u32) -> Parsed<Stat> {
        self.lexer.advance()?;
        let name = self.check_name()?;
        let level = self.scopes.level();
        let stat = match &self.lexer.token {
            Token::Char(b'=') => self.numeric_for(name, line)?,
            Token::Char(b',') | Token::Keyword(Keyword::In) => self.generic_for(name)?,
            _ => return Err(self.lexer.error_near(b"'=' or 'in' expected")),
        };
        self.close(Keyword::End, Keyword::For, line)?;
        self.scopes.leave(level);
        self.scopes.unreserve(3);
        self.scopes.current.loops -= 1;
        Ok(stat)
    }

    fn numeric_for(&mut self, name: Rc<[u8]>, line: u32) -> Parsed<Stat> {
        self.scopes.reserve(3).map_err(|limit| self.lexer.error(&limit))?;
        let var = self.declare(name)?;
        self.check_next(&Token::Char(b'='))?;
        let start = self.expr()?;
        self.check_next(&Token::Char(b','))?;
        let limit = self.expr()?;
        let step = if self.test_next(&Token::Char(b','))? { Some(self.expr()?) } else { None };
        self.check_next(&Token::Keyword(Keyword::Do))?;
        self.scopes.current.loops += 1;
        self.scopes.activate(&[var]);
        let body = self.scoped_block()?;
        Ok(Stat::Numeric(Box::new(Numeric { var, start, limit, step, body, line })))
    }

    fn generic_for(&mut self, name: Rc<[u8]>) -> Parsed<Stat> {
        self.scopes.reserve(3).map_err(|limit| self.lexer.error(&limit))?;
        let mut vars = vec![self.declare(name)?];
        while self.test_next(&Token::Char(b','))? {
            let name = self.check_name()?;
            vars.push(self.declare(name)?);
        }
        self.check_next(&Token::Keyword(Keyword::In))?;
        let line = self.lexer.line;
        let exprs = self.expr_list()?;
        self.check_next(&Token::Keyword(Keyword::Do))?;
        self.scopes.current.loops += 1;
        self.scopes.activate(&vars);
        let body = self.scoped_block()?;
        Ok(Stat::Generic { vars, exprs, body, line })
    }

    fn function_statement(&mut self, line: u32) -> Parsed<Stat> {
        self.lexer.advance()?;
        let name = self.check_name()?;
        let head = self.resolve(&name)?;
        let mut suffixes = Vec::new();
        let mut method = false;
        while !method && matches!(self.lexer.token, Token::Char(b'.' | b':')) {
            method = self.lexer.token == Token::Char(b':');
            self.lexer.advance()?;
            let key = Expr::String(self.check_name()?);
            suffixes.push(Suffix::Index { key, line });
        }
        let target = if suffixes.is_empty() {
            head
        } else {
            Expr::Suffixed { head: Box::new(head), suffixes }
        };
        let function = Expr::Function(Box::new(self.body(method, line)?));
        let targets = self.assignable(target).into_iter().collect();
        Ok(Stat::Assign { targets, exprs: vec![function], line, end: line })
    }

    fn local_function(&mut self, line: u32) -> Parsed<Stat> {
        let name = self.check_name()?;
        let var = self.declare(name)?;
        self.scopes.activate(&[var]);
        let at = self.lexer.line;
        let function = Box::new(self.body(false, at)?);
        Ok(Stat::LocalFunction { var, function, line })
    }

    fn local_statement(&mut self, line: u32) -> Parsed<Stat> {
        let mut vars = Vec::new();
        loop {
            let name = self.check_name()?;
            vars.push(self.declare(name)?);
            if !self.test_next(&Token::Char(b','))? {
                break;
            }
        }
        let exprs =
            if self.test_next(&Token::Char(b'='))? { self.expr_list()? } else { Vec::new() };
        self.scopes.activate(&vars);
        Ok(Stat::Local { vars, exprs, line })
    }

    fn return_statement(&mut self, line: u32) -> Parsed<Stat> {
        self.lexer.advance()?;
        let exprs = if self.block_follows() || self.lexer.token == Token::Char(b';') {
            Vec::new()
        } else {
            self.expr_list()?
        };
        Ok(Stat::Return { exprs, line })
    }

    fn expression_statement(&mut self, line: u32) -> Parsed<Stat> {
        let expr = self.suffixed_expr()?;
        if expr.is_multi() {
            return Ok(Stat::Call { call: expr, line });
        }
        let mut targets = Vec::new();
        let mut next = expr;
        loop {
            let Some(target) = self.assignable(next) else {
                return Err(self.lexer.error_near(b"syntax error"));
            };
            targets.push(target);
            if !self.test_next(&Token::Char(b','))? {
                break;
            }
            next = self.suffixed_expr()?;
            let most = MAX_LEVELS.saturating_sub(self.levels);
            if targets.len() > most as usize {
                let line = self.scopes.current.line;
                let text = limit(line, most as usize, "variables in assignment");
                return Err(self.lexer.error(&text));
            }
        }
        self.check_next(&Token::Char(b'='))?;
        let exprs = self.expr_list()?;
        let end = self.lexer.last_line;
        Ok(Stat::Assign { targets, exprs, line, end })
    }

    /// The target that an expression denotes; remembers that a variable is assigned to.
    fn assignable(&mut self, expr: Expr) -> Option<Target> {
        let target = Target::from_expr(expr)?;
        if let Target::Local(id) | Target::Upvalue(id) = &target
            && let Some(var) = self.scopes.vars.get_mut(id.0)
        {
            var.assigned = true;
        }
        Some(target)
    }

    pub(super) fn resolve(&mut self, name: &Rc<[u8]>) -> Parsed<Expr> {
        self.scopes.resolve(name).map_err(|limit| self.lexer.error(&limit))
    }

    /// Parameters and statements of a function whose keyword was read.
    pub(super) fn body(&mut self, method: bool, line: u32) -> Parsed<Function> {
        self.scopes.open(line);
        self.check_next(&Token::Char(b'('))?;
        let mut params = Vec::new();
        if method {
            let own = self.declare(Rc::from(&b"self"[..]))?;
            self.scopes.activate(&[own]);
            params.push(own);
        }
        let arg = self.parameters(&mut params)?;
        self.check_next(&Token::Char(b')'))?;
        let body = self.block()?;
        let last_line = self.lexer.line;
        self.close(Keyword::End, Keyword::Function, line)?;
        let scope = self.scopes.close();
        Ok(Function {
            site: self.scopes.site(),
            params,
            vararg: scope.vararg,
            arg: arg.map(|arg| (arg, scope.needs_arg)),
            body,
            line,
            last_line,
        })
    }

    fn parameters(&mut self, params: &mut Vec<VarId>) -> Parsed<Option<VarId>> {
        let mut declared = Vec::new();
        let mut arg = None;
        if self.lexer.token != Token::Char(b')') {
            loop {
                match &self.lexer.token {
                    Token::Name(_) => {
                        let name = self.check_name()?;
                        declared.push(self.declare(name)?);
                    }
                    Token::Dots => {
                        self.lexer.advance()?;
                        arg = Some(self.declare(Rc::from(&b"arg"[..]))?);
                        self.scopes.current.vararg = true;
                        self.scopes.current.needs_arg = true;
                    }
                    _ => return Err(self.lexer.error_near(b"<name> or '...' expected")),
                }
                if arg.is_some() || !self.test_next(&Token::Char(b','))? {
                    break;
                }
            }
        }
        params.extend_from_slice(&declared);
        declared.extend(arg);
        self.scopes.activate(&declared);
        Ok(arg)
    }
}
