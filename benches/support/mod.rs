//! Deliveries of any size with invented seeds, written by other means than seedmill's own writers.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use aes::Aes128;
use aes::cipher::{BlockModeEncrypt, KeyIvInit, block_padding::Pkcs7};
use data_encoding::{BASE32_NOPAD, BASE64, HEXUPPER};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// A generator of invented bytes: splitmix64, always the same.
struct Invented(u64);

impl Invented {
    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        for chunk in bytes.chunks_mut(8) {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = self.0;
            mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(mixed ^ mixed >> 31).to_le_bytes()[..chunk.len()]);
        }
        bytes
    }
}

/// The pre-shared key of the encrypted delivery.
pub(crate) const KEY: [u8; 16] = *b"invented bench k";

const PSKC_START: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<KeyContainer Version=\"1.0\" xmlns=\"urn:ietf:params:xml:ns:keyprov:pskc\" xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\">\n";

/// Writes a PSKC container of about 780 bytes a token.
pub(crate) fn plain_pskc(path: &Path, tokens: u64) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    out.write_all(PSKC_START.as_bytes())?;
    let mut invented = Invented(1);
    let mut text = String::new();
    for number in 0..tokens {
        let seed = BASE64.encode(&invented.bytes::<20>());
        text.clear();
        package(&mut text, number, &format!("<PlainValue>{seed}</PlainValue>"));
        out.write_all(text.as_bytes())?;
    }
    out.write_all(b"</KeyContainer>\n")?;
    out.flush()
}

/// Writes the same with every seed encrypted by AES-128-CBC and protected by HMAC-SHA1.
pub(crate) fn encrypted_pskc(path: &Path, tokens: u64) -> io::Result<()> {
    let mac_key = *b"invented bench mac k";
    let mut invented = Invented(1);
    let mut out = BufWriter::new(File::create(path)?);
    out.write_all(PSKC_START.as_bytes())?;
    let sealed_mac_key = sealed(&mac_key, invented.bytes());
    write!(
        out,
        "  <EncryptionKey><ds:KeyName>Pre-shared-key</ds:KeyName></EncryptionKey>\n  <MACMethod Algorithm=\"http://www.w3.org/2000/09/xmldsig#hmac-sha1\"><MACKey><xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#aes128-cbc\"/><xenc:CipherData><xenc:CipherValue>{}</xenc:CipherValue></xenc:CipherData></MACKey></MACMethod>\n",
        BASE64.encode(&sealed_mac_key)
    )?;
    let mac: Hmac<Sha1> = Hmac::new_from_slice(&mac_key).expect("a key of any length");
    let mut text = String::new();
    for number in 0..tokens {
        let cipher = sealed(&invented.bytes::<20>(), invented.bytes());
        let tag = mac.clone().chain_update(&cipher).finalize().into_bytes();
        text.clear();
        let value = format!(
            "<EncryptedValue><xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#aes128-cbc\"/><xenc:CipherData><xenc:CipherValue>{}</xenc:CipherValue></xenc:CipherData></EncryptedValue><ValueMAC>{}</ValueMAC>",
            BASE64.encode(&cipher),
            BASE64.encode(&tag)
        );
        package(&mut text, number, &value);
        out.write_all(text.as_bytes())?;
    }
    out.write_all(b"</KeyContainer>\n")?;
    out.flush()
}

/// IV, then ciphertext.
fn sealed(plain: &[u8], iv: [u8; 16]) -> Vec<u8> {
    let mut sealed = iv.to_vec();
    let mut blocks = [0; 64];
    blocks[..plain.len()].copy_from_slice(plain);
    let cipher = cbc::Encryptor::<Aes128>::new(&KEY.into(), &iv.into());
    sealed.extend_from_slice(cipher.encrypt_padded::<Pkcs7>(&mut blocks, plain.len()).expect("64 bytes are enough"));
    sealed
}

fn package(text: &mut String, number: u64, secret: &str) {
    let serial = format!("{:010}", 1_000_000_000 + number);
    let written = write!(
        text,
        "  <KeyPackage>\n    <DeviceInfo>\n      <Manufacturer>Invented Tokens</Manufacturer>\n      <SerialNo>{serial}</SerialNo>\n      <Model>Bench 110</Model>\n    </DeviceInfo>\n    <CryptoModuleInfo>\n      <Id>CM_ID_001</Id>\n    </CryptoModuleInfo>\n    <Key Id=\"{serial}\" Algorithm=\"urn:ietf:params:xml:ns:keyprov:pskc:totp\">\n      <Issuer>Invented Tokens</Issuer>\n      <AlgorithmParameters>\n        <Suite>HMAC-SHA1</Suite>\n        <ResponseFormat Length=\"6\" Encoding=\"DECIMAL\"/>\n      </AlgorithmParameters>\n      <Data>\n        <Secret>{secret}</Secret>\n        <Time><PlainValue>0</PlainValue></Time>\n        <TimeInterval><PlainValue>30</PlainValue></TimeInterval>\n      </Data>\n    </Key>\n  </KeyPackage>\n"
    );
    written.expect("memory takes text");
}

/// Writes an Entra CSV of about 100 bytes a token.
pub(crate) fn entra_csv(path: &Path, tokens: u64) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    out.write_all(b"upn,serial number,secret key,time interval,manufacturer,model\n")?;
    let mut invented = Invented(2);
    for number in 0..tokens {
        let seed = BASE32_NOPAD.encode(&invented.bytes::<20>());
        writeln!(
            out,
            "user{number:07}@example.com,{:010},{seed},30,Invented Tokens,Bench 110",
            1_000_000_000 + number
        )?;
    }
    out.flush()
}

/// Writes the pre-shared key as vendors do: hex text.
pub(crate) fn key_file(path: &Path) -> io::Result<()> {
    std::fs::write(path, HEXUPPER.encode(&KEY))
}

/// Packs a file into a ZIP with AES-256, as 7-Zip does by default.
pub(crate) fn aes_zip(path: &Path, member: &Path, password: &str) -> io::Result<()> {
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated).large_file(true);
    let mut archive = zip::ZipWriter::new(File::create(path)?);
    archive.start_file("tokens.xml", options.with_aes_encryption(zip::AesMode::Aes256, password))?;
    io::copy(&mut File::open(member)?, &mut archive)?;
    archive.finish()?;
    Ok(())
}
