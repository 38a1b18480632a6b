//! What staff would lose: books sent to the wrong shelf, false alarms, missing books that were only not looked at.

mod world;

use proptest::prelude::*;

use super::{Audit, AuditSettings, audit};
use crate::shelf_error::ErrorKind;
use crate::sighting::Sighting;
use crate::uid::Uid;
use world::{Noise, World};

fn kinds(audit: &Audit, kind: ErrorKind) -> Vec<String> {
    audit.errors.iter().filter(|e| e.kind == kind).map(|e| e.item.barcode.clone()).collect()
}

fn run(world: &World, noise: &Noise) -> Audit {
    let (sightings, coverage) = world.passes(noise, 1);
    audit(&world.catalogue, &world.site, &sightings, &coverage, &AuditSettings::default())
}

#[test]
fn a_library_in_order_gives_no_findings() {
    let world = World::new(7, 4);
    let result = run(&world, &Noise::honest());
    assert_eq!(result.expected as usize, world.catalogue.len());
    assert!(result.errors.is_empty(), "{:#?}", result.errors);
    assert_eq!(result.in_place, result.expected);
    assert_eq!(result.books.len(), world.catalogue.len());
    assert_eq!(result.problems, []);
}

#[test]
fn what_a_broken_off_pass_did_not_reach_is_not_called_missing() {
    let world = World::new(8, 1);
    let (mut sightings, mut coverage) = world.passes(&Noise::honest(), 1);
    // The robot stopped at 2 m. Of the books beyond it has read some from afar, and takes them for nearer.
    let stopped_m = 2.0;
    let mut nth = 0;
    sightings.retain_mut(|s| {
        if s.along_m <= stopped_m {
            return true;
        }
        nth += 1;
        s.along_m = stopped_m - 0.1 - 0.05 * (nth % 7) as f32;
        s.along_std_m = 0.1;
        nth % 2 == 0 && nth < 100
    });
    for c in &mut coverage {
        let bin_m = c.bin_m;
        for (bin, p) in c.read_probability.iter_mut().enumerate() {
            if (bin as f32 + 0.5) * bin_m > stopped_m {
                *p = 0.0;
            }
        }
    }
    let result = audit(&world.catalogue, &world.site, &sightings, &coverage, &AuditSettings::default());
    assert_eq!(kinds(&result, ErrorKind::Missing), [] as [String; 0]);
    assert!(kinds(&result, ErrorKind::NotVerified).len() > 100);
}

#[test]
fn false_alarms_stay_rare_and_true_ones_are_found_in_3500_books() {
    let (mut far, mut gone, mut order) = ((0, 0, 0), (0, 0, 0), (0, 0, 0));
    for seed in 0..4 {
        let mut world = World::new(seed, 4);
        assert!(world.catalogue.len() > 3000, "{}", world.catalogue.len());
        let misplaced = world.misplace(30);
        let missing = world.remove(30);
        let swapped = world.disorder(15, 4);
        let result = run(&world, &Noise { tier_confusion: 0.02, ..Noise::honest() });
        let count = |kinds: &[ErrorKind], truth: &[String], total: &mut (usize, usize, usize)| {
            let claims: Vec<_> = result.errors.iter().filter(|e| kinds.contains(&e.kind)).collect();
            total.0 += claims.iter().filter(|e| truth.contains(&e.item.barcode)).count();
            total.1 += claims.len();
            total.2 += truth.len();
        };
        use ErrorKind::{MisplacedBay, MisplacedFloor, MisplacedRow, MisplacedTier, Missing, OutOfOrder};
        count(&[MisplacedBay, MisplacedFloor, MisplacedRow, MisplacedTier], &misplaced, &mut far);
        count(&[Missing], &missing, &mut gone);
        count(&[OutOfOrder], &swapped, &mut order);
    }
    println!("right, claimed, injected: misplaced {far:?}, missing {gone:?}, out of order {order:?}");
    let precision = |c: (usize, usize, usize)| c.0 as f64 / c.1.max(1) as f64;
    let recall = |c: (usize, usize, usize)| c.0 as f64 / c.2 as f64;
    assert!(precision(far) >= 0.95 && recall(far) >= 0.95, "{far:?}");
    assert!(precision(gone) >= 0.95 && recall(gone) >= 0.90, "{gone:?}");
    assert!(precision(order) >= 0.95 && recall(order) >= 0.80, "{order:?}");
}

