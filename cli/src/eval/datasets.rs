//! Reads public question sets: SQuAD files, and folders of paragraphs with questions.
//!
//! Formats only. [`super::plan`] selects the questions.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Paragraphs and their questions, in one language.
#[derive(Clone, Debug, Default)]
pub(crate) struct Set {
    /// Name in reports, for example `xquad-es`.
    pub(crate) name: String,
    pub(crate) language: String,
    pub(crate) paragraphs: Vec<Paragraph>,
    pub(crate) questions: Vec<SetQuestion>,
    /// Whether each paragraph has the question it answers as its title.
    pub(crate) is_faq: bool,
}

/// A paragraph of an article.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Paragraph {
    pub(crate) id: String,
    pub(crate) article: String,
    #[serde(default)]
    pub(crate) title: String,
    pub(crate) text: String,
    #[serde(default = "english")]
    lang: String,
}

/// A question about a paragraph.
#[derive(Clone, Debug)]
pub(crate) struct SetQuestion {
    pub(crate) id: String,
    /// Id of the paragraph.
    pub(crate) paragraph: String,
    pub(crate) question: String,
    /// Gold answers. Empty: the paragraph does not answer the question.
    pub(crate) gold: Vec<String>,
}

/// Question sets, and questions that none of them answers, as (language, question).
#[derive(Clone, Debug, Default)]
pub(crate) struct Datasets {
    pub(crate) sets: Vec<Set>,
    pub(crate) off_natural: Vec<(String, String)>,
}

impl Datasets {
    /// Reads a folder of sets.
    pub(crate) fn read_folder(folder: &Path) -> anyhow::Result<Self> {
        let mut names = Vec::new();
        let listed =
            std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
        for entry in listed {
            names.extend(entry?.file_name().into_string().ok());
        }
        names.sort();
        let mut datasets = Self::default();
        for name in names.iter().filter(|name| !name.ends_with(".paragraphs.jsonl")) {
            let path = folder.join(name);
            let set = if let Some(stem) = name.strip_suffix(".questions.jsonl") {
                read_pair(folder, stem)?
            } else if let Some(stem) = name.strip_suffix(".jsonl") {
                datasets.add_plain(&path, stem)?;
                continue;
            } else if name.ends_with(".json") {
                read_squad(&path)?
            } else {
                continue;
            };
            datasets.sets.push(set);
        }
        if datasets.sets.is_empty() {
            bail!(
                "{} contains neither NAME.questions.jsonl with NAME.paragraphs.jsonl nor a SQuAD file",
                folder.display()
            );
        }
        Ok(datasets)
    }

    /// Adds a file without paragraphs. Questions with answers form a FAQ set; the others are off-topic questions.
    fn add_plain(&mut self, path: &Path, stem: &str) -> anyhow::Result<()> {
        let mut faqs: BTreeMap<String, Set> = BTreeMap::new();
        for (index, line) in lines::<PlainLine>(path)?.into_iter().enumerate() {
            let Some(answer) = line.answer else {
                self.off_natural.push((line.lang, line.question));
                continue;
            };
            let set = faqs.entry(line.lang.clone()).or_insert_with(|| Set {
                name: format!("{stem}-{}", line.lang),
                language: line.lang.clone(),
                is_faq: true,
                ..Set::default()
            });
            let id = if line.id.is_empty() { format!("{stem}-{index}") } else { line.id };
            let text = one_line(&answer);
            set.questions.push(SetQuestion {
                id: id.clone(),
                paragraph: id.clone(),
                question: one_line(&line.question),
                gold: vec![text.clone()],
            });
            let title = one_line(&line.question);
            set.paragraphs.push(Paragraph { article: id.clone(), id, title, text, lang: line.lang });
        }
        self.sets.extend(faqs.into_values());
        Ok(())
    }
}

/// Reads `STEM.paragraphs.jsonl` and `STEM.questions.jsonl`.
pub(crate) fn read_pair(folder: &Path, stem: &str) -> anyhow::Result<Set> {
    let mut paragraphs: Vec<Paragraph> = lines(&folder.join(format!("{stem}.paragraphs.jsonl")))?;
    for paragraph in &mut paragraphs {
        paragraph.text = one_line(&paragraph.text);
        paragraph.title = one_line(&paragraph.title.replace('_', " "));
    }
    let questions: Vec<QuestionLine> = lines(&folder.join(format!("{stem}.questions.jsonl")))?;
    let language = paragraphs.first().map_or_else(english, |paragraph| paragraph.lang.clone());
    let questions = questions
        .into_iter()
        .map(|line| SetQuestion {
            id: line.id,
            paragraph: line.par,
            question: one_line(&line.question),
            gold: if line.kind == "hard" { Vec::new() } else { distinct_answers(line.answers) },
        })
        .collect();
    Ok(Set { name: stem.to_owned(), language, paragraphs, questions, is_faq: false })
}

