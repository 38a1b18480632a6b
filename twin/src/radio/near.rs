//! What is near an antenna: tags in blocks, panels by height. Tags and panels out of reach cost nothing.
//!
//! A block is left out only where no tag in it can be woken, whatever its chip: too far for a lone tag on boresight, or
//! wholly in the shadow of panels that weaken the field below that. The shadow of a rectangle is convex, so a
//! block lies in it when its eight corners do.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use super::obstacles::Panel;

/// Edge of a block, m: about a bay.
const BLOCK_M: f64 = 1.0;
/// Edge of a region of blocks, m.
const REGION_M: f64 = 12.0;
/// Height of a layer of panels, m: many times a floor's.
const LAYER_M: f64 = 50.0;

/// A tag where it stands. What a look at an antenna's whole reach needs lies side by side.
#[derive(Debug)]
pub(super) struct Spot {
    pub(super) tag: u32,
    pub(super) at: [f64; 3],
    /// Bits of what its chip needs, as an amplitude; NaN until somebody asked.
    needs: AtomicU64,
}

impl Spot {
    /// What its chip needs, as an amplitude; `find` knows it, always the same.
    pub(super) fn needs(&self, find: impl FnOnce() -> f64) -> f64 {
        let known = f64::from_bits(self.needs.load(Ordering::Relaxed));
        if !known.is_nan() {
            return known;
        }
        let needs = find();
        self.needs.store(needs.to_bits(), Ordering::Relaxed);
        needs
    }
}

/// Tags that stand together.
#[derive(Debug)]
struct Block {
    tags: Vec<Spot>,
    /// Box around all places that its tags ever had, m.
    low: [f64; 3],
    high: [f64; 3],
}

impl Block {
    /// Square of the distance of a point from the box, m².
    fn distance2(&self, p: [f64; 3]) -> f64 {
        (0..3).map(|i| (self.low[i] - p[i]).max(p[i] - self.high[i]).max(0.0).powi(2)).sum()
    }

    fn corners(&self) -> [[f64; 3]; 8] {
        std::array::from_fn(|n| {
            std::array::from_fn(|i| if n >> i & 1 == 0 { self.low[i] } else { self.high[i] })
        })
    }
}

/// Tags by place.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    regions: BTreeMap<[i64; 3], BTreeMap<[i64; 3], Block>>,
}

fn cell(p: [f64; 3], edge: f64) -> [i64; 3] {
    p.map(|v| (v / edge).floor() as i64)
}

impl Blocks {
    pub(super) fn enter(&mut self, tag: u32, at: [f64; 3]) {
        let region = self.regions.entry(cell(at, REGION_M)).or_default();
        let block =
            region.entry(cell(at, BLOCK_M)).or_insert_with(|| Block { tags: Vec::new(), low: at, high: at });
        block.tags.push(Spot { tag, at, needs: AtomicU64::new(f64::NAN.to_bits()) });
        block.low = std::array::from_fn(|i| block.low[i].min(at[i]));
        block.high = std::array::from_fn(|i| block.high[i].max(at[i]));
    }

    pub(super) fn leave(&mut self, tag: u32, at: [f64; 3]) {
        if let Some(block) =
            self.regions.get_mut(&cell(at, REGION_M)).and_then(|r| r.get_mut(&cell(at, BLOCK_M)))
        {
            block.tags.retain(|s| s.tag != tag);
        }
    }

    /// All tags within `reach_m` of a point, by index.
    pub(super) fn nearby(&self, point: [f64; 3], reach_m: f64) -> Vec<u32> {
        let from = cell(point.map(|v| v - reach_m), REGION_M);
        let to = cell(point.map(|v| v + reach_m), REGION_M);
        let limit = reach_m * reach_m;
        let near = |s: &&Spot| (0..3).map(|k| (s.at[k] - point[k]).powi(2)).sum::<f64>() <= limit;
        let mut found = Vec::new();
        for x in from[0]..=to[0] {
            for y in from[1]..=to[1] {
                for z in from[2]..=to[2] {
                    let blocks = self.regions.get(&[x, y, z]).into_iter().flat_map(BTreeMap::values);
                    let tags = blocks.filter(|b| b.distance2(point) <= limit).flat_map(|b| &b.tags);
                    found.extend(tags.filter(near).map(|s| s.tag));
                }
            }
        }
        found.sort_unstable();
        found
    }

