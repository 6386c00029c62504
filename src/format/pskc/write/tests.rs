//! Tests of the writer: what stands in a container, and that its own reader gives it back.

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;
use crate::format::Writer;
use crate::format::testing::{self, read_back};
use crate::record::{Digits, Otp, Seed, Serial};

fn token() -> Token<'static> {
    Token {
        place: None,
        serial: Serial::parse("0<1".into()),
        issue: None,
        key_id: None,
        manufacturer: Some("A & B".into()),
        model: None,
        otp: Otp {
            algorithm: Algorithm::Sha1,
            digits: Digits::SIX,
            moving: Moving::Period { seconds: 30.try_into().expect("above 0"), drift: -2 },
        },
        upn: Some("ada@example.com".into()),
        seed: Seed::new(b"12345678901234567890".to_vec()),
    }
}

fn written(protect: &Protect, tokens: &[Token<'_>]) -> String {
    let writer = Writer::Pskc(Box::new(PskcWriter::new(protect).expect("a key of that length")));
    String::from_utf8(testing::written(&writer, tokens)).expect("UTF-8")
}

fn key(length: usize) -> Protect {
    let mut key = Plain::default();
    key.extend(&vec![7; length]);
    Protect::Key(key)
}

/// What is written, with a word for each value that differs from run to run.
fn check(protect: &Protect, tokens: &[Token<'_>], expected: Expect) {
    let mut shown = String::new();
    for line in written(protect, tokens).lines() {
        let hidden = ["CipherValue>", "ValueMAC>", "Specified>"].iter().find_map(|name| {
            let (before, value) = line.split_once(name)?;
            let (value, _) = value.split_once('<')?;
            let bytes = BASE64.decode(value.as_bytes()).expect("Base64").len();
            Some(format!("{before}{name}({bytes} bytes)"))
        });
        shown.push_str(hidden.as_deref().unwrap_or(line));
        shown.push('\n');
    }
    expected.assert_eq(&shown);
}

#[test]
fn writes_a_plain_container() {
    let hotp = Token {
        key_id: Some("\"k\"".into()),
        otp: Otp { moving: Moving::Counter { next: 7 }, algorithm: Algorithm::Sha512, ..token().otp },
        upn: None,
        ..token()
    };
    check(
        &Protect::Plain,
        &[token(), hotp],
        expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <pskc:KeyContainer Version="1.0" xmlns:pskc="urn:ietf:params:xml:ns:keyprov:pskc">
              <pskc:KeyPackage>
                <pskc:DeviceInfo>
                  <pskc:Manufacturer>A &amp; B</pskc:Manufacturer>
                  <pskc:SerialNo>0&lt;1</pskc:SerialNo>
                </pskc:DeviceInfo>
                <pskc:Key Id="0&lt;1" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:totp">
                  <pskc:AlgorithmParameters>
                    <pskc:Suite>HMAC-SHA1</pskc:Suite>
                    <pskc:ResponseFormat Length="6" Encoding="DECIMAL"/>
                  </pskc:AlgorithmParameters>
                  <pskc:Data>
                    <pskc:Secret>
                      <pskc:PlainValue>MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=</pskc:PlainValue>
                    </pskc:Secret>
                    <pskc:Time><pskc:PlainValue>0</pskc:PlainValue></pskc:Time>
                    <pskc:TimeInterval><pskc:PlainValue>30</pskc:PlainValue></pskc:TimeInterval>
                    <pskc:TimeDrift><pskc:PlainValue>-2</pskc:PlainValue></pskc:TimeDrift>
                  </pskc:Data>
                  <pskc:UserId>ada@example.com</pskc:UserId>
                </pskc:Key>
              </pskc:KeyPackage>
              <pskc:KeyPackage>
                <pskc:DeviceInfo>
                  <pskc:Manufacturer>A &amp; B</pskc:Manufacturer>
                  <pskc:SerialNo>0&lt;1</pskc:SerialNo>
                </pskc:DeviceInfo>
                <pskc:Key Id="&quot;k&quot;" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:hotp">
                  <pskc:AlgorithmParameters>
                    <pskc:Suite>HMAC-SHA512</pskc:Suite>
                    <pskc:ResponseFormat Length="6" Encoding="DECIMAL"/>
                  </pskc:AlgorithmParameters>
                  <pskc:Data>
                    <pskc:Secret>
                      <pskc:PlainValue>MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=</pskc:PlainValue>
                    </pskc:Secret>
                    <pskc:Counter><pskc:PlainValue>7</pskc:PlainValue></pskc:Counter>
                  </pskc:Data>
                </pskc:Key>
              </pskc:KeyPackage>
            </pskc:KeyContainer>
        "#]],
    );
}

#[test]
fn writes_the_heads_of_figures_6_and_7() {
    check(
        &key(16),
        &[token()],
        expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <pskc:KeyContainer Version="1.0" xmlns:pskc="urn:ietf:params:xml:ns:keyprov:pskc" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" xmlns:xenc="http://www.w3.org/2001/04/xmlenc#">
              <pskc:EncryptionKey>
                <ds:KeyName>Pre-shared-key</ds:KeyName>
              </pskc:EncryptionKey>
              <pskc:MACMethod Algorithm="http://www.w3.org/2000/09/xmldsig#hmac-sha1">
                <pskc:MACKey>
                  <xenc:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/>
                  <xenc:CipherData>
                    <xenc:CipherValue>(48 bytes)
                  </xenc:CipherData>
                </pskc:MACKey>
              </pskc:MACMethod>
              <pskc:KeyPackage>
                <pskc:DeviceInfo>
                  <pskc:Manufacturer>A &amp; B</pskc:Manufacturer>
                  <pskc:SerialNo>0&lt;1</pskc:SerialNo>
                </pskc:DeviceInfo>
                <pskc:Key Id="0&lt;1" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:totp">
                  <pskc:AlgorithmParameters>
                    <pskc:Suite>HMAC-SHA1</pskc:Suite>
                    <pskc:ResponseFormat Length="6" Encoding="DECIMAL"/>
                  </pskc:AlgorithmParameters>
                  <pskc:Data>
                    <pskc:Secret>
                      <pskc:EncryptedValue>
                        <xenc:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/>
                        <xenc:CipherData>
                          <xenc:CipherValue>(48 bytes)
                        </xenc:CipherData>
                      </pskc:EncryptedValue>
                      <pskc:ValueMAC>(20 bytes)
                    </pskc:Secret>
                    <pskc:Time><pskc:PlainValue>0</pskc:PlainValue></pskc:Time>
                    <pskc:TimeInterval><pskc:PlainValue>30</pskc:PlainValue></pskc:TimeInterval>
                    <pskc:TimeDrift><pskc:PlainValue>-2</pskc:PlainValue></pskc:TimeDrift>
                  </pskc:Data>
                  <pskc:UserId>ada@example.com</pskc:UserId>
                </pskc:Key>
              </pskc:KeyPackage>
            </pskc:KeyContainer>
        "#]],
    );
    check(
        &Protect::Passphrase(Passphrase::new(b"qwerty".to_vec())),
        &[],
        expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <pskc:KeyContainer Version="1.0" xmlns:pskc="urn:ietf:params:xml:ns:keyprov:pskc" xmlns:xenc="http://www.w3.org/2001/04/xmlenc#" xmlns:xenc11="http://www.w3.org/2009/xmlenc11#" xmlns:pkcs5="http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#">
              <pskc:EncryptionKey>
                <xenc11:DerivedKey>
                  <xenc11:KeyDerivationMethod Algorithm="http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#pbkdf2">
                    <pkcs5:PBKDF2-params>
                      <Salt><Specified>(16 bytes)
                      <IterationCount>600000</IterationCount>
                      <KeyLength>32</KeyLength>
                      <PRF Algorithm="http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"/>
                    </pkcs5:PBKDF2-params>
                  </xenc11:KeyDerivationMethod>
                  <xenc11:MasterKeyName>Passphrase</xenc11:MasterKeyName>
                </xenc11:DerivedKey>
              </pskc:EncryptionKey>
              <pskc:MACMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#hmac-sha256">
                <pskc:MACKey>
                  <xenc:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes256-cbc"/>
                  <xenc:CipherData>
                    <xenc:CipherValue>(64 bytes)
                  </xenc:CipherData>
                </pskc:MACKey>
              </pskc:MACMethod>
            </pskc:KeyContainer>
        "#]],
    );
}

#[test]
fn a_key_of_another_length_is_refused() {
    let error = PskcWriter::new(&key(24)).expect_err("AES-192 is not written");
    expect!["a key of 16 bytes (AES-128) or 32 (AES-256) is expected, but found 24"].assert_eq(&error.to_string());
}

#[test]
fn a_token_without_a_key_id_gets_its_serial() {
    for (issue, id, expected) in
        [(None, None, "Id=\"0&lt;1\""), (Some("2"), None, "Id=\"0&lt;1#2\""), (Some("2"), Some("a"), "Id=\"a\"")]
    {
        let token = Token { issue: issue.map(Into::into), key_id: id.map(Into::into), ..token() };
        let text = written(&Protect::Plain, &[token]);
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn what_xml_cannot_hold_does_not_stay_as_it_was() {
    let mut out = Plain::default();
    escape("a\u{1}b\u{ffff}c\r\n\t<&>\"d'", &mut out);
    assert_eq!(std::str::from_utf8(&out), Ok("a\u{fffd}b\u{fffd}c&#13;&#10;&#9;&lt;&amp;&gt;&quot;d'"));
}

#[test]
fn no_secret_is_shown() {
    let shown = format!("{:?} {:?}", key(16), PskcWriter::new(&key(32)));
    assert_eq!(
        shown,
        "Key(Plain(16 bytes)) Ok(PskcWriter { sealer: Some(Sealer { encryption: Aes256Cbc, mac: Sha256 }), .. })"
    );
    let text = written(&key(16), &[token()]);
    assert!(!text.contains(&BASE64.encode(b"12345678901234567890")), "{text}");
}

proptest! {
    #[test]
    fn what_was_written_is_read_back(tokens in prop::collection::vec(testing::token(), 0..5), protected in any::<bool>()) {
        let protect = if protected { key(16) } else { Protect::Plain };
        let writer = Writer::Pskc(Box::new(PskcWriter::new(&protect).expect("16 bytes")));
        let text = testing::written(&writer, &tokens);
        let lines = read_back(&writer, &text).expect("our own container");
        prop_assert_eq!(lines.len(), tokens.len());
        for (line, token) in lines.iter().zip(&tokens) {
            let seed = data_encoding::HEXLOWER.encode(token.seed.expose());
            prop_assert!(line.ends_with(&seed), "{}", line);
        }
    }
}
