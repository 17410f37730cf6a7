//! The policy stage as an officer and an asker meet it: files read, questions admitted or refused.

mod admitting;
mod comparing;
mod disguise;
mod grouping;
mod measuring;
mod offering;
mod pricing;
mod reading;
mod refusing;
mod ruled;
mod sensitivity;
mod shelving;
mod shipping;
