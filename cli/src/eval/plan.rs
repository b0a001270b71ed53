//! Pure: which bots are made of question sets, and which questions they are asked. The same seed gives the same plan.
//!
//! The classes of questions: `answerable`; `hard` (SQuAD 2 "impossible", its paragraph is there); `heldout` (its
//! paragraph was left out, the neighbours are there); `off_topic` (about an article, or a set, that is not there);
//! `off_natural` (a customer's question to another company); `cross_language` (in another language than the bot's).

use std::collections::{BTreeMap, HashMap, HashSet};

use bytes::Bytes;
use clap::ValueEnum;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use super::corpora::{Corpora, Paragraph, Set, SetQuestion};
use super::exam::{self, Class, Document, Exam, Expected, Lesson, Question};
use super::questions::Split;

/// Paragraphs of a page at most; a longer article is several pages.
const PAGE: usize = 16;

/// Pages of a set that become bots.
const PAGES: usize = 12;

/// A page keeps its neighbours when one of this many paragraphs is left out.
const HELD_OUT: usize = 5;

/// Pages of fewer paragraphs are kept whole.
const SMALLEST: usize = 3;

/// One of this many articles stays out of a bot of a whole set, for questions about something else.
const OFF_TOPIC: usize = 8;

/// The language whose bots are asked in other languages.
const CROSS_LANGUAGE: &str = "en";

/// How the paragraphs of a set are shared out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Pages {
    /// A bot for each page of an article, its only source.
    One,
    /// A bot for each set, with a source for each paragraph.
    All,
}

/// What is chosen of question sets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice {
    pub(crate) pages: Pages,
    /// Only these pages: each set is halved by its pages, alternately.
    pub(crate) split: Option<Split>,
    /// Questions of each set and class.
    pub(crate) limit: usize,
    pub(crate) seed: u64,
}

/// The bots of the wanted sets and their questions. Other sets lend questions about other things, and translations.
pub(crate) fn plan(corpora: &Corpora, is_wanted: &dyn Fn(&str) -> bool, choice: Choice) -> Exam {
    let mut exam = Exam::default();
    for set in corpora.sets.iter().filter(|set| is_wanted(&set.name)) {
        // A generator for each set, so that a set is asked the same whatever stands beside it.
        let mut rng = StdRng::seed_from_u64(choice.seed ^ number_of(&set.name));
        let mut questions = Vec::new();
        for bot in bots(set, choice, &mut rng) {
            questions.extend(ask(corpora, set, &bot, choice.limit, &mut rng));
            exam.bots.push(bot.lesson);
        }
        exam.questions.extend(sample(questions, choice.limit, choice.seed));
    }
    let asked: HashSet<&str> = exam.questions.iter().map(|question| question.bot.as_str()).collect();
    exam.bots.retain(|bot| asked.contains(bot.name.as_str()));
    exam
}

/// A seeded sample of questions: at most so many of each set, class and kind, in their order.
pub(crate) fn sample(questions: Vec<Question>, limit: usize, seed: u64) -> Vec<Question> {
    let mut groups: BTreeMap<(String, Class, String), Vec<usize>> = BTreeMap::new();
    for (index, question) in questions.iter().enumerate() {
        let group = (question.set.clone(), question.class, question.kind.clone());
        groups.entry(group).or_default().push(index);
    }
    let mut chosen = HashSet::new();
    for ((set, class, kind), mut group) in groups {
        let name = format!("{set}/{}/{kind}", class.as_str());
        group.shuffle(&mut StdRng::seed_from_u64(seed ^ number_of(&name)));
        chosen.extend(group.into_iter().take(limit));
    }
    let numbered = questions.into_iter().enumerate();
    numbered.filter(|(index, _)| chosen.contains(index)).map(|(_, question)| question).collect()
}

