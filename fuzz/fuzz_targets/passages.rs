//! What a passage may do to a prompt, and the sentences that are quoted from it.
#![cfg_attr(fuzzing, no_main)]

parlance_fuzz::target!(parlance_fuzz::passages::check);
