//! Word: packages, and the parts that lie in one.
#![cfg_attr(fuzzing, no_main)]

parlance_fuzz::target!(parlance_fuzz::extract::docx);
