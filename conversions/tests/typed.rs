//! Which replies fit which Rust types, and that arguments sent come back as the same value.

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use redlua_conversions::{Error, Reply, from_reply, to_args};
use serde::{Deserialize, Serialize};

fn bulks(items: &[&str]) -> Reply {
    Reply::array(items.iter().map(|item| Reply::bulk(*item)))
}

#[test]
fn numbers() {
    assert_eq!(from_reply(&Reply::Integer(7)), Ok(7u8));
    assert_eq!(from_reply(&Reply::bulk("-7")), Ok(-7i16));
    assert_eq!(from_reply(&Reply::bulk("18446744073709551615")), Ok(u64::MAX));
    assert_eq!(
        from_reply(&Reply::BigNumber(b"-170141183460469231731687303715884105728".to_vec())),
        Ok(i128::MIN)
    );
    assert_eq!(from_reply(&Reply::double(3.0)), Ok(3));
    assert_eq!(from_reply(&Reply::Boolean(true)), Ok(1));
    assert!(from_reply::<u8>(&Reply::Integer(256)).is_err());
    for text in ["", "+1", "01", "1.0", " 1", "x"] {
        assert!(from_reply::<i64>(&Reply::bulk(text)).is_err(), "{text}");
    }
    assert!(from_reply::<i64>(&Reply::double(0.5)).is_err());
    assert_eq!(from_reply(&Reply::bulk("0.5")), Ok(0.5));
    assert_eq!(from_reply(&Reply::bulk("-inf")), Ok(f64::NEG_INFINITY));
    assert_eq!(from_reply(&Reply::Integer(2)), Ok(2.0f32));
    assert!(from_reply::<f64>(&Reply::bulk("1x")).is_err());
}

#[test]
fn booleans() {
    for truth in [Reply::Boolean(true), Reply::Integer(1), Reply::bulk("1"), Reply::bulk("true")] {
        assert_eq!(from_reply(&truth), Ok(true));
    }
    for falsehood in [
        Reply::Boolean(false),
        Reply::Integer(0),
        Reply::bulk("0"),
        Reply::bulk("false"),
        Reply::Null,
    ] {
        assert_eq!(from_reply(&falsehood), Ok(false));
    }
    assert!(from_reply::<bool>(&Reply::Integer(2)).is_err());
}

#[test]
fn text_and_bytes() {
    assert_eq!(from_reply(&Reply::bulk("é")), Ok("é".to_owned()));
    assert_eq!(from_reply(&Reply::status("OK")), Ok("OK"));
    assert_eq!(from_reply(&Reply::Integer(3)), Ok("3".to_owned()));
    assert_eq!(from_reply(&Reply::double(0.1)), Ok("0.10000000000000001".to_owned()));
    assert_eq!(from_reply::<String>(&Reply::bulk([0xff])), Err(Error::Utf8));
    assert_eq!(from_reply(&Reply::bulk([0xff, 0])), Ok(vec![0xffu8, 0]));
    assert_eq!(from_reply(&Reply::bulk([1, 2])), Ok([1u8, 2]));
    // A string is not an array of numbers.
    assert!(from_reply::<Vec<i64>>(&Reply::bulk("12")).is_err());
    assert!(from_reply::<String>(&Reply::Null).is_err());
}

#[test]
fn nulls_and_units() {
    assert_eq!(from_reply(&Reply::Null), Ok(None::<i64>));
    assert_eq!(from_reply(&Reply::NullArray), Ok(None::<Vec<i64>>));
    assert_eq!(from_reply(&Reply::bulk("1")), Ok(Some(1)));
    assert_eq!(from_reply(&Reply::status("OK")), Ok(()));
    assert!(from_reply::<()>(&Reply::error("ERR x")).is_err());
    assert!(from_reply::<Option<i64>>(&Reply::error("ERR x")).is_err());
}

#[test]
fn sequences_and_tuples() {
    assert_eq!(from_reply(&bulks(&["1", "2"])), Ok(vec![1, 2]));
    assert_eq!(from_reply(&bulks(&["a", "2"])), Ok(("a", 2)));
    assert_eq!(
        from_reply::<(i32, i32)>(&bulks(&["1"])),
        Err(Error::Length { expected: 2, found: 1 })
    );
    let scan = Reply::array([Reply::bulk("0"), bulks(&["a", "b"])]);
    assert_eq!(from_reply(&scan), Ok((0u64, vec!["a", "b"])));
    // Scores: flat in RESP2, pairs in RESP3.
    let expected = vec![("a", 1.0), ("b", 2.5)];
    assert_eq!(from_reply(&bulks(&["a", "1", "b", "2.5"])), Ok(expected.clone()));
    let pair = |name: &str, score| Reply::array([Reply::bulk(name), Reply::double(score)]);
    assert_eq!(from_reply(&Reply::array([pair("a", 1.0), pair("b", 2.5)])), Ok(expected.clone()));
    let map = Reply::map([
        (Reply::bulk("a"), Reply::double(1.0)),
        (Reply::bulk("b"), Reply::double(2.5)),
    ]);
    assert_eq!(from_reply(&map), Ok(expected));
    assert_eq!(
        from_reply::<Vec<(String, f64)>>(&bulks(&["a", "1", "b"])),
        Err(Error::Length { expected: 2, found: 1 })
    );
}