/// FNV-1a: the same in every build.
fn number_of(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// A bot of a set.
struct Planned<'a> {
    lesson: Lesson,
    /// Where each paragraph of its knowledge is.
    source_of: HashMap<&'a str, String>,
    /// Paragraphs that its pages had, and its knowledge has not.
    left_out: HashSet<&'a str>,
    /// Articles of which it knows anything.
    articles: HashSet<&'a str>,
    /// Paragraphs on which it may be asked; `None`: all.
    asked: Option<HashSet<&'a str>>,
    whole_sources: bool,
}

fn bots<'a>(set: &'a Set, choice: Choice, rng: &mut StdRng) -> Vec<Planned<'a>> {
    let halves = |number: usize| match choice.split {
        None => true,
        Some(Split::Tune) => number.is_multiple_of(2),
        Some(Split::Check) => !number.is_multiple_of(2),
    };
    let pages = pages(set);
    match choice.pages {
        Pages::One => {
            let mut pages: Vec<(usize, Vec<&Paragraph>)> =
                pages.into_iter().enumerate().filter(|(number, _)| halves(*number)).collect();
            pages.shuffle(rng);
            pages.truncate(PAGES);
            pages.sort_by_key(|(number, _)| *number);
            pages.into_iter().map(|(number, page)| one_page(set, number, &page, rng)).collect()
        }
        Pages::All => {
            let wanted = pages.iter().enumerate().filter(|(number, _)| halves(*number));
            let asked = wanted.flat_map(|(_, page)| page.iter().map(|paragraph| &*paragraph.id)).collect();
            vec![Planned { asked: Some(asked), ..whole_set(set, rng) }]
        }
    }
}

/// The paragraphs of a set by pages: an article, or its parts of equal length, or as many entries of a FAQ.
fn pages(set: &Set) -> Vec<Vec<&Paragraph>> {
    let is_one_list = has_short_articles(set);
    let mut articles: Vec<Vec<&Paragraph>> = Vec::new();
    for paragraph in &set.paragraphs {
        match articles.last_mut() {
            Some(article)
                if is_one_list || article.first().is_some_and(|first| first.article == paragraph.article) =>
            {
                article.push(paragraph);
            }
            _ => articles.push(vec![paragraph]),
        }
    }
    let mut pages = Vec::new();
    for article in articles {
        let parts = article.len().div_ceil(PAGE).max(1);
        pages.extend(article.chunks(article.len().div_ceil(parts).max(1)).map(<[_]>::to_vec));
    }
    pages
}

/// Whether articles are single entries, as those of a FAQ are.
fn has_short_articles(set: &Set) -> bool {
    let articles: HashSet<&str> = set.paragraphs.iter().map(|paragraph| &*paragraph.article).collect();
    set.paragraphs.len() < 2 * articles.len()
}

