//! Test of the layering: the top-level modules of this crate must not import each other in a circle.
//!
//! An arrow is a `crate::…` path outside of comments and tests. `lib.rs` lists the layers.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The only circle allowed: a bot reindexes its knowledge, and knowledge reads the language of its bot.
const ALLOWED: [&str; 2] = ["bots", "knowledge"];

/// Arrows between modules, each with the places it comes from.
type Arrows = BTreeMap<(String, String), BTreeSet<String>>;

#[test]
fn top_level_modules_have_no_circle() {
    let problems = circles(&read_arrows());
    assert!(problems.is_empty(), "modules of parlance-core import each other in a circle:\n{problems}");
}

#[test]
fn a_circle_is_reported_with_its_arrows() {
    let arrow =
        |from: &str, to: &str| ((from.to_owned(), to.to_owned()), BTreeSet::from([format!("{from}.rs")]));
    let allowed =
        Arrows::from([arrow("bots", "knowledge"), arrow("knowledge", "bots"), arrow("bots", "jobs")]);
    assert_eq!(circles(&allowed), "");
    let mut wrong = allowed;
    wrong.extend([arrow("jobs", "purge"), arrow("purge", "bots")]);
    let problems = circles(&wrong);
    for arrow in ["bots -> jobs (bots.rs)", "jobs -> purge (jobs.rs)", "purge -> bots (purge.rs)"] {
        assert!(problems.contains(arrow), "{arrow}\n{problems}");
    }
}

#[test]
fn references_are_found_outside_of_comments_and_tests() {
    let source = "use crate::{a::X, b::{Y, Z}, c};\n// crate::d\nfn f() { crate::e::g(); $crate::h!() }\n\
                  #[cfg(test)]\nmod tests {\n    use crate::i;\n}\n";
    assert_eq!(references(source).collect::<Vec<_>>(), ["a", "b", "c", "e", "h"]);
}

/// One line per arrow that is part of a circle.
fn circles(arrows: &Arrows) -> String {
    let mut reaches: BTreeSet<(&str, &str)> =
        arrows.keys().map(|(from, to)| (from.as_str(), to.as_str())).collect();
    let modules: BTreeSet<&str> = reaches.iter().flat_map(|(from, to)| [*from, *to]).collect();
    for via in &modules {
        for from in &modules {
            for to in &modules {
                if reaches.contains(&(*from, *via)) && reaches.contains(&(*via, *to)) {
                    reaches.insert((*from, *to));
                }
            }
        }
    }
    // The modules that a module reaches and that reach it.
    let circle_of = |module: &str| -> Vec<&str> {
        let both =
            |other: &&&str| reaches.contains(&(module, **other)) && reaches.contains(&(**other, module));
        modules.iter().filter(both).copied().collect()
    };
    let wrong = arrows.iter().filter(|((from, to), _)| {
        let circle = circle_of(from);
        circle.contains(&to.as_str()) && circle != ALLOWED
    });
    wrong
        .map(|((from, to), places)| {
            let places: Vec<&str> = places.iter().map(String::as_str).collect();
            format!("  {from} -> {to} ({})\n", places.join(", "))
        })
        .collect()
}

fn read_arrows() -> Arrows {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let lib = std::fs::read_to_string(root.join("lib.rs")).unwrap();
    let modules: BTreeSet<&str> = lib.lines().filter_map(declared_module).collect();
    let reexports: BTreeMap<&str, &str> = lib.lines().filter_map(reexported).flatten().collect();
    let mut arrows = Arrows::new();
    for file in source_files(&root) {
        let place = file.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
        let from = place.split('/').next().unwrap_or_default().trim_end_matches(".rs").to_owned();
        if ["lib", "layers"].contains(&from.as_str()) || place.ends_with("tests.rs") {
            continue;
        }
        for name in references(&std::fs::read_to_string(&file).unwrap()) {
            let to = reexports.get(name).copied().unwrap_or(name);
            if modules.contains(to) && from != to {
                arrows.entry((from.clone(), to.to_owned())).or_default().insert(place.clone());
            }
        }
    }
    assert!(arrows.len() > 30, "the arrows were not read: {arrows:?}");
    arrows
}

/// The module that a line of `lib.rs` declares.
fn declared_module(line: &str) -> Option<&str> {
    let line = line.strip_prefix("pub ").unwrap_or(line);
    line.strip_prefix("mod ")?.strip_suffix(';')
}

/// The names that a line of `lib.rs` re-exports, each with its module.
fn reexported(line: &str) -> Option<Vec<(&str, &str)>> {
    let (module, names) = line.strip_prefix("pub use ")?.strip_suffix(';')?.split_once("::")?;
    let names = names.trim_matches(['{', '}']).split(", ");
    Some(names.map(|name| (name, module)).collect())
}

fn source_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| if path.is_dir() { source_files(&path) } else { vec![path] });
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// The first segment of every `crate::…` path outside of comments and of the test module at the end.
fn references(source: &str) -> impl Iterator<Item = &str> {
    let code = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = code.split_inclusive('\n').scan(0, |start, line| {
        let at = *start;
        *start += line.len();
        Some((at, line))
    });
    let paths = lines.filter(|(_, line)| !line.trim_start().starts_with("//")).flat_map(|(at, line)| {
        line.match_indices("crate::").filter_map(move |(column, found)| {
            let before = line.get(..column)?.chars().next_back();
            let is_path = before.is_none_or(|c| !(c.is_alphanumeric() || c == '_'));
            is_path.then_some(at + column + found.len())
        })
    });
    paths.flat_map(move |at| first_segments(code.get(at..).unwrap_or_default()))
}

/// The first segments of a path, or of each path of a group in braces.
fn first_segments(path: &str) -> Vec<&str> {
    let word = |text: &str| text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    let Some(group) = path.strip_prefix('{') else {
        return path.get(..word(path)).into_iter().collect();
    };
    let (mut depth, mut names, mut expects_name) = (0, Vec::new(), true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => expects_name = true,
            c if c.is_alphabetic() && depth == 0 && expects_name => {
                let rest = group.get(at..).unwrap_or_default();
                names.extend(rest.get(..word(rest)));
                expects_name = false;
            }
            _ => {}
        }
    }
    names
}
