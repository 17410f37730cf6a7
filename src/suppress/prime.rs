//! Arithmetic modulo the prime 2^61 - 1: fingerprints of what is still unknown.
//!
//! A fingerprint that should be 0 is 0 always; one that should not be is 0 by accident about once in 10^18, and then a
//! cell is withheld for nothing. It never errs the other way.
#![expect(clippy::as_conversions, clippy::cast_possible_truncation, reason = "remainders fit")]

pub(super) const PRIME: u64 = (1 << 61) - 1;

pub(super) fn sum(a: u64, b: u64) -> u64 {
    let whole = a + b;
    if whole >= PRIME { whole - PRIME } else { whole }
}

pub(super) fn difference(a: u64, b: u64) -> u64 {
    sum(a, PRIME - b)
}

/// Of two remainders; 2^61 is 1, so that the upper bits are added to the lower ones.
pub(super) fn product(a: u64, b: u64) -> u64 {
    let whole = u128::from(a) * u128::from(b);
    let folded = (whole as u64 & PRIME) + (whole >> 61) as u64;
    if folded >= PRIME { folded - PRIME } else { folded }
}

pub(super) fn residue(number: i64) -> u64 {
    let size = number.unsigned_abs() % PRIME;
    if number < 0 { difference(0, size) } else { size }
}

/// By Fermat: `a^(p - 2)`. Of 0 it is 0.
pub(super) fn inverse(a: u64) -> u64 {
    let (mut result, mut power, mut exponent) = (1, a, PRIME - 2);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = product(result, power);
        }
        power = product(power, power);
        exponent >>= 1;
    }
    result
}

/// The n-th of a fixed list of numbers without pattern (`splitmix64`): the same pattern of cells on every machine.
pub(super) fn scatter(n: u64) -> u64 {
    let mut z = n.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (z ^ (z >> 31)) % PRIME
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_but_zero_has_an_inverse() {
        for a in [1, 2, 3, 12_345, PRIME - 1, scatter(9)] {
            assert_eq!(product(a, inverse(a)), 1);
        }
        assert_eq!(difference(residue(-3), residue(-3)), 0);
        assert_eq!(sum(residue(-3), residue(3)), 0);
        assert_eq!(residue(i64::MIN), difference(0, residue(i64::MAX).wrapping_add(1) % PRIME));
    }
}
