//! Masking is XOR with a repeated key, however the payload is cut (RFC 6455 §5.3).

use proptest::prelude::*;
use websocket_wire::{Mask, MaskingKey};

fn by_definition(key: [u8; 4], payload: &[u8]) -> Vec<u8> {
    payload.iter().enumerate().map(|(i, byte)| byte ^ key[i % 4]).collect()
}

/// A payload and places to cut it at, in order.
fn cut_payload() -> impl Strategy<Value = (Vec<u8>, Vec<usize>)> {
    prop::collection::vec(any::<u8>(), 0..3000).prop_flat_map(|payload| {
        let len = payload.len();
        let cuts = prop::collection::vec(0..=len, 0..6).prop_map(move |mut cuts| {
            cuts.push(len);
            cuts.sort_unstable();
            cuts
        });
        (Just(payload), cuts)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 256 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_cut_gives_the_same_bytes(key: [u8; 4], (payload, cuts) in cut_payload()) {
        let expected = by_definition(key, &payload);
        let (mut in_place, mut copied) = (payload.clone(), vec![0; payload.len()]);
        let mut mask = Mask::new(MaskingKey::new(key));
        let mut copying = mask;
        let mut start = 0;
        for end in cuts {
            mask.apply(&mut in_place[start..end]);
            copying.apply_to(&payload[start..end], &mut copied[start..end]);
            start = end;
        }
        prop_assert_eq!(&in_place, &expected);
        prop_assert_eq!(&copied, &expected);
        prop_assert_eq!(mask, copying);
    }

    #[test]
    fn masking_twice_gives_the_payload_back(key: [u8; 4], payload: Vec<u8>) {
        let mut bytes = payload.clone();
        Mask::new(key.into()).apply(&mut bytes);
        Mask::new(key.into()).apply(&mut bytes);
        prop_assert_eq!(bytes, payload);
    }
}

#[test]
fn the_example_of_the_rfc() {
    let mut payload = *b"Hello";
    Mask::new(MaskingKey::new([0x37, 0xfa, 0x21, 0x3d])).apply(&mut payload);
    assert_eq!(payload, [0x7f, 0x9f, 0x4d, 0x51, 0x58]);
}

#[test]
fn nothing_is_masked_without_bytes() {
    let mut mask = Mask::new(MaskingKey::new([1, 2, 3, 4]));
    let start = mask;
    mask.apply(&mut []);
    mask.apply_to(&[], &mut []);
    assert_eq!(mask, start);
}

#[test]
#[should_panic(expected = "differ in length")]
fn short_copies_of_another_length_panic() {
    Mask::new(MaskingKey::new([0; 4])).apply_to(&[0; 5], &mut [0; 4]);
}

#[test]
#[should_panic(expected = "differ in length")]
fn long_copies_of_another_length_panic() {
    Mask::new(MaskingKey::new([0; 4])).apply_to(&[0; 500], &mut [0; 501]);
}

#[test]
fn a_key_is_its_bytes() {
    let key = MaskingKey::from([1, 2, 3, 4]);
    assert_eq!((key, key.to_bytes()), (MaskingKey::new([1, 2, 3, 4]), [1, 2, 3, 4]));
    assert_eq!(<[u8; 4]>::from(key), [1, 2, 3, 4]);
}
