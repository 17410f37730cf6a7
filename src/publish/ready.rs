//! Releases as they were last written, kept in memory: the bytes of one never change, and it is read far more often
//! than made.
//!
//! # Guarantee
//! What is kept is shown only against a face of the release that the office has just read for this very caller
//! ([`crate::office::Office::release_face`]): whoever may not read it is refused before this is asked, and a notice, a
//! restriction or an embargo holds from the next request on. Bytes are kept as they were when the ledger had checked
//! them against their SHA-256, and only under that digest. Memory is bounded.

use super::formats::{Format, Rendered};
use super::routes::faces::ReleaseSummary;
use crate::identity::{Digest, ReleaseId};
use crate::ledger::ReleaseFace;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most bytes kept.
const BYTES_MAX: usize = 64 << 20;
/// Most lines of lists kept.
const SUMMARIES_MAX: usize = 4_096;

/// What is kept. When it is full it begins anew: rarely, at this size, and everything can be written again.
#[derive(Default)]
pub(super) struct Ready {
    documents: Mutex<Documents>,
    summaries: Mutex<HashMap<ReleaseId, ReleaseSummary>>,
}

#[derive(Default)]
struct Documents {
    kept: HashMap<(ReleaseId, Format), Document>,
    bytes: usize,
}

struct Document {
    sha256: Digest,
    notice: Option<String>,
    rendered: Arc<Rendered>,
}

impl Ready {
    /// The release in that format, if it is kept just as it stands now.
    pub(super) fn document(&self, face: &ReleaseFace, format: Format) -> Option<Arc<Rendered>> {
        let documents = locked(&self.documents);
        let found = documents.kept.get(&(face.id.clone(), format))?;
        (found.sha256 == face.sha256 && found.notice == face.notice).then(|| Arc::clone(&found.rendered))
    }

    /// Keeps a release that was written whole, in the plain form of its format.
    pub(super) fn keep(&self, release: &crate::release::Release, rendered: &Arc<Rendered>) {
        let size = rendered.bytes().len();
        if size > BYTES_MAX {
            return;
        }
        let mut documents = locked(&self.documents);
        let key = (release.id().clone(), rendered.format());
        if let Some(before) = documents.kept.remove(&key) {
            documents.bytes = documents.bytes.saturating_sub(before.rendered.bytes().len());
        }
        if documents.bytes.saturating_add(size) > BYTES_MAX {
            *documents = Documents::default();
        }
        documents.bytes = documents.bytes.saturating_add(size);
        let (sha256, notice) = (release.sha256(), release.notice().map(str::to_owned));
        documents.kept.insert(key, Document { sha256, notice, rendered: Arc::clone(rendered) });
    }

    /// The line of a list about a release; nothing in it ever changes.
    pub(super) fn summary(&self, face: &ReleaseFace) -> Option<ReleaseSummary> {
        locked(&self.summaries).get(&face.id).filter(|summary| summary.sha256 == face.sha256).cloned()
    }

    /// Keeps a line of a list.
    pub(super) fn keep_summary(&self, summary: &ReleaseSummary) {
        let mut summaries = locked(&self.summaries);
        if summaries.len() >= SUMMARIES_MAX {
            summaries.clear();
        }
        summaries.insert(summary.id.clone(), summary.clone());
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::formats::{Options, sample};
    use crate::release::Release;

    fn face(release: &Release, notice: Option<&str>) -> ReleaseFace {
        ReleaseFace {
            id: release.id().clone(),
            dataset: crate::identity::DatasetId::parse("residence").unwrap(),
            sha256: release.sha256(),
            log_index: release.log_index(),
            released_at: release.released_at(),
            notice: notice.map(str::to_owned),
            policy: None,
        }
    }

    fn written(release: &Release, format: Format) -> Arc<Rendered> {
        Arc::new(Rendered::of(release, format, &Options::default()).unwrap())
    }

    #[test]
    fn what_is_kept_is_shown_only_as_the_release_stands_now() {
        let (ready, release) = (Ready::default(), sample(None));
        assert!(ready.document(&face(&release, None), Format::Json).is_none());
        ready.keep(&release, &written(&release, Format::Json));
        let kept = ready.document(&face(&release, None), Format::Json).unwrap();
        assert_eq!(kept.bytes().to_vec(), release.document().unwrap());
        assert!(ready.document(&face(&release, None), Format::Csv).is_none(), "another format is another document");
        assert!(ready.document(&face(&release, Some("superseded")), Format::Json).is_none(), "a notice came");
        let other = ReleaseFace { sha256: Digest::of(b"other"), ..face(&release, None) };
        assert!(ready.document(&other, Format::Json).is_none(), "other bytes");
        let marked = sample(Some("superseded".to_owned()));
        ready.keep(&marked, &written(&marked, Format::Json));
        assert!(ready.document(&face(&release, Some("superseded")), Format::Json).is_some());
        assert!(ready.document(&face(&release, None), Format::Json).is_none());
    }

    #[test]
    fn no_more_is_kept_than_fits() {
        let (ready, release) = (Ready::default(), sample(None));
        ready.keep(&release, &written(&release, Format::Json));
        let size = locked(&ready.documents).bytes;
        ready.keep(&release, &written(&release, Format::Json));
        assert_eq!(locked(&ready.documents).bytes, size, "the same again takes no more");
        locked(&ready.documents).bytes = BYTES_MAX;
        ready.keep(&release, &written(&release, Format::Csv));
        let documents = locked(&ready.documents);
        assert_eq!(documents.kept.len(), 1);
        assert!(documents.bytes <= BYTES_MAX);
    }
}
