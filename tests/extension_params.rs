//! The grammar of `Sec-WebSocket-Extensions` (RFC 6455 §9.1), at any length in linear time.

use proptest::prelude::*;
use websocket_wire::extension::params::{List, ListError, ListLimits, Param};

const ANY: ListLimits = ListLimits { len: usize::MAX, extensions: usize::MAX, params: usize::MAX };

/// Writes the list as it would be sent.
fn read(lines: &[&[u8]]) -> Result<Vec<String>, ListError> {
    List::new(lines.iter().copied()).map(|extension| Ok(extension?.to_string())).collect()
}

#[test]
fn lists_of_the_grammar() {
    let cases: [(&[&[u8]], &[&str]); 9] = [
        (&[], &[]),
        (&[b""], &[]),
        (&[b" , ,,\t"], &[]),
        (&[b"foo"], &["foo"]),
        (&[b"foo, bar; baz=2"], &["foo", "bar; baz=2"]),
        (&[b" foo ;\ta = 1 ; b ,,bar "], &["foo; a=1; b", "bar"]),
        (&[b"foo; a=\"1\"; b=\"\\2\\3\""], &["foo; a=1; b=23"]),
        (&[b"foo", b"", b"bar; a; a, foo"], &["foo", "bar; a; a", "foo"]),
        (&[b"!#$%&'*+-.^_`|~09azAZ"], &["!#$%&'*+-.^_`|~09azAZ"]),
    ];
    for (lines, expected) in cases {
        assert_eq!(
            read(lines).unwrap(),
            expected,
            "{:?}",
            lines.iter().map(|line| line.escape_ascii()).collect::<Vec<_>>()
        );
    }
}

#[test]
fn lists_outside_the_grammar() {
    let cases: [&[u8]; 20] = [
        b"foo;",
        b";foo",
        b"foo; ;a",
        b"foo; a=",
        b"foo; =1",
        b"=foo",
        b"foo bar",
        b"foo; a b",
        b"foo; a=1 2",
        b"foo; a=\"\"",
        b"foo; a=\"1",
        b"foo; a=\"1\\",
        b"foo; a=\"1\\\"",
        b"foo; a=\"1 2\"",
        b"foo; a=\"1,2\"",
        b"foo; a=\"1\"2",
        b"foo; a=\"\\ \"",
        b"foo\xE9",
        b"foo\0",
        b"foo/bar",
    ];
    for line in cases {
        assert_eq!(read(&[line]), Err(ListError::Grammar), "{}", line.escape_ascii());
    }
    assert_eq!(read(&[b"foo", b"; a"]), Err(ListError::Grammar), "a line ends an extension");
}

#[test]
fn extensions_before_a_fault_are_returned_and_none_after_it() {
    let mut list = List::new([&b"foo, bar;, baz"[..], b"foo"]);
    assert_eq!(list.next().unwrap().unwrap().name(), "foo");
    assert_eq!(list.next(), Some(Err(ListError::Grammar)));
    assert_eq!(list.next(), None);
}

#[test]
fn limits_are_inclusive() {
    let limits = ListLimits { len: 12, extensions: 3, params: 2 };
    let last =
        |lines: &[&[u8]]| List::new(lines.iter().copied()).limits(limits).last().unwrap().map(|last| last.to_string());
    assert_eq!(last(&[b"a,b,c;d;e=12"]), Ok("c; d; e=12".to_owned()));
    assert_eq!(last(&[b"a,b,c;d;e=123"]), Err(ListError::TooLong));
    assert_eq!(last(&[b"a,b,", b"c;d;e=123"]), Err(ListError::TooLong), "all lines count");
    assert_eq!(last(&[b"a,b", b"c,d"]), Err(ListError::TooMany));
    assert_eq!(last(&[b"a;b;c;d"]), Err(ListError::TooMany));
}

#[test]
fn what_is_written_are_tokens() {
    assert_eq!(Param::new("a", Some("1")).unwrap().to_string(), "a=1");
    for (name, value) in
        [("", None), ("a b", None), ("a", Some("")), ("a", Some("\"1\"")), ("a", Some("1;2")), ("ä", None)]
    {
        assert!(Param::new(name, value).is_none(), "{name} {value:?}");
    }
}

/// Counts the steps that a parser takes by what it costs: the same input twice as long may take a few times as long, not
/// the square.
#[test]
fn any_input_takes_linear_time() {
    let len = if cfg!(miri) { 1 << 8 } else { 1 << 16 };
    let repeated = |start: &[u8], unit: &[u8], len: usize| [start, &unit.repeat(len / unit.len())].concat();
    for (start, unit) in [
        (&b"a; b=\""[..], &b"\\c"[..]),
        (b"a; b=\"", b"c"),
        (b"", b" "),
        (b"", b","),
        (b"a", b" "),
        (b"a", b";b"),
        (b"a", b" ; b = \"c\" "),
        (b"a", b", a "),
        (b"a; b=", b"\""),
    ] {
        let time = |len: usize| {
            let line = repeated(start, unit, len);
            let clock = std::time::Instant::now();
            let mut params = 0;
            for extension in List::new([&line[..]]).limits(ANY) {
                params += extension.map_or(0, |extension| extension.params().count());
            }
            assert!(params <= line.len());
            clock.elapsed()
        };
        time(len); // warm
        let longest = (0..3).map(|_| time(16 * len)).min().unwrap();
        let short = (0..5).map(|_| time(len)).max().unwrap();
        let bound = short * 16 * 8 + std::time::Duration::from_millis(20);
        assert!(cfg!(miri) || longest < bound, "{:?}: {short:?}, {longest:?}", unit.escape_ascii().to_string());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 512 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_again(
        list in proptest::collection::vec(("[!a-z0-9~]{1,9}", proptest::collection::vec(("[a-z_]{1,9}", proptest::option::of("[a-z0-9]{1,4}")), 0..5)), 0..6),
        quote in any::<bool>(),
    ) {
        let mark = if quote { "\"" } else { "" };
        let write = |mark: &str| -> Vec<String> {
            let params = |params: &[(String, Option<String>)]| -> String {
                let value = |value: &Option<String>| value.as_ref().map_or(String::new(), |value| format!("={mark}{value}{mark}"));
                params.iter().map(|(name, v)| format!("; {name}{}", value(v))).collect()
            };
            list.iter().map(|(name, list)| format!("{name}{}", params(list))).collect()
        };
        prop_assert_eq!(read(&[write(mark).join(", ").as_bytes()]).unwrap(), write(""));
    }

    #[test]
    fn no_input_makes_it_panic(line in proptest::collection::vec(prop_oneof![Just(b'a'), Just(b';'), Just(b'='), Just(b'"'), Just(b'\\'), Just(b','), Just(b' '), any::<u8>()], 0..40)) {
        for extension in List::new([&line[..]]).flatten() {
            prop_assert!(!extension.name().is_empty());
            prop_assert!(extension.params().all(|param| param.value().is_none_or(|value| value.bytes().count() > 0)));
        }
    }
}
