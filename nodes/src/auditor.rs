//! The auditor: sightings and coverage of a run against the catalogue, and shelf errors out when it is over.

use std::sync::Arc;

use domain::audit::{AuditSettings, audit};
use domain::{Catalogue, Coverage, Sighting, Site};
use interfaces::shelfwright_msgs::{MissionState, ShelfErrors};
use interfaces::std_msgs::Header;
use interfaces::{AnyMessage, Publication};

use crate::node::{Health, Level, Node, Outbox};

/// The auditor node: one for a run, whatever the number of robots.
pub struct AuditorNode {
    site: Arc<Site>,
    catalogue: Arc<Catalogue>,
    settings: AuditSettings,
    run: String,
    inputs: Vec<Arc<str>>,
    sightings: Vec<Sighting>,
    coverage: Vec<Coverage>,
    malformed: u64,
    audits: u64,
    /// What was heard, for a process that takes this one's place.
    heard: Vec<Publication>,
    heard_anew: bool,
}

impl AuditorNode {
    /// An auditor of the run `run` made by `robots`.
    pub fn new(
        run: &str,
        robots: &[&str],
        site: Arc<Site>,
        catalogue: Arc<Catalogue>,
        settings: AuditSettings,
    ) -> Self {
        let inputs = robots
            .iter()
            .flat_map(|robot| ["sightings", "coverage", "missions"].map(|t| format!("/{robot}/{t}").into()))
            .collect();
        Self {
            site,
            catalogue,
            settings,
            run: run.into(),
            inputs,
            sightings: Vec::new(),
            coverage: Vec::new(),
            malformed: 0,
            audits: 0,
            heard: Vec::new(),
            heard_anew: false,
        }
    }

    fn publish(&mut self, out: &mut Outbox) {
        let result = audit(&self.catalogue, &self.site, &self.sightings, &self.coverage, &self.settings);
        let message = ShelfErrors {
            header: Header::new(out.now_ns(), "map"),
            run: self.run.clone(),
            faces: result.faces.iter().map(ToString::to_string).collect(),
            expected: result.expected,
            in_place: result.in_place,
            seen: result.seen,
            errors: result.errors.iter().map(Into::into).collect(),
        };
        out.publish(&Arc::from("/shelf_errors"), message);
        self.audits += 1;
    }
}

fn over(state: &MissionState) -> bool {
    matches!(state.state, MissionState::DONE | MissionState::FAILED | MissionState::CANCELLED)
}

impl Node for AuditorNode {
    fn name(&self) -> &str {
        "auditor"
    }

    fn subscriptions(&self) -> Vec<Arc<str>> {
        self.inputs.clone()
    }

    fn publications(&self) -> Vec<Arc<str>> {
        vec!["/shelf_errors".into()]
    }

    fn wants_past(&self) -> bool {
        true
    }

    fn take_memory(&mut self) -> Option<Vec<Publication>> {
        std::mem::take(&mut self.heard_anew).then(|| self.heard.clone())
    }

    fn recall(&mut self, memory: &[Publication]) {
        memory.iter().for_each(|publication| self.on_message(publication, &mut Outbox::at(0)));
    }

    fn on_message(&mut self, input: &Publication, out: &mut Outbox) {
        if matches!(&*input.message, AnyMessage::Sightings(_) | AnyMessage::Coverage(_)) {
            // What it knows from the process before it comes again from those who keep it.
            if self.heard.iter().any(|h| h.message == input.message) {
                return;
            }
            self.heard.push(input.clone());
            self.heard_anew = true;
        }
        match &*input.message {
            AnyMessage::Sightings(message) if input.is_called("sightings") => {
                for sighting in &message.sightings {
                    match Sighting::try_from(sighting) {
                        Ok(sighting) => self.sightings.push(sighting),
                        Err(error) => {
                            tracing::warn!(%error, scan = %message.scan, "a sighting was left out");
                            self.malformed += 1;
                        }
                    }
                }
            }
            AnyMessage::Coverage(message) => match Coverage::try_from(message) {
                Ok(coverage) => self.coverage.push(coverage),
                Err(error) => {
                    tracing::warn!(%error, scan = %message.scan, "a coverage was left out");
                    self.malformed += 1;
                }
            },
            // The pilot repeats its last state once a second; one audit is enough.
            AnyMessage::MissionState(state) if self.audits == 0 && over(state) => self.publish(out),
            _ => {}
        }
    }

    fn health(&self) -> Health {
        Health {
            level: if self.malformed > 0 { Level::Warn } else { Level::Ok },
            summary: if self.malformed > 0 {
                format!("{} malformed messages", self.malformed)
            } else {
                "ok".into()
            },
            values: vec![
                ("sightings", self.sightings.len().to_string()),
                ("coverages", self.coverage.len().to_string()),
                ("audits", self.audits.to_string()),
                ("malformed", self.malformed.to_string()),
            ],
        }
    }
}
