//! Shelf order: published lists, own examples, and what no call number may break.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use domain::callnumber::{Digits, Scheme, ShelfRules};
use proptest::prelude::*;

mod shared;

fn assert_in_order(rules: &ShelfRules, scheme: Scheme, list: &[&str]) {
    for pair in list.windows(2) {
        let [a, b] = [rules.parse(scheme, pair[0]).unwrap(), rules.parse(scheme, pair[1]).unwrap()];
        assert!(a < b, "{scheme}: {:?} must stand before {:?}\n{a:?}\n{b:?}", pair[0], pair[1]);
    }
    for (i, a) in list.iter().enumerate() {
        for b in &list[i + 1..] {
            assert!(rules.key(scheme, a) < rules.key(scheme, b), "{a:?} must stand before {b:?}");
        }
    }
}

fn check_shared(scheme: Scheme, file: &str) {
    let Some(path) = shared::data(&format!("callnumbers/{file}")) else { return };
    let text = std::fs::read_to_string(path).unwrap();
    let mut blocks = 0;
    for block in text.split("\n\n") {
        let list: Vec<&str> = block.lines().filter(|l| !l.starts_with('#') && !l.trim().is_empty()).collect();
        assert_in_order(&ShelfRules::default(), scheme, &list);
        blocks += 1;
    }
    assert!(blocks > 0);
}

#[test]
fn chinese_books_stand_in_the_published_order() {
    check_shared(Scheme::Clc, "clc.txt");
}

#[test]
fn congress_books_stand_in_the_published_order() {
    check_shared(Scheme::Lcc, "lcc.txt");
}

#[test]
fn chinese_marks_authors_and_volumes_have_their_places() {
    assert_in_order(
        &ShelfRules::default(),
        Scheme::Clc,
        &[
            "I247.5/3",
            "I247.5/12",
            "I247.5/12 第2卷",
            "I247.5/12 v.10",
            "I247.5/12=2",
            "I247.5/12:2",
            "I247.5/12/2003",
            "I247.5/123",
            "I247.5/L11",
            "I247.5/L2",
            "I247.51",
            "I247.7/上册",
            "I247.7/中册",
            "I247.7/下册",
            "TP312",
            "TP312(712)/5",
            "TP312=6/5",
            "TP312:O1/5",
            "TP312C",
        ],
    );
}

#[test]
fn full_width_typing_does_not_move_a_book() {
    let rules = ShelfRules::default();
    for (a, b) in [
        ("ＴＰ３１２／１２", "TP312/12"),
        ("K825.5－49", "K825.5-49"),
        (" k825.5 / 12 ", "K8255/12"),
        ("I247.5/12 第二卷", "I247.5/12 v.2"),
        ("I247.5/12 卷十二", "I247.5/12 Vol. 12"),
        ("I247.5/12 c.2", "I247.5/12"),
    ] {
        assert_eq!(rules.key(Scheme::Clc, a), rules.key(Scheme::Clc, b), "{a:?} and {b:?}");
    }
}

#[test]
fn a_library_with_decimal_book_numbers_gets_its_order() {
    let mut rules = ShelfRules::default();
    assert_in_order(&rules, Scheme::Clc, &["B43/6", "B43/11", "B43/L11", "B43/L6"]);
    rules.clc.book_digits = Digits::Decimal;
    rules.clc.author_digits = Digits::Integer;
    assert_in_order(&rules, Scheme::Clc, &["B43/11", "B43/6", "B43/L6", "B43/L11"]);
    rules.order_copies = true;
    assert_in_order(&rules, Scheme::Clc, &["B43/11", "B43/11 c.2", "B43/11 c.10", "B43/11 v.1"]);
}

#[test]
fn congress_cutters_dates_and_volumes_have_their_places() {
    assert_in_order(
        &ShelfRules::default(),
        Scheme::Lcc,
        &[
            "Q1",
            "QA9",
            "QA76",
            "QA76 v.2",
            "QA76 1990",
            "QA76 .A12",
            "QA76 .A12 v.2",
            "QA76 .A12 V. 10",
            "QA76 .A12 1989",
            "QA76 .A12 1989 v.2",
            "QA76 .A12 B3",
            "QA76 .A12x",
            "QA76 .A2",
            "QA76.73 .C15",
            "QA76.8",
            "QA700",
        ],
    );
    let rules = ShelfRules::default();
    assert_eq!(rules.key(Scheme::Lcc, "qa76.73 .c15 p5"), rules.key(Scheme::Lcc, "QA 76.73.C15P5"));
}

#[test]
fn dewey_books_stand_in_order() {
    assert_in_order(
        &ShelfRules::default(),
        Scheme::Ddc,
        &[
            "001 ABC",
            "005 K39",
            "005.1",
            "005.13 K4",
            "005.133 K28",
            "005.133 K39c",
            "005.133 K39c 1988",
            "005.133 K39c 1988 v.2",
            "005.133 K39c 1988 v.10",
            "005.133 K4",
            "005.2",
            "800",
            "813.54 ROW",
            "813.54 ROWLING",
            "999.9 Z9",
            "B LIN",
            "FIC SMI",
            "FIC TOL v.1",
            "FIC TOL v.2",
        ],
    );
    let mut rules = ShelfRules::default();
    assert_eq!(rules.key(Scheme::Ddc, "005.13/3 K39"), rules.key(Scheme::Ddc, "5.133 K39"));
    rules.ignored_prefixes = vec!["ref".into()];
    assert_eq!(rules.key(Scheme::Ddc, "REF 005.133 K39"), rules.key(Scheme::Ddc, "005.133 K39"));
}

