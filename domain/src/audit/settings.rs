//! The few numbers that the audit's judgement hangs on, each with unit, default and reason.

use serde::{Deserialize, Serialize};

use crate::callnumber::{RulesError, ShelfRules};
use crate::decode::{DecoderSettings, Decoders, SettingError};

/// How the audit weighs evidence. All rates and probabilities are in 0…1.
///
/// The base rates are priors, worth as much as 300 books: what the run itself shows moves them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuditSettings {
    /// Share of books that stand on another shelf than their home. Default 0.01: a collection in use that is
    /// read from time to time; one that is audited daily has less, one never shelf-read has more.
    pub misplacement_rate: f64,
    /// Share of the misplaced that stand on another tier of their own bay. Default 1/3: without better knowledge,
    /// a wrong tier, a wrong bay and a wrong row are equally likely slips.
    pub tier_share: f64,
    /// Share of the misplaced that stand in another bay of their own row face; the rest is on other faces.
    /// Default 1/3, as for `tier_share`.
    pub bay_share: f64,
    /// Share of books on their home shelf, yet out of call-number order. Default 0.005.
    pub disorder_rate: f64,
    /// Share of expected books that are gone. Default 0.01.
    pub missing_rate: f64,
    /// Share of the gone that are still in radio reach: on a trolley, a desk, a face that no pass covered. Default 0.1:
    /// what is gone has mostly left the stacks.
    pub in_reach_share: f64,
    /// Share of books whose tag is dead, detuned or torn out: never read though the book stands there. It caps how
    /// sure "missing" can get. Default 0.0005: such books are found by the first inventory and re-tagged.
    pub dead_tag_rate: f64,
    /// A misplaced book is reported from this probability on. Default 0.5: more likely than not, which
    /// loses the fewest books and false alarms together. Where staff go far for each finding, more.
    pub min_confidence: f64,
    /// A book out of order on its own shelf is reported from this probability on. Default 0.35: a look at one shelf
    /// costs little, and a book out of order overlooked is lost to its readers.
    pub min_disorder_confidence: f64,
    /// An unseen book is `missing` from this probability on, `not_verified` below. Default 0.7.
    pub min_missing_confidence: f64,
    /// How much a further pass over the same layout counts, 0 (nothing) to 1 (as an independent one). Default 0.3:
    /// coupling of neighbours and reflections repeat from pass to pass, two scans of one layout err alike.
    pub pass_independence: f64,
    /// A book is taken for moved where a pass so much later, minutes, sees it surely elsewhere: what older passes say of it
    /// is history then. Default 30: within one round contradicting passes are errors, and weighed.
    pub moved_after_min: f64,
    /// Below so many reads a sighting proves less, in proportion. Default 4.
    pub credible_reads: u32,
    /// Share of the tags read in a pass that the locator takes for this face's before it looks at them; it is taken
    /// out of `face_probability`, as the audit has its own base rates. Used
    /// only where the run has too few tags read from behind or across to learn from. Default 0.9, as our locator has it.
    pub locator_face_share: f64,
    /// Largest odds that one face's sightings can give for the tag being on that face. Default 300: the locator's
    /// own probability is a model and knows nothing of what the model leaves out.
    pub max_face_odds: f64,
    /// RSSI difference between two faces that makes the stronger one e times as likely, dB. Default 3: a steel panel
    /// and the longer way cost 10 dB and more, fading alone rarely 6.
    pub rssi_scale_db: f64,
    /// Prior standard deviation of a pass's common offset along the face, m. Default 0.01: the localizer keeps a centimetre.
    pub offset_std_m: f64,
    /// Least standard deviation of a position along the shelf, m. Default 0.008: published systems reach 1.3 cm,
    /// and a locator that claims less is not believed.
    pub min_along_std_m: f64,
    /// Thickness taken where the catalogue gives none, m. Default 0.025, the mean of mixed collections.
    pub default_thickness_m: f64,
    /// The library's shelf order.
    pub shelf_rules: ShelfRules,
    /// How the library's tags name their items.
    pub decoders: DecoderSettings,
}

