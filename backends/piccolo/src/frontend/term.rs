//! The grammar of Lua 5.1 (`lparser.c`): expressions.
//!
//! Owns priorities, suffixes and constructors. It must not know how code is generated.

use super::ast::{BinaryOp, Constructor, Expr, Field, Operand, Suffix, UnaryOp};
use super::lexer::{Keyword, Token};
use super::parser::{Parsed, Parser};

/// `UNARY_PRIORITY`.
const UNARY: u8 = 8;

/// An operator with its priorities to the left and to the right.
fn binary_op(token: &Token) -> Option<(BinaryOp, u8, u8)> {
    Some(match token {
        Token::Char(b'+') => (BinaryOp::Add, 6, 6),
        Token::Char(b'-') => (BinaryOp::Sub, 6, 6),
        Token::Char(b'*') => (BinaryOp::Mul, 7, 7),
        Token::Char(b'/') => (BinaryOp::Div, 7, 7),
        Token::Char(b'%') => (BinaryOp::Mod, 7, 7),
        Token::Char(b'^') => (BinaryOp::Pow, 10, 9),
        Token::Concat => (BinaryOp::Concat, 5, 4),
        Token::NotEqual => (BinaryOp::NotEqual, 3, 3),
        Token::Equal => (BinaryOp::Equal, 3, 3),
        Token::Char(b'<') => (BinaryOp::Less, 3, 3),
        Token::LessEqual => (BinaryOp::LessEqual, 3, 3),
        Token::Char(b'>') => (BinaryOp::Greater, 3, 3),
        Token::GreaterEqual => (BinaryOp::GreaterEqual, 3, 3),
        Token::Keyword(Keyword::And) => (BinaryOp::And, 2, 2),
        Token::Keyword(Keyword::Or) => (BinaryOp::Or, 1, 1),
        _ => return None,
    })
}

