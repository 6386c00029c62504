//! Files of passwords and keys to a keyring.
//!
//! # Leniency
//!
//! Notepad and PowerShell put a byte order mark before a password, end its line with CRLF, or write UTF-16; all three
//! are undone, and a password is otherwise the whole line, spaces included. Hex may hold white space and `0x`.

use std::fs::File;
use std::io::{self, Read, stdin};
use std::path::Path;

use indicatif::ProgressBar;
use seedmill::error::{Error, ErrorKind};
use seedmill::record::{Keyring, Passphrase, PgpKey, Plain, PskcKey};
use zeroize::Zeroizing;

use crate::args::Keys;
use crate::paths::is_stream;
use crate::plan::{Refusal, Usage};
use crate::prompt;
use crate::render::shown;

/// More than any key or list of passwords has; a larger file was named by mistake.
const LARGEST: u64 = 4 << 20;

/// Lengths of AES and Triple-DES keys, in bytes (RFC 6030 §6.1 names their algorithms).
const KEY_LENGTHS: [usize; 3] = [16, 24, 32];

/// Reads every key and password that is given; without a password, a terminal may be asked.
pub(crate) fn keyring(args: &Keys, environment: Option<Passphrase>, bar: &ProgressBar) -> Result<Keyring, Refusal> {
    let mut keyring = Keyring::default();
    for path in &args.password_file {
        let text = read(path, LARGEST)?;
        for password in passwords(&text).map_err(|problem| refused(path, "password file", &problem))? {
            keyring.add_passphrase(password);
        }
    }
    if args.password_file.is_empty() {
        match environment {
            Some(password) => keyring.add_passphrase(password),
            None => prompt::offer(&mut keyring, bar.clone()),
        }
    }
    for path in &args.pgp_key {
        keyring.pgp_keys.push(PgpKey { name: name(path), bytes: read(path, LARGEST)? });
    }
    for path in &args.signed_by {
        keyring.signers.push(PgpKey { name: name(path), bytes: read(path, LARGEST)? });
    }
    for path in &args.pskc_key_file {
        let keys = pskc_keys(&read(path, LARGEST)?).map_err(|problem| refused(path, "PSKC key", &problem))?;
        let named = |key| PskcKey { name: name(path), key, found_beside: false };
        keyring.pskc_keys.extend(keys.into_iter().map(named));
    }
    Ok(keyring)
}

/// Reads a whole file, or standard input for `-`, up to a number of bytes.
pub(crate) fn read(path: &Path, largest: u64) -> Result<Plain, Refusal> {
    let failed = |error: io::Error| {
        let name = name(path);
        Refusal::Stopped(match error.kind() {
            io::ErrorKind::NotFound => Error::new(ErrorKind::NotFound { name }),
            _ => Error::new(ErrorKind::Read { name }).caused_by(error),
        })
    };
    let mut source: Box<dyn Read> =
        if is_stream(path) { standard_input().map_err(failed)? } else { Box::new(File::open(path).map_err(failed)?) };
    let mut content = Plain::default();
    const STEP: usize = 64 << 10;
    while content.fill_from(&mut source, STEP).map_err(failed)? == STEP {
        if content.len() as u64 > largest {
            let message = format!("`{}` is too large: at most {largest} bytes are expected here", shown(&name(path)));
            return Err(Usage::new(message).into());
        }
    }
    Ok(content)
}

/// Standard input without the buffer of its own that would keep a copy of what passed.
pub(crate) fn standard_input() -> io::Result<Box<dyn Read + Send>> {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        Ok(Box::new(File::from(stdin().as_fd().try_clone_to_owned()?)))
    }
    #[cfg(not(unix))]
    {
        Ok(Box::new(stdin()))
    }
}

/// A path as it is shown.
pub(crate) fn name(path: &Path) -> String {
    if is_stream(path) { "standard input".to_owned() } else { path.to_string_lossy().into_owned() }
}

