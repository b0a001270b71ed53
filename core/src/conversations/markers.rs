//! Pure: citation markers and the refusal token in the text of a language model, removed while it streams.
//!
//! A marker is `[1]`, `[1, 3]`, `[^1]`, `[[1]]`, `[1](#ref)`, `【1】`, `(source 1)`, `¹` or `<sup>1</sup>`; lists of
//! footnotes and sources at the end are removed, too. Code is left as it is. Whatever the pieces are, the result is the
//! same.

/// What a model answers, alone, when the passages do not hold the answer. It never reaches a client.
pub const NO_ANSWER: &str = "[[NOT_IN_PASSAGES]]";

/// The words of [`NO_ANSWER`].
const TOKEN: &str = "NOT_IN_PASSAGES";

/// Letters of a broken-off token by which it counts as one.
const TOKEN_BEGUN: usize = 4;

/// Digits of a marker at most: a longer number is text.
const DIGITS: usize = 4;

/// Characters of a marker at most.
const MARKER_LENGTH: usize = 64;

/// The widest range: `[1-9]`.
const RANGE: usize = 10;

/// Characters that may surround the token.
const WRAPPERS: &[char] = &['"', '\'', '“', '”', '„', '«', '»', '‘', '’', '*', '_', '`', '('];

/// Words beside the number of a marker.
const MARKER_WORDS: &[&str] = &[
    "source",
    "sources",
    "passage",
    "passages",
    "reference",
    "references",
    "ref",
    "refs",
    "citation",
    "see",
    "cf",
    "fuente",
    "fuentes",
    "pasaje",
    "pasajes",
    "ver",
    "vease",
    "véase",
    "quelle",
    "quellen",
    "siehe",
    "vgl",
    "passagen",
    "abschnitt",
    "fonte",
    "fonti",
    "vedi",
    "passaggio",
    "passaggi",
    "fontes",
    "passagem",
    "passagens",
    "voir",
    "extrait",
    "extraits",
    "and",
    "und",
    "et",
    "y",
    "e",
    "no",
    "nr",
];

/// Headings of lists of sources.
const LIST_HEADINGS: &[&str] = &[
    "sources",
    "source",
    "references",
    "reference",
    "footnotes",
    "citations",
    "quellen",
    "quelle",
    "quellenangaben",
    "fuentes",
    "fuente",
    "referencias",
    "fonti",
    "fonte",
    "riferimenti",
    "fontes",
    "referências",
    "références",
];

/// A part of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Text without markers.
    Text(String),
    /// The place of a marker, and the numbers in it that name passages.
    Marker(Vec<usize>),
}

/// Reader of the text of a model, piece by piece.
#[derive(Debug)]
pub struct Markers {
    passages: usize,
    /// Text that is not decided yet.
    held: String,
    /// The current line as far as it was given out.
    line: String,
    /// Whether the line before the current one is empty.
    after_blank: bool,
    has_text: bool,
    /// Numbers of markers after text.
    cited: Vec<usize>,
    refused: bool,
    in_fence: bool,
    in_code: bool,
    /// The heading of a list of sources, while only entries follow it.
    heading: Option<String>,
}

/// What the text begins with.
enum Next {
    /// More of it is needed.
    Wait,
    /// So many bytes of text.
    Text(usize),
    /// So many bytes that are left out.
    Drop(usize),
    /// A marker of so many bytes.
    Marker(usize, Vec<usize>),
    /// The token, in so many bytes.
    Token(usize),
    /// A heading of a list of sources, in so many bytes.
    Heading(usize),
    /// No list of sources follows the heading.
    NoList,
}

/// Whether the text begins with something.
enum Match<T> {
    No,
    Wait,
    Yes(usize, T),
}

impl Markers {
    /// For an answer from so many passages.
    #[must_use]
    pub fn of(passages: usize) -> Self {
        Self {
            passages,
            held: String::new(),
            line: String::new(),
            after_blank: false,
            has_text: false,
            cited: Vec::new(),
            refused: false,
            in_fence: false,
            in_code: false,
            heading: None,
        }
    }