    /// Hands over the tags of all blocks that may have one within `reach_m` of a point and with no more than
    /// `spare_db(distance)` of loss by panels on its way; in no order that means anything.
    pub(super) fn around(
        &self,
        point: [f64; 3],
        reach_m: f64,
        panels: &Panels,
        spare_db: impl Fn(f64) -> f64,
        mut take: impl FnMut(&[Spot]),
    ) {
        let from = cell(point.map(|v| v - reach_m), REGION_M);
        let to = cell(point.map(|v| v + reach_m), REGION_M);
        for x in from[0]..=to[0] {
            for y in from[1]..=to[1] {
                for z in from[2]..=to[2] {
                    let Some(region) = self.regions.get(&[x, y, z]) else { continue };
                    for block in region.values() {
                        let distance2 = block.distance2(point);
                        if distance2 <= reach_m * reach_m
                            && panels.shadow_db(point, block) <= spare_db(distance2.sqrt())
                        {
                            take(&block.tags);
                        }
                    }
                }
            }
        }
    }
}

/// Panels by height.
#[derive(Debug, Clone, Default)]
pub(super) struct Panels {
    all: Vec<Panel>,
    layers: BTreeMap<i64, Vec<u32>>,
}

impl Panels {
    pub(super) fn new(all: Vec<Panel>) -> Self {
        let mut layers: BTreeMap<i64, Vec<u32>> = BTreeMap::new();
        for (i, panel) in all.iter().enumerate() {
            for layer in layer(panel.z_m[0])..=layer(panel.z_m[1]) {
                layers.entry(layer).or_default().push(i as u32);
            }
        }
        Self { all, layers }
    }

    /// Panels that a straight path may meet, those of lower index first.
    fn on(&self, a: [f64; 3], b: [f64; 3]) -> impl Iterator<Item = &Panel> {
        let (low, high) = (layer(a[2].min(b[2])), layer(a[2].max(b[2])));
        (low..=high)
            .flat_map(|l| self.layers.get(&l).into_iter().flatten().map(move |&i| (l, i)))
            // A panel of several layers counts in the lowest of those passed.
            .filter_map(move |(l, i)| {
                let panel = &self.all[i as usize];
                (layer(panel.z_m[0]).max(low) == l).then_some(panel)
            })
    }

    /// One-way loss, dB, on the straight path from a to b.
    pub(super) fn loss_db(&self, a: [f64; 3], b: [f64; 3]) -> f64 {
        self.on(a, b).map(|p| p.loss_db(a, b)).sum()
    }

    /// Loss that every path from a point into a block has at least, dB.
    fn shadow_db(&self, a: [f64; 3], block: &Block) -> f64 {
        let corners = block.corners();
        let across = [corners[0], corners[7]];
        self.on(a, across[1])
            .filter(|p| across.iter().all(|&b| p.loss_db(a, b) > 0.0))
            .filter(|p| corners.iter().all(|&b| p.loss_db(a, b) > 0.0))
            .map(|p| p.loss_db)
            .sum()
    }
}

fn layer(z: f64) -> i64 {
    (z / LAYER_M).floor() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(blocks: &mut Blocks, panels: &Panels, spare_db: f64) -> Vec<u32> {
        let mut tags = Vec::new();
        blocks.around(
            [0.5, -1.0, 1.0],
            5.0,
            panels,
            |_| spare_db,
            |t| {
                tags.extend(t.iter().map(|s| s.tag));
            },
        );
        tags.sort_unstable();
        tags
    }

    #[test]
    fn tags_in_reach_are_found_and_those_behind_steel_only_where_it_can_matter() {
        let mut blocks = Blocks::default();
        blocks.enter(0, [0.5, 0.2, 1.0]);
        blocks.enter(1, [0.6, 1.2, 1.0]);
        blocks.enter(2, [40.0, 0.2, 1.0]);
        blocks.enter(3, [4.9, 1.2, 1.0]);
        let panel = Panel { from_m: [-1.0, 0.5], to_m: [2.0, 0.5], z_m: [0.0, 2.0], loss_db: 15.0 };
        let steel = Panels::new(vec![panel]);
        assert_eq!(found(&mut blocks, &steel, 20.0), [0, 1, 3]);
        assert_eq!(found(&mut blocks, &steel, 10.0), [0, 3], "the way to 3 passes the panel's end");
        blocks.leave(0, [0.5, 0.2, 1.0]);
        assert_eq!(found(&mut blocks, &Panels::default(), 0.0), [1, 3]);
    }
}
