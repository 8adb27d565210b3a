//! What is known of variables, of the functions and of the tables of a text, and what follows
//! from it for an expression.
//!
//! Owns the record that inference fills in, and the reading of it. It must not know statements.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use super::ast::{BinaryOp, Expr, Operand, SiteId, Suffix, UnaryOp, Var, VarId};
use super::kinds::{Kinds, Value};
use super::{Known, World};

/// A function or a constructor of the text.
#[derive(Debug, Default)]
pub(super) struct Site {
    /// Whether code outside of the text, or code that cannot be told, gets what is made here: it
    /// may call the function with anything and do anything to the table.
    pub(super) escaped: bool,
    pub(super) count: Count,
    pub(super) made: Made,
}

/// How a function counts the calls around it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Count {
    /// In an upvalue that all functions share.
    #[default]
    Shared,
    /// Its caller gives it the count before all arguments.
    Given,
    /// Not at all.
    None,
}

#[derive(Debug, Default)]
pub(super) enum Made {
    /// Not come across yet.
    #[default]
    Nothing,
    Function(Signature),
    Table(Contents),
}

/// What is known of a function.
#[derive(Debug)]
pub(super) struct Signature {
    pub(super) params: Rc<[VarId]>,
    pub(super) vararg: bool,
    /// The first value it returns.
    pub(super) first: Value,
}

/// What is known of the tables of a constructor.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// Whether the tables are born with a hash part, so that their order is watched.
    pub(super) hashed: bool,
    /// By names that the text has.
    pub(super) fields: BTreeMap<Rc<[u8]>, Field>,
    /// By numbers.
    pub(super) items: Value,
    /// By any other key.
    pub(super) rest: Value,
}

#[derive(Debug, Default)]
pub(super) struct Field {
    pub(super) value: Value,
    /// Whether the constructor sets it.
    pub(super) sure: bool,
}

/// A key, as far as it is known.
#[derive(Clone, Copy, Debug)]
pub(super) enum Key<'a> {
    Name(&'a Rc<[u8]>),
    Number,
    Other,
}

impl Contents {
    /// Where values of such a key are noted.
    pub(super) fn slot(&mut self, key: Key<'_>) -> &mut Value {
        match key {
            Key::Name(name) => &mut self.fields.entry(name.clone()).or_default().value,
            Key::Number => &mut self.items,
            Key::Other => &mut self.rest,
        }
    }

    /// What reading such a key may give.
    fn read(&self, key: Key<'_>) -> Value {
        let nil = Value::of(Kinds::NIL);
        match key {
            Key::Name(name) => match self.fields.get(name) {
                Some(field) if field.sure => field.value.clone().or(&self.rest),
                Some(field) => nil.or(&field.value).or(&self.rest),
                None => nil.or(&self.rest),
            },
            Key::Number => nil.or(&self.items).or(&self.rest),
            Key::Other => {
                let all = nil.or(&self.items).or(&self.rest);
                self.fields.values().fold(all, |all, field| all.or(&field.value))
            }
        }
    }
}

/// What is known of a text.
pub(super) struct Facts<'w> {
    pub(super) vars: Vec<Var>,
    pub(super) sites: Vec<Site>,
    pub(super) world: &'w World<'w>,
    /// What expressions were found to yield since the facts changed, by their addresses: deep
    /// ones are asked for at each of their levels.
    pub(super) found: RefCell<HashMap<usize, Value>>,
}

/// A value in a chain of suffixes, and what is known of it when it is the environment's.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) value: Value,
    pub(super) known: Known,
}

impl Link {
    fn of(known: Known) -> Self {
        Link { value: Value::known(known), known }
    }

    fn value(value: Value) -> Self {
        Link { value, known: Known::Anything }
    }
}

