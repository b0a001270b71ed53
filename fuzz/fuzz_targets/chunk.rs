//! The chunker: every chunk is a part of the text, none is too large, and nothing is lost.
#![cfg_attr(fuzzing, no_main)]

parlance_fuzz::target!(parlance_fuzz::chunk::check);
