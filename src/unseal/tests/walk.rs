//! Layers in one another, limits, folders, streams, and members shown again.

use super::*;

#[test]
fn peels_layers_in_any_order() {
    let found = open("deepnet.pgp", keyring(&[], &["curve25519.key.asc"], &[]));
    assert_eq!(found.members[0].1, CSV);
    assert_eq!(behind(&found.members[0].0), "deepnet > tokens.csv");
    let found = open("around-pgp.zip", keyring(&[], &["rsa.key.asc"], &[]));
    assert_eq!(behind(&found.members[0].0), "to-rsa.asc > to-rsa");
    assert_eq!(found.layers.iter().map(|layer| layer.1).collect::<Vec<_>>(), [Layer::Zip, Layer::OpenPgp]);
    let found = open("to-rsa.pgp.gz", keyring(&[], &["rsa.key.asc"], &[]));
    assert_eq!(behind(&found.members[0].0), "to-rsa.pgp > to-rsa");
    check("tokens.csv.gz", keyring(&[], &[], &[]), "tokens.csv", Layer::Gzip, "not encrypted");
}

#[test]
fn streams_read_as_files_do() {
    for name in ["aes256-ae2.zip", "deepnet.pgp", "tokens.csv.gz", "symmetric.pgp", "tokens.csv", "around-pgp.zip"] {
        let keys = ["curve25519.key.asc", "rsa.key.asc"];
        let (result, found) = run_bytes(&bytes(name), keyring(&[PASSWORD], &keys, &[]));
        result.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(found.members[0].1, CSV, "{name}");
    }
}

#[test]
fn nine_layers_are_one_too_many() {
    let mut nested = CSV.to_vec();
    for _ in 0..8 {
        nested = zip_of(&[("inner", &nested)], ::zip::CompressionMethod::Stored);
    }
    let (result, found) = run_bytes(&nested, keyring(&[], &[], &[]));
    result.expect("eight are allowed");
    assert_eq!(found.members[0].1, CSV);
    let (result, _) =
        run_bytes(&zip_of(&[("inner", &nested)], ::zip::CompressionMethod::Stored), keyring(&[], &[], &[]));
    let error = result.expect_err("nine are not");
    assert!(matches!(error.kind(), ErrorKind::LimitReached { limit: Limit::Layers, .. }), "{error}");
}

#[test]
fn a_bomb_is_stopped() {
    let zeros = vec![0; 100_000_000];
    let zip = zip_of(&[("zeros", &zeros)], ::zip::CompressionMethod::Deflated);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&zeros).expect("memory");
    for bomb in [zip, gzip.finish().expect("memory")] {
        let visitor = Collect { reads: Some(10), ..Collect::default() };
        let source = Box::new(Cursor::new(bomb));
        let (result, _) = run(vec![Input::Stream(source, "-".to_owned())], keyring(&[], &[], &[]), visitor);
        let error = result.expect_err("it grows a thousand times");
        assert_eq!(
            error.to_string(),
            "too many bytes out for each byte in: at most 200 are allowed, but there are more"
        );
    }
}

#[test]
fn members_are_counted() {
    let zip = zip_of(&[("a", CSV), ("b", CSV), ("c", CSV)], ::zip::CompressionMethod::Stored);
    let limits = Limits { members: 2, ..Limits::default() };
    let inputs = vec![Input::Stream(Box::new(Cursor::new(zip)), "-".to_owned())];
    let mut visitor = Collect::default();
    let result = unseal(inputs, &mut keyring(&[], &[], &[]), &limits, &AtomicU64::new(0), &mut visitor);
    assert_eq!(
        result.expect_err("three are too many").to_string(),
        "too many members in a delivery: at most 2 are allowed, but found 3"
    );
}

#[test]
fn empty_files_are_errors_with_their_place() {
    for (name, expected) in [("a.csv", "the file is empty"), ("a.csv.PGP", "the OpenPGP file is empty")] {
        let inputs = vec![Input::Stream(Box::new(std::io::empty()), name.to_owned())];
        let (result, _) = run(inputs, keyring(&[], &[], &[]), Collect::default());
        assert!(result.expect_err("it is empty").to_string().starts_with(expected));
        let zip = zip_of(&[("b.csv", CSV), (name, b"")], ::zip::CompressionMethod::Stored);
        let (result, _) = run_bytes(&zip, keyring(&[], &[], &[]));
        let error = result.expect_err("one member is empty");
        assert!(error.to_string().starts_with(expected));
        assert_eq!(error.origin().expect("a place").to_string(), format!("- > {name}"));
    }
}

