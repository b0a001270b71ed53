//! Sitemaps.
#![cfg_attr(fuzzing, no_main)]

parlance_fuzz::target!(parlance_fuzz::sitemap::check);