    /// What is decided with this piece.
    pub fn read(&mut self, piece: &str) -> Vec<Part> {
        self.held.push_str(piece);
        self.advance(false)
    }

    /// The rest.
    pub fn end(&mut self) -> Vec<Part> {
        self.advance(true)
    }

    /// Whether the token was read.
    #[must_use]
    pub fn refused(&self) -> bool {
        self.refused
    }

    fn advance(&mut self, at_end: bool) -> Vec<Part> {
        let mut parts = Vec::new();
        let held = std::mem::take(&mut self.held);
        let mut rest = held.as_str();
        while !rest.is_empty() {
            let taken = match self.next(rest, at_end) {
                Next::Wait => break,
                Next::Text(length) => {
                    let text = rest.get(..length).unwrap_or_default();
                    if text.starts_with('`') {
                        self.toggle_code(length);
                    }
                    self.give(&mut parts, text);
                    length
                }
                Next::Drop(length) => length,
                Next::Marker(length, numbers) => {
                    self.separate(&mut parts);
                    if !self.line.trim().is_empty() {
                        self.cited.extend(&numbers);
                    }
                    parts.push(Part::Marker(numbers));
                    length
                }
                Next::Token(length) => {
                    self.refused = true;
                    self.separate(&mut parts);
                    parts.push(Part::Marker(Vec::new()));
                    length
                }
                Next::Heading(length) => {
                    self.heading = rest.get(..length).map(str::to_owned);
                    length
                }
                Next::NoList => {
                    let heading = self.heading.take().unwrap_or_default();
                    self.give(&mut parts, &heading);
                    0
                }
            };
            rest = rest.get(taken..).unwrap_or_default();
        }
        self.held = rest.to_owned();
        parts
    }

    /// Three back quotes or more at the start of a line begin or end a block of code, others a span of it.
    fn toggle_code(&mut self, quotes: usize) {
        if quotes >= 3 && self.line.trim().is_empty() {
            self.in_fence = !self.in_fence;
        } else if !self.in_fence {
            self.in_code = !self.in_code;
        }
    }

    fn give(&mut self, parts: &mut Vec<Part>, text: &str) {
        for c in text.chars() {
            if c == '\n' {
                self.after_blank = self.line.trim().is_empty();
                self.line.clear();
                self.in_code = false;
            } else {
                self.line.push(c);
            }
        }
        self.has_text |= !text.trim().is_empty();
        match parts.last_mut() {
            Some(Part::Text(before)) => before.push_str(text),
            _ => parts.push(Part::Text(text.to_owned())),
        }
    }

    /// Keeps what stands around a removed marker from becoming a marker or the token: `[[9]1]` must not leave `[1]`.
    fn separate(&mut self, parts: &mut Vec<Part>) {
        let open = self.line.rfind('[').and_then(|at| self.line.get(at + 1..));
        let is_marker = open.is_some_and(|inner| inner.chars().all(|c| c.is_ascii_digit()));
        let ends_with = |begun: &str| {
            let from = self.line.len().checked_sub(begun.len());
            from.and_then(|at| self.line.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(begun))
        };
        let is_token = (1..NO_ANSWER.len()).filter_map(|length| NO_ANSWER.get(..length)).any(ends_with);
        if is_marker || is_token {
            self.give(parts, " ");
        }
    }

