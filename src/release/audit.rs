//! The audit of published releases from their files alone: what anyone can do who trusts nobody here.
//!
//! Releases cut from one draw are audited together. First each file is held against its own digest, then the figures
//! against each other, then every withheld figure against all that is published: in which senses it is safe, or which
//! cells are not; last, what the releases claim against what was found.
//!
//! # Guarantee
//! Nothing is asked of a service, a key or a ledger. What passes here passes with any other program that does the sums.

use super::body::Body;
use super::linked::{Frame, Misfit};
use super::table::Link;
use super::values::covered;
use crate::identity::{Digest, ReleaseId};
use crate::suppress::{self, Certificate, Draw, Notion, Revealed, Told};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The fields of a document that stand beside its body.
const BESIDE: [&str; 4] = ["log_index", "notice", "released_at", "sha256"];

/// The most cells that a finding names.
const NAMED_MAX: usize = 10;

/// The releases of one draw, and what their audit found.
#[derive(Debug, Clone, PartialEq)]
pub struct Audited {
    /// The releases, in the order in which they were given.
    pub releases: Vec<ReleaseId>,
    /// What was proved of all of them together, or what is wrong.
    pub found: Result<Certificate, Flaw>,
}

/// What is wrong with published releases.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// A file is not the document of a release.
    #[error("{0} is not the JSON of a release; GET /v1/releases/ID.json gives it")]
    Unreadable(String),
    /// A document was changed: its bytes are not those that its digest speaks of.
    #[error(
        "{0} is not as it was released: its content does not match its sha256; fetch GET /v1/releases/{0}.json again"
    )]
    Changed(ReleaseId),
    /// Two documents say that they are the same release.
    #[error("two files say that they are {0} and differ; the log holds the sha256 of the true one")]
    Twice(ReleaseId),
    /// Tables and cells do not fit each other.
    #[error("{0}: {Misfit}; fetch GET /v1/releases/{0}.json again")]
    Misfit(ReleaseId),
    /// Not all of a draw is there.
    #[error("{0} stands beside releases of its draw that are not here; give all of them: GET /v1/releases lists them")]
    Missing(ReleaseId),
    /// A release claims more than what is published bears out.
    #[error("the certificate of {0} claims more than its figures prove ({1}); hold its sha256 against the log")]
    Claims(ReleaseId, &'static str),
    /// The published figures say too much, or contradict each other.
    #[error("{what}: {}", cells.join("; "))]
    Revealed {
        /// What is wrong.
        what: &'static str,
        /// The first cells of which it is true.
        cells: Vec<String>,
    },
}

/// Audits documents of releases, each with a name for people; those of one draw together, in the order of each draw's
/// first document.
#[must_use]
pub fn audit(documents: &[(String, Vec<u8>)]) -> Vec<Audited> {
    let mut order: Vec<ReleaseId> = Vec::new();
    let mut draws: BTreeMap<ReleaseId, Vec<Body>> = BTreeMap::new();
    let mut audited = Vec::new();
    for (name, document) in documents {
        match read(name, document) {
            Ok(body) => {
                let draw = body.answered_from.clone().unwrap_or_else(|| body.id.clone());
                if !order.contains(&draw) {
                    order.push(draw.clone());
                }
                let bodies = draws.entry(draw).or_default();
                // a file that is there twice is one release
                if !bodies.contains(&body) {
                    bodies.push(body);
                }
            }
            Err(flaw) => audited.push(Audited { releases: Vec::new(), found: Err(flaw) }),
        }
    }
    audited.extend(order.iter().filter_map(|draw| draws.get(draw)).map(|bodies| Audited {
        releases: bodies.iter().map(|body| body.id.clone()).collect(),
        found: of_draw(bodies).and_then(|found| claimed(bodies, found)),
    }));
    audited
}

/// The body of a document, if it is the one that its digest speaks of.
fn read(name: &str, document: &[u8]) -> Result<Body, Flaw> {
    let unreadable = |_| Flaw::Unreadable(name.to_owned());
    let mut fields: Map<String, Value> = serde_json::from_slice(document).map_err(unreadable)?;
    let beside: Vec<Option<Value>> = BESIDE.iter().map(|field| fields.remove(*field)).collect();
    let canonical = serde_json::to_vec(&fields).map_err(unreadable)?;
    let body: Body = serde_json::from_value(Value::Object(fields)).map_err(unreadable)?;
    let said = beside.last().and_then(Option::as_ref).and_then(Value::as_str);
    if said == Some(Digest::of(&canonical).to_string().as_str()) { Ok(body) } else { Err(Flaw::Changed(body.id)) }
}

