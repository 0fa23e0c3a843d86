//! What the tests share: the oracle, the builder of frames, and the harness that holds the decoder to the oracle.
#![allow(dead_code, reason = "each test file uses its own share")]

pub(crate) mod arbitrary;
pub(crate) mod build;
pub(crate) mod harness;
pub(crate) mod oracle;
pub(crate) mod send;

/// Returns how often a property is tried: `PROPTEST_CASES` where it is set, few times under Miri, else `cases`.
pub(crate) fn cases(cases: u32) -> proptest::test_runner::Config {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|asked| asked.parse().ok());
    let cases = if cfg!(miri) { cases.div_ceil(100) } else { cases };
    proptest::test_runner::Config {
        cases: asked.unwrap_or(cases),
        // A failure prints its input; files beside the tests would only hide that.
        failure_persistence: None,
        ..proptest::test_runner::Config::default()
    }
}
