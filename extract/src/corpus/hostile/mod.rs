//! Files made to hurt, and files that are simply not what they seem.

mod other;
mod pdf;
mod web;
mod word;

use super::Sample;

/// Files that must end, each in time, and most of them in a certain verdict.
#[must_use]
pub fn hostile() -> Vec<Sample> {
    let mut samples = other::samples();
    samples.extend(pdf::samples());
    samples.extend(word::samples());
    samples.extend(web::samples());
    samples
}
