//! Plain text, Markdown and CSV, and format detection on any bytes.
#![cfg_attr(fuzzing, no_main)]

parlance_fuzz::target!(parlance_fuzz::extract::text);