impl Default for AuditSettings {
    fn default() -> Self {
        Self {
            misplacement_rate: 0.01,
            tier_share: 1.0 / 3.0,
            bay_share: 1.0 / 3.0,
            disorder_rate: 0.005,
            missing_rate: 0.01,
            in_reach_share: 0.1,
            dead_tag_rate: 0.0005,
            min_confidence: 0.5,
            min_disorder_confidence: 0.35,
            min_missing_confidence: 0.7,
            pass_independence: 0.3,
            moved_after_min: 30.0,
            credible_reads: 4,
            locator_face_share: 0.9,
            max_face_odds: 300.0,
            rssi_scale_db: 3.0,
            offset_std_m: 0.01,
            min_along_std_m: 0.008,
            default_thickness_m: 0.025,
            shelf_rules: ShelfRules::default(),
            decoders: DecoderSettings::default(),
        }
    }
}

/// A setting that makes no sense.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SettingsError {
    /// A number out of its range.
    #[error("audit setting {key} is {found}, expected {allowed}")]
    Number {
        /// Name of the setting.
        key: &'static str,
        /// Its value.
        found: f64,
        /// What is allowed.
        allowed: &'static str,
    },
    /// Rules that make no shelf order.
    #[error("audit setting shelf_rules: {0}")]
    ShelfRules(#[from] RulesError),
    /// A decoder that no tag can meet.
    #[error("audit setting decoders: {0}")]
    Decoders(#[from] SettingError),
}

impl AuditSettings {
    /// Refuses the first setting that is out of its range.
    pub fn check(&self) -> Result<(), SettingsError> {
        const RATE: &str = "a rate above 0 and up to 0.5";
        const SHARE: &str = "a share from 0 to 1";
        const CONFIDENCE: &str = "a probability from 0.5 to 1";
        const METRES: &str = "metres above 0 and up to 1";
        let rate = |v: f64| v > 0.0 && v <= 0.5;
        let share = |v: f64| (0.0..=1.0).contains(&v);
        let confidence = |v: f64| (0.5..=1.0).contains(&v);
        let metres = |v: f64| v > 0.0 && v <= 1.0;
        let all: [(&'static str, f64, bool, &'static str); 19] = [
            ("misplacement_rate", self.misplacement_rate, rate(self.misplacement_rate), RATE),
            ("tier_share", self.tier_share, share(self.tier_share), SHARE),
            ("bay_share", self.bay_share, share(self.bay_share), SHARE),
            (
                "tier_share + bay_share",
                self.tier_share + self.bay_share,
                self.tier_share + self.bay_share <= 1.0 + 1e-9,
                SHARE,
            ),
            ("disorder_rate", self.disorder_rate, rate(self.disorder_rate), RATE),
            ("missing_rate", self.missing_rate, rate(self.missing_rate), RATE),
            (
                "in_reach_share",
                self.in_reach_share,
                self.in_reach_share > 0.0 && self.in_reach_share <= 1.0,
                "a share above 0 and up to 1",
            ),
            ("dead_tag_rate", self.dead_tag_rate, rate(self.dead_tag_rate), RATE),
            ("min_confidence", self.min_confidence, confidence(self.min_confidence), CONFIDENCE),
            (
                "min_disorder_confidence",
                self.min_disorder_confidence,
                self.min_disorder_confidence > 0.0 && self.min_disorder_confidence <= 1.0,
                "a probability above 0 and up to 1",
            ),
            (
                "min_missing_confidence",
                self.min_missing_confidence,
                confidence(self.min_missing_confidence),
                CONFIDENCE,
            ),
            ("pass_independence", self.pass_independence, share(self.pass_independence), SHARE),
            (
                "moved_after_min",
                self.moved_after_min,
                self.moved_after_min > 0.0 && self.moved_after_min <= 1e6,
                "minutes above 0 and up to 1000000",
            ),
            (
                "locator_face_share",
                self.locator_face_share,
                self.locator_face_share > 0.0 && self.locator_face_share < 1.0,
                "a share above 0 and below 1",
            ),
            ("max_face_odds", self.max_face_odds, self.max_face_odds >= 1.0, "odds of 1 or more"),
            ("rssi_scale_db", self.rssi_scale_db, self.rssi_scale_db > 0.0, "dB above 0"),
            ("offset_std_m", self.offset_std_m, metres(self.offset_std_m), METRES),
            ("min_along_std_m", self.min_along_std_m, metres(self.min_along_std_m), METRES),
            ("default_thickness_m", self.default_thickness_m, metres(self.default_thickness_m), METRES),
        ];
        match all.into_iter().find(|(_, v, ok, _)| !ok || !v.is_finite()) {
            None => {}
            Some((key, found, _, allowed)) => return Err(SettingsError::Number { key, found, allowed }),
        }
        self.shelf_rules.check()?;
        Decoders::from_settings(&self.decoders)?;
        Ok(())
    }
}