/// A bot that knows one page, less the paragraphs that are left out.
fn one_page<'a>(set: &'a Set, number: usize, page: &[&'a Paragraph], rng: &mut StdRng) -> Planned<'a> {
    let left_out = left_out(set, page, rng);
    let kept = || page.iter().filter(|paragraph| !left_out.contains(&*paragraph.id));
    let source = if set.is_faq { "page.md" } else { "page.txt" };
    let mut text = match page.first() {
        Some(first) if !has_short_articles(set) => format!("{}\n\n", first.title),
        _ => String::new(),
    };
    for paragraph in kept() {
        text.push_str(&written(set, paragraph));
        text.push_str("\n\n");
    }
    Planned {
        lesson: Lesson {
            name: format!("{} page {}", set.name, number + 1),
            language: set.language.clone(),
            documents: vec![Document { name: source.to_owned(), bytes: Bytes::from(text) }],
        },
        source_of: kept().map(|paragraph| (&*paragraph.id, source.to_owned())).collect(),
        articles: page.iter().map(|paragraph| &*paragraph.article).collect(),
        left_out,
        asked: None,
        whole_sources: false,
    }
}

/// A bot that knows a whole set, less some articles and some paragraphs.
fn whole_set<'a>(set: &'a Set, rng: &mut StdRng) -> Planned<'a> {
    let mut articles: Vec<&str> = Vec::new();
    for paragraph in &set.paragraphs {
        if articles.last() != Some(&&*paragraph.article) {
            articles.push(&paragraph.article);
        }
    }
    articles.shuffle(rng);
    let missing = if has_short_articles(set) { 0 } else { articles.len().div_ceil(OFF_TOPIC) };
    let articles: HashSet<&str> = articles.into_iter().skip(missing).collect();
    let known: Vec<&Paragraph> =
        set.paragraphs.iter().filter(|paragraph| articles.contains(&*paragraph.article)).collect();
    let left_out = left_out(set, &known, rng);
    let mut documents = Vec::new();
    let mut source_of = HashMap::new();
    // The same text twice in a bot is one source.
    let mut source_of_text: HashMap<&str, String> = HashMap::new();
    for paragraph in known.iter().filter(|paragraph| !left_out.contains(&*paragraph.id)) {
        let name = source_of_text.entry(&paragraph.text).or_insert_with(|| {
            let name = format!("{}.{}", paragraph.id, if set.is_faq { "md" } else { "txt" });
            let bytes = Bytes::from(written(set, paragraph) + "\n");
            documents.push(Document { name: name.clone(), bytes });
            name
        });
        source_of.insert(&*paragraph.id, name.clone());
    }
    Planned {
        lesson: Lesson { name: set.name.clone(), language: set.language.clone(), documents },
        source_of,
        left_out,
        articles,
        asked: None,
        whole_sources: true,
    }
}

fn written(set: &Set, paragraph: &Paragraph) -> String {
    if set.is_faq { format!("## {}\n\n{}", paragraph.title, paragraph.text) } else { paragraph.text.clone() }
}

