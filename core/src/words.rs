//! Pure: matches the words of questions and texts in six languages.

use std::collections::{BTreeSet, HashSet};
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::language::Language;

/// Minimum common prefix of two forms of a word, as in "devolver" and "devolución".
const STEM: usize = 5;

/// Maximum letters of the longer form beyond the common prefix.
const ENDING: usize = 5;

/// Endings of short words, as in "day" and "days".
const SHORT_ENDINGS: &[&str] = &["s", "es", "n", "en", "e"];

const ENGLISH: &str = "a about above after again all also am an and any are as at be because been before being below \
    between both but by can cannot could did do does doing don down during each few for from further get give go had has \
    have having he her here hers him his how i if in into is isn it its itself just know like ll many may me more most \
    much must my need no nor not now of off on once one only or other our ours out over own per please re same say shall \
    she should so some such tell than that the their theirs them then there these they this those through to too under \
    until up us ve very want was we were what when where whether which while who whom whose why will with would you your \
    yours s t d m";
const SPANISH: &str = "a al algo algun alguna algunas alguno algunos ante antes aqui asi aun aunque cada como con cosa cual \
    cuales cualquier cuando cuanta cuantas cuanto cuantos de debo decir del desde dime donde dos durante e el ella ellas ello \
    ellos en entre era eran eres es esa esas ese eso esos esta estaba estan estar estas este esto estos estoy favor fue fueron \
    ha hace hacer haces hacia hago han hasta hay he la las le les lo los mas me mi mis mucho muy nada ni no nos nosotros \
    nuestra nuestro o os otra otro para pero poco podeis podemos poder por porque puede pueden puedo que quien quienes quiero \
    sabe se segun ser si sin sobre sois somos son soy su sus tal tambien tan tanto te teneis tenemos tengo ti tiene tienen \
    tienes todo todos tu tus u un una unas uno unos usted ustedes vosotros vuestra vuestro vuestros vuestras y ya yo hay";
const FRENCH: &str = "a afin ai alors apres as au aucun aucune aussi autre aux avant avec avez avoir avons c ca ce ceci cela \
    celle celui ces cet cette chaque chez ci combien comme comment d dans de depuis des dire dites dois doit donc du elle elles \
    en encore entre es est et etaient etait etant ete etes etre eu eux faire fait faut il ils j je jusqu l la le les leur leurs \
    lui m ma mais me meme mes moi mon n ne ni nos notre nous on ont ou par pas peu peut peuvent peux plait plus pour pourquoi \
    pouvez puis puisje qu quand que quel quelle quelles quels qui quoi s sa sans se sera ses si sil sinon son sont sous suis sur \
    t ta te tes toi ton tous tout toute toutes tres tu un une va vais vers veux voici voila vos votre voudrais vous y";
const GERMAN: &str = "aber alle allem allen aller alles als also am an andere anderen auch auf aus bei beim bin bis bitte bist da \
    dabei damit dann das dass dein deine dem den denn der des dich die dies diese diesem diesen dieser dieses dir doch dort du \
    durch ein eine einem einen einer eines er es etwas euch euer eure fur gibt habe haben habt hat hatte hier hinter ich ihm ihn \
    ihnen ihr ihre ihrem ihren ihrer im in ins ist ja jede jedem jeden jeder jedes jetzt kann lang kannst kein keine keinem keinen \
    keiner konnen konnt konnte lange machen man mehr mein meine meinem meinen meiner mich mir mit mochte muss mussen nach nicht \
    nichts noch nun nur ob oder ohne sagen sehr sein seine seinem seinen seiner seit sich sie sind so solche soll sollte sondern \
    sowie uber um und uns unser unsere unter viel viele vielen vom von vor wann war waren warum was welche welchem welchen welcher \
    welches wem wen wenn wer werde werden wessen weswegen wie wieso wieviel will wird wirst wo wobei wofur woher wohin womit \
    worden wurde wurden zu zum zur zwischen";
const ITALIAN: &str = "a abbiamo ad agli ai al alcuni alla alle allo anche ancora avete aveva avere bisogna c che chi ci cio \
    come con cosa cui d da dagli dai dal dalla dalle de degli dei del della delle dello deve devo di dimmi dire dove dopo due e \
    ed era erano essere fa fare favore fino fra gia gli ha hai hanno ho i il in io l la le lei li lo loro lui ma me mi mia mie \
    miei mio molto ne negli nei nel nella nelle nello no noi non nostra nostro o ogni ossia per perche piu poi possiamo posso \
    possono prima puo puoi qual quale quali qualche quando quanta quante quanti quanto quella quelle quelli quello questa queste \
    questi questo qui sa sara se sei senza si sia siamo siete solo sono sopra sotto sta stata stato su sua sue sugli sui sul sulla \
    suo suoi ti tra tu tua tuo tutti tutto un una uno va vi voglio voi vorrei vostra vostre vostri vostro";
