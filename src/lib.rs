//! Halflight.
#![forbid(unsafe_code)]

pub mod app;
pub mod budget;
pub mod cli;

pub mod clock;
pub mod config;
pub mod design;
pub mod estimate;
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
pub mod vault;