/// One in five paragraphs of those that answer something.
fn left_out<'a>(set: &'a Set, known: &[&'a Paragraph], rng: &mut StdRng) -> HashSet<&'a str> {
    if known.len() < SMALLEST {
        return HashSet::new();
    }
    let answering: HashSet<&str> = set
        .questions
        .iter()
        .filter(|question| !question.gold.is_empty())
        .map(|question| &*question.paragraph)
        .collect();
    let mut ids: Vec<&str> =
        known.iter().map(|paragraph| &*paragraph.id).filter(|id| answering.contains(id)).collect();
    ids.shuffle(rng);
    ids.truncate((known.len() + HELD_OUT / 2) / HELD_OUT);
    ids.into_iter().collect()
}

/// Every question that a bot of a set may be asked; those about other things are drawn.
fn ask(corpora: &Corpora, set: &Set, bot: &Planned<'_>, limit: usize, rng: &mut StdRng) -> Vec<Question> {
    let paragraphs: HashMap<&str, &Paragraph> =
        set.paragraphs.iter().map(|paragraph| (&*paragraph.id, paragraph)).collect();
    let may_ask =
        |question: &SetQuestion| bot.asked.as_ref().is_none_or(|asked| asked.contains(&*question.paragraph));
    let make = |id: &str, class: Class, question: &str| Question {
        id: id.to_owned(),
        set: set.name.clone(),
        bot: bot.lesson.name.clone(),
        language: set.language.clone(),
        kind: class.as_str().to_owned(),
        class,
        question: question.to_owned(),
        gold: Vec::new(),
        expected: Vec::new(),
    };
    let answerable = |class: Class, question: &SetQuestion, words: &str| {
        let source = bot.source_of.get(&*question.paragraph)?;
        let paragraph = paragraphs.get(&*question.paragraph)?;
        let expected = Expected {
            source: source.clone(),
            quote: Some(paragraph.text.clone()),
            facts: question.gold.clone(),
            whole_source: bot.whole_sources,
        };
        let (gold, expected) = (question.gold.clone(), vec![expected]);
        Some(Question { gold, expected, ..make(&question.id, class, words) })
    };
    let mut asked = Vec::new();
    for question in set.questions.iter().filter(|question| may_ask(question)) {
        let is_known = bot.source_of.contains_key(&*question.paragraph);
        if !question.gold.is_empty() {
            asked.extend(answerable(Class::Answerable, question, &question.question));
            if bot.left_out.contains(&*question.paragraph) {
                asked.push(make(&question.id, Class::Heldout, &question.question));
            }
        } else if is_known {
            asked.push(make(&question.id, Class::Hard, &question.question));
        }
    }
    for other in translations(corpora, set) {
        let words: HashMap<&str, &str> =
            other.questions.iter().map(|question| (&*question.id, &*question.question)).collect();
        for question in set.questions.iter().filter(|question| !question.gold.is_empty() && may_ask(question))
        {
            let Some(words) = words.get(&*question.id) else { continue };
            if let Some(question) = answerable(Class::CrossLanguage, question, words) {
                let language = exam::language_label(&other.language, &set.language);
                let set = format!("{}-to-{}", other.name, set.language);
                asked.push(Question { language, set, ..question });
            }
        }
    }
    for (class, mut pool) in
        [(Class::OffTopic, off_topic(corpora, set, bot)), (Class::OffNatural, off_natural(corpora, set))]
    {
        pool.shuffle(rng);
        asked.extend(pool.into_iter().take(limit).map(|(id, question)| make(id, class, question)));
    }
    asked
}

/// The sets in other languages with the same questions.
fn translations<'a>(corpora: &'a Corpora, set: &'a Set) -> impl Iterator<Item = &'a Set> {
    let is_asked = set.language == CROSS_LANGUAGE && !set.is_faq;
    corpora
        .sets
        .iter()
        .filter(move |other| is_asked && other.language != set.language && stem(other) == stem(set))
}

/// The name of a set without its language.
fn stem(set: &Set) -> &str {
    let end = set.name.strip_suffix(set.language.as_str());
    end.and_then(|end| end.strip_suffix(['-', '_', '.'])).unwrap_or(&set.name)
}

/// Questions about other articles; where articles are entries of one FAQ, about other sets, in the same language if
/// there are any.
fn off_topic<'a>(corpora: &'a Corpora, set: &'a Set, bot: &Planned<'_>) -> Vec<(&'a str, &'a str)> {
    let articles: HashMap<&str, &str> =
        set.paragraphs.iter().map(|paragraph| (&*paragraph.id, &*paragraph.article)).collect();
    let is_elsewhere = |question: &SetQuestion| {
        articles.get(&*question.paragraph).is_some_and(|article| !bot.articles.contains(article))
    };
    let asked = |set: &'a Set| {
        let answerable = set.questions.iter().filter(|question| !question.gold.is_empty());
        answerable.map(|question| (question, (&*question.id, &*question.question)))
    };
    let here: Vec<(&str, &str)> = match has_short_articles(set) {
        true => Vec::new(),
        false => asked(set).filter(|(question, _)| is_elsewhere(question)).map(|(_, told)| told).collect(),
    };
    if !here.is_empty() {
        return here;
    }
    let others = || corpora.sets.iter().filter(|other| stem(other) != stem(set));
    let of = |same_language: bool| {
        let wanted = others().filter(move |other| !same_language || other.language == set.language);
        wanted.flat_map(asked).map(|(_, told)| told).collect::<Vec<_>>()
    };
    let same = of(true);
    if same.is_empty() { of(false) } else { same }
}

fn off_natural<'a>(corpora: &'a Corpora, set: &Set) -> Vec<(&'a str, &'a str)> {
    let fitting = corpora.off_natural.iter().filter(|(language, _)| *language == set.language);
    fitting.map(|(_, question)| ("", question.as_str())).collect()
}

#[cfg(test)]
mod tests;