    fn next(&self, rest: &str, at_end: bool) -> Next {
        let Some(first) = rest.chars().next() else { return Next::Wait };
        if self.line.is_empty() && !self.in_fence {
            match self.line_start(rest, at_end) {
                Next::Text(_) => {}
                decided => return decided,
            }
        } else if self.heading.is_none() && !self.in_code && self.begins_sentence() {
            match source_list(rest, at_end) {
                Match::No => {}
                Match::Yes(_, false) => return Next::Drop(rest.find('\n').unwrap_or(rest.len())),
                Match::Yes(_, true) => {}
                Match::Wait => return Next::Wait,
            }
        }
        if !self.in_fence && (first != '`' || !self.in_code) {
            match token(rest, at_end, self.line.chars().last()) {
                Match::Yes(length, ()) => return Next::Token(length),
                Match::Wait => return Next::Wait,
                Match::No => {}
            }
        }
        if first == '`' {
            let run = rest.len() - rest.trim_start_matches('`').len();
            return if run == rest.len() && !at_end { Next::Wait } else { Next::Text(run) };
        }
        if self.in_fence || self.in_code {
            return Next::Text(first.len_utf8());
        }
        match self.marker(rest, at_end) {
            Match::Yes(length, numbers) => Next::Marker(length, numbers),
            Match::Wait => Next::Wait,
            Match::No => Next::Text(first.len_utf8()),
        }
    }

    /// Whether a sentence has ended on the line, and a space follows it.
    fn begins_sentence(&self) -> bool {
        let text = self.line.trim_end();
        text.len() < self.line.len() && text.ends_with(['.', '!', '?', ')', ']', '*'])
    }

    /// Lists of sources and footnotes; [`Next::Text`] stands for any other line.
    fn line_start(&self, rest: &str, at_end: bool) -> Next {
        let (line, length, complete) = match rest.split_once('\n') {
            Some((line, _)) => (line, line.len() + 1, true),
            None => (rest, rest.len(), at_end),
        };
        let bare = unadorned(line);
        if self.heading.is_some() {
            return match complete {
                false => Next::Wait,
                true if bare.is_empty() || is_reference(bare) => Next::Drop(length),
                true => Next::NoList,
            };
        }
        if bare.is_empty() {
            return if complete { Next::Text(0) } else { Next::Wait };
        }
        match source_list(rest, at_end) {
            Match::No => {}
            Match::Wait => return Next::Wait,
            Match::Yes(_, false) => return Next::Drop(length),
            Match::Yes(_, true) => return Next::Heading(length),
        }
        match self.marker(bare, complete) {
            Match::No => Next::Text(0),
            Match::Wait => Next::Wait,
            Match::Yes(taken, numbers) => {
                let after = bare.get(taken..).unwrap_or_default();
                let is_note = after.starts_with(':')
                    || (self.has_text
                        && self.after_blank
                        && !numbers.is_empty()
                        && numbers.iter().all(|number| self.cited.contains(number)));
                match (is_note, complete) {
                    (true, true) => Next::Drop(length),
                    (true, false) => Next::Wait,
                    (false, _) if after.is_empty() && !complete => Next::Wait,
                    (false, _) => Next::Text(0),
                }
            }
        }
    }

    fn marker(&self, rest: &str, at_end: bool) -> Match<Vec<usize>> {
        let known = |numbers: Vec<usize>| {
            let mut known: Vec<usize> = Vec::new();
            for number in numbers {
                if (1..=self.passages).contains(&number) && !known.contains(&number) {
                    known.push(number);
                }
            }
            known
        };
        match rest.chars().next() {
            Some('[' | '［' | '〔' | '(' | '（') => match bracketed(rest, at_end) {
                Match::Yes(length, numbers) => Match::Yes(length, known(numbers)),
                other => other,
            },
            Some('【') => match lenticular(rest, at_end) {
                Match::Yes(length, numbers) => Match::Yes(length, known(numbers)),
                other => other,
            },
            Some('<') => match superscript_tag(rest, at_end) {
                Match::Yes(length, numbers) => Match::Yes(length, known(numbers)),
                other => other,
            },
            Some(c) if superscript(c).is_some() => self.superscripts(rest, at_end),
            _ => Match::No,
        }
    }

