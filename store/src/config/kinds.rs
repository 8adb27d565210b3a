//! What values a parameter takes.
//!
//! Owns [`Kind`]: validation, canonical form and the reasons given for a refusal (`config.c`).
//! It must not know particular parameters.

use redlua_conversions::number;

use crate::events::Class;

/// The type of a parameter.
pub(crate) enum Kind {
    /// `yes` or `no`.
    Bool,
    /// An integer within bounds.
    Int(i64, i64),
    /// A number of bytes, with an optional unit.
    Memory,
    /// The same, or a share of `maxmemory`.
    MemoryOrPercent,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Any text.
    Text,
    /// Classes of keyspace events.
    Events,
    /// Pairs of seconds and changes.
    Save,
    /// Client classes with three figures each.
    BufferLimits,
    /// Set at start only.
    Immutable,
    /// Set at start only, for safety.
    Protected,
}

impl Kind {
    /// The canonical form of a new value, or why it is refused.
    pub(super) fn accept(&self, value: &[u8], old: &[u8]) -> Result<Vec<u8>, String> {
        match self {
            Kind::Bool => match value.to_ascii_lowercase().as_slice() {
                word @ (b"yes" | b"no") => Ok(word.to_vec()),
                _ => Err("argument must be 'yes' or 'no'".to_owned()),
            },
            Kind::Int(min, max) => {
                let number = number::parse_i64(value)
                    .ok_or("argument couldn't be parsed into an integer")?;
                if (min..=max).contains(&&number) {
                    Ok(number.to_string().into_bytes())
                } else {
                    Err(format!("argument must be between {min} and {max} inclusive"))
                }
            }
            Kind::Memory => {
                let bytes = memory(value).ok_or("argument must be a memory value")?;
                Ok(bytes.to_string().into_bytes())
            }
            Kind::MemoryOrPercent => match value.split_last() {
                Some((b'%', digits)) if number::parse_i64(digits).is_some_and(|n| n >= 0) => {
                    Ok(value.to_vec())
                }
                _ => {
                    let bytes =
                        memory(value).ok_or("argument must be a memory or percent value")?;
                    Ok(bytes.to_string().into_bytes())
                }
            },
            Kind::Choice(words) => {
                let lower = value.to_ascii_lowercase();
                if words.iter().any(|word| word.as_bytes() == lower) {
                    Ok(lower)
                } else {
                    Err(format!("argument(s) must be one of the following: {}", words.join(", ")))
                }
            }
            Kind::Text => Ok(value.to_vec()),
            Kind::Events => Class::parse(value)
                .map(Class::letters)
                .ok_or_else(|| "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.".to_owned()),
            Kind::Save => save(value).ok_or_else(|| "Invalid save parameters".to_owned()),
            Kind::BufferLimits => buffer_limits(value, old),
            Kind::Immutable => Err("can't set immutable config".to_owned()),
            Kind::Protected => Err("can't set protected config".to_owned()),
        }
    }

    /// The same for a value given at start. What only a process has (files, daemons) takes any
    /// text.
    pub(super) fn accept_at_start(&self, value: &[u8], old: &[u8]) -> Result<Vec<u8>, String> {
        match self {
            Kind::Immutable | Kind::Protected => match number::parse_i64(old) {
                Some(_) => Kind::Int(0, i64::from(i32::MAX)).accept(value, old),
                None => Ok(value.to_vec()),
            },
            kind => kind.accept(value, old),
        }
    }
}

/// A number of bytes with an optional unit (`memtoull` in `util.c`).
fn memory(value: &[u8]) -> Option<u64> {
    let digits = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, unit) = value.split_at(digits);
    let factor = match unit.to_ascii_lowercase().as_slice() {
        b"" | b"b" => 1,
        b"k" => 1000,
        b"kb" => 1 << 10,
        b"m" => 1000 * 1000,
        b"mb" => 1 << 20,
        b"g" => 1000 * 1000 * 1000,
        b"gb" => 1 << 30,
        _ => return None,
    };
    let number: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    number.checked_mul(factor)
}

/// Pairs of positive seconds and non-negative changes.
fn save(value: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(value).ok()?;
    let words: Vec<i64> = text
        .split(' ')
        .filter(|word| !word.is_empty())
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()?;
    let (pairs, []) = words.as_chunks() else { return None };
    if pairs.iter().any(|[seconds, changes]| *seconds < 1 || *changes < 0) {
        return None;
    }
    Some(words.iter().map(i64::to_string).collect::<Vec<_>>().join(" ").into_bytes())
}

/// `class hard soft seconds` groups, which replace those of the same class.
fn buffer_limits(value: &[u8], old: &[u8]) -> Result<Vec<u8>, String> {
    const COUNT: &str = "Wrong number of arguments in buffer limit configuration.";
    let old = String::from_utf8_lossy(old).into_owned();
    let value = String::from_utf8_lossy(value).into_owned();
    let mut words: Vec<String> = old.split(' ').map(str::to_owned).collect();
    let new: Vec<&str> = value.split(' ').collect();
    let (groups, []) = new.as_chunks() else { return Err(COUNT.to_owned()) };
    for [class, hard, soft, seconds] in groups {
        let class = match class.to_ascii_lowercase().as_str() {
            "replica" => "slave".to_owned(),
            other => other.to_owned(),
        };
        let place = words.iter().position(|word| *word == class);
        let Some(place) = place.filter(|_| matches!(class.as_str(), "normal" | "slave" | "pubsub"))
        else {
            return Err("Invalid client class specified in buffer limit configuration.".to_owned());
        };
        let (Some(hard), Some(soft), Some(seconds)) = (
            memory(hard.as_bytes()),
            memory(soft.as_bytes()),
            number::parse_i64(seconds.as_bytes()).filter(|seconds| *seconds >= 0),
        ) else {
            return Err(
                "Error in hard, soft or soft_seconds setting in buffer limit configuration."
                    .to_owned(),
            );
        };
        let figures = [hard.to_string(), soft.to_string(), seconds.to_string()];
        for (word, figure) in words.iter_mut().skip(place + 1).zip(figures) {
            *word = figure;
        }
    }
    Ok(words.join(" ").into_bytes())
}
