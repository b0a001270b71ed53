//! PPTX presentations, and the XML text of a slide.
#![cfg_attr(fuzzing, no_main)]

parlance_fuzz::target!(parlance_fuzz::extract::pptx);