fn of_draw(bodies: &[Body]) -> Result<Certificate, Flaw> {
    let frame = Frame::of_bodies(bodies);
    let mut linked: BTreeMap<Link, (Vec<Told>, Vec<Place<'_>>)> = BTreeMap::new();
    for body in bodies {
        let tables = frame.tables(body).map_err(|Misfit| Flaw::Misfit(body.id.clone()))?;
        for (table, (link, told)) in tables.into_iter().enumerate() {
            let (all, places) = linked.entry(link).or_default();
            all.push(told);
            places.push(Place { frame: &frame, body, table });
        }
    }
    let mut certificate = Certificate::default();
    let zeros: Vec<_> = bodies.iter().flat_map(|body| body.impossible.iter().cloned()).collect();
    for (link, (mut tables, places)) in linked {
        let nobody = |tables: &[Told]| frame.nobody(&zeros, &link, tables);
        tables.extend(nobody(&tables));
        let prove = if link.sum.is_some() { suppress::audit_sums } else { suppress::audit };
        let proved = prove(&frame.sizes(), &tables).map_err(|revealed| flaw(&revealed, &places))?;
        if link.persons() {
            let (sizes, least) = (frame.sizes(), |_: &[Vec<usize>]| 0.0);
            let draw = Draw { sizes: &sizes, pooled: frame.period(), least: &least, impossible: &nobody };
            suppress::audit_unasked(draw, &tables).map_err(|revealed| flaw(&revealed, &places))?;
        }
        // rows and sums stand in the same cells as persons
        certificate = if link.persons() { certificate.and(&proved) } else { certificate };
    }
    let faces = bodies.iter().flat_map(|body| &body.tables);
    let measures = bodies.iter().flat_map(|body| &body.cells).map(|cell| cell.measure.clone());
    covered(&mut certificate, faces, measures.collect::<BTreeSet<_>>().into_iter());
    Ok(certificate)
}

/// What was found, if no release claims more, nor stands beside one that is not here.
///
/// Each counts the silent cells of all that stood when it was made, where figures add up. Of the width, the last one
/// speaks for all: under a lower floor, later ones have less of it.
fn claimed(bodies: &[Body], found: Certificate) -> Result<Certificate, Flaw> {
    let here = |id: &ReleaseId| bodies.iter().any(|body| body.id == *id);
    let last = bodies.iter().max_by_key(|body| body.certificate.cells).map(|body| &body.id);
    for (place, body) in bodies.iter().enumerate() {
        let claim = &body.certificate;
        if bodies.iter().skip(place + 1).any(|other| other.id == body.id) {
            return Err(Flaw::Twice(body.id.clone()));
        }
        if body.answered_from.as_ref().is_some_and(|from| !here(from)) || claim.withheld > found.withheld {
            return Err(Flaw::Missing(body.id.clone()));
        }
        let proved = |notions: &[Notion], of: &[Notion]| notions.iter().all(|notion| of.contains(notion));
        let measured = |(measure, notions): (&String, &Vec<Notion>)| {
            found.measures.get(measure).is_some_and(|of| proved(notions, of))
        };
        let fewer = bodies.len() == 1 && !claim.notions.is_empty() && claim.withheld < found.withheld;
        let wider = last == Some(&body.id) && claim.width > found.width;
        let untrue = [
            ("how many are withheld", fewer),
            ("the width", wider),
            ("the notions", !proved(&claim.notions, &found.notions)),
            ("the measures", !claim.measures.iter().all(measured)),
        ];
        if let Some((what, _)) = untrue.into_iter().find(|(_, untrue)| *untrue) {
            return Err(Flaw::Claims(body.id.clone(), what));
        }
    }
    Ok(found)
}

/// A table of a release.
struct Place<'a> {
    frame: &'a Frame,
    body: &'a Body,
    table: usize,
}

impl Place<'_> {
    /// A cell for people: its release, measure and codes.
    fn cell(&self, mut place: usize) -> Option<String> {
        let table = self.body.tables.get(self.table)?;
        let mut codes = Vec::new();
        for face in self.frame.faces(self.body, table).into_iter().rev() {
            let code = face.codes.get(place.checked_rem(face.codes.len())?)?;
            codes.push(format!("{}={}", face.id, code.code));
            place = place.checked_div(face.codes.len())?;
        }
        codes.extend(table.filter.iter().map(|(column, codes)| format!("{column}={}", codes.join("+"))));
        Some(format!("{} {} {}", self.body.id, table.measure, codes.join(",")))
    }
}

fn flaw(revealed: &Revealed, places: &[Place<'_>]) -> Flaw {
    let (what, cells) = match revealed {
        Revealed::DoesNotAddUp(cells) => ("the published figures contradict each other", cells),
        Revealed::Unasked(cells) => ("a small group that nobody asked for follows from published figures", cells),
        Revealed::Known(cells) => ("withheld figures follow from published ones", cells),
        Revealed::Tied(cells) => ("withheld figures follow from one another", cells),
        Revealed::Narrow(cells) => ("withheld figures have too little room", cells),
        Revealed::Undecided(cells) => ("the work allowed did not decide about withheld figures", cells),
    };
    let name = |&(table, place): &(usize, usize)| places.get(table)?.cell(place);
    Flaw::Revealed { what, cells: cells.iter().take(NAMED_MAX).filter_map(name).collect() }
}
