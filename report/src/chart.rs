//! Charts as SVG.
//!
//! Owns what a bar chart and a growth plot look like. Must not know where figures come from.

use std::error::Error;

use plotters::element::{PathElement, Rectangle, Text};
use plotters::prelude::{
    BindKeyPoints as _, ChartBuilder, Color as _, IntoDrawingArea as _, IntoLogRange as _,
    LineSeries, RGBColor, SVGBackend, SeriesLabelPosition, TextStyle,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{IntoFont as _, IntoTextStyle as _};

use crate::figures::Curves;

/// A drawing that failed.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

const COLORS: [RGBColor; 9] = [
    RGBColor(31, 119, 180),
    RGBColor(255, 127, 14),
    RGBColor(44, 160, 44),
    RGBColor(148, 103, 189),
    RGBColor(140, 86, 75),
    RGBColor(227, 119, 194),
    RGBColor(23, 190, 207),
    RGBColor(188, 189, 34),
    RGBColor(127, 127, 127),
];
const INK: RGBColor = RGBColor(60, 60, 60);
const WIDTH: u32 = 900;
const FONT: &str = "sans-serif";

fn color(at: usize) -> RGBColor {
    COLORS[at % COLORS.len()]
}

/// Horizontal bars: for each row a bar per series, as multiples of one, on a logarithmic axis.
/// A series without a value in a row has no bar there.
pub(crate) fn bars(
    title: &str,
    series: &[&str],
    rows: &[(String, Vec<Option<f64>>)],
) -> Result<String, Failure> {
    const BAR: u32 = 9;
    let band = series.len() as u32 * BAR + 12;
    let height = 90 + band * rows.len() as u32;
    let values = || rows.iter().flat_map(|(_, values)| values.iter().flatten().copied());
    let low = values().fold(0.5, f64::min) * 0.8;
    let high = values().fold(2.0, f64::max) * 1.5;
    let ticks = (-3..4).flat_map(|power| [1.0, 2.0, 5.0].map(|tick| tick * 10f64.powi(power)));
    let ticks = ticks.filter(|tick| (low..high).contains(tick)).collect();
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        area.fill(&RGBColor(255, 255, 255)).map_err(failure)?;
        let mut chart = ChartBuilder::on(&area)
            .caption(title, (FONT, 17))
            .margin(8)
            .x_label_area_size(28)
            .y_label_area_size(130)
            .build_cartesian_2d(
                (low..high).log_scale().with_key_points(ticks),
                0.0..rows.len() as f64,
            )
            .map_err(failure)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .y_labels(0)
            .x_labels(8)
            .x_label_formatter(&|x| format!("{x}×"))
            .label_style((FONT, 12))
            .draw()
            .map_err(failure)?;
        let label: TextStyle<'_> =
            (FONT, 12).into_font().color(&INK).pos(Pos::new(HPos::Right, VPos::Center));
        let step = f64::from(BAR) / f64::from(band);
        for (at, (name, values)) in rows.iter().enumerate() {
            let top = (rows.len() - at) as f64;
            let middle = chart.backend_coord(&(low, top - 0.5));
            area.draw(&Text::new(name.clone(), (middle.0 - 8, middle.1), label.clone()))
                .map_err(failure)?;
            for (number, value) in values.iter().enumerate() {
                let Some(value) = value else { continue };
                let upper = top - 0.5 * (12.0 / f64::from(band)) - number as f64 * step;
                let bar =
                    Rectangle::new([(low, upper), (*value, upper - step)], color(number).filled());
                chart.draw_series([bar]).map_err(failure)?;
            }
        }
        chart
            .draw_series([PathElement::new(
                [(1.0, 0.0), (1.0, rows.len() as f64)],
                INK.stroke_width(1),
            )])
            .map_err(failure)?;
        legend(&area, series, height)?;
        area.present().map_err(failure)?;
    }
    Ok(svg)
}

/// Colours and names below a bar chart.
fn legend<D: plotters::prelude::DrawingBackend>(
    area: &plotters::drawing::DrawingArea<D, plotters::coord::Shift>,
    series: &[&str],
    height: u32,
) -> Result<(), Failure>
where
    D::ErrorType: 'static,
{
    let style: TextStyle<'_> = (FONT, 12).into_text_style(area).color(&INK);
    let mut x = 12;
    for (number, name) in series.iter().enumerate() {
        let y = height as i32 - 16;
        area.draw(&Rectangle::new([(x, y), (x + 10, y + 10)], color(number).filled()))
            .map_err(failure)?;
        area.draw(&Text::new((*name).to_owned(), (x + 14, y), style.clone())).map_err(failure)?;
        x += 26 + 7 * name.len() as i32;
    }
    Ok(())
}

