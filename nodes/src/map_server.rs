//! The map server: the floor as Nav2 takes it, on `/map`, once; late listeners get it from ROS.

use std::sync::Arc;

use domain::Site;
use interfaces::Publication;
use interfaces::nav_msgs::OccupancyGrid;
use serde::{Deserialize, Serialize};

use crate::localizer::{DriveError, floor};
use crate::node::{Health, Node, Outbox};
use crate::planar::header;

/// Parameters of the map server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MapServerParams {
    /// Edge of a cell, m. 0.05: Nav2's own default.
    pub resolution_m: f64,
}

impl Default for MapServerParams {
    fn default() -> Self {
        Self { resolution_m: 0.05 }
    }
}

/// See the module's text.
pub struct MapServer {
    topic: Arc<str>,
    grid: OccupancyGrid,
    published: bool,
}

impl MapServer {
    /// Of one floor. A floor without walls and faces gives an empty map.
    pub fn new(site: &Site, floor_name: &str, params: &MapServerParams) -> Result<Self, DriveError> {
        let mut grid = OccupancyGrid::default();
        if let Some(map) = floor(site, floor_name)?.occupancy(params.resolution_m.max(0.01)) {
            grid.info.resolution = map.resolution_m as f32;
            grid.info.width = u32::try_from(map.width).unwrap_or(0);
            grid.info.height = u32::try_from(map.height).unwrap_or(0);
            [grid.info.origin.position.x, grid.info.origin.position.y] = map.origin_m;
            grid.info.origin.orientation.w = 1.0;
            grid.data = map.occupied.iter().map(|&o| if o { 100 } else { 0 }).collect();
        }
        Ok(Self { topic: "/map".into(), grid, published: false })
    }
}

impl Node for MapServer {
    fn name(&self) -> &str {
        "map_server"
    }

    fn subscriptions(&self) -> Vec<Arc<str>> {
        Vec::new()
    }

    fn publications(&self) -> Vec<Arc<str>> {
        vec![self.topic.clone()]
    }

    fn on_message(&mut self, _: &Publication, _: &mut Outbox) {}

    fn on_time(&mut self, out: &mut Outbox) {
        if !self.published {
            self.published = true;
            self.grid.header = header(out.now_ns(), "map");
            self.grid.info.map_load_time = self.grid.header.stamp.clone();
            out.publish(&self.topic, self.grid.clone());
        }
    }

    fn health(&self) -> Health {
        let info = &self.grid.info;
        Health {
            summary: format!("{} by {} cells of {} m", info.width, info.height, info.resolution),
            ..Health::default()
        }
    }
}
