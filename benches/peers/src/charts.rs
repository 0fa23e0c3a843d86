//! The charts of the document.

use std::error::Error;
use std::path::Path;

use plotters::prelude::*;

use crate::cases::{decode, encode, mask, utf8};
use crate::clock::Clock;
use crate::contest::{Kind, Outcome};

struct Chart {
    file: &'static str,
    title: &'static str,
    group: &'static str,
    series: &'static str,
}

const CHARTS: [Chart; 4] = [
    Chart { file: "mask.svg", title: "Masking in place at offset 6", group: mask::GROUP, series: "offset 6" },
    Chart { file: "text.svg", title: "Unmasking and validating Cyrillic text", group: utf8::GROUP, series: "Cyrillic" },
    Chart { file: "decode.svg", title: "Decoding traffic in reads of 64 KiB", group: decode::WHOLE, series: "" },
    Chart { file: "encode.svg", title: "Encoding as a client, masked", group: encode::CLIENT, series: "" },
];

/// Rates of one contestant, in GB/s, by size.
struct Line {
    name: String,
    kind: Kind,
    points: Vec<(f64, f64)>,
}

pub fn write(dir: &Path, clock: &Clock, outcomes: &[Outcome]) -> Result<(), Box<dyn Error>> {
    for chart in CHARTS {
        let cases: Vec<_> = outcomes
            .iter()
            .filter(|o| o.case.group == chart.group && (chart.series.is_empty() || o.case.series == chart.series))
            .filter(|o| !o.case.label.contains("unlearnt"))
            .collect();
        if let Some(first) = cases.first() {
            let names: Vec<_> = first.rows.iter().map(|row| (row.name.clone(), row.kind)).collect();
            let lines = names.into_iter().map(|(name, kind)| line(clock, &cases, name, kind)).collect::<Vec<_>>();
            draw(&dir.join(chart.file), chart.title, &lines)?;
        }
    }
    Ok(())
}

fn line(clock: &Clock, cases: &[&Outcome], name: String, kind: Kind) -> Line {
    let points = cases.iter().filter_map(|o| Some((o.case.bytes, o.case.bytes / clock.ns(o.row(&name)?.ticks))));
    let mut points: Vec<_> = points.collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    Line { name, kind, points }
}

fn draw(path: &Path, title: &str, lines: &[Line]) -> Result<(), Box<dyn Error>> {
    let points = || lines.iter().flat_map(|line| &line.points);
    let bounds = |get: fn(&(f64, f64)) -> f64| {
        let values = || points().map(get);
        values().fold(f64::MAX, f64::min) * 0.9..values().fold(0.0, f64::max) * 1.1
    };
    let root = SVGBackend::new(path, (960, 540)).into_drawing_area();
    root.fill(&WHITE)?;
    let (plot, legend) = root.split_horizontally(740);
    let mut chart = ChartBuilder::on(&plot)
        .caption(title, ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(60)
        .build_cartesian_2d(bounds(|p| p.0).log_scale().base(2.0), bounds(|p| p.1).log_scale())?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_desc("bytes of payload")
        .y_desc("GB/s")
        .x_label_formatter(&|x| crate::corpus::size(x.round() as usize))
        .draw()?;
    for (i, line) in lines.iter().enumerate() {
        let style = style(i, line.kind);
        chart.draw_series(LineSeries::new(line.points.iter().copied(), style))?;
        let y = 48 + 22 * i as i32;
        legend.draw(&PathElement::new(vec![(4, y + 7), (28, y + 7)], style))?;
        legend.draw(&Text::new(line.name.as_str(), (34, y), ("sans-serif", 14)))?;
    }
    root.present()?;
    Ok(())
}

fn style(i: usize, kind: Kind) -> ShapeStyle {
    match kind {
        Kind::Ours => ShapeStyle::from(RGBColor(200, 30, 30)).stroke_width(if i == 0 { 4 } else { 2 }),
        Kind::Bound => ShapeStyle::from(RGBColor(90, 90, 90)).stroke_width(2),
        Kind::Peer => ShapeStyle::from(Palette99::pick(i + 1)).stroke_width(1),
    }
}
