//! Passages in a prompt, and sentences quoted from them.
#![cfg_attr(fuzzing, no_main)]

parlance_fuzz::target!(parlance_fuzz::passages::check);
