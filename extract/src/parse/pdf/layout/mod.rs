//! Layout of PDF pages: positioned characters to Markdown in reading order.
//!
//! A page is divided by direction of writing ([`frame`]). For each direction, characters become words
//! ([`piece`]) and lines ([`lines`]). Ruled tables ([`lattice`]) and boxes ([`areas`]) are taken out. Gutters
//! divide the rest into columns ([`region`]). Lines become headings, paragraphs and lists ([`blocks`]). Every
//! step is bounded and at most quadratic in the words of one line.

mod aligned;
mod areas;
mod blocks;
mod cells;
mod characters;
mod code;
mod columns;
mod drop_caps;
mod extras;
mod fractions;
mod frame;
mod inline;
mod joining;
mod lattice;
mod line_text;
mod lines;
mod margins;
mod markers;
mod piece;
mod region;
mod rtl;
mod ruby;
mod seen;
mod styles;
#[cfg(test)]
mod tests;

use blocks::{Block, Context, Kind, blocks};
use frame::Frame;
use joining::Vocabulary;
use lines::lines;
use piece::Piece;
use region::{Node, Placed, Region};
use styles::{Census, Styles};

use super::page::{Area, Link, Page, Rect, Rule};

/// Maximum number of drawn lines of a page that gutters must not cross.
const MAX_RULES: usize = 500;

/// Height of the areas for running headers at the edges of a page, as a share of the height of the page.
const EDGE: f32 = 0.08;

/// A direction of writing of a page, as words.
struct Words {
    pieces: Vec<Piece>,
    rules: Vec<Rule>,
    areas: Vec<Area>,
    links: Vec<Link>,
    width: f32,
    height: f32,
    angle: u16,
    vertical: bool,
    angled: bool,
    upright: bool,
}

/// Appends the continuation of a text from another line, such as the first line of the next page.
pub(super) fn join(text: &mut String, next: &str) {
    joining::join(text, next, &Vocabulary::default());
}

/// Renders the pages as Markdown.
pub(super) fn render(pages: &[Page]) -> Vec<String> {
    let mut census = Census::default();
    let mut words = Vocabulary::default();
    let prepared: Vec<Vec<Words>> =
        pages.iter().map(|page| frame::frames(page).into_iter().map(prepare).collect()).collect();
    for part in prepared.iter().flatten() {
        for line in lines(part.pieces.clone()) {
            let edge = line.baseline < EDGE * part.height || line.baseline > (1.0 - EDGE) * part.height;
            census.add(&line, edge);
            words.add(&line_text::text(&line));
        }
    }
    let styles = census.styles();
    pages.iter().zip(prepared).map(|(page, parts)| render_page(page, parts, &styles, &words)).collect()
}

fn prepare(frame: Frame) -> Words {
    let angled = !frame.is_right_angled();
    let upright = frame.angle == 0 && !frame.vertical;
    Words {
        pieces: piece::pieces(frame.glyphs, &frame.links),
        rules: frame.rules,
        areas: frame.areas,
        links: frame.links,
        width: frame.width,
        height: frame.height,
        angle: frame.angle,
        vertical: frame.vertical,
        angled,
        upright,
    }
}

fn render_page(page: &Page, parts: Vec<Words>, styles: &Styles, words: &Vocabulary) -> String {
    let mut parts = parts;
    set_upright(page, &mut parts);
    let mut text = String::new();
    for part in parts {
        let markdown = render_part(page, part, styles, words);
        if !text.is_empty() && !markdown.is_empty() {
            text.push_str("\n\n");
        }
        text.push_str(&markdown);
    }
    text
}

/// Moves turned words inside ruled tables, such as the headings of narrow columns, to the upright words.
fn set_upright(page: &Page, parts: &mut [Words]) {
    let Some(main) = parts.first().filter(|part| part.upright) else { return };
    let places = if parts.len() > 1 { lattice::places(&main.rules) } else { Vec::new() };
    if places.is_empty() {
        return;
    }
    let mut moved = Vec::new();
    for part in
        parts.iter_mut().filter(|part| !part.angled && !part.vertical && matches!(part.angle, 90 | 270))
    {
        let mut kept = Vec::new();
        for line in lines(std::mem::take(&mut part.pieces)).iter().flat_map(|line| line.segments(line.size)) {
            let rect = frame::turn_back(&line.rect, page, part.angle);
            if places.iter().any(|place| piece::contains(place, piece::centre(&rect))) {
                let (bold, size) = (line.bold, line.size);
                let text = line_text::text(&line);
                moved.push(Piece { rect, baseline: rect.y1, size, text, bold, ..Piece::default() });
            } else {
                kept.extend(line.pieces);
            }
        }
        part.pieces = kept;
    }
    if let Some(main) = parts.first_mut() {
        main.pieces.append(&mut moved);
    }
}

