//! Offers and answers (RFC 7692 §5, §7.1).

use websocket_wire::extension::deflate::{NegotiationError, Offer};
use websocket_wire::extension::params::{List, ListError};

use super::*;

/// What a server with these wishes answers, or that it declines.
fn answer(server: &Offer, offers: &str) -> Option<String> {
    server.accept(List::new([offers.as_bytes()])).unwrap().map(|agreement| agreement.to_string())
}

fn answer_of_default(offers: &str) -> Option<String> {
    answer(&Offer::DEFAULT, offers)
}

/// What a client that has made this offer makes of an answer.
fn response(offer: &Offer, answer: &str) -> Result<Option<Agreement>, NegotiationError> {
    offer.accept_response(List::new([answer.as_bytes()]))
}

#[test]
fn an_offer_names_the_parameters_that_limit_something() {
    assert_eq!(Offer::DEFAULT.to_string(), "permessage-deflate; client_max_window_bits");
    let all = Offer {
        server_no_context_takeover: true,
        client_no_context_takeover: true,
        server_max_window_bits: 9,
        client_max_window_bits: 10,
    };
    assert_eq!(
        all.to_string(),
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
         server_max_window_bits=9; client_max_window_bits=10"
    );
}

#[test]
fn a_server_answers_each_parameter() {
    for (offer, expected) in [
        ("permessage-deflate", "permessage-deflate"),
        ("permessage-deflate; client_max_window_bits", "permessage-deflate"),
        ("permessage-deflate; client_max_window_bits=12", "permessage-deflate; client_max_window_bits=12"),
        ("permessage-deflate; client_max_window_bits=8", "permessage-deflate; client_max_window_bits=8"),
        ("permessage-deflate; server_max_window_bits=9", "permessage-deflate; server_max_window_bits=9"),
        ("permessage-deflate; server_max_window_bits=15", "permessage-deflate; server_max_window_bits=15"),
        ("permessage-deflate; server_max_window_bits=\"1\\0\"", "permessage-deflate; server_max_window_bits=10"),
        ("permessage-deflate; server_no_context_takeover", "permessage-deflate; server_no_context_takeover"),
        ("permessage-deflate; client_no_context_takeover", "permessage-deflate; client_no_context_takeover"),
    ] {
        assert_eq!(answer_of_default(offer).as_deref(), Some(expected), "{offer}");
    }
}

#[test]
fn a_server_adds_what_it_wants_itself() {
    let small = Offer {
        server_no_context_takeover: true,
        client_no_context_takeover: true,
        server_max_window_bits: 11,
        client_max_window_bits: 10,
    };
    let flags = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    let expected = format!("{flags}; server_max_window_bits=11; client_max_window_bits=10");
    assert_eq!(answer(&small, "permessage-deflate; client_max_window_bits"), Some(expected));
    let expected = format!("{flags}; server_max_window_bits=10; client_max_window_bits=9");
    let offer = "permessage-deflate; client_max_window_bits=9; server_max_window_bits=10";
    assert_eq!(answer(&small, offer), Some(expected));
}

#[test]
fn a_server_that_limits_the_client_declines_one_that_cannot_be_limited() {
    let small = Offer { client_max_window_bits: 10, ..Offer::DEFAULT };
    assert_eq!(answer(&small, "permessage-deflate"), None);
    assert_eq!(answer(&small, "permessage-deflate; server_max_window_bits=9"), None);
}

#[test]
fn a_server_declines_an_offer_with_anything_wrong() {
    for params in [
        "unknown",
        "Server_no_context_takeover",
        "server_no_context_takeover; server_no_context_takeover",
        "client_no_context_takeover; client_no_context_takeover",
        "server_max_window_bits=10; server_max_window_bits=10",
        "client_max_window_bits; client_max_window_bits",
        "client_max_window_bits; client_max_window_bits=10",
        "server_no_context_takeover=1",
        "client_no_context_takeover=\"true\"",
        "server_max_window_bits",
        "server_max_window_bits=7",
        "server_max_window_bits=16",
        "server_max_window_bits=09",
        "server_max_window_bits=010",
        "server_max_window_bits=+9",
        "server_max_window_bits=1a",
        "server_max_window_bits=115",
        "client_max_window_bits=7",
        "client_max_window_bits=16",
        "client_max_window_bits=015",
        "client_max_window_bits=-9",
    ] {
        assert_eq!(answer_of_default(&format!("permessage-deflate; {params}")), None, "{params}");
    }
}

#[test]
fn a_server_declines_a_window_that_zlib_cannot_compress_with() {
    assert_eq!(answer_of_default("permessage-deflate; server_max_window_bits=8"), None);
    let next = answer_of_default("permessage-deflate; server_max_window_bits=8, permessage-deflate");
    assert_eq!(next.as_deref(), Some("permessage-deflate"));
}

#[test]
fn a_server_takes_the_first_offer_that_it_can_keep() {
    let offers = "x-webkit-deflate-frame, permessage-deflate; unknown, permessage-deflate; server_max_window_bits=7, \
                  permessage-deflate; server_max_window_bits=11, permessage-deflate";
    assert_eq!(answer_of_default(offers).as_deref(), Some("permessage-deflate; server_max_window_bits=11"));
    assert_eq!(answer_of_default("x-webkit-deflate-frame, bbf-usp-protocol"), None);
}

