//! Eight writers, a service that ends under them again and again, and the audit when they rest.

use super::audit::audit;
use super::disk::Disk;
use super::journal::Board;
use super::service::Service;
use super::writer::Writer;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Clients at work at once.
pub const WRITERS: usize = 8;

/// Acts between two ends, at most.
const ACTS: u32 = 20;

/// Longest wait for them.
const PATIENCE: Duration = Duration::from_secs(3);

/// A service under siege.
pub struct Siege {
    pub service: Arc<Service>,
    pub chance: StdRng,
    board: Arc<Board>,
    writers: Vec<Writer>,
    ends: usize,
    slowest: Duration,
    /// Whether the writers are at work.
    pub at_work: bool,
    stop: Arc<AtomicBool>,
}

impl Drop for Siege {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.service.kill();
    }
}

impl Siege {
    /// Starts a service on a disk. What is random comes from a seed that is printed (`HALFLIGHT_SEED` sets it; threads
    /// and clocks add their own).
    pub fn new(disk: impl FnOnce(&Path) -> Option<Disk>) -> Self {
        let seed: u64 = std::env::var("HALFLIGHT_SEED").map_or_else(|_| rand::random(), |text| text.parse().unwrap());
        println!("seed {seed}");
        let mut chance = StdRng::seed_from_u64(seed);
        let (service, board) = (Arc::new(Service::new(WRITERS, disk)), Arc::new(Board::default()));
        let writers = (0..WRITERS).map(|number| {
            let chance = StdRng::seed_from_u64(chance.random());
            Writer::new(Arc::clone(&service), Arc::clone(&board), number, chance)
        });
        let writers = writers.collect();
        let (ends, slowest, stop) = (0, Duration::ZERO, Arc::new(AtomicBool::new(false)));
        Self { service, chance, board, writers, ends, slowest, at_work: false, stop }
    }

    /// Lets the writers work while the service ends so many times; then they rest, it ends once more, and everything
    /// is checked. `end` must leave the service dead.
    pub fn round(&mut self, ends: usize, mut end: impl FnMut(&mut Self)) {
        self.stop.store(false, Ordering::Relaxed);
        let at_work: Vec<JoinHandle<Writer>> = self
            .writers
            .drain(..)
            .map(|mut writer| {
                let stop = Arc::clone(&self.stop);
                std::thread::spawn(move || {
                    writer.write(&stop);
                    writer
                })
            })
            .collect();
        self.at_work = true;
        for _ in 0..ends {
            end(self);
            self.start();
            if at_work.iter().any(JoinHandle::is_finished) {
                break;
            }
        }
        self.at_work = false;
        self.stop.store(true, Ordering::Relaxed);
        for writer in at_work {
            self.writers.push(writer.join().unwrap_or_else(|cause| std::panic::resume_unwind(cause)));
        }
        end(self);
        self.service.verify();
        self.start();
        audit(&self.service, &self.board, &mut self.writers);
    }

    fn start(&mut self) {
        match self.service.start(None) {
            Ok(took) => self.slowest = self.slowest.max(took),
            Err((status, said)) => panic!("it does not start again: {status}\n{said}"),
        }
        self.ends += 1;
    }

    /// Lets the writers come to the end of a few acts (on a slow machine that takes longer), and into the middle of
    /// others.
    pub fn some_acts(&mut self) {
        let until = self.board.acts.load(Ordering::Relaxed) + self.chance.random_range(0..ACTS);
        let begun = Instant::now();
        while self.at_work && self.board.acts.load(Ordering::Relaxed) < until && begun.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(self.up_to(50));
    }

    /// A random number of milliseconds.
    pub fn up_to(&mut self, millis: u64) -> Duration {
        Duration::from_millis(self.chance.random_range(0..millis))
    }

    /// Says what was done, and checks that it was something.
    pub fn report(&self) {
        let acts = self.board.acts.load(Ordering::Relaxed);
        let submissions: usize = self.writers.iter().map(|writer| writer.journal.receipts.len()).sum();
        let editions: usize = self.writers.iter().map(|writer| writer.journal.editions.len()).sum();
        let releases = self.board.releases.lock().unwrap().len();
        println!(
            "{} ends, slowest recovery {:?}; {acts} acts, {submissions} submissions, {editions} editions, {releases} \
             releases, {} questions in doubt",
            self.ends,
            self.slowest,
            self.board.doubts.lock().unwrap()
        );
        assert!(submissions > self.ends / 4 && editions > 0 && releases > 0, "the writers came to nothing");
    }
}
