//! Whether many points are all of the prime order l, for less than one multiplication each.
//!
//! A sum over a random half of the points is of the prime order when all points are; when one is not, it is so with a
//! chance of at most one half, because adding that point changes the part of small order. `SUMS` sums, each over its own
//! random half, let such a point through with a chance of at most 2^-48, whoever made it: the halves are drawn afterwards.

use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{Identity, IsIdentity};

/// Sums that are made together: a point goes into one of 2^WINDOW buckets, by the bits that say which sums it is in.
const WINDOW: usize = 6;
const SUMS: usize = 48;
const BUCKET_MASK: u64 = (1 << WINDOW) - 1;

/// `selections` has 8 random bytes a point.
pub fn all_of_prime_order<'a>(points: &(impl Iterator<Item = &'a EdwardsPoint> + Clone), selections: &[u8]) -> bool {
    let bits = selections.chunks_exact(8).map(|bytes| u64::from_le_bytes(bytes.try_into().expect("chunks of 8")));
    (0..SUMS).step_by(WINDOW).all(|first| {
        let mut buckets = [EdwardsPoint::identity(); 1 << WINDOW];
        for (point, bits) in points.clone().zip(bits.clone()) {
            let bucket = usize::try_from((bits >> first) & BUCKET_MASK).expect("six bits");
            buckets[bucket] += point;
        }
        sums_of(&mut buckets).all(|sum| of_prime_order(&sum))
    })
}

/// The sum of the buckets whose number has the top bit, then the next, and so on: after each, the upper half is added to
/// the lower and forgotten.
fn sums_of(buckets: &mut [EdwardsPoint; 1 << WINDOW]) -> impl Iterator<Item = EdwardsPoint> {
    (0..WINDOW).rev().map(move |bit| {
        let (lower, upper) = buckets[..2 << bit].split_at_mut(1 << bit);
        let mut sum = EdwardsPoint::identity();
        for (low, high) in lower.iter_mut().zip(upper.iter()) {
            sum += high;
            *low += high;
        }
        sum
    })
}

/// [l] P = 0, asked as [l - 1] P = -P; identity included.
pub fn of_prime_order(point: &EdwardsPoint) -> bool {
    let product = EdwardsPoint::vartime_double_scalar_mul_basepoint(&-Scalar::ONE, point, &Scalar::ZERO);
    (product + point).is_identity()
}
