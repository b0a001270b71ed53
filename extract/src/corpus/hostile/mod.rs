//! Hostile and mislabelled files.

mod other;
mod packages;
mod pdf;
mod web;
mod word;

use super::Sample;

/// Files that must end within the time limit, most of them with a known verdict.
#[must_use]
pub fn hostile() -> Vec<Sample> {
    let mut samples = other::samples();
    samples.extend(pdf::samples());
    samples.extend(word::samples());
    samples.extend(web::samples());
    samples.extend(packages::samples());
    samples
}
