//! Lays the backends of redlua side by side: reads what criterion, the conformance suite and
//! `redlua-xtask` have left, and writes one HTML page, a Markdown table and a chart.
//!
//! Owns the command line. Must not know how anything is measured:
//! `cargo xtask report` does that and calls this.
#![forbid(unsafe_code)]

mod chart;
mod facts;
mod figures;
mod page;
mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

use crate::figures::Figures;
use crate::page::Report;

/// Writes the page that compares the backends.
#[derive(Parser)]
#[command(name = "redlua-report", version)]
struct Cli {
    /// The folder in which criterion keeps its results.
    #[arg(long)]
    criterion: PathBuf,
    /// The folder with `<backend>.facts.json` and `<backend>.conformance.json`.
    #[arg(long)]
    facts: PathBuf,
    /// The suite's figures of another day, for backends on which it was not run.
    #[arg(long)]
    figures: Option<PathBuf>,
    /// Where `report.html`, `report.md` and `report.svg` go.
    #[arg(long)]
    output: PathBuf,
    /// A line about the measurement, for the top of the page; may be repeated.
    #[arg(long)]
    note: Vec<String>,
    /// The backends, the reference first.
    #[arg(required = true)]
    backends: Vec<String>,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(page) => {
            println!("{}", page.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<PathBuf, chart::Failure> {
    let told = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    let figures = Figures::read(&cli.criterion, &cli.backends)
        .map_err(|error| told(&cli.criterion, error))?;
    let mut backends = facts::read(&cli.facts, cli.figures.as_deref(), &cli.backends);
    for facts in &mut backends {
        if facts.failure.is_none() && !figures.knows(&facts.backend) {
            eprintln!("{}: no bench of that name was run on it", facts.backend);
            facts.failure = Some("was not measured".into());
        }
    }
    if backends.iter().all(|facts| !figures.knows(&facts.backend)) {
        return Err("nothing was measured, so there is nothing to report".into());
    }
    let report = Report { backends, figures, notes: cli.note.clone() };
    fs::create_dir_all(&cli.output).map_err(|error| told(&cli.output, error))?;
    let write = |name: &str, text: &str| {
        let path = cli.output.join(name);
        fs::write(&path, text).map_err(|error| told(&path, error)).map(|()| path)
    };
    write("report.md", &table::markdown(&report))?;
    if let Some(svg) = report.chart()? {
        write("report.svg", &svg)?;
    }
    Ok(write("report.html", &report.html()?)?)
}
