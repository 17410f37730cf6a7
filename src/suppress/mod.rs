//! Small cells withheld.
