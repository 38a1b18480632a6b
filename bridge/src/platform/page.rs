//! The receiver's page for people: the latest runs, and shelf errors with filters.

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, context};
use serde::Serialize;

use super::archive::{Filter, Listed, Run};
use crate::event::percent;
use crate::facts::Summary;
use crate::{time, words};

#[derive(Serialize)]
struct RunRow {
    run: String,
    link: String,
    site: String,
    robot: String,
    when: String,
    length: String,
    expected: u32,
    in_place: u32,
    share: f64,
    findings: u32,
    received: u32,
    told: bool,
}

#[derive(Serialize)]
struct ErrorRow {
    run: String,
    number: u32,
    label: &'static str,
    class: &'static str,
    title: String,
    lang: Option<&'static str>,
    call_number: String,
    barcode: String,
    uid: String,
    found: String,
    position: u32,
    home: String,
    left: String,
    right: String,
    confidence: u32,
}

pub(super) fn render(
    runs: &[Run],
    run_count: u64,
    errors: &[Listed],
    total: u64,
    filter: &Filter,
    next: Option<i64>,
) -> Result<String, minijinja::Error> {
    let mut env = Environment::new();
    env.set_auto_escape_callback(|_| AutoEscape::Html);
    env.add_template("platform.html", include_str!("../../templates/platform.html"))?;
    let kinds: Vec<(&str, &str)> =
        words::KINDS.into_iter().map(|k| (words::name(k), words::label(k))).collect();
    let rows: Vec<RunRow> = runs.iter().map(run_row).collect();
    let errors: Vec<ErrorRow> = errors.iter().map(error_row).collect();
    let mut more = String::new();
    if let Some(next) = next {
        for (name, value) in [
            ("run", &filter.run),
            ("face", &filter.face),
            ("barcode", &filter.barcode),
            ("uid", &filter.uid),
            ("kind", &filter.kind.map(String::from)),
            ("min_confidence", &filter.min_confidence.map(|c| c.to_string())),
        ] {
            if let Some(value) = value {
                more.push_str(&format!("{name}={}&", percent(value)));
            }
        }
        more.push_str(&format!("cursor={next}"));
    }
    env.get_template("platform.html")?.render(context! {
        runs => Serde(rows),
        run_count,
        errors => Serde(errors),
        total,
        kinds,
        run => filter.run.as_deref().unwrap_or(""),
        kind => filter.kind.unwrap_or(""),
        face => filter.face.as_deref().unwrap_or(""),
        barcode => filter.barcode.as_deref().unwrap_or(""),
        filtered => filter.run.is_some() || filter.kind.is_some() || filter.face.is_some()
            || filter.barcode.is_some() || filter.uid.is_some() || filter.min_confidence.is_some(),
        more,
        version => env!("CARGO_PKG_VERSION"),
    })
}

fn run_row(run: &Run) -> RunRow {
    let none = Summary::default();
    let summary = run.summary.as_ref().unwrap_or(&none);
    let facts = run.facts.clone().unwrap_or_default();
    RunRow {
        run: run.run.clone(),
        link: percent(&run.run),
        when: facts.wall_ns(facts.finished_ns).map_or_else(|| "simulated".into(), time::for_people),
        length: time::span(facts.duration_s()),
        site: facts.site,
        robot: facts.robot,
        expected: summary.expected,
        in_place: summary.in_place,
        share: if summary.expected == 0 {
            0.0
        } else {
            (f64::from(summary.in_place) / f64::from(summary.expected) * 1000.0).floor() / 10.0
        },
        findings: summary.total(),
        received: run.received,
        told: run.summary.is_some(),
    }
}

fn error_row(listed: &Listed) -> ErrorRow {
    let f = &listed.finding;
    let side = |i: usize| f.found_between[i].as_ref().map_or(String::new(), words::neighbour);
    ErrorRow {
        run: listed.run.clone(),
        number: listed.number,
        label: words::label(f.kind),
        class: words::class(Some(f.kind)),
        lang: words::lang(&f.item.title),
        title: f.item.title.clone(),
        call_number: f.item.call_number.clone(),
        barcode: f.item.barcode.clone(),
        uid: f.item.uid.to_string(),
        found: f.found.as_ref().map_or(String::new(), |p| p.address.to_string()),
        position: f.found.as_ref().map_or(0, |p| p.position),
        home: f.home.as_ref().map_or(String::new(), ToString::to_string),
        left: side(0),
        right: side(1),
        confidence: (f.confidence * 100.0).floor() as u32,
    }
}
