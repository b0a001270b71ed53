//! Plain text, Markdown and CSV, and what the detection of formats makes of any bytes.
#![cfg_attr(fuzzing, no_main)]

parlance_fuzz::target!(parlance_fuzz::extract::text);
