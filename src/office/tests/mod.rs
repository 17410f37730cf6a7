//! The way under faults: lists of operations against a model, every durable step failing in every way, and races.
//!
//! A list is run through the office as people would run it. After each step the whole log is verified and the model is
//! held against the service: what was acknowledged is live, what is spent lies between the least and the most that can
//! have been spent, every release that was seen has its bytes, the vault holds what rows name and nothing else. An
//! operation that fails because a step was made to fail is tried again, as a client would: it must come through.

#![expect(clippy::wildcard_enum_match_arm, reason = "most operations, points and errors are not what a test is about")]

mod check;
mod faults;
mod kept;
mod limits;
mod lists;
mod model;
mod operation;
mod programs;
mod races;
mod run;
mod service;