impl Parser<'_> {
    pub(super) fn expr_list(&mut self) -> Parsed<Vec<Expr>> {
        let mut exprs = vec![self.expr()?];
        while self.test_next(&Token::Char(b','))? {
            exprs.push(self.expr()?);
        }
        Ok(exprs)
    }

    pub(super) fn expr(&mut self) -> Parsed<Expr> {
        self.sub_expr(0)
    }

    /// An expression whose operators bind more tightly than `limit`.
    fn sub_expr(&mut self, limit: u8) -> Parsed<Expr> {
        self.grow()?;
        self.enter_level()?;
        let unary = match &self.lexer.token {
            Token::Keyword(Keyword::Not) => Some(UnaryOp::Not),
            Token::Char(b'-') => Some(UnaryOp::Minus),
            Token::Char(b'#') => Some(UnaryOp::Length),
            _ => None,
        };
        let first = match unary {
            Some(op) => {
                self.lexer.advance()?;
                let operand = self.sub_expr(UNARY)?;
                self.unary(op, operand)
            }
            None => self.simple_expr()?,
        };
        let mut rest: Vec<Operand> = Vec::new();
        while let Some((op, left, right)) = binary_op(&self.lexer.token)
            && left > limit
        {
            self.lexer.advance()?;
            let right = self.sub_expr(right)?;
            rest.push(Operand { op, right, line: self.lexer.last_line });
        }
        self.leave_level();
        if rest.is_empty() {
            return Ok(first);
        }
        Ok(Expr::Binary { first: Box::new(first), rest })
    }

    /// A unary operation; that of a constant number is one too (`lcode.c constfolding`).
    fn unary(&self, op: UnaryOp, operand: Expr) -> Expr {
        match (op, &operand) {
            (UnaryOp::Minus, Expr::Number(number)) if !number.is_nan() => Expr::Number(-number),
            _ => Expr::Unary { op, operand: Box::new(operand), line: self.lexer.last_line },
        }
    }

    fn simple_expr(&mut self) -> Parsed<Expr> {
        let expr = match &self.lexer.token {
            Token::Number(number) => Expr::Number(*number),
            Token::String(text) => Expr::String(text.clone()),
            Token::Keyword(Keyword::Nil) => Expr::Nil,
            Token::Keyword(Keyword::True) => Expr::True,
            Token::Keyword(Keyword::False) => Expr::False,
            Token::Dots => {
                if !self.scopes.current.vararg {
                    let message = b"cannot use '...' outside a vararg function";
                    return Err(self.lexer.error_near(message));
                }
                self.scopes.current.needs_arg = false;
                Expr::Vararg
            }
            Token::Char(b'{') => return self.constructor(),
            Token::Keyword(Keyword::Function) => {
                self.lexer.advance()?;
                let line = self.lexer.line;
                return Ok(Expr::Function(Box::new(self.body(false, line)?)));
            }
            _ => return self.suffixed_expr(),
        };
        self.lexer.advance()?;
        Ok(expr)
    }

    fn prefix_expr(&mut self) -> Parsed<Expr> {
        match &self.lexer.token {
            Token::Char(b'(') => {
                let line = self.lexer.line;
                self.lexer.advance()?;
                let inner = self.expr()?;
                self.check_match(&Token::Char(b')'), &Token::Char(b'('), line)?;
                Ok(Expr::Paren(Box::new(inner)))
            }
            Token::Name(_) => {
                let name = self.check_name()?;
                self.resolve(&name)
            }
            _ => Err(self.lexer.error_near(b"unexpected symbol")),
        }
    }

    pub(super) fn suffixed_expr(&mut self) -> Parsed<Expr> {
        let head = self.prefix_expr()?;
        let mut suffixes = Vec::new();
        loop {
            self.grow()?;
            let suffix = match &self.lexer.token {
                Token::Char(b'.') => {
                    self.lexer.advance()?;
                    let key = Expr::String(self.check_name()?);
                    Suffix::Index { key, line: self.lexer.last_line }
                }
                Token::Char(b'[') => {
                    let key = self.bracketed_key()?;
                    Suffix::Index { key, line: self.lexer.last_line }
                }
                Token::Char(b':') => {
                    self.lexer.advance()?;
                    let name = self.check_name()?;
                    let line = self.lexer.line;
                    let args = self.call_args()?;
                    Suffix::Method { name, args, line }
                }
                Token::Char(b'(' | b'{') | Token::String(_) => {
                    let line = self.lexer.line;
                    let args = self.call_args()?;
                    Suffix::Call { args, line }
                }
                _ => break,
            };
            suffixes.push(suffix);
        }
        if suffixes.is_empty() {
            return Ok(head);
        }
        Ok(Expr::Suffixed { head: Box::new(head), suffixes })
    }

    fn bracketed_key(&mut self) -> Parsed<Expr> {
        self.lexer.advance()?;
        let key = self.expr()?;
        self.check_next(&Token::Char(b']'))?;
        Ok(key)
    }

    fn call_args(&mut self) -> Parsed<Vec<Expr>> {
        let line = self.lexer.line;
        match &self.lexer.token {
            Token::Char(b'(') => {
                if line != self.lexer.last_line {
                    let message = b"ambiguous syntax (function call x new statement)";
                    return Err(self.lexer.error_near(message));
                }
                self.lexer.advance()?;
                let args = if self.lexer.token == Token::Char(b')') {
                    Vec::new()
                } else {
                    self.expr_list()?
                };
                self.check_match(&Token::Char(b')'), &Token::Char(b'('), line)?;
                Ok(args)
            }
            Token::Char(b'{') => Ok(vec![self.constructor()?]),
            Token::String(text) => {
                let text = Expr::String(text.clone());
                self.lexer.advance()?;
                Ok(vec![text])
            }
            _ => Err(self.lexer.error_near(b"function arguments expected")),
        }
    }

    fn constructor(&mut self) -> Parsed<Expr> {
        let line = self.lexer.line;
        self.check_next(&Token::Char(b'{'))?;
        let mut fields = Vec::new();
        while self.lexer.token != Token::Char(b'}') {
            let record = match &self.lexer.token {
                Token::Name(_) => *self.lexer.look_ahead()? == Token::Char(b'='),
                _ => false,
            };
            let field = if record {
                let key = Expr::String(self.check_name()?);
                self.check_next(&Token::Char(b'='))?;
                Field::Pair(key, self.expr()?)
            } else if self.lexer.token == Token::Char(b'[') {
                let key = self.bracketed_key()?;
                self.check_next(&Token::Char(b'='))?;
                Field::Pair(key, self.expr()?)
            } else {
                Field::Item(self.expr()?)
            };
            fields.push(field);
            let more = self.test_next(&Token::Char(b','))? || self.test_next(&Token::Char(b';'))?;
            if !more {
                break;
            }
        }
        self.check_match(&Token::Char(b'}'), &Token::Char(b'{'), line)?;
        let site = self.scopes.site();
        Ok(Expr::Table(Box::new(Constructor { site, fields, line: self.lexer.last_line })))
    }
}
