//! OpenDocument files, and the XML of their body.
#![cfg_attr(fuzzing, no_main)]

parlance_fuzz::target!(parlance_fuzz::extract::open_document);
