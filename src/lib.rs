//! Halflight: enough light to see the group, too little to see the face.
//!
//! Ministries submit person-level records about migrants; privacy officers say in policy files what may be told; human
//! rights teams get differentially private, small-cell-safe figures with their margin of error. Nothing else leaves.
//!
//! # The way of the data
//! ```text
//! submission   a file is checked, coded, clamped, its persons keyed           submission, vault
//! edition      a period is closed: each person bounded, rows sealed for good  vault
//! plan         may this be asked? which tables, what does it cost?            policy, design
//! claim        the cost is held, durably, before anything is drawn            ledger
//! table        exact counts over the declared cells                           tabulate
//! draw         OpenDP's integer noise                                         noise
//! estimate     best unbiased tables that agree, with standard errors          estimate
//! suppress     small cells withheld, on their noisy value                     suppress
//! release      charged, logged, immutable                                     release, transparency
//! publish      JSON and CSV over HTTP                                         office, publish
//! ```
//! [`release::Answering::answer`] is the page to show a visitor. Imports point one way (`tests/tidy.rs`).
//!
//! # Guarantees, and where each lives
//! * G1 personal values exist outside the vault only inside [`sensitive::Sensitive`]
//! * G2 only an admitted [`policy::Plan`] reaches data
//! * G3 the list of cells comes from the policy, never from the data: [`tabulate`]
//! * G4 one person moves a table by at most the plan's bound: bounded when a period is closed, checked in [`tabulate`]
//! * G5 one claim, one draw, with the parameters of that claim: [`noise::perturb`] consumes a [`ledger::Reservation`]
//! * G6 held + spent + cost <= cap, exactly: [`ledger`]
//! * G7 the claim is durable before the first random bit; an unknown outcome is spent: [`ledger`]
//! * G8 a refusal does not depend on data: [`policy::Inadmissible`] is built from policy and question alone
//! * G9 suppression sees noisy values only: the signature of [`suppress::apply`]
//! * G10 nothing is shown before charge, bytes and leaf are committed together: [`ledger::Committed`]
//! * G11 the same question gets the same bytes and costs nothing the second time: the digests of [`policy::Plan`]
//! * G12 the log only grows: [`transparency`]
//! * G13 HTTP can serialise only what is publishable: the sealed trait of [`publish`]
//! * G14 no message carries a value from the data: errors hold codes, names and positions
//!
//! # Words
//! *Account*: the people whose loss is added up. *Cell*: one combination of codes in a table. *Claim*: an amount held
//! before a draw. *Comparison*: a figure of one group less that of another, or over it. *Cut*: the codes a filter
//! selects. *Draw*: what is measured and paid for. *Edition*: a closed period, each person bounded. *Floor*
//! (threshold): the noisy number of persons below which a cell is withheld. *Grouping*: groups of a column's codes as
//! a dimension of its own. *Leaf*: an entry of the public log. *Margin*: a table with a dimension summed out.
//! *Release*: what is shown of a draw. *Witness*: a file on another volume that remembers every leaf of the log: what
//! a rolled back database is brought forward from.
#![forbid(unsafe_code)]

pub mod app;
pub mod budget;
pub mod cli;
pub mod clock;
pub mod config;
pub mod design;
pub mod estimate;
pub mod fault;
pub mod identity;
pub mod ledger;
pub mod noise;
pub mod office;
pub mod policy;
pub mod publish;
pub mod release;
pub mod sensitive;
pub mod submission;
pub mod suppress;
pub mod tabulate;
pub mod transparency;
pub mod underway;
pub mod vault;
