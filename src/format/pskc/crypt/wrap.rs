//! Key wraps: a seed encrypted so that every change to it is found.
//!
//! # Source
//!
//! [RFC 3394] and [RFC 5649] for ciphers with blocks of 16 bytes (through `aes-kw`), [RFC 3217] for 3DES.
//!
//! [RFC 3217]: https://www.rfc-editor.org/rfc/rfc3217
//! [RFC 3394]: https://www.rfc-editor.org/rfc/rfc3394
//! [RFC 5649]: https://www.rfc-editor.org/rfc/rfc5649

use aes::cipher::BlockCipherDecrypt;
use aes::cipher::consts::U16;
use aes_kw::{AesKw, AesKwp, InnerInit};
use des::TdesEde3;
use sha1::{Digest, Sha1};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use super::Refusal;
use super::cipher::decrypt;
use crate::record::Seed;

/// Half a block, the unit of a wrap; for 3DES a whole one.
const HALF: usize = 8;

/// Unwraps by RFC 3394, or else by RFC 5649: the check values differ.
pub(super) fn unwrap<C>(cipher: &C, bytes: &[u8]) -> Result<Seed, Refusal>
where
    C: BlockCipherDecrypt + aes::cipher::BlockSizeUser<BlockSize = U16>,
{
    if bytes.len() < 2 * HALF || !bytes.len().is_multiple_of(HALF) {
        return Err(Refusal::Length { found: bytes.len(), block: HALF });
    }
    let mut room = Zeroizing::new(vec![0; bytes.len() - HALF]);
    // RFC 3394 begins at two units of plaintext; RFC 5649 has a shape of its own for one.
    if bytes.len() > 2 * HALF
        && let Ok(plain) = AesKw::<&C>::inner_init(cipher).unwrap_key(bytes, &mut room)
    {
        return Ok(Seed::new(plain.to_vec()));
    }
    match AesKwp::<&C>::inner_init(cipher).unwrap_key(bytes, &mut room) {
        Ok(plain) => Ok(Seed::new(plain.to_vec())),
        Err(_) => Err(Refusal::Mac),
    }
}

/// The initialization vector of the outer pass (RFC 3217 §3.1).
const OUTER_VECTOR: [u8; HALF] = [0x4a, 0xdd, 0xa2, 0x2c, 0x79, 0xe8, 0x21, 0x05];

/// Unwraps by RFC 3217 §3.2: two passes of CBC, the second over the bytes in reverse, then 8 bytes of SHA-1.
pub(super) fn unwrap_triple_des(cipher: &TdesEde3, bytes: &[u8]) -> Result<Seed, Refusal> {
    let refused = Refusal::Length { found: bytes.len(), block: HALF };
    // The vector of the inner pass, one block of plaintext and the check value are the least.
    if bytes.len() < 3 * HALF || !bytes.len().is_multiple_of(HALF) {
        return Err(refused);
    }
    let mut inner = Zeroizing::new(bytes.to_vec());
    if !decrypt(cipher, &OUTER_VECTOR, &mut inner) {
        return Err(refused);
    }
    inner.reverse();
    let (vector, sealed) = inner.split_at_mut(HALF);
    if !decrypt(cipher, vector, sealed) {
        return Err(refused);
    }
    let (plain, check) = sealed.split_at(sealed.len() - HALF);
    let mut hash = Sha1::digest(plain);
    let good: bool = hash[..HALF].ct_eq(check).into();
    hash.zeroize();
    if good { Ok(Seed::new(plain.to_vec())) } else { Err(Refusal::Mac) }
}
