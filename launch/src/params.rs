//! The parameters of a run: one TOML file, every value with a default, unknown keys refused.

use std::path::Path;

use anyhow::Context;
use domain::AuditSettings;
use nodes::localizer::LocalizerParams;
use nodes::navigator::NavigatorParams;
use nodes::pilot::PilotParams;
use positioning::LocateSettings;
use serde::{Deserialize, Serialize};

use crate::ui::refused;

/// Parameters of all nodes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// Where the robot is.
    pub localizer: LocalizerParams,
    /// How it drives.
    pub navigator: NavigatorParams,
    /// What it does in which order.
    pub pilot: PilotParams,
    /// Where the books are.
    pub locator: LocateSettings,
    /// What is wrong.
    pub auditor: AuditSettings,
}

impl Params {
    /// Loads a parameter file; without one all defaults.
    pub fn load(path: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = path else { return Ok(Self::default()) };
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let params: Self = toml::from_str(&text).map_err(|e| refused(format!("{}: {e}", path.display())))?;
        params.auditor.check().map_err(|e| refused(format!("{}: auditor: {e}", path.display())))?;
        Ok(params)
    }
}
