//! A made-up audit for tests and the sample report: random, from a seed, with every kind of finding.
#![allow(dead_code, missing_docs)]

use std::fmt::Write;

use bridge::{FaceCoverage, RunFacts};
use domain::audit::{Audit, PlacedBook};
use domain::{ErrorKind, Evidence, FaceId, Home, ItemRef, Place, ShelfAddress, ShelfError, Site, Uid};

/// A small generator (SplitMix64), so that the sample needs no more packages.
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 24) as f32
    }

    pub fn of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[(self.next() % list.len() as u64) as usize]
    }
}

pub fn site(rows: u16, bays: u16) -> Site {
    let mut text = String::from("name = \"Demo library\"\n[[floor]]\nid = \"1F\"\n");
    for row in 1..=rows {
        for (side, heading) in [("A", 0.0), ("B", 180.0)] {
            write!(
                text,
                "[[floor.face]]\nid = \"R{row:02}{side}\"\norigin_m = [0.0, {}.0]\nheading_deg = {heading:.1}\n\
                 bays = {bays}\nbay_width_m = 0.9\ndepth_m = 0.25\n",
                row * 2
            )
            .unwrap();
            for tier in 0..6 {
                writeln!(
                    text,
                    "[[floor.face.tier]]\nboard_m = {:.2}\nclear_m = 0.31",
                    0.10 + 0.33 * f64::from(tier)
                )
                .unwrap();
            }
        }
    }
    toml::from_str(&text).unwrap()
}

const TITLES: [&str; 14] = [
    "红楼梦",
    "机器人学导论",
    "Probabilistic Robotics",
    "中国图书馆分类法（第五版）",
    "无线射频识别技术与应用",
    "The Art of Computer Programming, Volume 3: Sorting and Searching",
    "概率论与数理统计",
    "Pattern Recognition and Machine Learning",
    "史记 （全十册） 第七册",
    "Invisible Cities",
    "数据结构：C语言描述",
    "Antenna Theory: Analysis and Design",
    "现代控制工程",
    "A Pattern Language: Towns, Buildings, Construction",
];

pub fn item(n: u32, dice: &mut Dice) -> ItemRef {
    let title = *dice.of(&TITLES);
    let call_number = if title.is_ascii() {
        format!("TJ{}.{} .P{}", 210 + n / 40, n % 40, 1 + dice.next() % 90)
    } else {
        format!("TP{}.{}/{}", 240 + n / 40, n % 40, 1 + dice.next() % 900)
    };
    let mut uid = [0u8; 12];
    uid[..2].copy_from_slice(&[0xe2, 0x80]);
    uid[8..].copy_from_slice(&n.to_be_bytes());
    ItemRef { uid: Uid::new(&uid).unwrap(), barcode: format!("31{n:08}"), call_number, title: title.into() }
}

/// An audit of all faces of a site with about `per_shelf` books on each shelf.
pub fn audit(site: &Site, per_shelf: u32, error_share: f32, seed: u64) -> (Audit, RunFacts) {
    let mut dice = Dice(seed);
    let mut audit = Audit::default();
    let mut n = 0;
    for (id, _, face) in site.faces() {
        audit.faces.push(id.clone());
        for bay in 1..=face.bays {
            for tier in (1..=face.tiers.len() as u8).rev() {
                let address = ShelfAddress { face: id.clone(), bay, tier };
                shelf(&mut audit, &address, per_shelf, error_share, &mut n, &mut dice);
            }
        }
    }
    audit.seen = audit.books.len() as u32;
    let facts = RunFacts {
        run: format!("demo-{seed}"),
        robot: "inv_1".into(),
        site: site.name.clone(),
        started_ns: 0,
        finished_ns: 412_000_000_000,
        wall_started_ns: None,
        reads: 1_204_331,
        tags: audit.seen,
        passes: audit.faces.len() as u32 + 1,
        distance_m: 31.4,
        coverage: audit
            .faces
            .iter()
            .map(|f| FaceCoverage { face: f.clone(), mean_read_probability: 0.993, weak_share: 0.012 })
            .collect(),
        seed: Some(seed),
    };
    (audit, facts)
}