impl Facts<'_> {
    /// What an expression may yield.
    pub(super) fn value(&self, expr: &Expr) -> Value {
        if !matches!(expr, Expr::Binary { .. } | Expr::Unary { .. } | Expr::Suffixed { .. }) {
            return self.evaluate(expr);
        }
        let place = std::ptr::from_ref(expr).addr();
        if let Some(found) = self.found.borrow().get(&place) {
            return found.clone();
        }
        let value = self.evaluate(expr);
        self.found.borrow_mut().insert(place, value.clone());
        value
    }

    fn evaluate(&self, expr: &Expr) -> Value {
        match expr {
            Expr::Nil => Value::of(Kinds::NIL),
            Expr::True | Expr::False => Value::of(Kinds::BOOLEAN),
            Expr::Number(number) if number.is_nan() => Value::of(Kinds::NAN),
            Expr::Number(_) => Value::of(Kinds::NUMBER),
            Expr::String(_) => Value::of(Kinds::STRING),
            Expr::Vararg => Value::any(),
            Expr::Function(function) => Value::made(Kinds::CLOSURE, function.site),
            Expr::Local(id) | Expr::Upvalue(id) => {
                self.vars.get(id.0).map_or_else(Value::any, |var| var.value.clone())
            }
            Expr::Global(name) => Value::known((self.world.global)(name)),
            Expr::Suffixed { head, suffixes } => {
                let mut link = self.head(head);
                for (place, suffix) in suffixes.iter().enumerate() {
                    link = self.link(&link, head, place, suffix);
                }
                link.value
            }
            Expr::Paren(inner) => self.value(inner),
            Expr::Table(table) => Value::made(Kinds::TABLE, table.site),
            Expr::Unary { op: UnaryOp::Not, .. } => Value::of(Kinds::BOOLEAN),
            Expr::Unary { op: UnaryOp::Length, operand, .. } => {
                let plain = self.value(operand);
                let length = plain.kinds.within(Kinds::PLAIN.or(Kinds::TABLE));
                if length { Value::of(Kinds::NUMBER) } else { Value::any() }
            }
            Expr::Unary { op: UnaryOp::Minus, operand, .. } => {
                let kinds = self.value(operand).kinds;
                if kinds == Kinds::NUMBER { Value::of(kinds) } else { computed(kinds) }
            }
            Expr::Binary { first, rest } => {
                let mut left = self.value(first);
                for operand in rest {
                    left = self.operation(left, operand);
                }
                left
            }
        }
    }

    /// What an operation on a left operand may yield.
    pub(super) fn operation(&self, left: Value, operand: &Operand) -> Value {
        let right = self.value(&operand.right);
        match operand.op {
            BinaryOp::And => left.narrowed(Kinds::NIL.or(Kinds::BOOLEAN)).or(&right),
            BinaryOp::Or => left.narrowed(Kinds::ANY.present()).or(&right),
            op => operated(op, left.kinds, right.kinds, &operand.right),
        }
    }

    /// The beginning of a chain.
    pub(super) fn head(&self, head: &Expr) -> Link {
        match head {
            Expr::Global(name) => Link::of((self.world.global)(name)),
            _ => Link::value(self.value(head)),
        }
    }

    /// What one more suffix makes of a value; the first is at `place` 0.
    pub(super) fn link(&self, at: &Link, head: &Expr, place: usize, suffix: &Suffix) -> Link {
        match suffix {
            Suffix::Index { key, .. } => {
                if let (Expr::Global(library), 0, Expr::String(name)) = (head, place, key) {
                    let known = (self.world.field)(library, name);
                    if known != Known::Anything {
                        return Link::of(known);
                    }
                }
                Link::value(self.index(&at.value, self.key(key)))
            }
            Suffix::Call { .. } => Link::value(self.result(at)),
            Suffix::Method { name, .. } => Link::value(self.result(&self.method(&at.value, name))),
        }
    }

    /// The method of an object.
    pub(super) fn method(&self, object: &Value, name: &Rc<[u8]>) -> Link {
        if object.kinds == Kinds::STRING {
            return Link::of((self.world.field)(b"string", name));
        }
        Link::value(self.index(object, Key::Name(name)))
    }

    /// What is known of a key.
    pub(super) fn key<'a>(&self, key: &'a Expr) -> Key<'a> {
        match key {
            Expr::String(name) => Key::Name(name),
            _ if self.value(key).kinds.within(Kinds::NUMERIC) => Key::Number,
            _ => Key::Other,
        }
    }

    /// What reading a key of a value may give. Tables of the text that have not escaped have no
    /// metatables.
    pub(super) fn index(&self, base: &Value, key: Key<'_>) -> Value {
        if base.strange || !base.kinds.within(Kinds::TABLE.or(Kinds::NIL)) {
            return Value::any();
        }
        let mut value = Value::default();
        for site in &base.sites {
            match self.sites.get(site.0) {
                Some(Site { escaped: false, made: Made::Table(contents), .. }) => {
                    value = value.or(&contents.read(key));
                }
                Some(Site { escaped: false, made: Made::Nothing, .. }) => {}
                _ => return Value::any(),
            }
        }
        value
    }

    /// The first result of a call.
    fn result(&self, callee: &Link) -> Value {
        match callee.known {
            Known::Number => return Value::of(Kinds::ARITHMETIC),
            Known::Text => return Value::of(Kinds::STRING),
            Known::MaybeNumber => return Value::of(Kinds::ARITHMETIC.or(Kinds::NIL)),
            _ => {}
        }
        let value = &callee.value;
        if value.strange || !value.kinds.within(Kinds::CLOSURE.or(Kinds::NIL)) {
            return Value::any();
        }
        let mut result = Value::default();
        for site in &value.sites {
            match self.sites.get(site.0).map(|site| &site.made) {
                Some(Made::Function(signature)) => result = result.or(&signature.first),
                Some(Made::Nothing) => {}
                _ => return Value::any(),
            }
        }
        result
    }

    /// What is known of the function that a call calls, when that is all the expression is.
    pub(super) fn called(&self, expr: &Expr) -> Known {
        let Expr::Suffixed { head, suffixes } = expr else { return Known::Anything };
        match (&**head, suffixes.as_slice()) {
            (Expr::Global(name), [Suffix::Call { .. }]) => (self.world.global)(name),
            (
                Expr::Global(library),
                [Suffix::Index { key: Expr::String(name), .. }, Suffix::Call { .. }],
            ) => (self.world.field)(library, name),
            _ => Known::Anything,
        }
    }

    /// Whether a value is a function of the text, if it is not nil, that counts calls in one of
    /// these ways.
    pub(super) fn counts(&self, value: &Value, ways: &[Count]) -> bool {
        let known = value.kinds.within(Kinds::CLOSURE.or(Kinds::NIL)) && !value.strange;
        let counts =
            |id: &SiteId| self.sites.get(id.0).is_some_and(|site| ways.contains(&site.count));
        known && !value.sites.is_empty() && value.sites.iter().all(counts)
    }

    /// How many arguments a function must be given by piccolo's own call, which leaves missing
    /// ones what was in their registers; `None` when that is not known or would make nils of
    /// arguments that nobody gave.
    pub(super) fn wanted(&self, callee: &Value, given: usize) -> Option<usize> {
        if !callee.kinds.meets(Kinds::CLOSURE) {
            return Some(given);
        }
        if callee.strange || callee.kinds.meets(Kinds::NATIVE) {
            return None;
        }
        let signatures = || {
            callee.sites.iter().map(|id| match self.sites.get(id.0).map(|site| &site.made) {
                Some(Made::Function(signature)) => Some(signature),
                _ => None,
            })
        };
        let mut wanted = given;
        for signature in signatures() {
            wanted = wanted.max(signature?.params.len());
        }
        let exact = signatures().flatten().all(|s| !s.vararg || s.params.len() >= wanted);
        (wanted == given || exact).then_some(wanted)
    }

    /// Whether all tables that a value may be satisfy a condition, and it is nothing else.
    pub(super) fn all_tables(
        &self,
        value: &Value,
        good: impl Fn(&Site, &Contents) -> bool,
    ) -> bool {
        let known = value.kinds == Kinds::TABLE && !value.strange && !value.sites.is_empty();
        known
            && value.sites.iter().all(|id: &SiteId| match self.sites.get(id.0) {
                Some(site @ Site { made: Made::Table(contents), .. }) => good(site, contents),
                _ => false,
            })
    }
}

