//! Tags to items: every way a library may write its tags, and what must not pass for one.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use domain::callnumber::Scheme;
use domain::catalogue::{Catalogue, Item, ItemStatus};
use domain::decode::{
    BlockError, DecoderSettings, Decoders, Identity, Iso28560Block, Sgtin96, UidDecoder, gs1_header,
};
use domain::uid::Uid;
use proptest::prelude::*;

fn uid(hex: &str) -> Uid {
    hex.parse().unwrap()
}

fn item(barcode: &str, tag: Option<&str>) -> Item {
    Item {
        barcode: barcode.into(),
        uid: tag.map(uid),
        call_number: "I247.5/3".into(),
        scheme: Scheme::Clc,
        title: "红楼梦".into(),
        author: String::new(),
        thickness_m: 0.03,
        height_m: 0.21,
        home: "1F/R01A/B02/T4".parse().unwrap(),
        status: ItemStatus::Available,
        tag_model: String::new(),
    }
}

fn catalogue(items: &[Item]) -> Catalogue {
    Catalogue::from_items("test", items.to_vec()).unwrap()
}

fn decoders(toml: &str) -> Decoders {
    Decoders::from_settings(&toml::from_str::<DecoderSettings>(toml).unwrap()).unwrap()
}

#[test]
fn a_tag_in_the_catalogue_is_found_by_its_number_first() {
    // The bytes are also the ASCII barcode of another item.
    let tag = "3130303030303031";
    let c = catalogue(&[item("B1", Some(tag)), item("10000001", None)]);
    let found = decoders("[[decoder]]\nkind = \"ascii\"").identify(&uid(tag), &c);
    assert_eq!(found.barcode(), Some("B1"));
}

#[test]
fn a_barcode_written_in_ascii_digits_or_binary_finds_its_book() {
    let c = catalogue(&[item("01234567", None), item("B0001234", None), item("987654321", None)]);
    let all = Decoders::from_settings(&DecoderSettings::default()).unwrap();
    let barcode = |d: &Decoders, hex: &str| d.identify(&uid(hex), &c).item().map(|i| i.barcode.to_owned());
    assert_eq!(barcode(&all, "42303030313233340000000000000000").as_deref(), Some("B0001234"));
    assert_eq!(barcode(&all, "0000FF4230303031323334").as_deref(), Some("B0001234"));
    assert_eq!(barcode(&all, "987654321FFFFFFFFFFFFFFF").as_deref(), Some("987654321"));
    let digits = decoders("[[decoder]]\nkind = \"digits\"\ndigits = 8");
    assert_eq!(barcode(&digits, "000000000000000001234567").as_deref(), Some("01234567"));
    let binary = decoders("[[decoder]]\nkind = \"integer\"");
    assert_eq!(barcode(&binary, "00000000000000003ADE68B1").as_deref(), Some("987654321"));
}

#[test]
fn an_unknown_tag_is_reported_with_what_it_says() {
    let c = catalogue(&[]);
    let all = Decoders::from_settings(&DecoderSettings::default()).unwrap();
    let unknown = |hex: &str| match all.identify(&uid(hex), &c) {
        Identity::Unknown { barcode, gs1 } => (barcode, gs1.map(|g| g.encoding)),
        Identity::Item { .. } => panic!("an empty catalogue knows nothing"),
    };
    assert_eq!(unknown("4230303031323334"), (Some("B0001234".into()), None));
    assert_eq!(unknown("3074257BF7194E4000001A85"), (None, Some("SGTIN-96")));
    assert_eq!(unknown("E2801160600002084D6A7B8C"), (None, None));
    assert_eq!(unknown("000000000000000000000000"), (None, None));
}

#[test]
fn a_shops_tag_is_no_library_item_unless_the_catalogue_knows_it() {
    // The example of the EPC Tag Data Standard.
    let tag = uid("3074257BF7194E4000001A85");
    let sgtin = gs1_header(&tag).unwrap().sgtin.unwrap();
    let expected = Sgtin96 { filter: 3, company: "0614141".into(), item: "812345".into(), serial: 6789 };
    assert_eq!(sgtin, expected);
    assert_eq!(sgtin.uri(), "urn:epc:id:sgtin:0614141.812345.6789");
    assert_eq!(sgtin.gtin14(), "80614141123458");
    let known = catalogue(&[item("B7", Some("3074257BF7194E4000001A85"))]);
    assert_eq!(Decoders::default().identify(&tag, &known).barcode(), Some("B7"));
    // Partition 7 does not exist.
    assert_eq!(gs1_header(&uid("307C257BF7194E4000001A85")), None);
}

