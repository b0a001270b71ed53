//! JSON bodies, for every path that takes one.
#![cfg_attr(fuzzing, no_main)]

parlance_fuzz::target!(parlance_fuzz::bodies::json);
