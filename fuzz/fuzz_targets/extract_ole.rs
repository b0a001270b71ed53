//! Excel 97 workbooks and PowerPoint 97 presentations.
#![cfg_attr(fuzzing, no_main)]

parlance_fuzz::target!(parlance_fuzz::extract::ole);