    /// `¹` after a word or the end of a sentence; `m²` and `10³` are text.
    fn superscripts(&self, rest: &str, at_end: bool) -> Match<Vec<usize>> {
        let run: String = rest.chars().take_while(|c| superscript(*c).is_some()).collect();
        if run.len() == rest.len() && !at_end {
            return Match::Wait;
        }
        let before: String = self.line.chars().rev().take_while(|c| c.is_alphanumeric()).collect();
        let is_word = before.chars().count() >= 3 && before.chars().all(char::is_alphabetic);
        let is_end = self.line.ends_with(['.', '!', '?', ',', ')', '"', '”', '»', ' ']);
        let digits: Vec<usize> = run.chars().filter_map(superscript).collect();
        let whole = digits.iter().take(DIGITS).fold(0, |number, digit| number * 10 + digit);
        let is_known = |number: usize| (1..=self.passages).contains(&number);
        let numbers = match is_known(whole) {
            true => vec![whole],
            false => digits,
        };
        match (is_word || is_end) && numbers.iter().all(|number| is_known(*number)) {
            true => Match::Yes(run.len(), numbers),
            false => Match::No,
        }
    }
}

/// Text without marks of lists, headings and emphasis before it.
fn unadorned(line: &str) -> &str {
    line.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '*' | '_' | '#' | '>' | '-' | '•'))
}

/// A heading of a list of sources with the rest of its line; true: it stands alone.
fn source_list(rest: &str, at_end: bool) -> Match<bool> {
    let (line, length, complete) = match rest.split_once('\n') {
        Some((line, _)) => (line, line.len() + 1, true),
        None => (rest, rest.len(), at_end),
    };
    let bare = unadorned(line);
    let word: String = bare.chars().take_while(|c| c.is_alphabetic()).collect();
    let lower = word.to_lowercase();
    if lower.is_empty() {
        return if bare.is_empty() && !complete { Match::Wait } else { Match::No };
    }
    let after = bare.get(word.len()..).unwrap_or_default();
    if after.is_empty() && !complete {
        let may_be = LIST_HEADINGS.iter().any(|heading| heading.starts_with(&lower));
        return if may_be { Match::Wait } else { Match::No };
    }
    if !LIST_HEADINGS.contains(&lower.as_str()) {
        return Match::No;
    }
    let ornament = |c: char| c.is_whitespace() || matches!(c, '*' | '_');
    let after = after.trim_start_matches(ornament);
    match after.strip_prefix(':') {
        None if after.is_empty() => {
            if complete {
                Match::Yes(length, true)
            } else {
                Match::Wait
            }
        }
        None => Match::No,
        Some(_) if !complete => Match::Wait,
        Some(body) => match body.trim_start_matches(ornament) {
            "" => Match::Yes(length, true),
            body if is_reference(body) => Match::Yes(length, false),
            _ => Match::No,
        },
    }
}

/// Whether an entry of a list names a source: by a marker, a file or an address.
fn is_reference(entry: &str) -> bool {
    let entry = unadorned(entry);
    let digits = entry.trim_start_matches(|c: char| c.is_ascii_digit());
    let entry = match digits.strip_prefix(['.', ')']) {
        Some(after) if digits.len() < entry.len() => after.trim_start(),
        _ => entry,
    };
    if matches!(bracketed(entry, true), Match::Yes(..)) || matches!(lenticular(entry, true), Match::Yes(..)) {
        return true;
    }
    if entry.chars().next().is_some_and(|c| superscript(c).is_some()) {
        return true;
    }
    let mut words = entry.split_whitespace();
    let first = words.next().unwrap_or_default();
    let is_numbered = MARKER_WORDS.contains(&first.to_lowercase().as_str())
        && words.next().is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    let file = first.trim_end_matches([',', ';', '.', ')']);
    let is_file = file.rsplit_once('.').is_some_and(|(name, ending)| {
        !name.is_empty() && (2..=5).contains(&ending.len()) && ending.chars().all(char::is_alphanumeric)
    });
    is_numbered || is_file || first.contains("://")
}