const PORTUGUESE: &str = "a ao aos aquela aquele aquilo as ate cada com como da dado das de dela dele deles depois desde deve devo \
    dizer do dos e ela elas ele eles em entre era essa essas esse esses esta estao estar estas estava este estes estou eu faco \
    favor faz fazer foi foram gostaria ha isso isto ja la lhe mais mas me mesmo meu meus minha muito muitos na nao nas nem nessa \
    nesse nesta neste no nos nossa nosso num numa o onde os ou para pela pelas pelo pelos pode podem podemos poder por porque posso \
    preciso qual quais qualquer quando quanta quantas quanto quantos que quem quero sao sabe se sem ser sera seu seus si so sobre \
    somos sou sua suas tal tambem te tem temos tenho ter teu toda todas todo todos tu tua um uma umas uns vai vao voce voces vos";

/// Question words.
const INTERROGATIVES: &str = "what when where which who whom whose why how que cual cuales cuando cuanto cuanta cuantos cuantas \
    donde quien quienes como quand quel quelle quels quelles combien comment pourquoi ou qui quoi was wann wo wer wen wem wie \
    wieviel warum wieso welche welcher welches welchen welchem woher wohin che chi cosa quando quanto quanta quanti quante dove \
    quale quali qual perche come onde quem quantos quantas quais";

const CONJUNCTIONS: &[&str] = &["and", "y", "e", "und", "et", "ed", "sowie"];

/// Lower-cases a text and strips accents.
pub(crate) fn fold(text: &str) -> String {
    let letters = text.nfd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase);
    let mut folded = String::with_capacity(text.len());
    for letter in letters {
        match letter {
            'ß' => folded.push_str("ss"),
            'œ' => folded.push_str("oe"),
            'æ' => folded.push_str("ae"),
            'ø' => folded.push('o'),
            other => folded.push(other),
        }
    }
    folded
}

/// Folded words of a text, in order.
pub(crate) fn words(text: &str) -> Vec<String> {
    let folded = fold(text);
    folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Distinct content words of a question, in order; its function words if it has no others.
pub(crate) fn content_words(question: &str, language: Language) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let all: Vec<String> = words(question).into_iter().filter(|word| seen.insert(word.clone())).collect();
    let count = |of: &Language| all.iter().filter(|word| function_words(*of).contains(word.as_str())).count();
    // A question in another language has more function words of that language.
    let own = count(&language);
    let other = Language::ALL.iter().max_by_key(|of| count(of)).filter(|of| count(of) > own.max(1));
    let stops = [Some(&language), other].map(|of| of.map(|of| function_words(*of)));
    let is_stop = |word: &str| stops.iter().flatten().any(|stops| stops.contains(word));
    let is_content = |word: &&String| {
        let is_long = word.chars().count() > 1 || word.chars().all(|c| c.is_ascii_digit());
        is_long && !is_stop(word)
    };
    let content: Vec<String> = all.iter().filter(is_content).cloned().collect();
    if content.is_empty() { all } else { content }
}

/// Detects the language with the most function words; `None` with fewer than two, or on a tie.
pub(crate) fn language(text: &str) -> Option<Language> {
    let words = words(text);
    let count = |of: Language| {
        let known = function_words(of);
        words.iter().filter(|word| known.contains(word.as_str())).count()
    };
    let mut counts: Vec<(usize, Language)> = Language::ALL.iter().map(|of| (count(*of), *of)).collect();
    counts.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    match counts.as_slice() {
        [(most, language), (next, _), ..] if *most >= 2 && most > next => Some(*language),
        _ => None,
    }
}

/// Whether a word is a function word in any of the six languages.
pub(crate) fn is_function_word(word: &str) -> bool {
    let word = fold(word);
    Language::ALL.iter().any(|of| function_words(*of).contains(word.as_str()))
}

/// Whether two folded words are forms of the same word.
pub(crate) fn same_stem(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    // All forms share a prefix. Cheap check first: a long question has thousands of pairs.
    if a.chars().next() != b.chars().next() {
        return false;
    }
    if !a.chars().chain(b.chars()).all(char::is_alphabetic) {
        return false;
    }
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if let Some(ending) = long.strip_prefix(short)
        && short.chars().count() > 2
        && SHORT_ENDINGS.contains(&ending)
    {
        return true;
    }
    let common = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
    let longest = a.chars().count().max(b.chars().count());
    common >= STEM && longest - common <= ENDING
}

