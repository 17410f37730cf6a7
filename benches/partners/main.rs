//! `cargo bench --bench partners`: the search for partners beside the classical tools, on plain tables of exact counts.
//!
//! The instances are fictitious data of Statistics Norway's `SSBtools`, looked for beside the checkout
//! (`../shared/data/suppression`, or the folder in `HALFLIGHT_SUPPRESSION`). Reference partners and seconds are those
//! of `SSBtools`' Gaussian elimination; best known patterns are at notion C.
//!
//! Notions: A, not a linear combination; B, x >= 0 leaves an interval of some width; C, the count can be one more and,
//! where it is not 0, one less.

#![expect(
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::print_stdout,
    reason = "a program that measures: it may stop, and it prints"
)]

mod cone;
mod exact;
mod instances;
mod population;
mod raw;
mod service;

fn main() -> std::io::Result<()> {
    let folder = std::env::var_os("HALFLIGHT_SUPPRESSION").map_or_else(
        || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/suppression"),
        Into::into,
    );
    service::service(&folder);
    if !folder.is_dir() {
        println!("skipped: there is no {}", folder.display());
        return Ok(());
    }
    instances::small(&folder)?;
    instances::large(&folder)
}
