//! Pure: turns question sets into bots and questions. The same seed gives the same plan.
//!
//! Question classes: `answerable`; `hard` (SQuAD 2 "impossible", paragraph present); `heldout` (paragraph left out,
//! neighbours present); `off_topic` (about an absent article or set); `off_natural` (customer question for another
//! company); `cross_language` (language differs from the bot's).

use std::collections::{BTreeMap, HashMap, HashSet};

use bytes::Bytes;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use super::datasets::{Datasets, Paragraph, Set, SetQuestion};
use super::suite::{self, BotSpec, Class, Document, Expected, Question, Suite};
use crate::args::{Pages, Split};

/// Most paragraphs per page. Longer articles are split into several pages.
const PAGE_PARAGRAPHS: usize = 16;

/// Most pages of a set that become bots.
const MAX_PAGES: usize = 12;

/// One in this many paragraphs is held out.
const HELD_OUT_RATIO: usize = 5;

/// Pages with fewer paragraphs hold out none.
const MIN_PARAGRAPHS: usize = 3;

/// One in this many articles is left out of a whole-set bot, for off-topic questions.
const OFF_TOPIC_RATIO: usize = 8;

/// Language of the bots that get cross-language questions.
const CROSS_LANGUAGE_BOT: &str = "en";

/// Selection of bots and questions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Selection {
    pub(crate) pages: Pages,
    /// Half of the pages. Even and odd pages of a set form the halves.
    pub(crate) split: Option<Split>,
    /// Most questions per set and class.
    pub(crate) limit: usize,
    pub(crate) seed: u64,
}

/// Plans the bots and questions of the wanted sets. The other sets contribute off-topic questions and translations.
pub(crate) fn plan(datasets: &Datasets, is_wanted: &dyn Fn(&str) -> bool, selection: Selection) -> Suite {
    let mut suite = Suite::default();
    for set in datasets.sets.iter().filter(|set| is_wanted(&set.name)) {
        // One generator per set, so that the questions of a set do not depend on the other sets.
        let mut rng = StdRng::seed_from_u64(selection.seed ^ hash(&set.name));
        let mut questions = Vec::new();
        for bot in bots(set, selection, &mut rng) {
            questions.extend(questions_for(datasets, set, &bot, selection.limit, &mut rng));
            suite.bots.push(bot.spec);
        }
        suite.questions.extend(sample(questions, selection.limit, selection.seed));
    }
    let used: HashSet<&str> = suite.questions.iter().map(|question| question.bot.as_str()).collect();
    suite.bots.retain(|bot| used.contains(bot.name.as_str()));
    suite
}

/// Seeded sample with at most `limit` questions per set, class and kind, in the original order.
pub(crate) fn sample(questions: Vec<Question>, limit: usize, seed: u64) -> Vec<Question> {
    let mut groups: BTreeMap<(String, Class, String), Vec<usize>> = BTreeMap::new();
    for (index, question) in questions.iter().enumerate() {
        let group = (question.set.clone(), question.class, question.kind.clone());
        groups.entry(group).or_default().push(index);
    }
    let mut sampled = HashSet::new();
    for ((set, class, kind), mut group) in groups {
        let name = format!("{set}/{}/{kind}", class.as_str());
        group.shuffle(&mut StdRng::seed_from_u64(seed ^ hash(&name)));
        sampled.extend(group.into_iter().take(limit));
    }
    let numbered = questions.into_iter().enumerate();
    numbered.filter(|(index, _)| sampled.contains(index)).map(|(_, question)| question).collect()
}

/// FNV-1a, which is stable across builds.
fn hash(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// A planned bot.
struct PlannedBot<'a> {
    spec: BotSpec,
    /// Source name of each known paragraph, by paragraph id.
    source_of: HashMap<&'a str, String>,
    /// Ids of paragraphs left out of the knowledge.
    held_out: HashSet<&'a str>,
    /// Ids of articles that the bot knows at least partly.
    articles: HashSet<&'a str>,
    /// Ids of paragraphs that questions may refer to. `None`: all.
    eligible: Option<HashSet<&'a str>>,
    whole_sources: bool,
}

fn bots<'a>(set: &'a Set, selection: Selection, rng: &mut StdRng) -> Vec<PlannedBot<'a>> {
    let in_split = |number: usize| match selection.split {
        None => true,
        Some(Split::Tune) => number.is_multiple_of(2),
        Some(Split::Check) => !number.is_multiple_of(2),
    };
    let pages = pages(set);
    match selection.pages {
        Pages::One => {
            let mut pages: Vec<(usize, Vec<&Paragraph>)> =
                pages.into_iter().enumerate().filter(|(number, _)| in_split(*number)).collect();
            pages.shuffle(rng);
            pages.truncate(MAX_PAGES);
            pages.sort_by_key(|(number, _)| *number);
            pages.into_iter().map(|(number, page)| page_bot(set, number, &page, rng)).collect()
        }
        Pages::All => {
            let pages = pages.iter().enumerate().filter(|(number, _)| in_split(*number));
            let eligible = pages.flat_map(|(_, page)| page.iter().map(|paragraph| &*paragraph.id)).collect();
            vec![PlannedBot { eligible: Some(eligible), ..set_bot(set, rng) }]
        }
    }
}