fn shelf(
    audit: &mut Audit,
    address: &ShelfAddress,
    per_shelf: u32,
    error_share: f32,
    n: &mut u32,
    dice: &mut Dice,
) {
    let mut along = f32::from(address.bay - 1) * 0.9 + 0.01;
    let end = f32::from(address.bay) * 0.9 - 0.06;
    let mut left: Option<ItemRef> = None;
    for position in 1..=per_shelf {
        let thickness_m = 0.012 + 0.026 * dice.unit();
        if along + thickness_m > end {
            break;
        }
        *n += 1;
        let item = item(*n, dice);
        let right = Some(self::item(*n + 1, dice));
        let wrong = dice.unit() < error_share;
        let kind = *dice.of(&bridge::words::KINDS);
        audit.expected += 1;
        audit.in_place += u32::from(!wrong);
        let seen = !wrong || !matches!(kind, ErrorKind::Missing | ErrorKind::NotVerified);
        let place = Place {
            address: address.clone(),
            along_m: along + thickness_m / 2.0 + 0.006 * (dice.unit() - 0.5),
            along_std_m: 0.008,
            position,
        };
        if seen {
            audit.books.push(PlacedBook {
                item: item.clone(),
                face: address.face.clone(),
                tier: address.tier,
                along_m: place.along_m,
                along_std_m: place.along_std_m,
                thickness_m,
                height_m: 0.19 + 0.08 * dice.unit(),
                verdict: wrong.then_some(kind),
            });
        }
        if wrong {
            audit.errors.push(error(
                kind,
                &item,
                address,
                seen.then_some(place),
                [left.clone(), right],
                dice,
            ));
        }
        along += thickness_m;
        left = Some(item);
    }
}

fn error(
    kind: ErrorKind,
    item: &ItemRef,
    address: &ShelfAddress,
    found: Option<Place>,
    between: [Option<ItemRef>; 2],
    dice: &mut Dice,
) -> ShelfError {
    let mut home = address.clone();
    match kind {
        ErrorKind::MisplacedTier => home.tier = home.tier % 6 + 1,
        ErrorKind::MisplacedBay => home.bay = home.bay % 5 + 1,
        ErrorKind::MisplacedRow => home.face = "1F/R02A".parse::<FaceId>().unwrap(),
        ErrorKind::MisplacedFloor => home.face = "3F/R07A".parse::<FaceId>().unwrap(),
        _ => {}
    }
    let unknown = kind == ErrorKind::NotInCatalogue;
    let seen = found.is_some();
    ShelfError {
        kind,
        item: if unknown {
            ItemRef {
                uid: item.uid.clone(),
                barcode: String::new(),
                call_number: String::new(),
                title: String::new(),
            }
        } else {
            item.clone()
        },
        home: (!unknown).then_some(Home { first: home.clone(), last: home }),
        found_between: if seen { between.clone() } else { [None, None] },
        belongs_between: if unknown {
            [None, None]
        } else if seen {
            [Some(self::item(7000, dice)), Some(self::item(7001, dice))]
        } else {
            between
        },
        found,
        confidence: 0.8 + 0.1999 * dice.unit(),
        evidence: Evidence {
            reads: if seen { 180 + (dice.next() % 400) as u32 } else { 0 },
            passes: 2,
            passes_missed: if seen { 0 } else { 2 },
            rssi_dbm: if seen { -52.5 } else { 0.0 },
            tier_probability: 0.97,
            read_probability: if kind == ErrorKind::NotVerified { 0.61 } else { 0.998 },
            first_seen_ns: if seen { 12_000_000_000 } else { 0 },
            last_seen_ns: if seen { 31_500_000_000 } else { 0 },
        },
    }
}
