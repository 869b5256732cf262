//! Many signatures at once: one multi-scalar multiplication instead of one multiplication each.
//!
//! For random z of 128 bits (Bernstein and others, "High-speed high-security signatures", section 5):
//!     [sum z s] B = sum [z] R + sum [z k] A
//! holds for good signatures, and for a bad one among them with a chance of 2^-128, provided that all points are of the
//! prime order. B is; every A is, because a `Key` is; every R is checked to be (`subgroup`). So the cofactor does not
//! come into it, and a batch says of each signature what the check of that one alone says.

use std::collections::HashMap;

use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{IsIdentity, VartimeMultiscalarMul};
use sha2::{Digest, Sha512};

use crate::{Check, Key, canonical_point, subgroup};

/// Fewer than these are checked one by one: what a batch costs whatever its size would not pay.
const SMALLEST: usize = 96;

/// A signature that is well formed: what is left to check is the equation, and the order of R.
pub struct Item<'a> {
    index: usize,
    key: &'a Key,
    r: EdwardsPoint,
    s: Scalar,
    k: Scalar,
}

impl<'a> Item<'a> {
    /// # Safety
    /// The pointers in `check` are valid for their sizes.
    pub unsafe fn read(index: usize, check: &'a Check) -> Option<Item<'a>> {
        // SAFETY: the caller's promise.
        let (key, message, signature) = unsafe { check.parts() }?;
        let (r_bytes, s_bytes) = signature.split_at(32);
        let r = canonical_point(r_bytes.try_into().ok()?)?;
        if r.is_identity() {
            return None;
        }
        let s = Option::from(Scalar::from_canonical_bytes(s_bytes.try_into().ok()?))?;
        let hash = Sha512::new().chain_update(r_bytes).chain_update(key.bytes).chain_update(message).finalize();
        let k = Scalar::from_bytes_mod_order_wide(&hash.into());
        Some(Item { index, key, r, s, k })
    }

    /// [s] B - [k] A = R, without the cofactor. What it is compared with is of the prime order, so R must be too.
    pub fn holds(&self) -> bool {
        EdwardsPoint::vartime_double_scalar_mul_basepoint(&-self.k, &self.key.point, &self.s) == self.r
    }
}

/// The indices of those that are good. A batch that does not hold is halved until the bad ones are alone.
pub fn good_ones(items: &[Item]) -> Vec<usize> {
    if items.len() < SMALLEST {
        return items.iter().filter(|item| item.holds()).map(|item| item.index).collect();
    }
    if all_hold(items) {
        return items.iter().map(|item| item.index).collect();
    }
    let (left, right) = items.split_at(items.len() / 2);
    let mut good = good_ones(left);
    good.extend(good_ones(right));
    good
}

/// False also when the system gives no random numbers: then each is checked alone, which needs none.
fn all_hold(items: &[Item]) -> bool {
    let mut random = vec![0; items.len() * (16 + 8)];
    if getrandom::fill(&mut random).is_err() {
        return false;
    }
    let (coefficients, selections) = random.split_at(items.len() * 16);
    let mut scalars = Vec::with_capacity(2 * items.len() + 1);
    let mut points = Vec::with_capacity(2 * items.len() + 1);
    let mut base = Scalar::ZERO;
    // A key that signed several is multiplied once.
    let mut keys = HashMap::<*const Key, usize>::with_capacity(items.len());
    for (item, bytes) in items.iter().zip(coefficients.chunks_exact(16)) {
        let z = Scalar::from(u128::from_le_bytes(bytes.try_into().expect("chunks of 16")));
        base -= z * item.s;
        scalars.push(z);
        points.push(item.r);
        let place = *keys.entry(std::ptr::from_ref(item.key)).or_insert_with(|| {
            scalars.push(Scalar::ZERO);
            points.push(item.key.point);
            points.len() - 1
        });
        scalars[place] += z * item.k;
    }
    scalars.push(base);
    points.push(ED25519_BASEPOINT_POINT);
    EdwardsPoint::vartime_multiscalar_mul(&scalars, &points).is_identity()
        && subgroup::all_of_prime_order(&items.iter().map(|item| &item.r), selections)
}
