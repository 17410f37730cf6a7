//! Black-box tests over HTTP: what users do, what they must not be able to do, and what must never come out.

mod acs;
mod persons;
mod support;
mod way;