/// A marker in brackets, or in parentheses with a word of [`MARKER_WORDS`] or with brackets in it.
fn bracketed(rest: &str, at_end: bool) -> Match<Vec<usize>> {
    let mut numbers: Vec<usize> = Vec::new();
    let (mut digits, mut word) = (String::new(), String::new());
    let (mut depth, mut is_range, mut is_named) = (0_usize, false, !rest.starts_with(['(', '（']));
    let mut before = ' ';
    for (count, (at, c)) in rest.char_indices().enumerate() {
        if count == MARKER_LENGTH {
            return Match::No;
        }
        if !c.is_ascii_digit() && !digits.is_empty() {
            let Ok(number) = digits.parse::<usize>() else { return Match::No };
            digits.clear();
            match (std::mem::take(&mut is_range), numbers.last().copied()) {
                (true, Some(first)) if first < number && number - first < RANGE => {
                    numbers.extend(first + 1..=number);
                }
                _ => numbers.push(number),
            }
        }
        if !c.is_alphabetic() && !word.is_empty() {
            if !MARKER_WORDS.contains(&word.as_str()) {
                return Match::No;
            }
            // Of `(and 1)`, the word says nothing.
            is_named |= word.len() > 2;
            word.clear();
        }
        match c {
            '[' | '［' | '〔' | '(' | '（' if depth < 2 => {
                is_named |= depth > 0 && c == '[';
                depth += 1;
            }
            ']' | '］' | '〕' | ')' | '）' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    let length = at + c.len_utf8();
                    return match is_named && !numbers.is_empty() {
                        true => link(rest, length, numbers, at_end),
                        false => Match::No,
                    };
                }
            }
            c if c.is_ascii_digit() => {
                let is_decimal = before == '.' && rest.get(..at).is_some_and(after_digit);
                if digits.len() == DIGITS || is_decimal {
                    return Match::No;
                }
                digits.push(c);
            }
            '-' | '–' | '—' | '‑' if before.is_ascii_digit() => is_range = true,
            ' ' | ',' | ';' | '&' | '#' | '^' => {}
            '.' | ':' if before.is_alphanumeric() => {
                if c == ':' && before.is_ascii_digit() {
                    return Match::No;
                }
            }
            c if c.is_alphabetic() => {
                word.extend(c.to_lowercase());
                if !MARKER_WORDS.iter().any(|known| known.starts_with(&word)) {
                    return Match::No;
                }
            }
            _ => return Match::No,
        }
        before = c;
    }
    if at_end { Match::No } else { Match::Wait }
}

/// Whether a text ends with a digit and a dot.
fn after_digit(text: &str) -> bool {
    text.strip_suffix('.').is_some_and(|text| text.ends_with(|c: char| c.is_ascii_digit()))
}

/// A marker with the address that it may link to.
fn link(rest: &str, length: usize, numbers: Vec<usize>, at_end: bool) -> Match<Vec<usize>> {
    let after = rest.get(length..).unwrap_or_default();
    if after.is_empty() && !at_end {
        return Match::Wait;
    }
    let Some(address) = after.strip_prefix('(') else { return Match::Yes(length, numbers) };
    let is_address = ["#", "/", "http"].iter().any(|start| address.starts_with(start));
    let may_be = !at_end && ["#", "/", "http"].iter().any(|start| start.starts_with(address));
    let end = address.char_indices().take(4 * MARKER_LENGTH).find(|(_, c)| c.is_whitespace() || *c == ')');
    match end {
        Some((at, ')')) if is_address => Match::Yes(length + at + 2, numbers),
        None if (is_address || may_be) && !at_end && address.chars().count() < 4 * MARKER_LENGTH => {
            Match::Wait
        }
        _ => Match::Yes(length, numbers),
    }
}

