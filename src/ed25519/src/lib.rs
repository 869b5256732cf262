//! Ed25519 verification behind the C interface of `jiaozi/ed25519/ed25519.h`, by the one strict rule of docs/crypto.md.
//!
//! The field, the group and the scalars are curve25519-dalek's. What is here is the rule, in one place for one signature
//! and for many at once.

mod batch;
mod subgroup;

use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::traits::IsIdentity;

use batch::Item;

/// A public key that keeps the rule: canonical, on the curve, of the prime order. Kept as a point, because reading it
/// costs a sixth of a verification.
pub struct Key {
    bytes: [u8; 32],
    point: EdwardsPoint,
}

impl Key {
    fn read(bytes: &[u8; 32]) -> Option<Key> {
        let point = canonical_point(bytes)?;
        (!point.is_identity() && subgroup::of_prime_order(&point)).then_some(Key { bytes: *bytes, point })
    }
}

/// The point of an encoding, if it is the one that the point is written with: y below p = 2^255 - 19, no sign where
/// x is zero (RFC 8032, section 5.1.3). The library's own reading takes both.
fn canonical_point(bytes: &[u8; 32]) -> Option<EdwardsPoint> {
    let sign = bytes[31] & 0x80 != 0;
    let above = bytes[0] >= 0xED && bytes[1..31].iter().all(|&byte| byte == 0xFF) && bytes[31] & 0x7F == 0x7F;
    if above {
        return None;
    }
    let point = CompressedEdwardsY(*bytes).decompress()?;
    // x is zero for y = 1 and y = -1 alone: the identity and the point of order two, which are their own negatives.
    if sign && point == -point {
        return None;
    }
    Some(point)
}

/// One signature to check. `signature_size` is whatever arrived; only 64 can be right.
#[repr(C)]
pub struct Check {
    key: *const Key,
    message: *const u8,
    message_size: usize,
    signature: *const u8,
    signature_size: usize,
    good: bool,
}

impl Check {
    /// # Safety
    /// The pointers are valid for their sizes for as long as the result is used.
    unsafe fn parts(&self) -> Option<(&Key, &[u8], &[u8; 64])> {
        // SAFETY: the caller's promise; `view` allows for the null pointer of an empty message.
        unsafe {
            let signature = view(self.signature, self.signature_size).try_into().ok()?;
            Some((&*self.key, view(self.message, self.message_size), signature))
        }
    }
}

/// # Safety
/// `data` is valid for `size` bytes, or `size` is 0.
unsafe fn view<'a>(data: *const u8, size: usize) -> &'a [u8] {
    if size == 0 {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts(data, size) }
}

/// # Safety
/// `bytes` is valid for 32 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jz_ed25519_key_new(bytes: *const u8) -> *mut Key {
    // SAFETY: the caller's promise.
    let bytes = unsafe { &*bytes.cast::<[u8; 32]>() };
    Key::read(bytes).map_or(std::ptr::null_mut(), |key| Box::into_raw(Box::new(key)))
}

/// # Safety
/// `key` is null or came from `jz_ed25519_key_new` and is given back once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jz_ed25519_key_free(key: *mut Key) {
    if !key.is_null() {
        // SAFETY: the caller's promise.
        drop(unsafe { Box::from_raw(key) });
    }
}

/// # Safety
/// The pointers in `check` are valid for their sizes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jz_ed25519_verify(check: *mut Check) {
    // SAFETY: the caller's promise.
    unsafe { (*check).good = Item::read(0, &*check).is_some_and(|item| item.holds()) };
}

/// # Safety
/// `checks` are `count` checks whose pointers are valid for their sizes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jz_ed25519_verify_many(checks: *mut Check, count: usize) {
    if count == 0 {
        return;
    }
    // SAFETY: the caller's promise.
    let checks = unsafe { std::slice::from_raw_parts_mut(checks, count) };
    for check in &mut *checks {
        check.good = false;
    }
    // SAFETY: the caller's promise.
    let items: Vec<_> = checks.iter().enumerate().filter_map(|(i, check)| unsafe { Item::read(i, check) }).collect();
    for index in batch::good_ones(&items) {
        checks[index].good = true;
    }
}