#[test]
fn a_wrong_call_number_is_explained_and_stands_last() {
    let rules = ShelfRules::default();
    let error = rules.parse(Scheme::Clc, "W12/3").unwrap_err().to_string();
    assert!(error.contains("W12/3") && error.contains("\"W\"") && error.contains("main class"), "{error}");
    for (scheme, bad) in [
        (Scheme::Clc, ""),
        (Scheme::Clc, "/5"),
        (Scheme::Clc, "5"),
        (Scheme::Lcc, "76 .A1"),
        (Scheme::Lcc, "QAXX 76"),
        (Scheme::Lcc, "QA"),
        (Scheme::Ddc, "1234.5"),
        (Scheme::Ddc, "XYZ"),
        (Scheme::Ddc, ""),
    ] {
        assert!(rules.parse(scheme, bad).is_err(), "{scheme} {bad:?}");
        for good in ["ZZZ9999 .Z9", "X999/Z999", "999.99 ZZZ"] {
            if let Ok(key) = rules.parse(scheme, good) {
                assert!(key < rules.key(scheme, bad), "{good:?} must stand before {bad:?}");
            }
        }
    }
}

#[test]
fn settings_that_make_no_order_are_refused() {
    let mut rules = ShelfRules::default();
    assert!(rules.check().is_ok());
    for bad in ["--", "-A", "- ("] {
        rules.clc.mark_order = bad.into();
        assert!(rules.check().unwrap_err().to_string().contains("clc.mark_order"));
    }
    assert!(toml::from_str::<ShelfRules>("[clc]\nbook_digts = \"integer\"").is_err());
    let rules: ShelfRules = toml::from_str("[clc]\nbook_digits = \"decimal\"").unwrap();
    assert_eq!(rules.clc.book_digits, Digits::Decimal);
}

fn scheme() -> impl Strategy<Value = Scheme> {
    prop_oneof![Just(Scheme::Clc), Just(Scheme::Lcc), Just(Scheme::Ddc)]
}

/// Call numbers as libraries write them, and texts that only look like it.
fn call_number() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Z]{1,2}[0-9]{1,4}(\\.[0-9]{1,2})?([-=(:][0-9]{1,3}\\)?)?/[A-Z]?[0-9]{1,5}( v\\.[0-9]{1,2})?",
        "[A-Z]{1,3} ?[0-9]{1,4}(\\.[0-9]{1,3})?( \\.[A-Z][0-9]{1,3}){0,2}( [0-9]{4})?( c\\.[0-9])?",
        "[0-9]{3}(\\.[0-9]{1,5})? [A-Z][a-z]{0,2}[0-9]{0,3}[a-z]?( [0-9]{4})?( v\\. ?[0-9]{1,2})?",
        "[A-Z0-9./=:()\"<>+ -]{0,16}",
        "\\PC{0,12}",
        "[卷册第二十上中下复本vc0-9. /]{0,8}",
        any::<String>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_text_panics_and_the_order_is_total_and_transitive(
        s in scheme(), a in call_number(), b in call_number(), c in call_number(),
    ) {
        let rules = ShelfRules { order_copies: true, ..ShelfRules::default() };
        let [a, b, c] = [a, b, c].map(|t| rules.key(s, &t));
        prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        prop_assert_eq!(a.cmp(&b).is_eq(), a == b);
        if a <= b && b <= c {
            prop_assert!(a <= c);
        }
    }

    #[test]
    fn case_and_blanks_do_not_move_a_book(s in scheme(), a in "[A-Za-z0-9./ =:-]{0,16}") {
        let rules = ShelfRules::default();
        let loud = format!("  {}\u{3000}", a.to_ascii_uppercase());
        prop_assert_eq!(rules.key(s, &a), rules.key(s, &loud));
    }

    #[test]
    fn book_numbers_compare_as_whole_numbers(class in "[A-K][0-9]{0,4}", a in 0u64.., b in 0u64..) {
        let rules = ShelfRules::default();
        let key = |n: u64| rules.parse(Scheme::Clc, &format!("{class}/{n}")).unwrap();
        prop_assert_eq!(key(a).cmp(&key(b)), a.cmp(&b));
    }

    #[test]
    fn classes_compare_before_all_that_follows(a in "[A-K][0-9]{1,5}", b in "[A-K][0-9]{1,5}", x in 0u32.., y in 0u32..) {
        let rules = ShelfRules::default();
        prop_assume!(a != b);
        let [ka, kb] = [rules.key(Scheme::Clc, &format!("{a}/{x}")), rules.key(Scheme::Clc, &format!("{b}/{y}"))];
        prop_assert_eq!(ka.cmp(&kb), a.cmp(&b));
    }

    #[test]
    fn dewey_decimals_compare_as_numbers(a in 0u32..100_000_000, b in 0u32..100_000_000) {
        let rules = ShelfRules::default();
        let key = |n: u32| rules.parse(Scheme::Ddc, &format!("{:03}.{:05} A1", n / 100_000, n % 100_000)).unwrap();
        prop_assert_eq!(key(a).cmp(&key(b)), a.cmp(&b));
    }
}