/// What an operator other than `and` and `or` may yield.
pub(super) fn operated(op: BinaryOp, left: Kinds, right: Kinds, operand: &Expr) -> Value {
    match op {
        BinaryOp::Add | BinaryOp::Sub
            if matches!(operand, Expr::Number(n) if n.is_finite())
                && left.within(Kinds::NUMBER.or(Kinds::INTEGER)) =>
        {
            Value::of(Kinds::NUMBER)
        }
        BinaryOp::Concat => {
            let plain = left.or(right).within(Kinds::PLAIN);
            if plain { Value::of(Kinds::STRING) } else { Value::any() }
        }
        BinaryOp::NotEqual
        | BinaryOp::Equal
        | BinaryOp::Less
        | BinaryOp::LessEqual
        | BinaryOp::Greater
        | BinaryOp::GreaterEqual => Value::of(Kinds::BOOLEAN),
        _ => computed(left.or(right)),
    }
}

/// What arithmetic on such operands may yield: a number, unless a metamethod may give anything.
fn computed(operands: Kinds) -> Value {
    if operands.within(Kinds::PLAIN) { Value::of(Kinds::ARITHMETIC) } else { Value::any() }
}

impl Known {
    /// Whether it is a function of the host.
    pub(super) fn is_native(self) -> bool {
        !matches!(self, Known::Anything | Known::Table)
    }

    /// Whether it is a function that keeps nothing of what it is given, changes nothing of it and
    /// calls nothing.
    pub(super) fn is_pure(self) -> bool {
        matches!(self, Known::Number | Known::Text | Known::MaybeNumber)
    }
}
