//! A site file: what is wrong in it is named, and what is right is drawn and mapped.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;

use domain::Site;

const GOOD: &str = r#"
name = "Test & Co"
[[floor]]
id = "1F"
wall = [{ from_m = [-1, -2], to_m = [6, -2] }]
dock = [{ id = "dock_1", at_m = [0, -1.5], heading_deg = 0 }]
[[floor.face]]
id = "R01A"
origin_m = [0, 0]
heading_deg = 0
bays = 5
bay_width_m = 0.9
depth_m = 0.25
tier = [{ board_m = 0.1, clear_m = 0.3 }, { board_m = 0.43, clear_m = 0.3 }]
[[floor.face]]
id = "R01B"
origin_m = [4.5, 0.5]
heading_deg = 180
bays = 5
bay_width_m = 0.9
depth_m = 0.25
tier = [{ board_m = 0.1, clear_m = 0.3 }]
"#;

fn refused(text: &str, words: &[&str]) {
    let error = Site::parse(text, Path::new("site.toml")).unwrap_err().to_string();
    for word in words {
        assert!(error.contains(word), "{word:?} is not in: {error}");
    }
}

#[test]
fn every_wrong_value_is_named_with_its_line_and_key() {
    assert!(Site::parse(GOOD, Path::new("site.toml")).is_ok());
    refused(&GOOD.replace("R01B", "R01C"), &["site.toml", "line 16", "floor[0].face[1].id", "R01C", "R07A"]);
    refused(&GOOD.replace("R01B", "R01A"), &["floor[0].face[1].id", "once"]);
    refused(&GOOD.replacen("bays = 5", "bays = 0", 1), &["line 11", "floor[0].face[0].bays", "1 to 1000"]);
    refused(&GOOD.replacen("depth_m = 0.25", "depth_m = nan", 1), &["line 13", "depth_m", "NaN"]);
    refused(&GOOD.replace("board_m = 0.43", "board_m = 0.2"), &["tier[1].board_m", "0.4", "overlap"]);
    refused(&GOOD.replace("[4.5, 0.5]", "[4.5, 0.3]"), &["floor[0].face[1].origin_m", "R01A"]);
    refused(&GOOD.replace("[6, -2]", "[6000, -2]"), &["floor[0].wall[0].to_m", "6000"]);
    refused(&GOOD.replace("bays = 5", "bays = \"five\""), &["11", "bays"]);
    refused(&GOOD.replacen("bays = 5", "bays = 0", 1), &["line 11, column 8"]);
    refused(&GOOD.replace("Test & Co", " "), &["line 2", "name", "a name for people"]);
    refused(
        &GOOD.replace("to_m = [6, -2] }]", "to_m = [6, -2] }, { from_m = [2, -1], to_m = [2, 3] }]"),
        &["line 9", "floor[0].face[0].origin_m", "wall[1]"],
    );
    refused(
        &GOOD.replace(
            "dock = [",
            "no_go = [{ id = \"bow\", polygon_m = [[0, -1], [1, -1.5], [1, -1], [0, -1.5]] }]\ndock = [",
        ),
        &["no_go[0].polygon_m", "cross"],
    );
    refused(
        &GOOD.replace("dock = [", "desk = [{ id = \"dock_1\", at_m = [1, -1], heading_deg = 0 }]\ndock = ["),
        &["floor[0].desk[0].id", "dock_1", "no other"],
    );
    let room = "wall = [{ from_m = [-1, -2], to_m = [6, -2] }, { from_m = [6, -2], to_m = [6, 0.2] }, \
                { from_m = [-1, -2], to_m = [-1, 0.2] }]";
    refused(
        &GOOD.replace("wall = [{ from_m = [-1, -2], to_m = [6, -2] }]", room),
        &["floor[0].face[1].origin_m", "beyond the walls"],
    );
    refused("name = \"x\"\nfloor = []\n", &["floor", "at least one"]);
}

#[test]
fn face_coordinates_go_to_the_map_and_back() {
    let site = Site::parse(GOOD, Path::new("site.toml")).unwrap();
    for (_, _, face) in site.faces() {
        let p = face.face_from_map(face.map_from_face([1.0, 0.5, 1.2]));
        assert!((p[0] - 1.0).abs() < 1e-12 && (p[1] - 0.5).abs() < 1e-12 && p[2] == 1.2);
    }
    let (_, _, a) = site.faces().next().unwrap();
    assert_eq!(a.map_from_face([1.0, 0.5, 0.0])[1], -0.5, "y of the face points out into the aisle");
}

#[test]
fn a_site_survives_saving_and_its_map_has_shelves_where_they_stand() {
    let dir = tempfile::tempdir().unwrap();
    let site = Site::parse(GOOD, Path::new("site.toml")).unwrap();
    site.save(&dir.path().join("s.toml")).unwrap();
    assert_eq!(Site::load(&dir.path().join("s.toml")).unwrap(), site);
    let grid = site.floors[0].occupancy(0.05).unwrap();
    assert!(grid.is_occupied([2.0, 0.1]) && grid.is_occupied([2.0, -2.0]) && !grid.is_occupied([2.0, -1.0]));
    site.floors[0].export_nav2(dir.path(), 0.05).unwrap();
    let pgm = std::fs::read(dir.path().join("map.pgm")).unwrap();
    assert!(pgm.starts_with(b"P5\n") && pgm.len() > grid.width * grid.height);
    let svg = site.floors[0].plan_svg(&site.name);
    assert!(svg.contains("Test &amp; Co") && svg.contains("R01B"));
}
