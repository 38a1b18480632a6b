//! The parameters of each of our nodes, as ROS declares them.

use domain::audit::AuditSettings;
use positioning::LocateSettings;

use super::parameters::{Documented, Parameters};
use crate::localizer::LocalizerParams;
use crate::map_server::MapServerParams;
use crate::navigator::NavigatorParams;
use crate::pilot::PilotParams;

macro_rules! documented {
    ($($group:literal: $name:literal in $file:literal,)*) => {
        &[$(Documented { group: $group, name: $name, source: include_str!(concat!("../../../../", $file)) }),*]
    };
}

type Declaration = Result<Parameters, toml::ser::Error>;

/// Of the localizer.
pub fn localizer(values: &LocalizerParams) -> Declaration {
    let documented = documented! {
        "filter": "LocalizerSettings" in "positioning/src/localizer.rs",
        "filter.scan": "MatchSettings" in "positioning/src/scan_match.rs",
    };
    Parameters::of(values, documented, &[])
}

/// Of the navigator.
pub fn navigator(values: &NavigatorParams) -> Declaration {
    let documented = documented! {
        "": "NavigatorParams" in "nodes/src/navigator/params.rs",
        "planner": "PlannerParams" in "nodes/src/navigator/planner.rs",
        "steering": "SteeringParams" in "nodes/src/navigator/steering.rs",
    };
    let live = [
        "steering",
        "stop_gap_m",
        "replan_after_s",
        "give_up_after_s",
        "touched_s",
        "back_off_m",
        "stale_after_s",
        "lost_std_m",
        "lost_after_s",
        "recover_after_s",
        "recovery_way_m",
    ];
    Parameters::of(values, documented, &live)
}

/// Of the pilot.
pub fn pilot(values: &PilotParams) -> Declaration {
    let documented = documented! {
        "": "PilotParams" in "nodes/src/pilot/params.rs",
        "planner": "PlannerParams" in "nodes/src/navigator/planner.rs",
    };
    let live = [
        "speed_mps",
        "max_passes",
        "read_probability",
        "poor_share",
        "coverage_wait_s",
        "reader_silent_s",
        "reader_wait_s",
        "navigator_silent_s",
        "transit_limit_s",
        "pass_limit",
        "battery_low",
        "battery_enough",
        "dock_wait_s",
        "retries",
    ];
    Parameters::of(values, documented, &live)
}

/// Of the locator.
pub fn locator(values: &LocateSettings) -> Declaration {
    Parameters::of(values, documented! { "": "LocateSettings" in "positioning/src/settings.rs", }, &[])
}

/// Of the map server.
pub fn map_server(values: &MapServerParams) -> Declaration {
    Parameters::of(values, documented! { "": "MapServerParams" in "nodes/src/map_server.rs", }, &[])
}

/// Of the auditor.
pub fn auditor(values: &AuditSettings) -> Declaration {
    let documented = documented! {
        "": "AuditSettings" in "domain/src/audit/settings.rs",
        "shelf_rules": "ShelfRules" in "domain/src/callnumber/rules.rs",
        "shelf_rules.clc": "ClcRules" in "domain/src/callnumber/rules.rs",
        "shelf_rules.lcc": "LccRules" in "domain/src/callnumber/rules.rs",
        "shelf_rules.ddc": "DdcRules" in "domain/src/callnumber/rules.rs",
        "decoders": "DecoderSettings" in "domain/src/decode/settings.rs",
    };
    Parameters::of(values, documented, &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_has_a_description() {
        let all = [
            localizer(&LocalizerParams::default()),
            navigator(&NavigatorParams::default()),
            pilot(&PilotParams::default()),
            locator(&LocateSettings::default()),
            auditor(&AuditSettings::default()),
            map_server(&MapServerParams::default()),
        ];
        for parameters in all {
            for (name, declared) in parameters.unwrap().declared() {
                assert!(!declared.description.is_empty(), "{name}");
            }
        }
    }
}