#[test]
fn offers_of_several_header_lines_are_one_list() {
    let lines = [&b"permessage-deflate; unknown"[..], b"", b"permessage-deflate; client_max_window_bits=9"];
    let agreement = Offer::DEFAULT.accept(List::new(lines)).unwrap().unwrap();
    assert_eq!(agreement.to_string(), "permessage-deflate; client_max_window_bits=9");
    assert_eq!(Offer::DEFAULT.accept(List::new([&b"permessage-deflate"[..], b"; x"])), Err(ListError::Grammar));
}

#[test]
fn a_client_obeys_the_answer() {
    let bits = |server, client| Agreement {
        server_max_window_bits: server,
        client_max_window_bits: client,
        ..Agreement::DEFAULT
    };
    let default = Offer::DEFAULT;
    assert_eq!(response(&default, ""), Ok(None));
    assert_eq!(response(&default, "other"), Ok(None));
    assert_eq!(response(&default, "permessage-deflate"), Ok(Some(Agreement::DEFAULT)));
    assert_eq!(response(&default, "permessage-deflate; server_max_window_bits=8"), Ok(Some(bits(Some(8), None))));
    assert_eq!(response(&default, "permessage-deflate; client_max_window_bits=8"), Ok(Some(bits(None, Some(8)))));
    let flags = "permessage-deflate; client_no_context_takeover; server_no_context_takeover";
    let agreement = response(&default, flags).unwrap().unwrap();
    assert!(agreement.client_no_context_takeover && agreement.server_no_context_takeover);
    let small = Offer { client_max_window_bits: 10, ..default };
    assert_eq!(response(&small, "permessage-deflate"), Ok(Some(bits(None, Some(10)))));
    assert_eq!(response(&small, "permessage-deflate; client_max_window_bits=9"), Ok(Some(bits(None, Some(9)))));
    let own = Offer { client_no_context_takeover: true, ..default };
    assert!(response(&own, "permessage-deflate").unwrap().unwrap().client_no_context_takeover, "promised is promised");
}

#[test]
fn a_client_fails_an_answer_that_was_not_offered() {
    let offer = Offer {
        server_no_context_takeover: true,
        server_max_window_bits: 11,
        client_max_window_bits: 12,
        ..Offer::DEFAULT
    };
    for params in [
        "server_max_window_bits=11",                             // the flag is missing
        "server_no_context_takeover",                            // the window is missing
        "server_no_context_takeover; server_max_window_bits=12", // larger than asked for
        "server_no_context_takeover; server_max_window_bits=11; client_max_window_bits=13", // larger than offered
    ] {
        let result = response(&offer, &format!("permessage-deflate; {params}"));
        assert_eq!(result, Err(NegotiationError::NotAsOffered), "{params}");
    }
}

#[test]
fn a_client_fails_an_answer_with_anything_wrong() {
    use NegotiationError::{DuplicateParameter, InvalidValue, Repeated, UnknownParameter};
    for (answer, error) in [
        ("permessage-deflate; unknown", UnknownParameter),
        ("permessage-deflate; server_max_window_bits=10; server_max_window_bits=10", DuplicateParameter),
        ("permessage-deflate; server_no_context_takeover; server_no_context_takeover", DuplicateParameter),
        ("permessage-deflate; server_no_context_takeover=1", InvalidValue),
        ("permessage-deflate; client_max_window_bits", InvalidValue),
        ("permessage-deflate; server_max_window_bits=7", InvalidValue),
        ("permessage-deflate; server_max_window_bits=16", InvalidValue),
        ("permessage-deflate; client_max_window_bits=08", InvalidValue),
        ("permessage-deflate, permessage-deflate", Repeated),
        ("permessage-deflate;", NegotiationError::List(ListError::Grammar)),
    ] {
        assert_eq!(response(&Offer::DEFAULT, answer), Err(error), "{answer}");
    }
}

#[test]
fn every_agreement_of_a_server_is_accepted_by_the_client_that_offered() {
    let bits = [9, 12, 15];
    let mut agreed = 0;
    for (a, b) in [(false, false), (false, true), (true, false), (true, true)] {
        for (server_bits, client_bits) in bits.iter().flat_map(|&server| bits.map(|client| (server, client))) {
            let offer = Offer {
                server_no_context_takeover: a,
                client_no_context_takeover: b,
                server_max_window_bits: server_bits,
                client_max_window_bits: client_bits,
            };
            for server in
                [Offer::DEFAULT, Offer { server_max_window_bits: 10, client_max_window_bits: 11, ..Offer::DEFAULT }]
            {
                let text = answer(&server, &offer.to_string()).unwrap();
                let agreement = response(&offer, &text).unwrap().unwrap();
                assert!(agreement.server_max_window_bits.unwrap_or(15) <= server_bits);
                assert!(agreement.client_max_window_bits.unwrap_or(15) <= client_bits);
                agreed += 1;
            }
        }
    }
    assert_eq!(agreed, 72);
}
