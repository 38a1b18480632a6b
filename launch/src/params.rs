//! The parameters of a run: one TOML file, every value with a default, unknown keys refused.

use std::path::{Path, PathBuf};

use anyhow::Context;
use domain::AuditSettings;
use nodes::localizer::LocalizerParams;
use nodes::navigator::NavigatorParams;
use nodes::pilot::PilotParams;
use positioning::LocateSettings;
use positioning::decoder::{Weights, WeightsError, use_face_weights, use_row_weights};
use serde::{Deserialize, Serialize};
use twin::library::TagKind;

use crate::recording::RecorderParams;
use crate::ui::refused;

/// What differs on a robot with HF plates.
const HF: &str = include_str!("../params/hf.toml");

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
    /// What the locator has learnt.
    pub decoder: DecoderFiles,
    /// What is wrong.
    pub auditor: AuditSettings,
    /// What is kept of a run.
    pub recorder: RecorderParams,
}

/// Weights of `shelfwright learn` in place of the default ones; paths count from the parameter file's folder.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DecoderFiles {
    /// Of `learn rows`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<PathBuf>,
    /// Of `learn faces`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub faces: Option<PathBuf>,
}

impl Params {
    /// Loads a parameter file; without one all defaults. Weights that it names are in use from then on.
    pub fn load(path: Option<&Path>) -> anyhow::Result<Self> {
        Self::load_over("", path)
    }

    /// The same for the robot of a library: with HF tags, what is not said is as in `launch/params/hf.toml`.
    pub fn for_tags(tags: TagKind, path: Option<&Path>) -> anyhow::Result<Self> {
        Self::load_over(if tags == TagKind::Hf { HF } else { "" }, path)
    }

    /// Loads a file over the defaults of a kind of robot, given as the text of such a file.
    fn load_over(base: &str, path: Option<&Path>) -> anyhow::Result<Self> {
        let base: toml::Table = toml::from_str(base)?;
        let Some(path) = path else { return Ok(base.try_into()?) };
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let wrong = |e: toml::de::Error| refused(format!("{}: {e}", path.display()));
        // Alone first: a mistake is then told with its line.
        let mut params: Self = toml::from_str(&text).map_err(wrong)?;
        if !base.is_empty() {
            let own: toml::Table = toml::from_str(&text).map_err(wrong)?;
            params = laid_over(base, own).try_into().map_err(wrong)?;
        }
        params.auditor.check().map_err(|e| refused(format!("{}: auditor: {e}", path.display())))?;
        params.recorder.check().map_err(|e| refused(format!("{}: recorder: {e}", path.display())))?;
        let beside = path.parent().unwrap_or(Path::new("."));
        let learnt = &params.decoder;
        for (file, take) in [
            (&learnt.rows, use_row_weights as fn(&Weights) -> Result<(), WeightsError>),
            (&learnt.faces, use_face_weights),
        ] {
            let Some(file) = file.as_ref().map(|f| beside.join(f)) else { continue };
            read_weights(&file)
                .and_then(|w| take(&w).map_err(|e| refused(format!("{}: {e}", file.display()))))
                .with_context(|| format!("{}: decoder", path.display()))?;
        }
        Ok(params)
    }
}

/// One table over another, key by key.
fn laid_over(mut base: toml::Table, over: toml::Table) -> toml::Table {
    for (key, value) in over {
        let value = match (base.remove(&key), value) {
            (Some(toml::Value::Table(below)), toml::Value::Table(value)) => {
                toml::Value::Table(laid_over(below, value))
            }
            (_, value) => value,
        };
        base.insert(key, value);
    }
    base
}

/// A weights file.
pub fn read_weights(file: &Path) -> anyhow::Result<Weights> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    Weights::decode(&bytes).map_err(|e| refused(format!("{}: {e}", file.display())))
}
