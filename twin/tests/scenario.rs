//! A malformed scenario is refused with the key named, and with its line where it came from a file.
#![allow(missing_docs)]

use twin::Scenario;

fn refused(text: &str) -> String {
    match Scenario::from_toml(text, "demo.toml") {
        Ok(_) => panic!("accepted: {text}"),
        Err(e) => e.to_string(),
    }
}

#[test]
fn an_empty_file_is_the_demo() {
    assert_eq!(Scenario::from_toml("", "x").unwrap(), Scenario::demo(1));
    assert!(Scenario::demo(3).check().is_ok());
}

#[test]
fn an_unknown_key_names_itself_its_place_and_what_is_allowed() {
    let e = refused("seed = 4\n\n[errors]\nmising = 3\n");
    assert!(e.starts_with("demo.toml:4:1: ") && e.contains("mising") && e.contains("missing"), "{e}");
}

#[test]
fn a_value_of_another_type_names_its_place() {
    let e = refused("[library]\nrows = \"two\"\n");
    assert!(e.starts_with("demo.toml:2:8: ") && e.contains("two"), "{e}");
}

#[test]
fn a_value_out_of_range_names_key_found_and_allowed() {
    let e = refused("[library]\nbays = 0\n");
    assert_eq!(e, "demo.toml:2:8: library.bays: found 0, allowed is 1 to 40");
    let e = refused("[library]\naisle_m = nan\n");
    assert!(e.contains("library.aisle_m: found NaN"), "{e}");
    let e =
        refused("[[robot]]\nname = \"inv_1\"\n[[robot]]\nname = \"inv_2\"\n[robot.lidar]\nrange_m = -1.0\n");
    assert!(e.starts_with("demo.toml:6:11: robot[1].lidar.range_m: found -1"), "{e}");
}

#[test]
fn robots_need_names_of_their_own_and_room_to_start() {
    let e = refused("[[robot]]\nname = \"a\"\n[[robot]]\nname = \"a\"\n");
    assert!(e.contains("robot[1].name") && e.contains("robot[0]"), "{e}");
    let e = refused("[[robot]]\nname = \"Inv 1\"\n");
    assert!(e.contains("robot[0].name") && e.contains("lower-case"), "{e}");
    let e = refused("[[robot]]\nstart_m = [3.0, 1.6]\n");
    assert!(e.contains("robot[0].start_m") && e.contains("R01A"), "{e}");
    let e = refused("[[robot]]\nstart_m = [-3.0, 1.0]\n");
    assert!(e.contains("walls"), "{e}");
    let e = refused("robot = []\n");
    assert!(e.contains("at least one"), "{e}");
}

#[test]
fn more_loans_on_the_shelf_than_loans_are_refused() {
    let e = refused("[library]\non_loan = 2\n[errors]\non_loan_on_shelf = 3\n");
    assert_eq!(e, "demo.toml:4:20: errors.on_loan_on_shelf: found 3, allowed is 0 to 2");
}

#[test]
fn tag_models_have_names_of_their_own_and_shares_of_one_whole() {
    let model =
        |name: &str, share: f64| format!("[[library.tag_models]]\nname = \"{name}\"\nshare = {share}\n");
    let e = refused(&(model("old", 0.3) + &model("old", 0.3)));
    assert!(e.contains("library.tag_models[1].name: found \"old\""), "{e}");
    let e = refused(&(model("old", 0.7) + &model("older", 0.5)));
    assert!(e.contains("library.tag_models, shares together: found 1.2"), "{e}");
    let e = refused("[[library.tag_models]]\nname = \"old\"\nneeds_db = -3.0\n");
    assert!(e.contains("library.tag_models[0].needs_db: found -3"), "{e}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let e = Scenario::load(std::path::Path::new("no/such/scenario.toml")).unwrap_err().to_string();
    assert!(e.starts_with("no/such/scenario.toml: "), "{e}");
}

#[test]
fn the_written_out_demo_is_the_demo() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/demo.toml");
    assert_eq!(Scenario::load(&file).unwrap(), Scenario::demo(1));
}

#[test]
fn a_fault_names_its_robot_and_where_a_carried_one_is_put_down() {
    let carry = |rest: &str| refused(&format!("[[fault]]\nkind = \"carry\"\nat_s = 5.0\n{rest}"));
    let e = carry("robot = \"inv_7\"\n");
    assert!(e.starts_with("demo.toml:4:9: fault[0].robot: found \"inv_7\"") && e.ends_with("inv_1"), "{e}");
    let e = carry("robot = \"inv_1\"\n");
    assert!(e.contains("fault[0].to_m: found nothing"), "{e}");
    let e = carry("robot = \"inv_1\"\nto_m = [3.0, 1.6]\n");
    assert!(e.contains("fault[0].to_m") && e.contains("R01A"), "{e}");
    let e = refused("[[fault]]\nkind = \"earthquake\"\nat_s = 5.0\nrobot = \"inv_1\"\n");
    assert!(e.starts_with("demo.toml:2:8: ") && e.contains("lidar_blind"), "{e}");
    let dark = "[[fault]]\nkind = \"camera_dark\"\nat_s = 5.0\nrobot = \"inv_1\"\n";
    assert!(refused(dark).contains("fault[0].robot: found \"inv_1\", which has no camera"));
    assert!(Scenario::from_toml(&format!("{dark}[[robot]]\n[[robot.camera]]\n"), "x").is_ok());
}

#[test]
fn a_camera_whose_lens_sees_nothing_in_its_corners_is_refused() {
    let e = refused("[[robot]]\n[[robot.camera]]\ndistortion = [-0.9, 0.0, 0.0, 0.0, 0.0]\n");
    assert!(e.starts_with("demo.toml:3:14: robot[0].camera[0].distortion: found [-0.9"), "{e}");
    let e = refused("[[robot]]\n[[robot.camera]]\nwidth = 0\n");
    assert_eq!(e, "demo.toml:3:9: robot[0].camera[0].width: found 0, allowed is 64 to 4096");
    assert!(Scenario::from_toml("[[robot]]\n[[robot.camera]]\n", "x").is_ok());
}
