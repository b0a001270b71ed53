//! Pure: lines of names with values, and short commands.

use super::text::Text;
use super::{Announcement, TextSlice, UnitCollector, UnitKind, classify};

/// A record with more characters than this is told by its lines only.
const RECORD: usize = 400;

/// A command that is told with the sentence that announces it has so many lines and characters at most.
const COMMAND_LINES: usize = 4;
const COMMAND: usize = 300;

impl UnitCollector {
    /// Names with their values, a line each: the record as a whole, and each line.
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
        let said: Vec<&str> = lines.iter().map(TextSlice::plain).collect();
        let sources = lines.iter().filter_map(|line| line.text.source(&line.range()));
        let text = said.join("; ");
        if let Some(source) = sources.reduce(|all, line| all.start..line.end)
            && lines.len() > 1
            && text.chars().count() <= RECORD
        {
            self.push(UnitKind::Row, text, question.clone().or_else(|| self.heading.clone()), source);
        }
        let first = said.first().map(|first| (*first).to_owned());
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

    /// A short command is told with the sentence that announces it; other code never is.
    pub(super) fn command(&mut self, code: &Text, announcement: Option<Announcement>) {
        let Some(announcement) = announcement else { return };
        let lines = code.lines(&code.whole());
        let is_comment =
            |line: &&str| ["#", "//", "/*", "--", "<!--"].iter().any(|start| line.starts_with(start));
        let said: Vec<&str> =
            lines.iter().map(|line| code.get(line)).filter(|line| !is_comment(line)).collect();
        let length: usize = said.iter().map(|line| line.chars().count()).sum();
        let is_short = (1..=COMMAND_LINES).contains(&said.len()) && length <= COMMAND;
        if let Some(source) = code.source(&code.whole()).filter(|_| is_short) {
            let text = format!("{}\n{}", announcement.text, said.join("\n"));
            self.push(UnitKind::Sentence, text, None, announcement.source.start..source.end);
        } else if classify::words(&announcement.text) > 6 {
            self.push(UnitKind::Sentence, announcement.text, None, announcement.source);
        }
    }
}
