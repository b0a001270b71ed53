//! E-books, and the XHTML of a chapter.
#![cfg_attr(fuzzing, no_main)]

parlance_fuzz::target!(parlance_fuzz::extract::epub);
