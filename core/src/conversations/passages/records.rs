//! Pure: units of name-value records and short commands.

use super::text::Text;
use super::{Announcement, TextSlice, UnitCollector, UnitKind, classify};

/// A record with more characters yields only its lines.
const MAX_RECORD: usize = 400;

/// Maximum lines and characters of a command.
const MAX_COMMAND_LINES: usize = 4;
const MAX_COMMAND: usize = 300;

impl UnitCollector {
    /// Units of a record with one name and value per line: the whole and each line.
    pub(super) fn values(&mut self, lines: &[TextSlice<'_>]) {
        let lines = match lines.split_first() {
            Some((first, rest)) if classify::value(first.plain()).is_none() => {
                if classify::is_label(first.plain()) {
                    self.set_heading(first.plain());
                } else {
                    self.answer(*first, None);
                }
                rest
            }
            _ => lines,
        };
        let question = self.question.take();
        let texts: Vec<&str> = lines.iter().map(TextSlice::plain).collect();
        let sources = lines.iter().filter_map(|line| line.text.source(&line.range()));
        let text = texts.join("; ");
        if let Some(source) = sources.reduce(|all, line| all.start..line.end)
            && lines.len() > 1
            && text.chars().count() <= MAX_RECORD
        {
            self.push(UnitKind::Row, text, question.clone().or_else(|| self.heading.clone()), source);
        }
        let first = texts.first().map(|first| (*first).to_owned());
        for (at, line) in lines.iter().enumerate() {
            let name = question.clone().or_else(|| self.heading.clone());
            let lead: Vec<String> = name.into_iter().chain(first.clone().filter(|_| at > 0)).collect();
            if let Some(source) = line.text.source(&line.range()) {
                self.push(
                    UnitKind::Row,
                    line.plain().to_owned(),
                    (!lead.is_empty()).then(|| lead.join("; ")),
                    source,
                );
            }
        }
    }

    /// Unit of a short command with its announcement; other code yields none.
    pub(super) fn command(&mut self, code: &Text, announcement: Option<Announcement>) {
        let Some(announcement) = announcement else { return };
        let lines = code.lines(&code.whole());
        let is_comment =
            |line: &&str| ["#", "//", "/*", "--", "<!--"].iter().any(|start| line.starts_with(start));
        let texts: Vec<&str> =
            lines.iter().map(|line| code.get(line)).filter(|line| !is_comment(line)).collect();
        let length: usize = texts.iter().map(|line| line.chars().count()).sum();
        let is_short = (1..=MAX_COMMAND_LINES).contains(&texts.len()) && length <= MAX_COMMAND;
        if let Some(source) = code.source(&code.whole()).filter(|_| is_short) {
            let text = format!("{}\n{}", announcement.text, texts.join("\n"));
            self.push(UnitKind::Sentence, text, None, announcement.source.start..source.end);
        } else if classify::words(&announcement.text) > 6 {
            self.push(UnitKind::Sentence, announcement.text, None, announcement.source);
        }
    }
}