/// `【1】`, `【1†source】`, `【4:0†shop.md】`.
fn lenticular(rest: &str, at_end: bool) -> Match<Vec<usize>> {
    let Some(inner) = rest.strip_prefix('【') else { return Match::No };
    let within = |c: &char| *c != '】' && *c != '\n';
    let text: String = inner.chars().take(MARKER_LENGTH).take_while(within).collect();
    let head = text.split(['†', ':']).next().unwrap_or_default();
    let is_number = text.is_empty()
        || (head.starts_with(|c: char| c.is_ascii_digit())
            && head.chars().all(|c| c.is_ascii_digit() || matches!(c, ',' | ';' | ' ')));
    match inner.get(text.len()..).and_then(|after| after.chars().next()) {
        Some('】') if is_number && !text.is_empty() => {
            let numbers = head.split([',', ';', ' ']).filter_map(|number| number.parse().ok()).collect();
            Match::Yes(text.len() + 2 * '【'.len_utf8(), numbers)
        }
        None if is_number && !at_end => Match::Wait,
        _ => Match::No,
    }
}

/// `<sup>1</sup>`.
fn superscript_tag(rest: &str, at_end: bool) -> Match<Vec<usize>> {
    const OPEN: &str = "<sup>";
    const CLOSE: &str = "</sup>";
    let Some(inner) = rest.strip_prefix(OPEN) else {
        return if OPEN.starts_with(rest) && !at_end { Match::Wait } else { Match::No };
    };
    let allowed = |c: &char| c.is_ascii_digit() || matches!(c, ' ' | ',' | '[' | ']' | '^');
    let text: String = inner.chars().take(MARKER_LENGTH).take_while(allowed).collect();
    let after = inner.get(text.len()..).unwrap_or_default();
    if after.starts_with(CLOSE) {
        let numbers: Vec<usize> =
            text.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect();
        return match numbers.is_empty() {
            true => Match::No,
            false => Match::Yes(OPEN.len() + text.len() + CLOSE.len(), numbers),
        };
    }
    if CLOSE.starts_with(after) && !at_end { Match::Wait } else { Match::No }
}

fn superscript(c: char) -> Option<usize> {
    "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().position(|digit| digit == c)
}

/// The token with what surrounds it; in brackets in any case, else exactly as it is.
fn token(rest: &str, at_end: bool, before: Option<char>) -> Match<()> {
    let core = rest.trim_start_matches(WRAPPERS);
    let wrapped = rest.len() - core.len();
    let inner = core.trim_start_matches(['[', '【', '\\']);
    let is_bracketed = inner.len() < core.len();
    if wrapped == 0 && !is_bracketed && !inner.starts_with('N') {
        return Match::No;
    }
    let is_in_word = !core.is_empty() && !is_bracketed && before.is_some_and(char::is_alphanumeric);
    if wrapped > 8 || core.len() - inner.len() > 8 || is_in_word {
        return Match::No;
    }
    let mut wanted = TOKEN.chars().peekable();
    let (mut matched, mut end) = (0, inner.len());
    for (at, c) in inner.char_indices() {
        let Some(next) = wanted.peek().copied() else {
            end = at;
            break;
        };
        let is_same = match is_bracketed {
            true => c.eq_ignore_ascii_case(&next) || (next == '_' && matches!(c, ' ' | '-')),
            false => c == next,
        };
        if is_same {
            wanted.next();
            matched += 1;
        } else if c != '\\' {
            return Match::No;
        }
    }
    if wanted.peek().is_some() {
        return match (at_end, matched >= TOKEN_BEGUN) {
            (false, _) => Match::Wait,
            (true, true) => Match::Yes(rest.len(), ()),
            (true, false) => Match::No,
        };
    }
    let after = inner.get(end..).unwrap_or_default();
    let ends = |c: char| WRAPPERS.contains(&c) || matches!(c, ']' | '】' | '\\' | '.' | '!' | ')');
    let left = after.trim_start_matches(ends);
    if left.is_empty() && !at_end { Match::Wait } else { Match::Yes(rest.len() - left.len(), ()) }
}