const VECTOR: &str = "11010131313232333334340000000000000000513e4445373035000000000000";

#[test]
fn an_iso_28560_3_block_gives_its_item() {
    let block = Iso28560Block::decode(uid(VECTOR).as_bytes()).unwrap();
    let expected = Iso28560Block {
        version: 1,
        usage: 1,
        part: 1,
        parts: 1,
        item: "11223344".into(),
        country: "DE".into(),
        isil: "705".into(),
    };
    assert_eq!(block, expected);
    assert_eq!(Uid::new(&block.encode().unwrap()).unwrap(), uid(VECTOR));
    let c = catalogue(&[item("11223344", None)]);
    let all = Decoders::from_settings(&DecoderSettings::default()).unwrap();
    assert_eq!(all.identify(&uid(VECTOR), &c).barcode(), Some("11223344"));
}

#[test]
fn a_damaged_block_names_nobodys_book() {
    let good = uid(VECTOR);
    for at in 0..32 {
        let mut bytes = good.as_bytes().to_vec();
        bytes[at] ^= 0x04;
        assert!(matches!(Iso28560Block::decode(&bytes), Err(BlockError::Crc { .. })), "byte {at}");
    }
    assert_eq!(Iso28560Block::decode(&good.as_bytes()[..31]), Err(BlockError::Length(31)));
}

#[test]
fn settings_that_no_tag_can_meet_are_refused() {
    for (text, words) in [
        ("[[decoder]]\nkind = \"ascii\"\nlength = 0", "decoder[0].length: found 0"),
        (
            "[[decoder]]\nkind = \"ascii\"\n[[decoder]]\nkind = \"digits\"\ndigits = 999",
            "decoder[1].digits: found 999",
        ),
        ("[[decoder]]\nkind = \"ascii\"\nprefix = \"书\"", "decoder[0].prefix"),
    ] {
        let settings: DecoderSettings = toml::from_str(text).unwrap();
        let error = Decoders::from_settings(&settings).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    assert!(toml::from_str::<DecoderSettings>("[[decoder]]\nkind = \"asci\"").is_err());
    assert!(toml::from_str::<DecoderSettings>("[[decoder]]\nkind = \"ascii\"\nlenght = 4").is_err());
}

#[test]
fn a_library_can_bring_its_own_decoder() {
    #[derive(Debug)]
    struct Reversed;
    impl UidDecoder for Reversed {
        fn name(&self) -> &str {
            "reversed"
        }
        fn barcode(&self, uid: &Uid) -> Option<String> {
            String::from_utf8(uid.as_bytes().iter().rev().copied().collect()).ok()
        }
    }
    let mut own = Decoders::default();
    own.push(Box::new(Reversed));
    let c = catalogue(&[item("4321", None)]);
    assert_eq!(own.identify(&uid("31323334"), &c).barcode(), Some("4321"));
}

proptest! {
    #[test]
    fn no_identifier_panics(bytes in proptest::collection::vec(any::<u8>(), 1..=62)) {
        let tag = Uid::new(&bytes).unwrap();
        let c = catalogue(&[]);
        let all = Decoders::from_settings(&DecoderSettings::default()).unwrap();
        let _ = all.identify(&tag, &c);
        let _ = gs1_header(&tag);
        let _ = Iso28560Block::decode(&bytes);
    }

    #[test]
    fn every_block_survives(item in "[ -~]{0,16}", country in "[A-Z]{2}", isil in "[A-Za-z0-9/-]{0,11}", part in 0u8..) {
        let block = Iso28560Block { version: 1, usage: 2, part, parts: 3, item, country, isil };
        prop_assert_eq!(Iso28560Block::decode(&block.encode().unwrap()).unwrap(), block);
    }
}
