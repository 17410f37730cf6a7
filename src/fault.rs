//! Writes that fail on purpose: the seam at which tests lose a durable step, hide that it landed, or end the process.
//!
//! Every durable step of ledger, witness and vault goes through [`Faults::write`] (or [`Faults::write_async`]) under
//! the name of its [`Point`]. A test plans that the n-th pass of a point fails. Faults come in pairs: the write is
//! lost, or it landed and nobody was told; and a process can die just before it or just after. In a release binary
//! nothing can be planned: the seam is a plain call and no environment is read.

#[cfg(any(test, debug_assertions))]
use std::sync::{Arc, Mutex, PoisonError};

/// A durable step, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Point {
    /// The commit that holds a claim.
    Reserve,
    /// The commit of charge, bytes and leaf.
    Settle,
    /// The commit that gives a claim back.
    Void,
    /// The commit that spends a claim with nothing released.
    Forfeit,
    /// The commit of a free answer.
    Shelve,
    /// The commit of a submission's manifest row.
    Accept,
    /// The commit that withdraws a submission.
    Withdraw,
    /// The commit of an edition's manifest row.
    Close,
    /// The commit of everything that officers and operators decide.
    Govern,
    /// The commit with which a ledger opens.
    Recover,
    /// Between a leaf and the hashes over it.
    LeafAppend,
    /// The line of the witness.
    WitnessAppend,
    /// The wrapped key of a file, or secret of a dataset.
    KeyWrite,
    /// The bytes of a sealed file, before they have its name.
    FileWrite,
    /// The name of a sealed file, made durable in its folder.
    FileRename,
    /// The destruction of a wrapped key.
    KeyErase,
    /// The removal of a sealed file.
    FileErase,
}

impl Point {
    /// Every point.
    pub const ALL: [Self; 17] = [
        Self::Reserve,
        Self::Settle,
        Self::Void,
        Self::Forfeit,
        Self::Shelve,
        Self::Accept,
        Self::Withdraw,
        Self::Close,
        Self::Govern,
        Self::Recover,
        Self::LeafAppend,
        Self::WitnessAppend,
        Self::KeyWrite,
        Self::FileWrite,
        Self::FileRename,
        Self::KeyErase,
        Self::FileErase,
    ];

    /// Its name in `HALFLIGHT_FAULT`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reserve => "reserve",
            Self::Settle => "settle",
            Self::Void => "void",
            Self::Forfeit => "forfeit",
            Self::Shelve => "shelve",
            Self::Accept => "accept",
            Self::Withdraw => "withdraw",
            Self::Close => "close",
            Self::Govern => "govern",
            Self::Recover => "recover",
            Self::LeafAppend => "leaf_append",
            Self::WitnessAppend => "witness_append",
            Self::KeyWrite => "key_write",
            Self::FileWrite => "file_write",
            Self::FileRename => "file_rename",
            Self::KeyErase => "key_erase",
            Self::FileErase => "file_erase",
        }
    }
}

/// How a step fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// Nothing was written, and an error says so.
    Lost,
    /// It was written, and an error says that it was not.
    Unreported,
    /// The process ends before it.
    CrashBefore,
    /// The process ends after it.
    CrashAfter,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 4] = [Self::Lost, Self::Unreported, Self::CrashBefore, Self::CrashAfter];

    /// Its name in `HALFLIGHT_FAULT`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Unreported => "unreported",
            Self::CrashBefore => "crash_before",
            Self::CrashAfter => "crash_after",
        }
    }
}

/// Which steps are to fail. Cheap to clone; clones share one plan.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    #[cfg(any(test, debug_assertions))]
    plan: Arc<Mutex<State>>,
}

#[cfg(any(test, debug_assertions))]
#[derive(Debug, Default)]
struct State {
    planned: Vec<Planned>,
    /// A planned crash has happened: whoever is still running writes nothing more.
    crashed: bool,
}

#[cfg(any(test, debug_assertions))]
#[derive(Debug)]
struct Planned {
    point: Point,
    /// How many passes go well first.
    after: u32,
    fault: Fault,
}

impl Faults {
    /// The plan in `HALFLIGHT_FAULT` (`settle:2:crash_after`: the third settling is the last thing that is done); none
    /// in a release binary.
    #[must_use]
    pub fn from_environment() -> Self {
        let faults = Self::default();
        #[cfg(any(test, debug_assertions))]
        for planned in std::env::var("HALFLIGHT_FAULT").unwrap_or_default().split(',') {
            let mut parts = planned.split(':');
            let point = parts.next().and_then(|name| Point::ALL.into_iter().find(|point| point.as_str() == name));
            let after = parts.next().and_then(|number| number.parse().ok());
            let fault = parts.next().and_then(|name| Fault::ALL.into_iter().find(|fault| fault.as_str() == name));
            if let (Some(point), Some(after), Some(fault)) = (point, after, fault) {
                faults.plan(point, after, fault);
            }
        }
        faults
    }

