//! Whatever stands in a scenario: a world that runs, or one clear error with file and key. Never a panic.
#![allow(missing_docs, clippy::unwrap_used)]

use proptest::prelude::*;
use toml::Value;
use twin::{Scenario, Twin};

const FILE: &str = include_str!("../../tests/fixtures/repeat.toml");

/// What a scenario file comes to: how it is refused, or a twin that ran some steps.
fn comes_to(text: &str) -> Result<(), String> {
    let scenario = Scenario::from_toml(text, "odd.toml").map_err(|e| e.to_string())?;
    let mut twin = Twin::new(&scenario).map_err(|e| e.to_string())?;
    let mut out = Vec::new();
    (0..12).for_each(|_| twin.step(&mut out));
    for robot in &scenario.robots {
        assert!(twin.true_pose(&robot.name).unwrap().iter().all(|v| v.is_finite()), "{text}");
    }
    Ok(())
}

#[test]
fn nonsense_is_refused_by_file_and_key() {
    let tables = [
        ("[library]\nrows = 0\n", "library.rows"),
        ("[library]\nrows = 1000000000\n", "odd.toml:2"),
        ("[library]\nbays = 1000\n", "library.bays"),
        ("[library]\nfloors = 0\n", "library.floors"),
        ("[library]\nfloors = 20\nrows = 20\n", "library.floors"),
        ("[library]\nfloor = \"2F\"\nfloors = 3\n", "library.floor"),
        ("[library]\nfill = [0.8, nan]\n", "library.fill[1]"),
        ("[errors]\nmissing = 1000000000\n", "errors.missing"),
        ("[errors]\nmissing = 9999\n", "errors.missing"),
        ("[untidy]\nlying = 9999\n", "untidy.lying"),
        ("[untidy]\nlying = -1\n", "odd.toml:2"),
        ("[[robot]]\nbase.mass_kg = nan\n", "robot[0].base.mass_kg"),
        ("[[robot]]\nbase.mass_kg = 0.0\n", "robot[0].base.mass_kg"),
        ("[[robot]]\nstart_m = [3.0, 1.6]\n", "robot[0].start_m"),
        ("[[robot]]\nstart_m = [0.1, 0.1]\n", "robot[0].start_m"),
        ("[[robot]]\nstart_m = [nan, 0.7]\n", "robot[0].start_m[0]"),
        ("[[robot]]\nfloor = \"9F\"\n", "robot[0].floor"),
        ("[[person]]\nfrom_m = [1.0, 0.7]\nto_m = [inf, 0.7]\n", "person[0].to_m[0]"),
        (
            "[[person]]\nfrom_m = [1.0, 0.7]\nto_m = [4.0, 0.7]\nread_every_m = nan\n",
            "person[0].read_every_m",
        ),
        ("[[obstacle]]\nat_m = [2.0, 0.7]\nsize_m = [0.0, 0.4]\n", "obstacle[0].size_m[0]"),
        ("[[furniture]]\nkind = \"trolley\"\nat_m = [2.0, 0.7]\nmass_kg = nan\n", "furniture[0].mass_kg"),
        ("[[furniture]]\nkind = \"piano\"\nat_m = [2.0, 0.7]\n", "odd.toml:2"),
        ("[[fault]]\nkind = \"aisle_blocked\"\nrobot = \"inv_1\"\nat_s = 1.0\n", "fault[0].to_m"),
        ("[[fault]]\nkind = \"book_moved\"\nrobot = \"inv_1\"\nat_s = 1.0\n", "fault[0].shelf"),
        (
            "[[fault]]\nkind = \"book_moved\"\nrobot = \"inv_1\"\nat_s = 1.0\nshelf = \"1F/R77A/B01/T1\"\n",
            "fault[0].shelf",
        ),
        (
            "[[fault]]\nkind = \"battery_low\"\nrobot = \"inv_1\"\nat_s = 1.0\ncharge = 2.0\n",
            "fault[0].charge",
        ),
        (
            "[[fault]]\nkind = \"noisy_carrier\"\nrobot = \"inv_1\"\nat_s = 1.0\nband_mhz = [920.0, nan]\n",
            "fault[0].band_mhz[1]",
        ),
        ("[radio.field]\nfloor_reflection = 2.0\n", "radio.field.floor_reflection"),
        ("[radio.reader]\nplan = \"fcc\"\ncarrier_dwell_s = 2.0\n", "radio.reader.carrier_dwell_s"),
        ("[radio.reader]\nmode = \"warp\"\n", "odd.toml:2"),
        ("[expect]\nbumps = [3, 1]\n", "expect.bumps[1]"),
        ("[expect]\ntipped = [3, 1]\n", "expect.tipped[1]"),
        ("[[furniture]]\nkind = \"chair\"\nat_m = [3.0, 1.6]\nlocked = true\n", "furniture[0].locked"),
        ("[stacks]\nsite = \"no/such/site.toml\"\ncatalogue = \"c.csv\"\n", "no/such/site.toml"),
        ("[stacks]\nsite = \"site.toml\"\n", "catalogue"),
    ];
    for (text, says) in tables {
        let Err(e) = comes_to(text) else { panic!("accepted: {text}") };
        assert!(e.contains(says), "{text}\n{e}\nexpected {says}");
        assert!(e.lines().count() == 1, "more than one line: {e}");
    }
}

