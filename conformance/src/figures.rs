//! What each backend has reached: the figures that must not fall.
//!
//! Owns their file and the comparison. Must not know how cases run.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{Error, Report};

/// What a backend has reached, a line of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figure {
    /// The backend.
    pub backend: String,
    /// How many cases there were.
    pub cases: usize,
    /// How many of them were not identical.
    pub not_identical: usize,
    /// How many of them differed in more than the text of an error.
    pub wrong: usize,
}

impl From<&Report> for Figure {
    fn from(report: &Report) -> Self {
        let total = report.total();
        Figure {
            backend: report.target.clone(),
            cases: total.cases(),
            not_identical: total.cases() - total.identical,
            wrong: total.different + total.hung,
        }
    }
}

impl Figure {
    /// In what a report falls behind, a sentence each.
    pub fn behind(&self, report: &Report) -> Vec<String> {
        let now = Figure::from(report);
        let mut behind = Vec::new();
        if now.cases < self.cases {
            behind.push(format!("{} cases, once {}", now.cases, self.cases));
        }
        for (what, now, once) in [
            ("not identical", now.not_identical, self.not_identical),
            ("different in value", now.wrong, self.wrong),
        ] {
            if now > once {
                behind.push(format!("{now} cases are {what}, once {once}"));
            }
        }
        behind
    }
}

/// Reads the figures.
///
/// # Errors
/// The file cannot be read.
pub fn figures(path: &Path) -> Result<Vec<Figure>, Error> {
    let text =
        fs::read_to_string(path).map_err(|source| Error::File { path: path.into(), source })?;
    let read = |(number, line)| {
        serde_json::from_str(line).map_err(|source| Error::Line {
            path: path.into(),
            line: number + 1,
            source,
        })
    };
    text.lines().enumerate().map(read).collect()
}

/// The figures of some reports, as the file holds them.
///
/// # Errors
/// Never in practice: the figures are numbers and names.
pub fn figure_lines(reports: &[Report]) -> Result<String, serde_json::Error> {
    let mut text = String::new();
    for report in reports {
        text.push_str(&serde_json::to_string(&Figure::from(report))?);
        text.push('\n');
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tally;

    fn report(identical: usize, error_text: usize, different: usize) -> Report {
        let tally = Tally { identical, error_text, different, ..Tally::default() };
        let areas = [("x".to_owned(), tally)].into();
        Report { target: "t".into(), areas, ..Report::default() }
    }

    #[test]
    fn more_or_better_is_not_behind() {
        let figure = Figure::from(&report(8, 1, 1));
        assert!(figure.behind(&report(8, 1, 1)).is_empty());
        assert!(figure.behind(&report(20, 1, 1)).is_empty());
        assert!(figure.behind(&report(10, 0, 0)).is_empty());
    }

    #[test]
    fn less_or_worse_is_behind() {
        let figure = Figure::from(&report(8, 1, 1));
        assert_eq!(figure.behind(&report(8, 0, 1)), ["9 cases, once 10"]);
        assert_eq!(figure.behind(&report(8, 0, 2)), ["2 cases are different in value, once 1"]);
        assert_eq!(figure.behind(&report(8, 2, 1)), ["3 cases are not identical, once 2"]);
    }

    #[test]
    fn the_file_holds_what_it_is_made_of() {
        let reports = [report(8, 1, 1), report(3, 0, 0)];
        let path = std::env::temp_dir().join(format!("redlua-figures-{}", std::process::id()));
        fs::write(&path, figure_lines(&reports).unwrap()).unwrap();
        let read = figures(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert_eq!(read, reports.iter().map(Figure::from).collect::<Vec<_>>());
    }
}