    /// Lets `after` passes of a point go well, and the next one fail, once.
    #[cfg(any(test, debug_assertions))]
    pub fn plan(&self, point: Point, after: u32, fault: Fault) {
        self.state().planned.push(Planned { point, after, fault });
    }

    /// How many planned faults have not happened.
    #[cfg(any(test, debug_assertions))]
    #[must_use]
    pub fn pending(&self) -> usize {
        self.state().planned.len()
    }

    /// Whether a planned crash has happened. From there on every step is lost: what still runs in a test process does
    /// not exist any more.
    #[cfg(any(test, debug_assertions))]
    #[must_use]
    pub fn crashed(&self) -> bool {
        self.state().crashed
    }

    #[cfg(any(test, debug_assertions))]
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does a durable step. `broken` is the error with which it fails on purpose.
    ///
    /// # Errors
    /// The step's own, or `broken`.
    pub fn write<T, E>(
        &self,
        point: Point,
        step: impl FnOnce() -> Result<T, E>,
        broken: impl FnOnce() -> E,
    ) -> Result<T, E> {
        let fault = self.next(point);
        Self::before(fault);
        if fault == Some(Fault::Lost) {
            return Err(broken());
        }
        let done = step();
        Self::after(fault);
        if fault == Some(Fault::Unreported) { done.and(Err(broken())) } else { done }
    }

    /// The same for a step that waits.
    ///
    /// # Errors
    /// The step's own, or `broken`.
    pub async fn write_async<T, E>(
        &self,
        point: Point,
        step: impl Future<Output = Result<T, E>>,
        broken: impl FnOnce() -> E,
    ) -> Result<T, E> {
        let fault = self.next(point);
        Self::before(fault);
        if fault == Some(Fault::Lost) {
            return Err(broken());
        }
        let done = step.await;
        Self::after(fault);
        if fault == Some(Fault::Unreported) { done.and(Err(broken())) } else { done }
    }

    #[cfg(any(test, debug_assertions))]
    fn next(&self, point: Point) -> Option<Fault> {
        let mut state = self.state();
        if state.crashed {
            return Some(Fault::Lost);
        }
        let due = state.planned.iter().position(|plan| plan.point == point && plan.after == 0);
        for plan in state.planned.iter_mut().filter(|plan| plan.point == point) {
            plan.after = plan.after.saturating_sub(1);
        }
        let fault = due.map(|place| state.planned.swap_remove(place).fault);
        if let Some(fault) = fault {
            tracing::warn!(point = point.as_str(), fault = fault.as_str(), "a planned fault");
        }
        state.crashed = matches!(fault, Some(Fault::CrashBefore | Fault::CrashAfter));
        fault
    }

    #[cfg(not(any(test, debug_assertions)))]
    #[expect(clippy::unused_self, reason = "nothing can be planned in a release binary")]
    fn next(&self, _: Point) -> Option<Fault> {
        None
    }

    fn before(fault: Option<Fault>) {
        if fault == Some(Fault::CrashBefore) {
            crash();
        }
    }

    fn after(fault: Option<Fault>) {
        if fault == Some(Fault::CrashAfter) {
            crash();
        }
    }
}

/// Ends the process as a power cut would: nothing is dropped, flushed or closed. Inside a test process, where others
/// run too, it ends the thread's work instead, and every later step is lost; the test then opens the same folder anew.
fn crash() {
    #[cfg(test)]
    std::panic::resume_unwind(Box::new("a planned crash"));
    #[cfg(not(test))]
    std::process::abort();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(faults: &Faults, landed: &mut u32) -> Result<(), &'static str> {
        faults.write(
            Point::Settle,
            || {
                *landed += 1;
                Ok(())
            },
            || "broken",
        )
    }

    #[test]
    fn a_planned_step_fails_once_and_only_when_it_is_due() {
        let faults = Faults::default();
        let mut landed = 0;
        faults.plan(Point::Settle, 1, Fault::Lost);
        faults.plan(Point::Reserve, 0, Fault::Lost);
        assert_eq!((step(&faults, &mut landed), landed), (Ok(()), 1));
        assert_eq!((step(&faults, &mut landed), landed), (Err("broken"), 1));
        assert_eq!((step(&faults, &mut landed), landed), (Ok(()), 2));
        faults.plan(Point::Settle, 0, Fault::Unreported);
        assert_eq!((step(&faults, &mut landed), landed), (Err("broken"), 3));
        assert_eq!(faults.pending(), 1);
    }

    #[test]
    fn a_crash_ends_the_work_before_or_after_the_step() {
        for (fault, expected) in [(Fault::CrashBefore, 0), (Fault::CrashAfter, 1)] {
            let faults = Faults::default();
            faults.plan(Point::Settle, 0, fault);
            let mut landed = 0;
            let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| step(&faults, &mut landed)));
            assert!(ended.is_err() && faults.crashed());
            assert_eq!(landed, expected);
            // A dead process writes nothing more, whatever is still on its stack.
            assert_eq!((step(&faults, &mut landed), landed), (Err("broken"), expected));
        }
    }
}