#[test]
fn maps() {
    let expected = HashMap::from([("a".to_owned(), 1), ("b".to_owned(), 2)]);
    assert_eq!(from_reply(&bulks(&["a", "1", "b", "2"])), Ok(expected.clone()));
    let pairs = Reply::array([bulks(&["a", "1"]), bulks(&["b", "2"])]);
    assert_eq!(from_reply(&pairs), Ok(expected.clone()));
    let map =
        Reply::map([(Reply::bulk("a"), Reply::Integer(1)), (Reply::bulk("b"), Reply::bulk("2"))]);
    assert_eq!(from_reply(&map), Ok(expected));
    assert_eq!(from_reply(&bulks(&[])), Ok(HashMap::<String, String>::new()));
    assert_eq!(from_reply::<HashMap<String, i32>>(&bulks(&["a"])), Err(Error::Unpaired(1)));
    assert_eq!(from_reply(&bulks(&["1", "x"])), Ok(BTreeMap::from([(1, "x")])));
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Job {
    id: u64,
    name: String,
    ratio: f64,
    done: bool,
    owner: Option<String>,
}

#[test]
fn structs() {
    let reply = bulks(&["name", "n", "id", "9", "extra", "ignored", "ratio", "0.5", "done", "1"]);
    let job = Job { id: 9, name: "n".into(), ratio: 0.5, done: true, owner: None };
    assert_eq!(from_reply(&reply), Ok(job));
    let many = Reply::array([reply.clone(), reply]);
    assert_eq!(from_reply::<Vec<Job>>(&many).unwrap().len(), 2);
    let missing = from_reply::<Job>(&bulks(&["id", "1"])).unwrap_err();
    assert_eq!(missing.to_string(), "missing field `name`");
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Answer {
    #[serde(rename = "OK")]
    Done,
    #[serde(rename = "WRONGTYPE")]
    Mistyped,
    Wait(u64),
    Range(i64, i64),
    Named {
        a: i64,
    },
    Error(String),
}

#[test]
fn enums() {
    assert_eq!(from_reply(&Reply::status("OK")), Ok(Answer::Done));
    assert_eq!(from_reply(&Reply::error("WRONGTYPE x")), Ok(Answer::Mistyped));
    assert_eq!(from_reply(&Reply::error("ERR x y")), Ok(Answer::Error("ERR x y".into())));
    assert_eq!(from_reply(&bulks(&["Wait", "5"])), Ok(Answer::Wait(5)));
    assert_eq!(from_reply(&bulks(&["Range", "1", "2"])), Ok(Answer::Range(1, 2)));
    assert_eq!(from_reply(&bulks(&["Named", "a", "2"])), Ok(Answer::Named { a: 2 }));
    let tagged = Reply::map([(Reply::bulk("Wait"), Reply::Integer(5))]);
    assert_eq!(from_reply(&tagged), Ok(Answer::Wait(5)));
    assert!(from_reply::<Answer>(&Reply::status("QUEUED")).is_err());
}

#[test]
fn results() {
    assert_eq!(from_reply(&Reply::Integer(1)), Ok(Ok::<i64, String>(1)));
    assert_eq!(from_reply(&Reply::error("ERR x")), Ok(Err::<i64, _>("ERR x".to_owned())));
    let mixed = Reply::array([Reply::bulk("a"), Reply::error("ERR x")]);
    let each: Vec<Result<String, String>> = from_reply(&mixed).unwrap();
    assert_eq!(each, [Ok("a".into()), Err("ERR x".into())]);
    // Without a place for it, an error anywhere is the error of the whole.
    let (code, message) = ("ERR".into(), "x".into());
    assert_eq!(from_reply::<Vec<String>>(&mixed), Err(Error::Redis { code, message }));
}

#[test]
fn hostile_depth_is_an_error() {
    #[derive(Debug, Deserialize)]
    struct Deep(#[allow(dead_code)] Vec<Deep>);
    let mut reply = Reply::array([]);
    for _ in 0..100_000 {
        reply = Reply::array([reply]);
    }
    assert_eq!(from_reply::<Deep>(&reply).unwrap_err(), Error::Depth);
}

proptest! {
    #[test]
    fn structs_come_back(id: u64, name: String, ratio in -1e300..1e300f64, done: bool, owner: Option<String>) {
        let job = Job { id, name, ratio, done, owner };
        let stored = Reply::array(to_args(&job).unwrap().into_iter().map(Reply::Bulk));
        prop_assert_eq!(from_reply(&stored), Ok(job));
    }

    #[test]
    fn maps_come_back(map: BTreeMap<i64, String>) {
        let stored = Reply::array(to_args(&map).unwrap().into_iter().map(Reply::Bulk));
        prop_assert_eq!(from_reply(&stored), Ok(map));
    }

    #[test]
    fn tuples_come_back(list: Vec<(String, i64, bool)>) {
        let stored = Reply::array(to_args(&list).unwrap().into_iter().map(Reply::Bulk));
        prop_assert_eq!(from_reply(&stored), Ok(list));
    }

    #[test]
    fn variants_come_back(value: i64, other: i64) {
        for answer in [Answer::Range(value, other), Answer::Named { a: value }, Answer::Error(value.to_string())] {
            let stored = Reply::array(to_args(&answer).unwrap().into_iter().map(Reply::Bulk));
            prop_assert_eq!(from_reply(&stored), Ok(answer));
        }
    }
}
