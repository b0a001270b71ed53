//! Platform: configuration, connections and process-wide services below every slice.
//!
//! Must never: import a slice.

pub mod bus;
pub mod config;
pub mod db;
pub mod limits;
pub mod meters;
pub mod propagation;
pub mod queue;
pub mod tls;
