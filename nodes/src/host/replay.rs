//! The replay host: recorded inputs through today's nodes.

use interfaces::Publication;

use super::local::{HostError, LocalHost, Observer};
use crate::node::Node;

struct Collect {
    inputs: Vec<std::sync::Arc<str>>,
    outputs: Vec<Publication>,
}

impl Observer for Collect {
    fn observe(&mut self, publication: &Publication) -> Result<(), String> {
        if !self.inputs.contains(&publication.topic) {
            self.outputs.push(publication.clone());
        }
        Ok(())
    }
}

/// Runs recorded publications through nodes and returns what the nodes publish, in order.
///
/// Of the recording only `/clock` and the topics in `inputs` are fed, so that what a node publishes today is
/// never mixed with what it published then.
pub fn replay<E: From<HostError>>(
    nodes: Vec<Box<dyn Node>>,
    inputs: &[std::sync::Arc<str>],
    recording: impl IntoIterator<Item = Result<Publication, E>>,
) -> Result<Vec<Publication>, E> {
    let mut host = LocalHost::new();
    for node in nodes {
        host.add(node);
    }
    let mut fed = inputs.to_vec();
    fed.push("/clock".into());
    let mut collect = Collect { inputs: fed.clone(), outputs: Vec::new() };
    for publication in recording {
        let publication = publication?;
        if fed.contains(&publication.topic) {
            host.feed(publication, &mut [&mut collect])?;
        }
    }
    collect.outputs.retain(|p| &*p.topic != "/diagnostics");
    Ok(collect.outputs)
}
