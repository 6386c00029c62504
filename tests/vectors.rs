//! The tables of RFC 4226 and RFC 6238, and codes that `oathtool` computed.

use seedmill::record::{Algorithm, Digits, Seed};
use seedmill::refine::code;

fn check(seed: &[u8], algorithm: Algorithm, counter: u64, digits: u8, expected: u32) {
    let digits = Digits::new(digits).expect("a number of digits that codes have");
    assert_eq!(code(&Seed::new(seed.to_vec()), algorithm, counter, digits), expected, "{algorithm} at {counter}");
}

#[test]
fn hotp_codes_are_those_of_rfc_4226_appendix_d() {
    let expected = [755_224, 287_082, 359_152, 969_429, 338_314, 254_676, 287_922, 162_583, 399_871, 520_489];
    for (counter, code) in expected.into_iter().enumerate() {
        check(b"12345678901234567890", Algorithm::Sha1, counter as u64, 6, code);
    }
}

#[test]
fn truncated_numbers_are_those_of_rfc_4226_appendix_d() {
    // Ten digits hold the whole 31-bit number: the table's column "Decimal".
    let expected = [1_284_755_224, 1_094_287_082, 137_359_152, 1_726_969_429, 1_640_338_314];
    for (counter, number) in expected.into_iter().enumerate() {
        check(b"12345678901234567890", Algorithm::Sha1, counter as u64, 10, number);
    }
}

#[test]
fn totp_codes_are_those_of_rfc_6238_appendix_b() {
    // The appendix's seeds are `1234567890` repeated to the length of the hash (erratum 2866).
    let seed = |length| b"1234567890".iter().copied().cycle().take(length).collect::<Vec<_>>();
    let table = [
        (59, 94_287_082, 46_119_246, 90_693_936),
        (1_111_111_109, 7_081_804, 68_084_774, 25_091_201),
        (1_111_111_111, 14_050_471, 67_062_674, 99_943_326),
        (1_234_567_890, 89_005_924, 91_819_424, 93_441_116),
        (2_000_000_000, 69_279_037, 90_698_825, 38_618_901),
        (20_000_000_000, 65_353_130, 77_737_706, 47_863_826),
    ];
    for (time, sha1, sha256, sha512) in table {
        check(&seed(20), Algorithm::Sha1, time / 30, 8, sha1);
        check(&seed(32), Algorithm::Sha256, time / 30, 8, sha256);
        check(&seed(64), Algorithm::Sha512, time / 30, 8, sha512);
    }
}

#[test]
fn a_seed_longer_than_a_hash_block_is_hashed_first() {
    // oathtool --totp=sha1 -d 6 -s 60s -N "2020-01-01 00:00:00 UTC" with 80 bytes 00 to 4f.
    let seed: Vec<u8> = (0..80).collect();
    check(&seed, Algorithm::Sha1, 1_577_836_800 / 60, 6, 72_678);
}
