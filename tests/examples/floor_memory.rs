//! Memory and time of a floor of 100,000 books in one process: pass after pass is located, the sightings are kept, and the
//! whole floor is audited against its catalogue, as locator and auditor do on a robot. Prints figures for
//! `positioning/EVALUATION.md`.
//!
//! `cargo run --release -p tests --example floor_memory [BOOKS]`

#![allow(missing_docs, clippy::print_stdout)]

use std::time::Instant;

use domain::audit::{AuditSettings, audit};
use domain::callnumber::Scheme;
use domain::catalogue::{Catalogue, Item, ItemStatus};
use domain::site::{Face, Floor, Site, Tier, Wall};
use domain::{FaceId, Home, Scan, ShelfAddress, Uid};
use positioning::{FaceGeometry, LocateSettings, TierGeometry, locate_face};
use twin::radio::{FaceLesson, FacePrior, face_lesson};

type AnyError = Box<dyn std::error::Error>;

/// Different passes; the others are these again with other tags.
const DIFFERENT: u64 = 6;

/// Peak resident memory of this process, MiB.
fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1024.0
}

fn main() -> Result<(), AnyError> {
    let wanted: usize = std::env::args().nth(1).map_or(Ok(100_000), |n| n.parse())?;
    let prior = FacePrior {
        thickness_m: [0.025, 0.025],
        speed_m_s: [0.1, 0.1],
        distance_m: [0.45, 0.45],
        tiers: [6, 6],
        antenna_each_tier: 1.0,
        ..FacePrior::of_the_twin()
    };
    let lessons: Vec<FaceLesson> =
        (0..DIFFERENT).map(|n| face_lesson(&prior, 99, n)).collect::<Result<_, _>>()?;
    let before = peak_mib();
    let (mut faces, mut items) = (Vec::new(), Vec::new());
    let (mut sightings, mut coverage) = (Vec::new(), Vec::new());
    let (mut reads, mut located_s) = (0usize, 0.0);
    for number in 0.. {
        if items.len() >= wanted {
            break;
        }
        let lesson = &lessons[number % lessons.len()];
        let row = number / 2 + 1;
        let side = if number % 2 == 0 { 'A' } else { 'B' };
        let id: FaceId = format!("1F/R{row:02}{side}").parse()?;
        let scan = renamed(&lesson.scan, number, &id)?;
        let geometry = FaceGeometry {
            face: id.clone(),
            length_m: lesson.length_m,
            depth_m: lesson.depth_m,
            tiers: lesson.tiers.iter().map(|t| TierGeometry { board_m: t[0], clear_m: t[1] }).collect(),
        };
        let settings = LocateSettings { aisle_m: lesson.aisle_m, ..LocateSettings::default() };
        let started = Instant::now();
        let found = locate_face(&scan, &geometry, &settings);
        located_s += started.elapsed().as_secs_f64();
        reads += scan.reads.len();
        sightings.extend(found.sightings);
        coverage.extend(found.coverage);
        let bays = (lesson.length_m / 0.9).round().max(1.0);
        let mut shelved: Vec<(usize, f64, usize)> = lesson
            .truth
            .iter()
            .enumerate()
            .filter_map(|(tag, truth)| Some((truth.tier?, truth.x_m, tag)))
            .collect();
        shelved.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        for (tier, x, tag) in shelved {
            let bay = (x / lesson.length_m * bays).clamp(0.0, bays - 1.0) as u16 + 1;
            let shelf = ShelfAddress { face: id.clone(), bay, tier: tier as u8 + 1 };
            items.push(Item {
                barcode: format!("{number:05}{tag:05}"),
                uid: Some(scan.tags[tag].clone()),
                call_number: format!("QA{}.{:02}", items.len() / 100 + 1, items.len() % 100),
                scheme: Scheme::Lcc,
                title: "A title of the usual length, some forty letters".into(),
                author: "An author".into(),
                thickness_m: 0.025,
                height_m: 0.23,
                home: Home { first: shelf.clone(), last: shelf },
                status: ItemStatus::Available,
                tag_model: String::new(),
            });
        }
        let y = 3.0 * row as f64 + if side == 'A' { 0.0 } else { 0.52 };
        faces.push(Face {
            id: format!("R{row:02}{side}"),
            origin_m: [if side == 'A' { 2.0 } else { 2.0 + lesson.length_m }, y],
            heading_deg: if side == 'A' { 0.0 } else { 180.0 },
            bays: bays as u16,
            bay_width_m: lesson.length_m / bays,
            depth_m: 0.25,
            tiers: lesson.tiers.iter().map(|t| Tier { board_m: t[0], clear_m: t[1] }).collect(),
        });
    }
    let books = items.len();
    println!(
        "located {books} books on {} faces from {reads} reads in {located_s:.0} s ({:.2} ms a tag); peak {:.0} MiB, of which the simulated reads {before:.0}",
        faces.len(),
        1e3 * located_s / sightings.len() as f64,
        peak_mib()
    );
    let end = [40.0, 3.0 * faces.len() as f64];
    let corners = [[0.0, 0.0], [end[0], 0.0], end, [0.0, end[1]]];
    let walls = (0..4).map(|i| Wall { from_m: corners[i], to_m: corners[(i + 1) % 4] }).collect();
    let floor = Floor {
        id: "1F".into(),
        walls,
        faces,
        markers: vec![],
        docks: vec![],
        desks: vec![],
        places: vec![],
        no_go: vec![],
    };
    let site = Site { name: "floor".into(), floors: vec![floor] };
    let catalogue = Catalogue::from_items("floor", items)?;
    println!("catalogue and site: peak {:.0} MiB", peak_mib());
    let started = Instant::now();
    let result = audit(&catalogue, &site, &sightings, &coverage, &AuditSettings::default());
    println!(
        "audited {} books ({} in place) in {:.1} s: peak {:.0} MiB",
        result.expected,
        result.in_place,
        started.elapsed().as_secs_f64(),
        peak_mib()
    );
    Ok(())
}

/// The same reads of other tags.
fn renamed(scan: &Scan, number: usize, face: &FaceId) -> Result<Scan, AnyError> {
    let mut tags = Vec::with_capacity(scan.tags.len());
    for tag in 0..scan.tags.len() {
        let mut bytes = vec![0x30, 0, 0, 0];
        bytes.extend((number as u32).to_be_bytes());
        bytes.extend((tag as u32).to_be_bytes());
        tags.push(Uid::new(&bytes)?);
    }
    Ok(Scan { name: format!("inv_1/{face}/1"), tags, reads: scan.reads.clone() })
}
