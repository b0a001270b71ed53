//! PDF files, and content streams of a page.
#![cfg_attr(fuzzing, no_main)]

parlance_fuzz::target!(parlance_fuzz::extract::pdf);