#[test]
fn a_locator_that_is_too_sure_of_its_tiers_raises_no_flood_of_false_alarms() {
    let mut world = World::new(11, 2);
    let misplaced = world.misplace(12);
    // Wrong in 5 of 100, and sure of itself each time.
    let result = run(&world, &Noise { tier_confusion: 0.05, tier_sureness: 0.9999, ..Noise::honest() });
    let claims: Vec<_> = result.errors.iter().filter(|e| e.kind != ErrorKind::Missing).collect();
    let wrong = claims.iter().filter(|e| !misplaced.contains(&e.item.barcode)).count();
    assert!(wrong <= 2, "{wrong} of {}", claims.len());
}

#[test]
fn books_read_from_behind_the_panel_stay_on_their_own_face() {
    let world = World::new(3, 4);
    let result = run(&world, &Noise { ghost_share: 0.6, ..Noise::honest() });
    assert!(result.errors.is_empty(), "{:#?}", result.errors);
}

#[test]
fn a_shift_of_a_whole_pass_moves_no_book_to_the_next_bay() {
    let world = World::new(5, 2);
    let result = run(&world, &Noise { offset_m: 0.06, ..Noise::honest() });
    assert!(result.errors.is_empty(), "{:#?}", result.errors);
}

#[test]
fn a_book_is_called_missing_only_where_coverage_says_that_it_would_have_been_read() {
    let mut world = World::new(2, 2);
    let gone = world.remove(20);
    let (sightings, mut coverage) = world.passes(&Noise::honest(), 1);
    for c in &mut coverage {
        c.read_probability.iter_mut().for_each(|p| *p = 0.7);
    }
    let settings = AuditSettings::default();
    let thin = audit(&world.catalogue, &world.site, &sightings, &coverage, &settings);
    assert!(kinds(&thin, ErrorKind::Missing).is_empty());
    let mut found = kinds(&thin, ErrorKind::NotVerified);
    found.sort();
    assert_eq!(found, gone);
    let blind = audit(&world.catalogue, &world.site, &sightings, &[], &settings);
    assert!(kinds(&blind, ErrorKind::Missing).is_empty());
    assert_eq!(blind.expected, thin.expected);
}

#[test]
fn cautious_coverage_hides_no_missing_book_when_no_tag_was_read_only_a_few_times() {
    let mut world = World::new(2, 4);
    let gone = world.remove(25);
    let (sightings, mut coverage) = world.passes(&Noise::honest(), 1);
    for c in &mut coverage {
        c.read_probability.iter_mut().for_each(|p| *p = 0.985);
    }
    let result = audit(&world.catalogue, &world.site, &sightings, &coverage, &AuditSettings::default());
    let mut found = kinds(&result, ErrorKind::Missing);
    found.sort();
    assert_eq!(found, gone);
}

#[test]
fn boastful_coverage_calls_no_book_missing_where_many_tags_were_hardly_read() {
    let mut world = World::new(2, 2);
    let unread = world.remove(60);
    let (mut sightings, coverage) = world.passes(&Noise { ghost_share: 0.0, ..Noise::honest() }, 1);
    for s in sightings.iter_mut().step_by(8) {
        s.reads = 1 + s.reads % 2;
    }
    let result = audit(&world.catalogue, &world.site, &sightings, &coverage, &AuditSettings::default());
    assert!(kinds(&result, ErrorKind::Missing).is_empty());
    assert_eq!(kinds(&result, ErrorKind::NotVerified).len(), unread.len());
}