/// A growth plot: time in nanoseconds over a count, both logarithmic, a line for each backend, in
/// the colour that it has by its place among `names`.
pub(crate) fn growth(
    title: &str,
    names: &[String],
    curves: &Curves<'_>,
) -> Result<String, Failure> {
    let points = || curves.values().flatten();
    let span = |values: &mut dyn Iterator<Item = f64>| {
        values.fold((f64::MAX, f64::MIN_POSITIVE), |(low, high), value| {
            (low.min(value), high.max(value))
        })
    };
    let (x_low, x_high) = span(&mut points().map(|point| point.0));
    let (y_low, y_high) = span(&mut points().map(|point| point.1));
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (440, 300)).into_drawing_area();
        area.fill(&RGBColor(255, 255, 255)).map_err(failure)?;
        let mut chart = ChartBuilder::on(&area)
            .caption(title, (FONT, 15))
            .margin(6)
            .margin_right(24)
            .x_label_area_size(26)
            .y_label_area_size(58)
            .build_cartesian_2d(
                (x_low..x_high * 1.1).log_scale(),
                (y_low * 0.7..y_high * 1.6).log_scale(),
            )
            .map_err(failure)?;
        chart
            .configure_mesh()
            .x_labels(5)
            .y_labels(6)
            .y_label_formatter(&|y| time(*y))
            .x_label_formatter(&|x| count(*x))
            .label_style((FONT, 11))
            .draw()
            .map_err(failure)?;
        let lines = curves.iter().map(|(name, curve)| {
            (names.iter().position(|known| known == name).unwrap_or(names.len()), name, curve)
        });
        for (number, name, curve) in lines {
            chart
                .draw_series(LineSeries::new(curve.iter().copied(), color(number).stroke_width(2)))
                .map_err(failure)?
                .label(*name)
                .legend(move |(x, y)| {
                    PathElement::new([(x, y), (x + 14, y)], color(number).stroke_width(2))
                });
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .label_font((FONT, 11))
            .background_style(RGBColor(255, 255, 255).mix(0.7))
            .draw()
            .map_err(failure)?;
        area.present().map_err(failure)?;
    }
    Ok(svg)
}

/// A time in the unit that suits it.
pub(crate) fn time(nanoseconds: f64) -> String {
    let (value, unit) = match nanoseconds {
        n if n < 1e3 => (n, "ns"),
        n if n < 1e6 => (n / 1e3, "µs"),
        n if n < 1e9 => (n / 1e6, "ms"),
        n => (n / 1e9, "s"),
    };
    let digits = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    format!("{value:.digits$} {unit}")
}

/// A count with thousands and millions in short.
fn count(number: f64) -> String {
    match number {
        n if n >= 1e6 => format!("{} M", n / 1e6),
        n if n >= 1e4 => format!("{} k", n / 1e3),
        n => n.to_string(),
    }
}

fn failure(error: impl Error) -> Failure {
    error.to_string().into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn times_have_their_unit() {
        let shown = [1.234, 45.67, 999.4, 1_234.0, 45_678_000.0, 2e9].map(time);
        assert_eq!(shown, ["1.23 ns", "45.7 ns", "999 ns", "1.23 µs", "45.7 ms", "2.00 s"]);
    }

    #[test]
    fn every_value_has_its_bar() -> Result<(), Failure> {
        let rows =
            [("get".to_owned(), vec![Some(0.4), None]), ("set".into(), vec![Some(1.0), Some(9.0)])];
        let svg = bars("times", &["one", "two"], &rows)?;
        let of = |color: &str| svg.matches(&format!("fill=\"{color}\"")).count();
        // Two bars and a legend, one bar and a legend.
        assert_eq!((of("#1F77B4"), of("#FF7F0E")), (3, 2));
        for part in ["get", "two", "0.5×", "1×", "2×", "5×"] {
            assert!(svg.contains(part), "{part} is missing");
        }
        Ok(())
    }

    #[test]
    fn every_curve_is_drawn() -> Result<(), Failure> {
        let curves =
            BTreeMap::from([("one", vec![(1.0, 10.0), (1e4, 100.0)]), ("two", vec![(1.0, 20.0)])]);
        let svg = growth("calls", &["two", "one"].map(str::to_owned), &curves)?;
        assert!(svg.contains("polyline") && svg.contains("calls") && svg.contains("10 k"));
        // The second of the names has the second colour, whatever comes first in the plot.
        assert!(svg.contains("stroke=\"#FF7F0E\""), "{svg}");
        Ok(())
    }
}