/// Reads a SQuAD 1.1 or 2.0 file. The language comes from the end of the file name (`dev-es.json`); default English.
pub(crate) fn read_squad(path: &Path) -> anyhow::Result<Set> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let squad: Squad = serde_json::from_str(&text)
        .with_context(|| format!("{} is not a SQuAD file ({{\"data\": [...]}})", path.display()))?;
    let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("squad").to_owned();
    let language = language_of(&name);
    let mut set = Set { name, language: language.clone(), ..Set::default() };
    for (number, article) in squad.data.into_iter().enumerate() {
        let article_id = format!("article-{number:03}");
        for (index, paragraph) in article.paragraphs.into_iter().enumerate() {
            let id = format!("{article_id}-{index:03}");
            for question in paragraph.qas {
                let answers = question.answers.into_iter().map(|answer| answer.text).collect();
                set.questions.push(SetQuestion {
                    id: question.id,
                    paragraph: id.clone(),
                    question: one_line(&question.question),
                    gold: if question.is_impossible { Vec::new() } else { distinct_answers(answers) },
                });
            }
            set.paragraphs.push(Paragraph {
                id,
                article: article_id.clone(),
                title: one_line(&article.title.replace('_', " ")),
                text: one_line(&paragraph.context),
                lang: language.clone(),
            });
        }
    }
    Ok(set)
}

fn lines<T: DeserializeOwned>(path: &Path) -> anyhow::Result<Vec<T>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(index, line)| {
            serde_json::from_str(line)
                .with_context(|| format!("{}: unexpected format in line {}", path.display(), index + 1))
        })
        .collect()
}

fn distinct_answers(answers: Vec<String>) -> Vec<String> {
    let mut gold: Vec<String> = Vec::new();
    for answer in answers.iter().map(|answer| one_line(answer)) {
        if !answer.is_empty() && !gold.contains(&answer) {
            gold.push(answer);
        }
    }
    gold
}

/// Joins a text into one line and drops what source storage drops, so that the stored text contains it verbatim.
fn one_line(text: &str) -> String {
    let kept = text.replace('\u{feff}', "");
    let kept: String = kept.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    kept.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn language_of(name: &str) -> String {
    const LANGUAGES: [&str; 6] = ["en", "es", "fr", "de", "it", "pt"];
    let parts = name.split(['-', '_', '.']).rev();
    parts.map(str::to_lowercase).find(|part| LANGUAGES.contains(&part.as_str())).unwrap_or_else(english)
}

fn english() -> String {
    "en".to_owned()
}

#[derive(Deserialize)]
struct QuestionLine {
    id: String,
    kind: String,
    par: String,
    question: String,
    #[serde(default)]
    answers: Vec<String>,
}

#[derive(Deserialize)]
struct PlainLine {
    #[serde(default)]
    id: String,
    #[serde(default = "english")]
    lang: String,
    question: String,
    answer: Option<String>,
}

#[derive(Deserialize)]
struct Squad {
    data: Vec<SquadArticle>,
}

#[derive(Deserialize)]
struct SquadArticle {
    #[serde(default)]
    title: String,
    paragraphs: Vec<SquadParagraph>,
}

#[derive(Deserialize)]
struct SquadParagraph {
    context: String,
    qas: Vec<SquadQuestion>,
}

#[derive(Deserialize)]
struct SquadQuestion {
    id: String,
    question: String,
    #[serde(default)]
    answers: Vec<SquadAnswer>,
    #[serde(default)]
    is_impossible: bool,
}

#[derive(Deserialize)]
struct SquadAnswer {
    text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squad_file_yields_paragraphs_and_impossible_questions() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dev-es.json");
        let squad = r#"{"data": [{"title": "La_casa", "paragraphs": [{"context": "\ufeffEs  azul.\nY alta.",
            "qas": [{"id": "a", "question": "¿Color?", "answers": [{"text": "azul"}, {"text": "azul"}]},
                {"id": "b", "question": "¿Edad?", "answers": [{"text": "alta"}], "is_impossible": true}]}]}]}"#;
        std::fs::write(&path, squad).unwrap();
        let set = read_squad(&path).unwrap();
        assert_eq!((set.name.as_str(), set.language.as_str()), ("dev-es", "es"));
        assert_eq!((&*set.paragraphs[0].text, &*set.paragraphs[0].title), ("Es azul. Y alta.", "La casa"));
        assert_eq!((&set.questions[0].gold, &set.questions[1].gold), (&vec!["azul".to_owned()], &vec![]));
    }

    #[test]
    fn folder_yields_pairs_faqs_and_off_topic_questions() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write(
            "x-fr.paragraphs.jsonl",
            r#"{"id": "p", "article": "a", "lang": "fr", "text": "Trente jours."}"#,
        );
        let question =
            r#"{"id": "q", "kind": "hard", "par": "p", "question": "Quand ?", "answers": ["jours"]}"#;
        write("x-fr.questions.jsonl", question);
        write("faq.jsonl", r#"{"id": "f", "lang": "de", "question": "Wann?", "answer": "Heute."}"#);
        write("bank.jsonl", r#"{"lang": "en", "kind": "off_topic", "question": "Where is my card?"}"#);
        let datasets = Datasets::read_folder(folder.path()).unwrap();
        let names: Vec<&str> = datasets.sets.iter().map(|set| set.name.as_str()).collect();
        assert_eq!(names, ["faq-de", "x-fr"]);
        assert!(datasets.sets[0].is_faq && datasets.sets[1].questions[0].gold.is_empty());
        assert_eq!(datasets.off_natural, [("en".to_owned(), "Where is my card?".to_owned())]);
    }
}
