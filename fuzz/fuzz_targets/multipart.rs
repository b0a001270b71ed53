//! Forms, in one piece and in many.
#![cfg_attr(fuzzing, no_main)]

parlance_fuzz::target!(parlance_fuzz::bodies::form);
