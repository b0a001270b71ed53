//! The citations of an answer that comes in pieces.
#![cfg_attr(fuzzing, no_main)]

parlance_fuzz::target!(parlance_fuzz::markers::check);
