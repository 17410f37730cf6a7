//! Black-box tests over HTTP: what users do, what they must not be able to do, and what must never come out.

mod acs;
mod hostile;
mod marker;
mod persons;
mod refusals;
mod roles;
mod support;
mod way;
