//! JSON bodies, as every path that takes one reads them.
#![cfg_attr(fuzzing, no_main)]

parlance_fuzz::target!(parlance_fuzz::bodies::json);
