//! How functions count the calls around them.
//!
//! Owns the judgement which code never calls a function of Lua: a function of such code needs no
//! count. Functions that call nothing but one another give the count from hand to hand, because
//! nobody else can ask for it meanwhile. All others share it. It must not know instructions.

use super::Known;
use super::ast::{BinaryOp, Block, Expr, Field, Function, SiteId, Stat, Suffix, Target, UnaryOp};
use super::facts::{Count, Facts, Link, Made};
use super::kinds::{Kinds, Value};

/// Rounds before it is left at the shared count.
const ROUNDS: usize = 10;

impl Facts<'_> {
    /// Decides for each function how it counts; `called` is what the text calls.
    pub(super) fn count_calls(&mut self, functions: &[&Function], called: &[Value]) {
        let quiet = functions.iter().map(|function| self.is_quiet(&function.body));
        let quiet: Vec<bool> = quiet.collect();
        for (function, quiet) in functions.iter().zip(quiet) {
            let Some(site) = self.sites.get_mut(function.site.0) else { continue };
            let known = matches!(&site.made, Made::Function(signature) if !signature.vararg);
            if quiet {
                site.count = Count::None;
            } else if known && !site.escaped {
                site.count = Count::Given;
            }
        }
        for _ in 0..ROUNDS {
            let mut sharing = Vec::new();
            // Each call must know whether it gives a count.
            for value in called.iter().filter(|value| !self.counts(value, &[Count::Given])) {
                sharing.extend_from_slice(&value.sites);
            }
            for function in functions {
                if !self.is_quiet(&function.body) {
                    sharing.push(function.site);
                }
            }
            if !self.share(&sharing) {
                return;
            }
        }
        let all: Vec<_> = functions.iter().map(|function| function.site).collect();
        self.share(&all);
    }

    /// Has functions share the count that were to be given it; whether there are such.
    fn share(&mut self, sites: &[SiteId]) -> bool {
        let mut some = false;
        for id in sites {
            if let Some(site) = self.sites.get_mut(id.0)
                && site.count == Count::Given
            {
                site.count = Count::Shared;
                some = true;
            }
        }
        some
    }

    /// Whether a block never calls a function of Lua that shares the count, not even by way of a
    /// metamethod.
    fn is_quiet(&self, block: &Block) -> bool {
        block.stats.iter().all(|stat| self.quiet_stat(stat))
    }

    fn quiet_stat(&self, stat: &Stat) -> bool {
        match stat {
            Stat::Local { exprs, .. } | Stat::Return { exprs, .. } => self.quiet_all(exprs),
            Stat::LocalFunction { .. } | Stat::Break { .. } => true,
            Stat::Assign { targets, exprs, .. } => {
                self.quiet_all(exprs) && targets.iter().all(|target| self.quiet_target(target))
            }
            Stat::Call { call, .. } => self.quiet(call),
            Stat::Do(body) => self.is_quiet(body),
            Stat::While { cond, body, .. } | Stat::Repeat { body, cond, .. } => {
                self.quiet(cond) && self.is_quiet(body)
            }
            Stat::If { arms, other, .. } => {
                arms.iter().all(|(cond, body)| self.quiet(cond) && self.is_quiet(body))
                    && other.as_ref().is_none_or(|other| self.is_quiet(other))
            }
            Stat::Numeric(numeric) => {
                let bounds = [&numeric.start, &numeric.limit].into_iter().chain(&numeric.step);
                bounds.into_iter().all(|bound| self.quiet(bound)) && self.is_quiet(&numeric.body)
            }
            Stat::Generic { .. } => false,
        }
    }

    fn quiet_target(&self, target: &Target) -> bool {
        match target {
            Target::Local(_) | Target::Upvalue(_) | Target::Global(_) => true,
            Target::Index { table, key, .. } => {
                self.quiet(table) && self.quiet(key) && self.is_plain(&self.value(table))
            }
        }
    }

    fn quiet_all(&self, exprs: &[Expr]) -> bool {
        exprs.iter().all(|expr| self.quiet(expr))
    }

    /// Whether a value has no metatable but that of strings.
    fn is_plain(&self, value: &Value) -> bool {
        value.kinds.within(Kinds::PLAIN) || self.all_tables(value, |site, _| !site.escaped)
    }

    fn quiet(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Nil
            | Expr::True
            | Expr::False
            | Expr::Number(_)
            | Expr::String(_)
            | Expr::Vararg
            | Expr::Function(_)
            | Expr::Local(_)
            | Expr::Upvalue(_)
            | Expr::Global(_) => true,
            Expr::Paren(inner) => self.quiet(inner),
            Expr::Suffixed { head, suffixes } => {
                let mut link = self.head(head);
                self.quiet(head)
                    && suffixes.iter().enumerate().all(|(place, suffix)| {
                        let quiet = self.quiet_suffix(&link, suffix);
                        link = self.link(&link, head, place, suffix);
                        quiet
                    })
            }
            Expr::Table(table) => table.fields.iter().all(|field| match field {
                Field::Item(item) => self.quiet(item),
                Field::Pair(key, item) => self.quiet(key) && self.quiet(item),
            }),
            Expr::Unary { op, operand, .. } => {
                let plain = *op == UnaryOp::Not || self.is_plain(&self.value(operand));
                plain && self.quiet(operand)
            }
            Expr::Binary { first, rest } => {
                let mut left = self.value(first);
                self.quiet(first)
                    && rest.iter().all(|operand| {
                        let logical = matches!(operand.op, BinaryOp::And | BinaryOp::Or);
                        let right = self.value(&operand.right);
                        let plain = self.is_plain(&left) && self.is_plain(&right);
                        left = self.operation(std::mem::take(&mut left), operand);
                        (logical || plain) && self.quiet(&operand.right)
                    })
            }
        }
    }

    fn quiet_suffix(&self, link: &Link, suffix: &Suffix) -> bool {
        match suffix {
            // The tables of the environment have metamethods of the host.
            Suffix::Index { key, .. } => {
                let own = link.known == Known::Table || self.is_plain(&link.value);
                own && self.quiet(key)
            }
            Suffix::Call { args, .. } => {
                let ways = [Count::None, Count::Given];
                let quiet = link.known.is_pure() || self.counts(&link.value, &ways);
                quiet && self.quiet_all(args)
            }
            Suffix::Method { name, args, .. } => {
                self.method(&link.value, name).known.is_pure() && self.quiet_all(args)
            }
        }
    }
}