#[test]
fn a_book_with_a_tag_of_an_old_model_is_not_called_missing_where_only_new_ones_are_surely_read() {
    let mut world = World::new(2, 4);
    let gone = world.remove(25);
    let (mut sightings, coverage) = world.passes(&Noise { ghost_share: 0.0, ..Noise::honest() }, 1);
    world.age_tags(&mut sightings, 0.12);
    let old = |barcode: &String| world.catalogue.by_barcode(barcode).unwrap().tag_model == "old";
    let result = audit(&world.catalogue, &world.site, &sightings, &coverage, &AuditSettings::default());
    let missing = kinds(&result, ErrorKind::Missing);
    let unread = kinds(&result, ErrorKind::NotVerified);
    let stands = |b: &&String| !gone.contains(b);
    assert!(unread.iter().filter(stands).count() > 50, "old tags go unread: {}", unread.len());
    assert_eq!(missing.iter().filter(stands).collect::<Vec<_>>(), Vec::<&String>::new());
    let new: Vec<&String> = gone.iter().filter(|b| !old(b)).collect();
    assert_eq!(missing.iter().filter(|b| !old(b)).collect::<Vec<_>>(), new, "new ones are still told");
    let [average, models] = [&result.tag_models[0], &result.tag_models[1]];
    assert_eq!((average.model.as_str(), models.model.as_str()), ("", "old"));
    assert!((0.08..0.2).contains(&(models.rate / average.rate)), "{models:?}");

    // Who does not say it in the catalogue cannot be told: one rate for all takes both for missing, or neither.
    world.forget_models();
    let blind = audit(&world.catalogue, &world.site, &sightings, &coverage, &AuditSettings::default());
    let wrong = kinds(&blind, ErrorKind::Missing).iter().filter(stands).count();
    let told = kinds(&blind, ErrorKind::Missing).iter().filter(|b| gone.contains(b)).count();
    assert!(wrong > 0 || told < new.len(), "{wrong}, {told}");
    assert!(blind.tag_models.is_empty());
}

#[test]
fn books_on_faces_that_no_pass_covered_are_not_asked_for() {
    let world = World::new(2, 4);
    let (mut sightings, mut coverage) = world.passes(&Noise::honest(), 1);
    let face = coverage[0].face.clone();
    coverage.retain(|c| c.face == face);
    sightings.retain(|s| s.face.as_ref() == Some(&face));
    let result = audit(&world.catalogue, &world.site, &sightings, &coverage, &AuditSettings::default());
    assert_eq!(result.faces, [face]);
    assert_eq!((result.expected + result.not_covered) as usize, world.catalogue.len());
    assert!(result.errors.is_empty(), "{:#?}", result.errors);
}

#[test]
fn a_misplaced_book_is_named_with_its_neighbours_and_the_place_it_belongs() {
    let mut world = World::new(9, 2);
    let barcode = world.misplace(1).remove(0);
    let result = run(&world, &Noise::honest());
    assert_eq!(result.errors.len(), 1, "{:#?}", result.errors);
    let error = &result.errors[0];
    assert_eq!(error.item.barcode, barcode);
    let truth = world.true_place(&barcode);
    let found = error.found.as_ref().unwrap();
    assert_eq!(found.address, truth.0);
    assert!((f64::from(found.along_m) - truth.1).abs() < 0.05);
    let on_shelf = world.on_shelf(&truth.0);
    let at = on_shelf.iter().position(|b| *b == barcode).unwrap();
    let named: Vec<_> = error.found_between.iter().flatten().map(|i| i.barcode.clone()).collect();
    let near = &on_shelf[at.saturating_sub(3)..on_shelf.len().min(at + 4)];
    assert!(named.iter().all(|n| near.contains(n) && *n != barcode), "{named:?} {near:?}");
    assert_eq!(found.position as usize, at + 1);
    let belongs: Vec<_> = error.belongs_between.iter().flatten().collect();
    assert!(!belongs.is_empty());
    let number = |b: &str| b[1..].parse::<u32>().unwrap();
    assert!(belongs.iter().all(|i| number(&i.barcode).abs_diff(number(&barcode)) == 1), "{belongs:?}");
    assert!(error.confidence > 0.7 && error.evidence.reads > 0 && error.evidence.passes == 1);
}

#[test]
fn foreign_and_lent_books_on_a_shelf_are_reported_and_never_dropped() {
    let mut world = World::new(4, 2);
    let foreign = world.add_foreign(5);
    let lent = world.lend(4, true);
    world.lend(6, false);
    let result = run(&world, &Noise::honest());
    let mut unknown: Vec<_> =
        result.errors.iter().filter(|e| e.kind == ErrorKind::NotInCatalogue).map(|e| &e.item.uid).collect();
    unknown.sort();
    assert_eq!(unknown, foreign.iter().collect::<Vec<_>>());
    let mut on_loan = kinds(&result, ErrorKind::OnLoan);
    on_loan.sort();
    assert_eq!(on_loan, lent);
    assert_eq!(result.errors.len(), 9, "{:#?}", result.errors);
    assert!(result.errors.iter().all(|e| e.found.is_some()));
}