fn render_part(page: &Page, part: Words, styles: &Styles, words: &Vocabulary) -> String {
    let Words { mut pieces, rules, areas, links, width, height, angled, upright, .. } = part;
    let starred = markers::is_starred(&pieces);
    let context = Context { styles, words, starred };
    let mut number = None;
    let nodes = if angled {
        pieces.sort_by_key(|piece| piece.order);
        vec![Node::Block(pieces.iter().map(line_text::piece).collect::<Vec<_>>().join(" "))]
    } else {
        let mut placed = Vec::new();
        if upright {
            extras::add_fields(page, &mut pieces);
            placed = extras::notes(&page.notes);
        }
        ruby::drop_readings(&mut pieces);
        fractions::flatten(&rules, &mut pieces);
        number = margins::take_page_number(&mut pieces, height);
        margins::remove_line_numbers(&mut pieces);
        drop_caps::lower(&mut pieces, styles.body);
        for table in lattice::tables(&rules, &mut pieces) {
            placed.push(Placed { rect: table.rect, node: Node::Block(table.cells.markdown()) });
        }
        let boxes = areas::take(&areas, &mut pieces, styles.body, width);
        placed.extend(boxes);
        let across = rules.iter().filter(|rule| {
            (rule.y1 - rule.y0).abs() < 1.0
                && rule.x1 - rule.x0 > 5.0 * styles.body
                && !placed.iter().any(|part| piece::contains(&part.rect, (rule.x0 + 1.0, rule.y0)))
        });
        let rules = across
            .take(MAX_RULES)
            .map(|rule| Rect { x0: rule.x0, y0: rule.y0, x1: rule.x1, y1: rule.y1 })
            .collect();
        region::read(Region { pieces, placed, rules }, styles.body)
    };
    let mut page_blocks = Vec::new();
    let mut notes = Vec::new();
    collect(nodes, context, &mut page_blocks, &mut notes);
    page_blocks.append(&mut notes);
    page_blocks.extend(number.map(Block::done));
    write(&page_blocks, &links, styles)
}

/// Forms the blocks of the parts of a page. The notes at its foot are kept separate.
fn collect(nodes: Vec<Node>, context: Context<'_>, all: &mut Vec<Block>, notes: &mut Vec<Block>) {
    let mut after_lines = false;
    for node in nodes {
        let lines_before = std::mem::take(&mut after_lines);
        match node {
            Node::Block(text) => all.push(Block::done(text)),
            Node::Apart(nodes) => {
                let mut apart = Vec::new();
                collect(nodes, context, &mut apart, notes);
                all.append(&mut apart);
            }
            Node::Lines(lines) => {
                let mut first = true;
                let mut noted = false;
                for block in blocks(&lines, context) {
                    // A note is followed only by other notes or the footer of the page.
                    noted |= block.kind == Kind::Note;
                    if noted {
                        notes.push(block);
                        continue;
                    }
                    let goes_on =
                        first && lines_before && all.last().is_some_and(|last| continues(last, &block));
                    first = false;
                    match all.last_mut() {
                        Some(last) if goes_on => {
                            last.text.join(&block.text, context.words);
                            last.open = block.open;
                        }
                        _ => all.push(block),
                    }
                }
                after_lines = true;
            }
        }
    }
}

/// Whether a paragraph continues at the top of the next column.
fn continues(last: &Block, next: &Block) -> bool {
    let text = last.text.as_str().trim_end();
    let ended = text.ends_with(['.', '!', '?', ':', '。', '！', '？', '」']);
    matches!(last.kind, Kind::Paragraph | Kind::Item(..))
        && next.kind == Kind::Paragraph
        && last.open
        && !ended
        && next.text.as_str().starts_with(|c: char| c.is_lowercase() || characters::is_wide(c))
}

fn write(blocks: &[Block], links: &[Link], styles: &Styles) -> String {
    let mut text = String::new();
    let mut above: Option<Kind> = None;
    for block in blocks {
        let markdown = block.markdown(links, styles);
        if markdown.trim().is_empty() {
            continue;
        }
        if let Some(above) = above {
            let listed = matches!((above, block.kind), (Kind::Item(..), Kind::Item(..)));
            text.push_str(if listed { "\n" } else { "\n\n" });
        }
        text.push_str(&markdown);
        above = Some(block.kind);
    }
    text
}