/// The password in `SEEDMILL_PASSWORD`; an empty one is none.
pub(crate) fn from_environment() -> Option<Passphrase> {
    let value = std::env::var_os("SEEDMILL_PASSWORD").filter(|value| !value.is_empty())?;
    // On Unix these are the very bytes of the environment.
    Some(Passphrase::new(value.into_encoded_bytes()))
}

fn refused(path: &Path, what: &str, problem: &str) -> Refusal {
    Usage::new(format!("`{}` is no {what}: {problem}", shown(&name(path)))).into()
}

/// One password a line; empty lines are none.
fn passwords(text: &[u8]) -> Result<Vec<Passphrase>, String> {
    let decoded;
    let text = match text {
        [0xEF, 0xBB, 0xBF, text @ ..] => text,
        [0xFF, 0xFE, text @ ..] => {
            decoded = from_utf16(text, u16::from_le_bytes)?;
            decoded.as_bytes()
        }
        [0xFE, 0xFF, text @ ..] => {
            decoded = from_utf16(text, u16::from_be_bytes)?;
            decoded.as_bytes()
        }
        text => text,
    };
    let passwords: Vec<_> = text
        .split(|&byte| byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .filter(|line| !line.is_empty())
        .map(|line| Passphrase::new(line.to_vec()))
        .collect();
    if passwords.is_empty() {
        return Err("expected one password a line, but found none".to_owned());
    }
    Ok(passwords)
}

fn from_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Zeroizing<String>, String> {
    // Three bytes of UTF-8 for each unit are enough, so the text never grows and leaves no copy behind.
    let mut text = Zeroizing::new(String::with_capacity(bytes.len() / 2 * 3));
    let (pairs, rest) = bytes.as_chunks();
    for character in char::decode_utf16(pairs.iter().map(|&pair| unit(pair))) {
        text.push(character.map_err(|_| "expected UTF-16 behind its byte order mark, but found other bytes")?);
    }
    if rest.is_empty() { Ok(text) } else { Err("expected UTF-16 in pairs of bytes, but found half a pair".to_owned()) }
}

/// The key of `--out-key-file`. Text in hex is hex, never raw bytes: that is how key files are handed on.
pub(crate) fn out_key(path: &Path) -> Result<Plain, Refusal> {
    let keys = pskc_keys(&read(path, LARGEST)?).unwrap_or_default();
    keys.into_iter().find(|key| matches!(key.len(), 16 | 32)).ok_or_else(|| {
        refused(path, "PSKC key to write with", "expected 16 bytes (AES-128) or 32 (AES-256), raw or in hex")
    })
}

/// The passphrase of `--out-password-file`.
pub(crate) fn out_passphrase(path: &Path) -> Result<Passphrase, Refusal> {
    let what = "file of one passphrase";
    let mut found = passwords(&read(path, LARGEST)?).map_err(|problem| refused(path, what, &problem))?;
    match (found.pop(), found.len()) {
        (Some(passphrase), 0) => Ok(passphrase),
        (_, others) => Err(refused(path, what, &format!("expected one line, but found {}", others + 1))),
    }
}

/// Every reading of a key file: hex text, raw bytes, or both where both are possible. The right one opens the seeds.
fn pskc_keys(content: &[u8]) -> Result<Vec<Plain>, String> {
    let mut keys: Vec<Plain> = hex(content).into_iter().filter(|key| KEY_LENGTHS.contains(&key.len())).collect();
    if KEY_LENGTHS.contains(&content.len()) {
        let mut raw = Plain::with_capacity(content.len());
        raw.extend(content);
        keys.push(raw);
    }
    if keys.is_empty() {
        let found = match hex(content) {
            Some(key) => format!("{} bytes in hex", key.len()),
            None => format!("{} bytes that are no hex text", content.len()),
        };
        return Err(format!("expected 16, 24 or 32 bytes, raw or in hex, but found {found}"));
    }
    Ok(keys)
}

fn hex(content: &[u8]) -> Option<Plain> {
    let content = content.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(content).trim_ascii();
    let digits = content.strip_prefix(b"0x").or_else(|| content.strip_prefix(b"0X")).unwrap_or(content);
    let mut key = Plain::with_capacity(digits.len() / 2);
    let mut high = None;
    for byte in digits.iter().filter(|byte| !byte.is_ascii_whitespace()) {
        let digit = u8::try_from(char::from(*byte).to_digit(16)?).ok()?;
        match high.take() {
            None => high = Some(digit),
            Some(high) => key.extend(&[high << 4 | digit]),
        }
    }
    (high.is_none() && !key.is_empty()).then_some(key)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn lines(text: &[u8]) -> Vec<Vec<u8>> {
        passwords(text).expect("it holds passwords").iter().map(|password| password.expose().to_vec()).collect()
    }

    #[test]
    fn a_password_is_the_whole_line_without_byte_order_mark_and_line_end() {
        assert_eq!(lines(b"one"), [b"one"]);
        assert_eq!(lines(b" one \ntwo\n"), [&b" one "[..], b"two"]);
        assert_eq!(lines(b"\xEF\xBB\xBFone\r\ntwo\r\n\r\n"), [b"one", b"two"]);
        assert_eq!(lines(b"tab\there\r"), [b"tab\there"]);
        assert_eq!(lines(b"caf\x82\n"), [b"caf\x82"], "bytes that are no UTF-8 stay as they are");
    }

    #[test]
    fn undoes_the_utf_16_that_powershell_writes() {
        assert_eq!(lines(b"\xFF\xFEo\0n\0e\0\r\0\n\0t\0\xFC\0"), ["one".as_bytes(), "tü".as_bytes()]);
        assert_eq!(lines(b"\xFE\xFF\0o\0n\0e"), [b"one"]);
        assert_eq!(
            passwords(b"\xFF\xFEo").err().as_deref(),
            Some("expected UTF-16 in pairs of bytes, but found half a pair")
        );
    }

    #[test]
    fn refuses_a_password_file_without_a_password() {
        for text in [&b""[..], b"\r\n\n", b"\xEF\xBB\xBF"] {
            assert_eq!(passwords(text).err().as_deref(), Some("expected one password a line, but found none"));
        }
    }

    fn keys(content: &[u8]) -> Vec<Vec<u8>> {
        pskc_keys(content).expect("it is a key").iter().map(|key| key.to_vec()).collect()
    }

    #[test]
    fn reads_a_pre_shared_key_as_hex_or_raw() {
        // The key of RFC 6030 figure 6.
        let key = [0x12, 0x34, 0x56, 0x78, 0x90, 0xAB, 0xCD, 0xEF, 0x12, 0x34, 0x56, 0x78, 0x90, 0xAB, 0xCD, 0xEF];
        assert_eq!(keys(b"1234567890abcdef1234567890ABCDEF\r\n"), [key]);
        assert_eq!(keys(b"0x12345678 90abcdef\n 12345678 90abcdef"), [key]);
        assert_eq!(keys(b"\xEF\xBB\xBF1234567890abcdef1234567890abcdef\n"), [key]);
        assert_eq!(keys(&key), [key]);
    }

    #[test]
    fn tries_both_readings_where_both_are_keys() {
        // 32 characters: 16 bytes in hex, or 32 raw ones.
        let content = b"1234567890abcdef1234567890abcdef";
        let found = keys(content);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].len(), 16);
        assert_eq!(found[1], content);
    }

    #[test]
    fn says_what_is_no_key() {
        let check = |content: &[u8], expected: expect_test::Expect| {
            expected.assert_eq(&pskc_keys(content).err().unwrap_or_default());
        };
        check(b"00112233", expect!["expected 16, 24 or 32 bytes, raw or in hex, but found 4 bytes in hex"]);
        check(&[7; 21], expect!["expected 16, 24 or 32 bytes, raw or in hex, but found 21 bytes that are no hex text"]);
        check(b"", expect!["expected 16, 24 or 32 bytes, raw or in hex, but found 0 bytes that are no hex text"]);
    }
}
