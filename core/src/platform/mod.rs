//! Platform: configuration, connections and process-wide services below every slice.
//!
//! Must never: import the providers, the context, the job ledger or a slice. It refers to tenants, keys and jobs by id only.

pub mod body_memory;
pub mod bus;
pub mod config;
pub mod cpu;
pub mod db;
pub mod fair_places;
pub mod fair_queue;
pub mod limits;
pub mod meters;
pub mod outage;
pub mod pace;
pub mod propagation;
pub mod queue;
pub mod tls;
