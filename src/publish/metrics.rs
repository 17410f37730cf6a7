//! Metrics in the Prometheus text format: requests by route template and status class, and how long they took.
//!
//! # Guarantee
//! A label is a method, a template of the table or a status class, all known before the first request: no dataset,
//! name, figure or count of persons appears, and memory does not grow with what is asked.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper ends of the buckets, in milliseconds and as printed in seconds.
const BUCKETS: [(u128, &str); 9] = [
    (5, "0.005"),
    (10, "0.01"),
    (50, "0.05"),
    (100, "0.1"),
    (500, "0.5"),
    (1_000, "1"),
    (5_000, "5"),
    (30_000, "30"),
    (120_000, "120"),
];

/// Label of requests for no route of ours.
const OTHER: (&str, &str) = ("other", "other");

#[derive(Default)]
struct Row {
    classes: [AtomicU64; 5],
    buckets: [AtomicU64; BUCKETS.len()],
    millis: AtomicU64,
}

/// Counters of this process.
pub(super) struct Metrics {
    rows: BTreeMap<(String, String), Row>,
    panics: AtomicU64,
}

fn bump(counter: Option<&AtomicU64>) {
    if let Some(counter) = counter {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

impl Metrics {
    /// Zeros for every (method, template), and one row for everything else.
    pub(super) fn over(routes: impl Iterator<Item = (String, String)>) -> Self {
        let other = (OTHER.0.to_owned(), OTHER.1.to_owned());
        let rows = routes.chain(std::iter::once(other)).map(|route| (route, Row::default())).collect();
        Self { rows, panics: AtomicU64::new(0) }
    }

    /// One request that was answered.
    pub(super) fn count(&self, method: &str, template: &str, status: u16, took: Duration) {
        let route = (method.to_owned(), template.to_owned());
        let other = || self.rows.get(&(OTHER.0.to_owned(), OTHER.1.to_owned()));
        let Some(row) = self.rows.get(&route).or_else(other) else { return };
        bump(row.classes.get(usize::from(status / 100).saturating_sub(1)));
        let millis = took.as_millis();
        for ((limit, _), bucket) in BUCKETS.iter().zip(&row.buckets) {
            if millis <= *limit {
                bump(Some(bucket));
            }
        }
        row.millis.fetch_add(u64::try_from(millis).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// One handler that panicked.
    pub(super) fn panicked(&self) {
        bump(Some(&self.panics));
    }

    /// The exposition.
    pub(super) fn text(&self) -> String {
        let mut requests = String::from("# HELP halflight_http_requests_total Requests answered.\n");
        requests.push_str("# TYPE halflight_http_requests_total counter\n");
        let mut seconds = String::from("# HELP halflight_http_request_seconds Time to the reply.\n");
        seconds.push_str("# TYPE halflight_http_request_seconds histogram\n");
        for ((method, template), row) in &self.rows {
            let labels = format!("method=\"{method}\",route=\"{template}\"");
            let mut total = 0_u64;
            for (class, counter) in (1..).zip(&row.classes) {
                let count = counter.load(Ordering::Relaxed);
                total = total.saturating_add(count);
                if count > 0 {
                    let _ =
                        writeln!(requests, "halflight_http_requests_total{{{labels},status=\"{class}xx\"}} {count}");
                }
            }
            if total == 0 {
                continue;
            }
            let name = "halflight_http_request_seconds";
            for ((_, end), bucket) in BUCKETS.iter().zip(&row.buckets) {
                let _ = writeln!(seconds, "{name}_bucket{{{labels},le=\"{end}\"}} {}", bucket.load(Ordering::Relaxed));
            }
            let millis = row.millis.load(Ordering::Relaxed);
            let _ = writeln!(seconds, "{name}_bucket{{{labels},le=\"+Inf\"}} {total}");
            let _ = writeln!(seconds, "{name}_sum{{{labels}}} {}.{:03}", millis / 1_000, millis % 1_000);
            let _ = writeln!(seconds, "{name}_count{{{labels}}} {total}");
        }
        let panics = self.panics.load(Ordering::Relaxed);
        let faults = "# HELP halflight_panics_total Handlers that panicked.\n# TYPE halflight_panics_total counter";
        format!("{requests}{seconds}{faults}\nhalflight_panics_total {panics}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_counted_under_its_template_and_never_under_its_path() {
        let metrics = Metrics::over(std::iter::once(("GET".to_owned(), "/v1/releases/{id}".to_owned())));
        metrics.count("GET", "/v1/releases/{id}", 200, Duration::from_millis(70));
        metrics.count("GET", "/v1/releases/rel_MARKER", 404, Duration::from_millis(7));
        let text = metrics.text();
        let labels = "method=\"GET\",route=\"/v1/releases/{id}\"";
        assert!(text.contains(&format!("halflight_http_requests_total{{{labels},status=\"2xx\"}} 1")));
        assert!(text.contains(&format!("halflight_http_request_seconds_bucket{{{labels},le=\"0.05\"}} 0")));
        assert!(text.contains(&format!("halflight_http_request_seconds_bucket{{{labels},le=\"0.1\"}} 1")));
        assert!(text.contains(&format!("halflight_http_request_seconds_sum{{{labels}}} 0.070")));
        assert!(text.contains("route=\"other\",status=\"4xx\"} 1"));
        assert!(!text.contains("MARKER"));
    }
}
