//! The HTML page.

use domain::Site;
use domain::audit::Audit;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, context};

use super::ReportError;
use crate::facts::{RunFacts, Summary};

pub(super) fn page(audit: &Audit, site: &Site, facts: &RunFacts) -> Result<String, ReportError> {
    let mut env = Environment::new();
    env.set_auto_escape_callback(|_| AutoEscape::Html);
    env.add_template("report.html", include_str!("../../templates/report.html"))?;
    let summary = Summary::of(audit);
    Ok(env.get_template("report.html")?.render(context! {
        facts => Serde(facts),
        summary => Serde(&summary),
        site => &site.name,
    })?)
}
