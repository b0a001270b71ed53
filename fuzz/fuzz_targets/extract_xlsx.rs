//! XLSX workbooks, and the XML of a sheet.
#![cfg_attr(fuzzing, no_main)]

parlance_fuzz::target!(parlance_fuzz::extract::xlsx);
