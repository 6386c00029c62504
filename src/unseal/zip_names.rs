//! The name of a ZIP entry in; whether it is safe, and whether it is plainly no seed file, out.

/// Whether a name points outside the archive, or reads so on some system.
///
/// Nothing is unpacked here, but such a name has no honest reason, and stands in messages and reports.
pub(super) fn is_unsafe(name: &str) -> bool {
    let drive = name.as_bytes();
    name.is_empty()
        || name.contains('\0')
        || name.starts_with(['/', '\\'])
        || (drive.len() >= 2 && drive[0].is_ascii_alphabetic() && drive[1] == b':')
        || name.split(['/', '\\']).any(|step| step == "..")
}

/// What a file is that systems leave beside others, by its name.
pub(super) fn left_by_a_system(name: &str) -> Option<&'static str> {
    let mut steps = name.split(['/', '\\']);
    if steps.clone().any(|step| step == "__MACOSX") {
        return Some("macOS's record of file attributes");
    }
    match steps.next_back()? {
        ".DS_Store" => Some("macOS's record of a folder's look"),
        "Thumbs.db" => Some("Windows' cache of small images"),
        "desktop.ini" | "Desktop.ini" => Some("Windows' record of a folder's look"),
        _ => None,
    }
}

/// The name of what is inside a layer: without the ending that the packer added.
pub(super) fn without_layer_ending(name: &str) -> Option<&str> {
    let (stem, ending) = name.rsplit_once('.')?;
    let added = ["asc", "gpg", "gz", "pgp"].iter().any(|known| ending.eq_ignore_ascii_case(known));
    (added && !stem.is_empty()).then_some(stem)
}

/// Whether a name says OpenPGP.
pub(super) fn says_openpgp(name: &str) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(_, ending)| ["asc", "gpg", "pgp"].iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_names_that_point_outside() {
        for name in ["/etc/passwd", "\\\\host\\x", "..", "a/../../b", "a\\..\\b", "C:x", "c:\\x", "a\0b", ""] {
            assert!(is_unsafe(name), "{name:?}");
        }
        for name in ["a.csv", "a/b.csv", "..a", "a..", "a/...", "tokens: new.csv"] {
            assert!(!is_unsafe(name), "{name:?}");
        }
    }

    #[test]
    fn knows_what_systems_leave_behind() {
        assert!(left_by_a_system("a/__MACOSX/._tokens.csv").is_some());
        assert!(left_by_a_system("a/.DS_Store").is_some());
        assert!(left_by_a_system("DS_Store.csv").is_none());
    }

    #[test]
    fn takes_off_one_ending_only() {
        assert_eq!(without_layer_ending("tokens.csv.PGP"), Some("tokens.csv"));
        assert_eq!(without_layer_ending("tokens.csv"), None);
        assert_eq!(without_layer_ending(".gz"), None);
    }
}
