//! Citation markers of an answer that arrives in pieces.
#![cfg_attr(fuzzing, no_main)]

parlance_fuzz::target!(parlance_fuzz::markers::check);
