//! The command line: argument to call.

fn main() {}
