//! Pure: units of tables: each row with its headers.

use super::text::Text;
use super::{Announcement, TextSlice, UnitCollector, UnitKind, classify};

impl UnitCollector {
    pub(super) fn table(&mut self, head: &[Text], rows: &[Vec<Text>], announcement: Option<&Announcement>) {
        let headers: Vec<&str> = head.iter().map(plain).collect();
        let context =
            announcement.map(|announcement| announcement.text.clone()).or_else(|| self.question.clone());
        let mut section: Option<String> = None;
        // The head of a two-column table may be its first row.
        let first = is_row(&headers).then_some(head);
        let headers = if first.is_some() { vec![""; headers.len()] } else { headers };
        for row in first.into_iter().chain(rows.iter().map(Vec::as_slice)) {
            let cells: Vec<&str> = row.iter().map(plain).collect();
            let filled: Vec<&str> = cells.iter().copied().filter(|cell| !cell.is_empty()).collect();
            if let ([only], true) = (filled.as_slice(), cells.len() > 2) {
                section = Some((*only).to_owned());
                continue;
            }
            let is_linked =
                row.iter().filter(|cell| !plain(cell).is_empty()).all(|cell| cell.is_link(&cell.whole()));
            let Some(text) = render_row(&headers, &cells).filter(|_| !is_linked) else { continue };
            let sources = row
                .iter()
                .filter(|cell| !plain(cell).is_empty())
                .filter_map(|cell| cell.source(&cell.whole()));
            let Some(source) = sources.reduce(|all, cell| all.start..cell.end) else { continue };
            let headers = headers.iter().copied().filter(|header| !header.is_empty());
            let lead: Vec<&str> = context
                .as_deref()
                .or(self.heading.as_deref())
                .into_iter()
                .chain(section.as_deref())
                .chain(headers)
                .collect();
            let lead = (!lead.is_empty()).then(|| lead.join("; "));
            self.push(UnitKind::Row, text, lead, source);
        }
    }

    /// Rows in lines between bars, whose headers are in another passage.
    pub(super) fn rows(&mut self, lines: &[TextSlice<'_>]) {
        for line in lines {
            let cells: Vec<&str> =
                line.plain().split('|').map(str::trim).filter(|cell| !cell.is_empty()).collect();
            let is_ruler = cells.iter().all(|cell| cell.chars().all(|c| matches!(c, '-' | ':' | ' ')));
            if cells.len() > 1 && !is_ruler {
                let (text, lead) = (render_row(&vec![""; cells.len()], &cells), self.heading.clone());
                if let (Some(text), Some(source)) = (text, line.text.source(&line.range())) {
                    self.push(UnitKind::Row, text, lead, source);
                }
            }
        }
    }
}

/// Renders a row: "Monday: 9–17" for a name with one value, else "Plan: Basic; Price: 10 EUR". Empty cells
/// are skipped.
fn render_row(headers: &[&str], cells: &[&str]) -> Option<String> {
    let header = |column: usize| headers.get(column).copied().unwrap_or_default();
    if let [name, value] = cells
        && !name.is_empty()
        && !value.is_empty()
        && (header(0).is_empty() || header(1).is_empty() || !needs_header(header(1), value))
    {
        return Some(format!("{}: {value}", name.trim_end_matches(':')));
    }
    let parts: Vec<String> = cells
        .iter()
        .enumerate()
        .filter(|(_, cell)| !cell.is_empty())
        .map(|(column, cell)| match header(column).trim_end_matches(':') {
            "" => (*cell).to_owned(),
            header => format!("{header}: {cell}"),
        })
        .collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// Whether a value needs its header: a bare number, or one whose unit is in the header.
fn needs_header(header: &str, value: &str) -> bool {
    classify::needs_context(value)
        || (header.contains('(') && value.starts_with(|c: char| c.is_ascii_digit()))
}

/// Whether the head of a table is a row: it has two cells, and the second holds a value.
fn is_row(headers: &[&str]) -> bool {
    let [name, value] = headers else { return false };
    let digits = value.chars().filter(char::is_ascii_digit).count();
    let is_year = digits == 4 && value.chars().count() == 4;
    !name.is_empty() && digits > 0 && !is_year && !value.contains('(')
}

fn plain(text: &Text) -> &str {
    text.get(&text.whole())
}