/// Whether a question asks several things: two questions, or two clauses with question words.
pub(crate) fn asks_several(question: &str) -> bool {
    if question.matches('?').count() > 1 {
        return true;
    }
    let words = words(question);
    let asks = |word: &String| INTERROGATIVES.split_whitespace().any(|known| known == word);
    words.iter().enumerate().any(|(at, word)| {
        let (before, after) = (words.get(..at).unwrap_or_default(), words.get(at + 1..).unwrap_or_default());
        // A preposition may come before the question word: "… y a qué hora".
        CONJUNCTIONS.contains(&word.as_str())
            && before.len() > 1
            && after.len() > 1
            && after.iter().take(2).any(asks)
    })
}

/// Function words of a language, folded.
fn function_words(language: Language) -> &'static HashSet<&'static str> {
    static SETS: LazyLock<[HashSet<&str>; 6]> = LazyLock::new(|| {
        [ENGLISH, SPANISH, FRENCH, GERMAN, ITALIAN, PORTUGUESE].map(|list| list.split_whitespace().collect())
    });
    let [english, spanish, french, german, italian, portuguese] = &*SETS;
    match language {
        Language::English => english,
        Language::Spanish => spanish,
        Language::French => french,
        Language::German => german,
        Language::Italian => italian,
        Language::Portuguese => portuguese,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_words_exclude_function_words() {
        for (question, language, expected) in [
            ("How do I return a pair of boots?", Language::English, "return pair boots"),
            ("¿Cómo puedo devolver unas botas?", Language::Spanish, "devolver botas"),
            ("Combien coûte l'abonnement annuel ?", Language::French, "coute abonnement annuel"),
            ("Wie lange dauert die Lieferung?", Language::German, "dauert lieferung"),
            ("Quanto costa l'abbonamento?", Language::Italian, "costa abbonamento"),
            ("Onde fica a loja de São Paulo?", Language::Portuguese, "fica loja paulo"),
            // Question in another language than the bot's.
            ("¿Cómo puedo devolver un par de botas?", Language::English, "devolver par botas"),
            ("what is it", Language::English, "what is it"),
        ] {
            assert_eq!(content_words(question, language).join(" "), expected, "{question}");
        }
    }

    #[test]
    fn forms_of_a_word_share_a_stem() {
        for (a, b) in [
            ("return", "returned"),
            ("devolver", "devolucion"),
            ("lieferung", "lieferzeit"),
            ("day", "days"),
            ("abonnement", "abonnements"),
            ("stadt", "stadt"),
            ("kosten", "kostet"),
            ("prezzo", "prezzi"),
        ] {
            assert!(same_stem(a, b), "{a} {b}");
        }
        for (a, b) in [
            ("international", "internet"),
            ("day", "dairy"),
            ("2024", "20245"),
            ("in", "ins"),
            ("car", "card"),
        ] {
            assert!(!same_stem(a, b), "{a} {b}");
        }
    }

    #[test]
    fn several_questions_in_one_are_detected() {
        for question in [
            "When do you open and how much is it?",
            "Who are you? What is it?",
            "¿Cuándo abre y a qué hora cierra?",
            "Wann öffnet ihr und wie viel kostet es?",
            "Quand ouvrez-vous et combien ça coûte ?",
            "Quando aprite e quanto costa?",
            "Quando abre e quanto custa?",
        ] {
            assert!(asks_several(question), "{question}");
        }
        for question in [
            "What is the price of salt and pepper?",
            "And how much is it?",
            "Brot und Butter?",
            "Do you ship?",
        ] {
            assert!(!asks_several(question), "{question}");
        }
    }

    #[test]
    fn languages_are_detected_from_questions() {
        for (text, expected) in [
            ("How long does delivery to France take?", Language::English),
            ("¿Cuánto tarda el envío a Francia?", Language::Spanish),
            ("Combien de temps prend la livraison en Espagne ?", Language::French),
            ("Wie lange dauert die Lieferung nach Frankreich?", Language::German),
            ("Quanto ci vuole per la consegna in Francia?", Language::Italian),
            ("Quanto tempo demora a entrega em França, por favor?", Language::Portuguese),
        ] {
            assert_eq!(language(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn short_texts_have_no_detected_language() {
        for text in ["", "XR-200", "Wi-Fi?", "1234 5678"] {
            assert_eq!(language(text), None, "{text}");
        }
    }
}
