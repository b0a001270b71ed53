//! The chunker: chunks are parts of the text, within the size limit, and complete.
#![cfg_attr(fuzzing, no_main)]

parlance_fuzz::target!(parlance_fuzz::chunk::check);
