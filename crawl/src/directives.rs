//! Robots directives of the `X-Robots-Tag` response header. Pure: no IO.
//!
//! A header line contains directives, separated by commas. A user agent before a colon limits the directives
//! after it to that crawler: `otherbot: noindex, nofollow`. Some directives have values: `max-image-preview:
//! none`.

use std::time::SystemTime;

use crate::robots::PRODUCT;

/// Directives whose value follows a colon.
const VALUED: [&str; 4] = ["max-image-preview", "max-snippet", "max-video-preview", "unavailable_after"];

/// Directives that apply to this crawler.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Directives {
    /// `noindex`, `none`, or `unavailable_after` a past time.
    pub noindex: bool,
    /// `nofollow` or `none`.
    pub nofollow: bool,
}

impl Directives {
    /// Combines the directives of all `X-Robots-Tag` header lines. The strictest one applies.
    pub fn of_headers<'a>(lines: impl IntoIterator<Item = &'a str>) -> Self {
        let mut directives = Self::default();
        lines.into_iter().for_each(|line| directives.add(line, SystemTime::now()));
        directives
    }

    fn add(&mut self, line: &str, now: SystemTime) {
        let line = line.to_ascii_lowercase();
        let mut applies = true;
        let mut parts = line.split(',').map(str::trim).peekable();
        while let Some(part) = parts.next() {
            let (name, value) = part.split_once(':').map_or((part, ""), |(name, value)| (name, value.trim()));
            let name = name.trim_end();
            if name == "unavailable_after" {
                // The date may contain a comma: `Wed, 25 Jun 2025 15:00:00 GMT`.
                let rest = parts.peek().map(|rest| format!("{value}, {rest}"));
                let is_past = [Some(value.to_owned()), rest].into_iter().flatten().any(|date| {
                    httpdate::parse_http_date(&capitalised(&date)).is_ok_and(|until| until < now)
                });
                self.noindex |= applies && is_past;
                parts.next_if(|rest| rest.starts_with(|first: char| first.is_ascii_digit()));
            } else if VALUED.contains(&name) {
                // Previews are never shown: no restriction of them applies.
            } else if part.contains(':') {
                applies = name == "*" || name == PRODUCT.to_ascii_lowercase();
                self.apply(value, applies);
            } else {
                self.apply(name, applies);
            }
        }
    }

    fn apply(&mut self, directive: &str, applies: bool) {
        self.noindex |= applies && matches!(directive, "noindex" | "none");
        self.nofollow |= applies && matches!(directive, "nofollow" | "none");
    }
}

/// A date in the letter case of HTTP: `wed, 25 jun 2025 15:00:00 gmt` becomes `Wed, 25 Jun 2025 15:00:00 GMT`.
fn capitalised(date: &str) -> String {
    let mut after_letter = false;
    let letters = date.chars().map(|letter| {
        let is_first = !std::mem::replace(&mut after_letter, letter.is_ascii_alphabetic());
        if is_first { letter.to_ascii_uppercase() } else { letter }
    });
    letters.collect::<String>().replace("Gmt", "GMT").replace("Utc", "GMT")
}
