//! The API from outside.

mod openapi;