/// Splits a set into pages: articles, equal parts of long articles, or groups of FAQ entries.
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
        let parts = article.len().div_ceil(PAGE_PARAGRAPHS).max(1);
        pages.extend(article.chunks(article.len().div_ceil(parts).max(1)).map(<[_]>::to_vec));
    }
    pages
}

/// Whether articles are mostly single paragraphs, as in a FAQ.
fn has_short_articles(set: &Set) -> bool {
    let articles: HashSet<&str> = set.paragraphs.iter().map(|paragraph| &*paragraph.article).collect();
    set.paragraphs.len() < 2 * articles.len()
}

/// A bot with one page, without the held-out paragraphs.
fn page_bot<'a>(set: &'a Set, number: usize, page: &[&'a Paragraph], rng: &mut StdRng) -> PlannedBot<'a> {
    let held_out = held_out(set, page, rng);
    let kept = || page.iter().filter(|paragraph| !held_out.contains(&*paragraph.id));
    let source = if set.is_faq { "page.md" } else { "page.txt" };
    let mut text = match page.first() {
        Some(first) if !has_short_articles(set) => format!("{}\n\n", first.title),
        _ => String::new(),
    };
    for paragraph in kept() {
        text.push_str(&formatted(set, paragraph));
        text.push_str("\n\n");
    }
    PlannedBot {
        spec: BotSpec {
            name: format!("{} page {}", set.name, number + 1),
            language: set.language.clone(),
            documents: vec![Document { name: source.to_owned(), bytes: Bytes::from(text) }],
        },
        source_of: kept().map(|paragraph| (&*paragraph.id, source.to_owned())).collect(),
        articles: page.iter().map(|paragraph| &*paragraph.article).collect(),
        held_out,
        eligible: None,
        whole_sources: false,
    }
}

/// A bot with a whole set, without the off-topic articles and the held-out paragraphs.
fn set_bot<'a>(set: &'a Set, rng: &mut StdRng) -> PlannedBot<'a> {
    let mut articles: Vec<&str> = Vec::new();
    for paragraph in &set.paragraphs {
        if articles.last() != Some(&&*paragraph.article) {
            articles.push(&paragraph.article);
        }
    }
    articles.shuffle(rng);
    let missing = if has_short_articles(set) { 0 } else { articles.len().div_ceil(OFF_TOPIC_RATIO) };
    let articles: HashSet<&str> = articles.into_iter().skip(missing).collect();
    let known: Vec<&Paragraph> =
        set.paragraphs.iter().filter(|paragraph| articles.contains(&*paragraph.article)).collect();
    let held_out = held_out(set, &known, rng);
    let mut documents = Vec::new();
    let mut source_of = HashMap::new();
    // A bot stores equal texts as one source.
    let mut source_of_text: HashMap<&str, String> = HashMap::new();
    for paragraph in known.iter().filter(|paragraph| !held_out.contains(&*paragraph.id)) {
        let name = source_of_text.entry(&paragraph.text).or_insert_with(|| {
            let name = format!("{}.{}", paragraph.id, if set.is_faq { "md" } else { "txt" });
            let bytes = Bytes::from(formatted(set, paragraph) + "\n");
            documents.push(Document { name: name.clone(), bytes });
            name
        });
        source_of.insert(&*paragraph.id, name.clone());
    }
    PlannedBot {
        spec: BotSpec { name: set.name.clone(), language: set.language.clone(), documents },
        source_of,
        held_out,
        articles,
        eligible: None,
        whole_sources: true,
    }
}

fn formatted(set: &Set, paragraph: &Paragraph) -> String {
    if set.is_faq { format!("## {}\n\n{}", paragraph.title, paragraph.text) } else { paragraph.text.clone() }
}

