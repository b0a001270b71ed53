//! Multipart forms, whole and split.
#![cfg_attr(fuzzing, no_main)]

parlance_fuzz::target!(parlance_fuzz::bodies::form);
