//! File names of responses.

use parlance_crawl::disposition::file_name;

use crate::site::url;

#[test]
fn a_file_name_comes_from_the_header_before_the_url() {
    for (header, address, name) in [
        (None, "https://example.com/a/fees.csv?x=1", Some("fees.csv")),
        (None, "https://example.com/a/my%20fees.csv", Some("my fees.csv")),
        (None, "https://example.com/a/", None),
        (None, "https://example.com/", None),
        (Some("attachment"), "https://example.com/fees.csv", Some("fees.csv")),
        (Some("attachment; filename=\"fees.csv\""), "https://example.com/download?id=7", Some("fees.csv")),
        (Some("attachment;filename=fees.csv;size=3"), "https://example.com/download", Some("fees.csv")),
        (Some("inline; filename=\"a; \\\"b\\\".docx\"; x=y"), "https://example.com/d", Some("a; \"b\".docx")),
        (
            Some("attachment; filename=\"f.pdf\"; filename*=UTF-8''geb%C3%BChren.pdf"),
            "https://example.com/d",
            Some("gebühren.pdf"),
        ),
        (Some("attachment; filename=\"../../etc/terms.doc\""), "https://example.com/d", Some("terms.doc")),
        (Some("attachment; filename=\"download\""), "https://example.com/terms.doc", Some("terms.doc")),
        (Some("attachment; filename=\"open"), "https://example.com/d.csv", Some("d.csv")),
        (Some(";;=;filename"), "https://example.com/d.csv", Some("d.csv")),
    ] {
        assert_eq!(file_name(header, &url(address)).as_deref(), name, "{header:?} {address}");
    }
}