#[test]
fn a_member_that_asks_is_shown_again_after_all_others() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::copy(fixture("pskc-and-key.zip"), folder.path().join("1.zip")).expect("space");
    fs::write(folder.path().join("2.csv"), CSV).expect("space");
    fs::write(folder.path().join("3.csv"), CSV).expect("space");
    let inputs = vec![
        Input::Path(folder.path().join("1.zip")),
        Input::Stream(Box::new(Cursor::new(bytes("plain.zip"))), "-".to_owned()),
        Input::Path(folder.path().into()),
    ];
    let visitor = Collect { later: vec!["tokens.xml", "tokens.csv", "2.csv"], ..Collect::default() };
    let (result, found) = run(inputs, keyring(&[], &[], &[]), visitor);
    result.expect("all can be read");
    let names: Vec<_> = found.members.iter().map(|(trail, _)| behind(trail)).collect();
    assert_eq!(
        names,
        [
            "tokens.xml",
            "pskc.key",
            "tokens.csv",
            "1.zip > tokens.xml",
            "1.zip > pskc.key",
            "2.csv",
            "3.csv",
            // Again, in the same order.
            "tokens.xml",
            "tokens.csv",
            "2.csv",
        ]
    );
    assert_eq!(found.members[8].1, CSV);
    assert_eq!(found.members[7].1, found.members[0].1);
    assert_eq!(found.layers.len(), 3, "a layer is told once");
}

#[test]
fn folders_are_read_in_order_of_name_and_links_are_not_followed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    fs::create_dir_all(path.join("b/empty")).expect("space");
    for name in ["c.csv", "a.csv", "b/z.csv", "b/.DS_Store"] {
        fs::write(path.join(name), CSV).expect("space");
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink("/etc/passwd", path.join("d.csv")).expect("space");
    let (result, found) = run(vec![Input::Path(path.into())], keyring(&[], &[], &[]), Collect::default());
    result.expect("all can be read");
    assert_eq!(found.members.iter().map(|(trail, _)| behind(trail)).collect::<Vec<_>>(), ["a.csv", "b/z.csv", "c.csv"]);
    let skipped: Vec<_> = found.findings.iter().map(|(trail, ..)| behind(trail)).collect();
    #[cfg(unix)]
    assert_eq!(skipped, ["b/.DS_Store", "b/empty", "d.csv"]);
    #[cfg(not(unix))]
    assert_eq!(skipped, ["b/.DS_Store", "b/empty"]);
}

#[test]
fn what_the_visitor_leaves_unread_is_checked_all_the_same() {
    let zip = bytes("aes256-ae2.zip");
    let directory = memchr::memmem::rfind(&zip, b"PK\x01\x02").expect("a directory");
    let mut altered = zip;
    altered[directory - 1] ^= 1;
    let visitor = Collect { reads: Some(3), ..Collect::default() };
    let inputs = vec![Input::Stream(Box::new(Cursor::new(altered)), "-".to_owned())];
    let (result, _) = run(inputs, keyring(&[PASSWORD], &[], &[]), visitor);
    assert!(matches!(result.expect_err("the code is wrong").kind(), ErrorKind::ContainerDamaged { .. }));
}

#[test]
fn progress_reaches_the_sizes_of_the_files() {
    let progress = AtomicU64::new(0);
    let names = ["aes256-ae2.zip", "zipcrypto.zip", "deepnet.pgp", "tokens.csv", "workbook.xlsx"];
    let inputs = names.iter().map(|name| Input::Path(fixture(name))).collect();
    let mut keyring = keyring(&["a", "b", PASSWORD], &["curve25519.key.asc"], &[]);
    unseal(inputs, &mut keyring, &Limits::default(), &progress, &mut Collect::default()).expect("all open");
    let sizes: usize = names.iter().map(|name| bytes(name).len()).sum();
    assert_eq!(progress.load(Ordering::Relaxed), sizes as u64);
}

#[test]
fn a_stream_that_breaks_is_named() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the cable"))
        }
    }
    for begin in [&b""[..], CSV, &bytes("tokens.csv.gz")[..50], &bytes("to-rsa.pgp")[..600], &bytes("plain.zip")[..99]]
    {
        let source = Cursor::new(begin.to_vec()).chain(Broken);
        let inputs = vec![Input::Stream(Box::new(source), "-".to_owned())];
        let (result, _) = run(inputs, keyring(&[], &["rsa.key.asc"], &[]), Collect::default());
        assert_eq!(result.expect_err("it breaks").to_string(), "cannot read `-`");
    }
}
