//! OpenDP's integer noise.