#[test]
fn books_are_known_by_the_barcode_written_on_their_tags() {
    let mut world = World::new(4, 1);
    let (mut sightings, coverage) = world.passes(&Noise::honest(), 1);
    for s in &mut sightings {
        let barcode = world.catalogue.by_uid(&s.uid).unwrap().barcode.to_owned();
        s.uid = Uid::new(barcode.as_bytes()).unwrap();
    }
    world.forget_tags();
    let result = audit(&world.catalogue, &world.site, &sightings, &coverage, &AuditSettings::default());
    assert!(result.errors.is_empty(), "{:#?}", result.errors);
    assert_eq!(result.in_place as usize, world.catalogue.len());
    assert!(result.books.iter().all(|b| b.item.uid.as_bytes() == b.item.barcode.as_bytes()));
}

#[test]
fn one_weak_read_from_far_away_proves_nothing() {
    let mut world = World::new(6, 2);
    let gone = world.remove(1);
    let (mut sightings, coverage) = world.passes(&Noise::honest(), 1);
    let other = coverage.last().unwrap().face.clone();
    let mut ghost = sightings[0].clone();
    ghost.uid = world.uid(&gone[0]);
    ghost.face = Some(other);
    (ghost.reads, ghost.face_probability, ghost.rssi_dbm) = (1, 0.8, -71.0);
    sightings.push(ghost);
    let result = audit(&world.catalogue, &world.site, &sightings, &coverage, &AuditSettings::default());
    assert!(
        result.errors.iter().all(|e| !matches!(e.kind, ErrorKind::MisplacedRow | ErrorKind::MisplacedBay))
    );
}

#[test]
fn malformed_sightings_are_named_and_poison_nothing() {
    let world = World::new(8, 1);
    let (clean, coverage) = world.passes(&Noise::honest(), 1);
    let settings = AuditSettings::default();
    let expected = audit(&world.catalogue, &world.site, &clean, &coverage, &settings);
    let breaks: [fn(&mut Sighting); 8] = [
        |s| s.along_m = f32::NAN,
        |s| s.along_std_m = f32::INFINITY,
        |s| s.face_probability = f32::NAN,
        |s| s.reads = 0,
        |s| s.tier_probability[0] = f32::NAN,
        |s| s.tier_probability.truncate(2),
        |s| s.face = None,
        |s| s.face = "9F/X1A".parse().ok(),
    ];
    let mut sightings = clean.clone();
    for (i, spoil) in breaks.iter().enumerate() {
        let mut bad = clean[i * 7].clone();
        spoil(&mut bad);
        sightings.insert(i * 5, bad);
    }
    let result = audit(&world.catalogue, &world.site, &sightings, &coverage, &settings);
    assert_eq!(result.problems.len(), breaks.len(), "{:#?}", result.problems);
    assert!(result.problems.iter().any(|p| p.reason == "along_m NaN, expected metres"));
    assert_eq!(Audit { problems: vec![], ..result }, expected);
}

#[test]
fn a_run_without_any_sighting_or_catalogue_ends_in_an_empty_audit() {
    let world = World::new(8, 1);
    let settings = AuditSettings::default();
    let nothing = audit(&world.catalogue, &world.site, &[], &[], &settings);
    assert_eq!((nothing.expected, nothing.books.len(), nothing.errors.len()), (0, 0, 0));
    let (sightings, coverage) = world.passes(&Noise::honest(), 1);
    let unknown = audit(&Default::default(), &world.site, &sightings, &coverage, &settings);
    assert_eq!(unknown.errors.len(), sightings.len());
    assert!(unknown.errors.iter().all(|e| e.kind == ErrorKind::NotInCatalogue));
}

#[test]
fn a_second_pass_never_makes_the_audit_worse() {
    let mut world = World::new(10, 2);
    let misplaced = world.misplace(10);
    let (sightings, coverage) = world.passes(&Noise::honest(), 3);
    let result = audit(&world.catalogue, &world.site, &sightings, &coverage, &AuditSettings::default());
    let mut found: Vec<_> = result.errors.iter().map(|e| e.item.barcode.clone()).collect();
    found.sort();
    assert_eq!(found, misplaced);
}