/// Draws the held-out paragraphs: one in five, only from those that answer a question.
fn held_out<'a>(set: &'a Set, known: &[&'a Paragraph], rng: &mut StdRng) -> HashSet<&'a str> {
    if known.len() < MIN_PARAGRAPHS {
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
    ids.truncate((known.len() + HELD_OUT_RATIO / 2) / HELD_OUT_RATIO);
    ids.into_iter().collect()
}

/// All questions for a bot. Off-topic questions are sampled.
fn questions_for(
    datasets: &Datasets,
    set: &Set,
    bot: &PlannedBot<'_>,
    limit: usize,
    rng: &mut StdRng,
) -> Vec<Question> {
    let paragraphs: HashMap<&str, &Paragraph> =
        set.paragraphs.iter().map(|paragraph| (&*paragraph.id, paragraph)).collect();
    let is_eligible = |question: &SetQuestion| {
        bot.eligible.as_ref().is_none_or(|eligible| eligible.contains(&*question.paragraph))
    };
    let make = |id: &str, class: Class, question: &str| Question {
        id: id.to_owned(),
        set: set.name.clone(),
        bot: bot.spec.name.clone(),
        language: set.language.clone(),
        kind: class.as_str().to_owned(),
        class,
        question: question.to_owned(),
        gold: Vec::new(),
        expected: Vec::new(),
    };
    let answerable = |class: Class, question: &SetQuestion, text: &str| {
        let source = bot.source_of.get(&*question.paragraph)?;
        let paragraph = paragraphs.get(&*question.paragraph)?;
        let expected = Expected {
            source: source.clone(),
            quote: Some(paragraph.text.clone()),
            facts: question.gold.clone(),
            whole_source: bot.whole_sources,
        };
        let (gold, expected) = (question.gold.clone(), vec![expected]);
        Some(Question { gold, expected, ..make(&question.id, class, text) })
    };
    let mut result = Vec::new();
    for question in set.questions.iter().filter(|question| is_eligible(question)) {
        let is_known = bot.source_of.contains_key(&*question.paragraph);
        if !question.gold.is_empty() {
            result.extend(answerable(Class::Answerable, question, &question.question));
            if bot.held_out.contains(&*question.paragraph) {
                result.push(make(&question.id, Class::Heldout, &question.question));
            }
        } else if is_known {
            result.push(make(&question.id, Class::Hard, &question.question));
        }
    }
    for other in translations(datasets, set) {
        let texts: HashMap<&str, &str> =
            other.questions.iter().map(|question| (&*question.id, &*question.question)).collect();
        for question in
            set.questions.iter().filter(|question| !question.gold.is_empty() && is_eligible(question))
        {
            let Some(text) = texts.get(&*question.id) else { continue };
            if let Some(question) = answerable(Class::CrossLanguage, question, text) {
                let language = suite::language_label(&other.language, &set.language);
                let set = format!("{}-to-{}", other.name, set.language);
                result.push(Question { language, set, ..question });
            }
        }
    }
    for (class, mut pool) in
        [(Class::OffTopic, off_topic(datasets, set, bot)), (Class::OffNatural, off_natural(datasets, set))]
    {
        pool.shuffle(rng);
        result.extend(pool.into_iter().take(limit).map(|(id, question)| make(id, class, question)));
    }
    result
}

/// Sets with the same questions in other languages.
fn translations<'a>(datasets: &'a Datasets, set: &'a Set) -> impl Iterator<Item = &'a Set> {
    let is_target = set.language == CROSS_LANGUAGE_BOT && !set.is_faq;
    datasets
        .sets
        .iter()
        .filter(move |other| is_target && other.language != set.language && stem(other) == stem(set))
}

/// Name of a set without its language suffix.
fn stem(set: &Set) -> &str {
    let end = set.name.strip_suffix(set.language.as_str());
    end.and_then(|end| end.strip_suffix(['-', '_', '.'])).unwrap_or(&set.name)
}

/// Answerable questions about unknown articles. For FAQs, or if there are none: about other sets, preferably in the same
/// language.
fn off_topic<'a>(datasets: &'a Datasets, set: &'a Set, bot: &PlannedBot<'_>) -> Vec<(&'a str, &'a str)> {
    let articles: HashMap<&str, &str> =
        set.paragraphs.iter().map(|paragraph| (&*paragraph.id, &*paragraph.article)).collect();
    let is_elsewhere = |question: &SetQuestion| {
        articles.get(&*question.paragraph).is_some_and(|article| !bot.articles.contains(article))
    };
    let answerable = |set: &'a Set| {
        let questions = set.questions.iter().filter(|question| !question.gold.is_empty());
        questions.map(|question| (question, (&*question.id, &*question.question)))
    };
    let here: Vec<(&str, &str)> = match has_short_articles(set) {
        true => Vec::new(),
        false => {
            answerable(set).filter(|(question, _)| is_elsewhere(question)).map(|(_, item)| item).collect()
        }
    };
    if !here.is_empty() {
        return here;
    }
    let others = || datasets.sets.iter().filter(|other| stem(other) != stem(set));
    let from_others = |same_language: bool| {
        let sets = others().filter(move |other| !same_language || other.language == set.language);
        sets.flat_map(answerable).map(|(_, item)| item).collect::<Vec<_>>()
    };
    let same_language = from_others(true);
    if same_language.is_empty() { from_others(false) } else { same_language }
}

fn off_natural<'a>(datasets: &'a Datasets, set: &Set) -> Vec<(&'a str, &'a str)> {
    let matching = datasets.off_natural.iter().filter(|(language, _)| *language == set.language);
    matching.map(|(_, question)| ("", question.as_str())).collect()
}

#[cfg(test)]
mod tests;