#[test]
fn a_robot_in_a_person_a_box_or_another_robot_is_pushed_out_and_nothing_breaks() {
    for text in [
        "[[person]]\nfrom_m = [0.6, 0.75]\nto_m = [0.6, 0.75]\n",
        "[[obstacle]]\nat_m = [0.6, 0.75]\nsize_m = [0.3, 0.3]\n",
        "[[robot]]\nname = \"a\"\n[[robot]]\nname = \"b\"\n",
        "[[furniture]]\nkind = \"chair\"\nat_m = [0.6, 0.75]\n",
        "[[furniture]]\nkind = \"trolley\"\nat_m = [3.0, 1.6]\n",
    ] {
        comes_to(&format!("[library]\nrows = 1\nbays = 2\non_loan = 0\n[errors]\nmissing = 0\nmisplaced = 0\nout_of_order = 0\nforeign = 0\non_loan_on_shelf = 0\n{text}")).unwrap();
    }
}

/// Paths of all numbers in a table.
fn numbers(value: &Value, path: Vec<String>, found: &mut Vec<Vec<String>>) {
    let mut within = |key: String, v: &Value| numbers(v, [path.clone(), vec![key]].concat(), found);
    match value {
        Value::Table(t) => t.iter().for_each(|(k, v)| within(k.clone(), v)),
        Value::Array(a) => a.iter().enumerate().for_each(|(i, v)| within(i.to_string(), v)),
        Value::Integer(_) | Value::Float(_) => found.push(path),
        _ => {}
    }
}

fn at<'v>(value: &'v mut Value, path: &[String]) -> &'v mut Value {
    path.iter().fold(value, |v, key| match v {
        Value::Table(t) => t.get_mut(key).unwrap(),
        Value::Array(a) => &mut a[key.parse::<usize>().unwrap()],
        other => panic!("{other}"),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_number_in_any_place_is_simulated_or_refused_by_one_line(which in any::<prop::sample::Index>(), to in 0usize..10) {
        // The whole scenario written out, so that every setting has its turn.
        let scenario = Scenario::from_toml(FILE, "repeat.toml").unwrap();
        let mut value = Value::try_from(&scenario).unwrap();
        let mut paths = Vec::new();
        numbers(&value, vec![], &mut paths);
        let path = which.get(&paths).clone();
        let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -1.0, 1e-300, 1e300, 0.5, 1e9, -1e9][to];
        let slot = at(&mut value, &path);
        *slot = match slot {
            Value::Integer(_) => Value::Integer(if odd.is_nan() { i64::MIN } else { odd as i64 }),
            _ => Value::Float(odd),
        };
        let text = toml::to_string(&value).unwrap();
        if let Err(e) = comes_to(&text) {
            prop_assert!(e.lines().count() == 1 && !e.is_empty(), "{path:?}: {e}");
        }
    }
}