#[test]
fn a_later_round_moves_the_books_that_were_moved() {
    let in_order = World::new(10, 2);
    let mut astray = World::new(10, 2);
    let misplaced = astray.misplace(12);
    // A second round hours later, the coverage of both.
    let two_rounds = |first: &World, then: &World| {
        let (mut sightings, mut coverage) = first.passes(&Noise::honest(), 1);
        let (later, its_coverage) = then.passes(&Noise::honest(), 1);
        sightings.extend(later.into_iter().map(|s| Sighting {
            scan: s.scan.replace("inv_1", "inv_2"),
            stamp_ns: s.stamp_ns.map(|t| t + 4 * 3_600_000_000_000),
            ..s
        }));
        coverage.extend(its_coverage);
        let result = audit(&first.catalogue, &first.site, &sightings, &coverage, &AuditSettings::default());
        let mut found: Vec<_> = result.errors.iter().map(|e| e.item.barcode.clone()).collect();
        found.sort();
        found
    };
    assert_eq!(two_rounds(&in_order, &astray), misplaced);
    assert_eq!(two_rounds(&astray, &in_order), Vec::<String>::new());
}

#[test]
fn findings_come_in_walking_order() {
    let mut world = World::new(12, 4);
    world.misplace(15);
    world.remove(15);
    let result = run(&world, &Noise::honest());
    let place = |e: &crate::ShelfError| {
        let shelf =
            e.found.as_ref().map_or_else(|| e.home.as_ref().unwrap().first.clone(), |f| f.address.clone());
        (shelf.face, shelf.bay, std::cmp::Reverse(shelf.tier))
    };
    assert!(result.errors.windows(2).all(|w| place(&w[0]) <= place(&w[1])));
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    let settings = AuditSettings { min_confidence: f64::NAN, ..AuditSettings::default() };
    assert_eq!(
        settings.check().unwrap_err().to_string(),
        "audit setting min_confidence is NaN, expected a probability from 0.5 to 1"
    );
    assert_eq!(AuditSettings::default().check(), Ok(()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_order_of_the_inputs_changes_nothing(seed in 0u64..1000, cut in 0usize..500) {
        let mut world = World::new(seed, 1);
        world.misplace(3);
        world.remove(3);
        let (mut sightings, mut coverage) = world.passes(&Noise { ghost_share: 0.3, ..Noise::honest() }, 2);
        let settings = AuditSettings::default();
        let first = audit(&world.catalogue, &world.site, &sightings, &coverage, &settings);
        sightings.reverse();
        let n = sightings.len();
        sightings.rotate_left(cut % n);
        coverage.reverse();
        let second = audit(&world.shuffled_catalogue(seed), &world.site, &sightings, &coverage, &settings);
        prop_assert_eq!(first, second);
    }

    #[test]
    fn no_sighting_whatever_makes_it_panic(
        odd in prop::collection::vec((any::<f32>(), any::<f32>(), any::<f32>(), any::<f32>(), 0u32..3), 0..40)
    ) {
        let world = World::new(1, 1);
        let (mut sightings, coverage) = world.passes(&Noise::honest(), 1);
        for (i, (along, std, face, tier, reads)) in odd.into_iter().enumerate() {
            let mut s = sightings[i * 3].clone();
            (s.along_m, s.along_std_m, s.face_probability, s.reads) = (along, std, face, reads);
            s.tier_probability[i % 6] = tier;
            s.rssi_dbm = tier;
            sightings.push(s);
        }
        let result = audit(&world.catalogue, &world.site, &sightings, &coverage, &AuditSettings::default());
        prop_assert!(result.errors.iter().all(|e| (0.0..=1.0).contains(&e.confidence)));
    }
}

#[test]
fn a_book_that_lies_on_the_others_is_told_and_not_one_that_the_locator_has_on_the_tier_above() {
    let world = World::new(2, 4);
    let (mut sightings, coverage) = world.passes(&Noise::honest(), 1);
    let mut told = |up_m: f64| {
        for s in &mut sightings {
            let (_, face) = world.site.face(s.face.as_ref().unwrap()).unwrap();
            let tier = s.tier().map_or(0, |t| usize::from(t.0) - 1);
            s.height_m = (face.tiers[tier].board_m + up_m) as f32;
        }
        let result = audit(&world.catalogue, &world.site, &sightings, &coverage, &AuditSettings::default());
        (kinds(&result, ErrorKind::Lying).len(), result.in_place as usize)
    };
    assert_eq!(told(0.08).0, 0);
    let (lying, in_place) = told(0.24);
    assert!(lying > 0 && lying * 10 >= in_place * 9, "{lying} of {in_place}");
    assert_eq!(told(0.9).0, 0);
}
