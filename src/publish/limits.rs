//! How often one may call: by token, and by address where there is none.
//!
//! # Guarantee
//! Nobody's haste slows another: each token and each address (IPv6: each /64) has a bucket of its own. Forwarded
//! addresses are believed only from proxies that the settings name.

use super::problem::Problem;
use super::server::RateLimits;
use crate::identity::TokenId;
use actix_web::http::StatusCode;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;

/// The buckets.
pub(super) struct Limits {
    tokens: Option<DefaultKeyedRateLimiter<TokenId>>,
    questions: Option<DefaultKeyedRateLimiter<TokenId>>,
    addresses: Option<DefaultKeyedRateLimiter<IpAddr>>,
}

fn buckets<K: Clone + Eq + Hash>(per_minute: u32) -> Option<DefaultKeyedRateLimiter<K>> {
    NonZeroU32::new(per_minute).map(|rate| RateLimiter::keyed(Quota::per_minute(rate)))
}

fn take<K: Clone + Eq + Hash>(buckets: Option<&DefaultKeyedRateLimiter<K>>, key: &K) -> Result<(), Problem> {
    let Some(buckets) = buckets else { return Ok(()) };
    buckets.check_key(key).map_err(|until| {
        let wait = until.wait_time_from(DefaultClock::default().now()).as_secs().saturating_add(1);
        Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", format!("too many requests; try again in {wait} s"))
            .retry_after(wait)
    })
}

impl Limits {
    /// Full buckets.
    pub(super) fn new(rates: &RateLimits) -> Self {
        Self {
            tokens: buckets(rates.per_token_per_minute),
            questions: buckets(rates.questions_per_minute),
            addresses: buckets(rates.unauthenticated_per_minute),
        }
    }

    /// One request by a token; `question`: one that computes.
    pub(super) fn token(&self, token: &TokenId, question: bool) -> Result<(), Problem> {
        take(self.tokens.as_ref(), token)?;
        if question { take(self.questions.as_ref(), token) } else { Ok(()) }
    }

    /// One request without a (valid) token.
    pub(super) fn address(&self, address: Option<IpAddr>) -> Result<(), Problem> {
        take(self.addresses.as_ref(), &address.map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), network))
    }

    /// Forgets the buckets that are full again, so that memory does not grow with the number of addresses seen.
    pub(super) fn forget_idle(&self) {
        for buckets in [&self.tokens, &self.questions].into_iter().flatten() {
            buckets.retain_recent();
        }
        if let Some(buckets) = &self.addresses {
            buckets.retain_recent();
        }
    }
}

/// The network an address stands for: itself, or for IPv6 its /64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

/// Where a request comes from: the peer, or what a trusted proxy says of it (the last entry, which the proxy wrote).
pub(super) fn origin(peer: Option<IpAddr>, forwarded_for: Option<&str>, proxies: &[IpAddr]) -> Option<IpAddr> {
    match (peer, forwarded_for) {
        (Some(peer), Some(forwarded)) if proxies.contains(&peer.to_canonical()) => {
            forwarded.rsplit(',').next().and_then(|last| last.trim().parse().ok()).or(Some(peer))
        }
        _ => peer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_bucket_says_when_to_come_back_and_leaves_others_alone() {
        let rates = RateLimits { per_token_per_minute: 2, questions_per_minute: 1, unauthenticated_per_minute: 1 };
        let limits = Limits::new(&rates);
        let (hasty, calm) = (TokenId::random(), TokenId::random());
        assert!(limits.token(&hasty, true).is_ok());
        assert_eq!(limits.token(&hasty, true).unwrap_err().document().status, 429);
        assert!(limits.token(&calm, false).is_ok());
        let one: IpAddr = "2001:db8::1".parse().unwrap();
        let neighbour: IpAddr = "2001:db8::2".parse().unwrap();
        let other: IpAddr = "2001:db8:0:1::1".parse().unwrap();
        assert!(limits.address(Some(one)).is_ok());
        assert!(limits.address(Some(neighbour)).is_err(), "one /64 is one caller");
        assert!(limits.address(Some(other)).is_ok());
        limits.forget_idle();
    }

    #[test]
    fn a_forwarded_address_is_believed_only_from_a_trusted_proxy() {
        let proxy: IpAddr = "10.0.0.1".parse().unwrap();
        let caller: IpAddr = "203.0.113.9".parse().unwrap();
        assert_eq!(origin(Some(proxy), Some("1.1.1.1, 203.0.113.9"), &[proxy]), Some(caller));
        assert_eq!(origin(Some(proxy), Some("203.0.113.9"), &[]), Some(proxy));
        assert_eq!(origin(Some(proxy), Some("nonsense"), &[proxy]), Some(proxy));
        assert_eq!(origin(Some(caller), Some("1.1.1.1"), &[proxy]), Some(caller));
    }
}
