//! PDF: whole files, and what a page draws.
#![cfg_attr(fuzzing, no_main)]

parlance_fuzz::target!(parlance_fuzz::extract::pdf);
