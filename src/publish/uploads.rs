//! How many files are received at once.
//!
//! # Guarantee
//! Each file being received holds a thread and its buffers; so there are at most so many at once, and at most so many
//! of one organisation: nobody's files keep another's out until several organisations mean to. Nobody waits in line: a
//! sender is told at once when to come back, before a byte of the file is read.

use super::problem::Problem;
use crate::identity::Organisation;
use actix_web::http::StatusCode;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Seconds after which another try makes sense.
const COME_BACK: u64 = 5;

/// The files being received. Cheap to clone.
#[derive(Clone)]
pub(super) struct Uploads {
    under_way: Arc<Mutex<HashMap<Organisation, usize>>>,
    most: usize,
    most_of_one: usize,
}

impl Uploads {
    /// None under way.
    pub(super) fn new(most: usize, most_of_one: usize) -> Self {
        Self { under_way: Arc::default(), most, most_of_one }
    }

    /// A place for one file, until it is dropped.
    pub(super) fn take(&self, of: &Organisation) -> Result<Place, Problem> {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, own) = (under_way.values().sum::<usize>(), under_way.get(of).copied().unwrap_or(0));
        if own >= self.most_of_one {
            let detail = format!("{own} files of your organisation are being received; send this one after they are");
            return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_uploads", detail).retry_after(COME_BACK));
        }
        if all >= self.most {
            let detail = "as many files are being received as can be at once; send this one in a few seconds";
            return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "uploads_busy", detail).retry_after(COME_BACK));
        }
        under_way.insert(of.clone(), own.saturating_add(1));
        Ok(Place { uploads: self.clone(), of: of.clone() })
    }
}

/// A place for one file.
#[must_use = "the place is free again when this is dropped"]
pub(super) struct Place {
    uploads: Uploads,
    of: Organisation,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut under_way = self.uploads.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        match under_way.get(&self.of).copied() {
            Some(own) if own > 1 => drop(under_way.insert(self.of.clone(), own.saturating_sub(1))),
            Some(_) | None => drop(under_way.remove(&self.of)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_organisation_takes_its_share_and_no_more_and_a_place_comes_back() {
        let uploads = Uploads::new(3, 2);
        let (greedy, calm) = (Organisation::parse("greedy").unwrap(), Organisation::parse("calm").unwrap());
        let refused = |of: &Organisation| uploads.take(of).map(|_| ()).map_err(|problem| problem.document().code);
        let first = uploads.take(&greedy).unwrap();
        let _second = uploads.take(&greedy).unwrap();
        assert_eq!(refused(&greedy), Err("too_many_uploads"));
        let place = uploads.take(&calm).unwrap();
        assert_eq!(refused(&calm), Err("uploads_busy"));
        drop(first);
        assert_eq!((refused(&greedy), refused(&calm)), (Ok(()), Ok(())));
        drop(place);
        assert_eq!(uploads.under_way.lock().unwrap().values().sum::<usize>(), 1);
    }
}
