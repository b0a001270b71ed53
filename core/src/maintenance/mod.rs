//! Maintenance that spans slices: purging deleted data and erasing tenants.
//!
//! Above every slice: no slice may import it.

pub mod erase;
pub mod purge;
