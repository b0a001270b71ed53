//! Maintenance that spans slices: purging deleted data and erasing tenants.
//!
//! Above every slice: no slice may import it.

use crate::jobs::EndHook;
use crate::knowledge::EndVersion;

pub mod erase;
pub mod purge;

/// Reactions of the slices to jobs that end without success.
pub const END_HOOKS: &[&dyn EndHook] = &[&EndVersion];
