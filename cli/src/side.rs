//! Two columns of lines, side by side.
//!
//! Owns their layout and colours. Must not know what the lines say.

use std::fmt::Write as _;

use similar::{ChangeTag, TextDiff};

/// No column is wider; longer lines are cut.
const WIDEST: usize = 76;

/// One side.
pub(crate) struct Column {
    pub(crate) title: String,
    pub(crate) lines: Vec<String>,
}

/// Whether the terminal can colour.
#[derive(Clone, Copy)]
pub(crate) struct Style {
    coloured: bool,
}

impl Style {
    /// Colours on a terminal, unless `NO_COLOR` is set.
    pub(crate) fn new(terminal: bool) -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Style { coloured: terminal && !unwanted }
    }

    /// Both sides under a title. Lines that only one side has are marked `<` or `>`, those that
    /// replace each other `|`.
    pub(crate) fn show(self, title: &str, [left, right]: &[Column; 2]) -> String {
        let rows = rows(&left.lines, &right.lines);
        let longest = rows.iter().map(|(left, _)| left.map_or(0, width)).max().unwrap_or(0);
        let width = longest.max(width(&left.title)).min(WIDEST);
        let mut out = format!("{title}\n");
        let mut line = |left: &str, mark: char, right: &str| {
            let row = format!("  {} {mark} {}", fit(left, width), cut(right));
            let row = row.trim_end();
            let colour = match mark {
                '<' | '>' | '|' if self.coloured => "\x1b[31m",
                _ => "",
            };
            let reset = if colour.is_empty() { "" } else { "\x1b[0m" };
            // Writing into a string cannot fail.
            let _ = writeln!(out, "{colour}{row}{reset}");
        };
        line(&left.title, ' ', &right.title);
        for (left, right) in rows {
            let mark = match (left, right) {
                (Some(left), Some(right)) if left == right => ' ',
                (Some(_), Some(_)) => '|',
                (Some(_), None) => '<',
                _ => '>',
            };
            line(left.unwrap_or_default(), mark, right.unwrap_or_default());
        }
        out
    }
}

type Row<'a> = (Option<&'a str>, Option<&'a str>);

/// Pairs up the lines: equal ones stand beside each other, and so do those that differ in the
/// same place.
fn rows<'a>(left: &'a [String], right: &'a [String]) -> Vec<Row<'a>> {
    let left: Vec<&str> = left.iter().map(String::as_str).collect();
    let right: Vec<&str> = right.iter().map(String::as_str).collect();
    let diff = TextDiff::from_slices(&left, &right);
    let mut rows: Vec<Row<'a>> = Vec::new();
    // The first row of the present run of differences that has no right side yet.
    let mut open = 0;
    for change in diff.iter_all_changes() {
        let value = |index: Option<usize>, lines: &[&'a str]| {
            index.and_then(|index| lines.get(index).copied())
        };
        match change.tag() {
            ChangeTag::Equal => {
                rows.push((value(change.old_index(), &left), value(change.new_index(), &right)));
                open = rows.len();
            }
            ChangeTag::Delete => rows.push((value(change.old_index(), &left), None)),
            ChangeTag::Insert => {
                let line = value(change.new_index(), &right);
                match rows.get_mut(open) {
                    Some(row) => row.1 = line,
                    None => rows.push((None, line)),
                }
                open += 1;
            }
        }
    }
    rows
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// A text of exactly this width.
fn fit(text: &str, width: usize) -> String {
    let text: String = text.chars().take(width).collect();
    format!("{text:width$}")
}

fn cut(text: &str) -> String {
    text.chars().take(WIDEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(lines: &[&str]) -> Column {
        Column { title: "t".into(), lines: lines.iter().map(|line| line.to_string()).collect() }
    }

    #[test]
    fn lines_that_replace_each_other_stand_side_by_side() {
        let style = Style { coloured: false };
        let shown = style.show("x.lua", &[column(&["a", "b", "c"]), column(&["a", "B", "c", "d"])]);
        assert_eq!(shown, "x.lua\n  t   t\n  a   a\n  b | B\n  c   c\n    > d\n");
    }

    #[test]
    fn a_line_of_one_side_only() {
        let style = Style { coloured: true };
        let shown = style.show("x", &[column(&["a", "b"]), column(&["a"])]);
        assert_eq!(shown, "x\n  t   t\n  a   a\n\u{1b}[31m  b <\u{1b}[0m\n");
    }
}
