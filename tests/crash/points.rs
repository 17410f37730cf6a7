//! Named points: every durable step fails in each of its four ways, under the writers, and nothing that was told is
//! lost.
//!
//! A step is lost, or lands and is reported as lost: then the service lives on, and whoever asked is told to try again.
//! Or the process dies just before it or just after.

use super::service::Service;
use super::siege::Siege;
use halflight::fault::{Fault, Point};
use std::time::{Duration, Instant};

/// A claim is forfeited where a stage breaks behind the draw, which nobody outside can bring about: this point is
/// struck by the tests inside the crate.
const OUT_OF_REACH: Point = Point::Forfeit;

/// Longest wait until the writers come by a point.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long the service lives on after a fault that it survives.
const AFTERMATH: Duration = Duration::from_millis(150);

#[test]
fn every_durable_step_may_fail_in_every_way() {
    let mut siege = Siege::new(|_| None);
    let reached = Point::ALL.into_iter().filter(|point| *point != OUT_OF_REACH);
    let plans: Vec<(Point, Fault)> = reached.flat_map(|point| Fault::ALL.map(|fault| (point, fault))).collect();
    for chunk in plans.chunks(Fault::ALL.len()) {
        let mut plans = chunk.iter();
        siege.round(chunk.len(), |siege| {
            siege.service.kill();
            if let Some((point, fault)) = plans.next() {
                strike(siege, *point, *fault);
            }
        });
    }
    siege.report();
}

/// Lets the service run into a fault, and ends it.
fn strike(siege: &mut Siege, point: Point, fault: Fault) {
    let after = if point == Point::Recover { 0 } else { siege.up_to(3).as_millis() };
    let plan = format!("{}:{after}:{}", point.as_str(), fault.as_str());
    let started = siege.service.start(Some(("HALFLIGHT_FAULT", &plan)));
    let said = if let Err((_, said)) = started {
        // It ran into it while it started.
        said
    } else {
        let _provoked = provoke(&siege.service, point);
        let until = Instant::now() + PATIENCE;
        while !has_struck(&siege.service.said(), point, fault) && Instant::now() < until {
            if let Some((_, said)) = siege.service.ended(Duration::from_millis(20)) {
                assert!(has_struck(&said, point, fault), "{plan}: it died of something else\n{said}");
                return;
            }
        }
        std::thread::sleep(AFTERMATH);
        siege.service.kill()
    };
    assert!(has_struck(&said, point, fault), "{plan} never struck\n{said}");
}

fn has_struck(said: &str, point: Point, fault: Fault) -> bool {
    let (point, fault) = (format!("\"point\":{:?}", point.as_str()), format!("\"fault\":{:?}", fault.as_str()));
    said.lines().any(|line| line.contains("a planned fault") && line.contains(&point) && line.contains(&fault))
}

/// A claim is voided when its edition cannot be opened: the vault's files are out of reach for as long as this lives.
fn provoke(service: &Service, point: Point) -> Option<Away> {
    (point == Point::Void).then(|| Away::new(service))
}

struct Away {
    here: std::path::PathBuf,
    away: std::path::PathBuf,
}

impl Away {
    fn new(service: &Service) -> Self {
        let here = service.path("disk/data/vault/files");
        let away = service.path("disk/data/vault/away");
        std::fs::rename(&here, &away).unwrap();
        Self { here, away }
    }
}

impl Drop for Away {
    fn drop(&mut self) {
        std::fs::rename(&self.away, &self.here).unwrap();
    }
}
