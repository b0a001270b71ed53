//! Pure: words and phrases for attribution in six languages.
//!
//! The stop words here differ from those of [`crate::words`]: that list serves the search for a question's
//! words, and thresholds of attribution were tuned with this one. Merging the two would change measured
//! answers.

use std::collections::HashSet;
use std::sync::LazyLock;

pub(super) use crate::words::{fold, words};

/// Stop words, without accents.
const STOP_WORDS: &str = "the and for are was were with that this these those you your our their his her its they them have has \
    had will would can could may might must should shall from into about which who whom what when where \
    how why there here been being than then also not but any all some such per via does did just only \
    please yes according passage passages under over each every der die das den dem des ein eine einen \
    einem einer eines und oder aber ist sind war waren wird werden wurde wurden hat haben kann konnen muss \
    mussen soll sollte darf durfen sie ihr ihre ihren ihrem ihrer wir uns unser unsere unseren unserer mit \
    von vom fur auf aus bei beim nach zum zur uber unter durch gegen ohne nicht kein keine auch nur noch \
    dass wenn als wie wer man sich diese dieser dieses diesen diesem hier dort bitte mochten alle laut im \
    ins am an zu in es er ja nein gemass los las una uno unos unas del con por para que como cuando donde \
    quien cual esta este esto estos estas son fue han hay ser sus sin sobre entre hasta desde mas pero muy \
    puede pueden puedes debe deben usted ustedes nuestro nuestra nuestros nuestras tiene tienen tambien \
    solo cada todo toda todos todas segun pasaje les une aux est sont etait avec pour par dans sur qui \
    quoi dont quand comment vous nous ils elles elle votre vos notre nos leur leurs ses ces cet cette peut \
    peuvent pouvez doit doivent devez pas plus mais tres tout tous toute toutes chaque selon ete etre \
    avoir ont avez aussi afin gli dei degli delle della dello nel nella nelle negli sul sulla dal dalla \
    che chi cui come dove sono era essere hanno puo possono puoi deve devono nostro nostra nostri nostre \
    vostro vostra suo sua suoi sue questo questa questi queste anche non piu molto tutti tutte tutto ogni \
    secondo entro fino viene vengono alla agli allo dos uma umas nas pelo pela pelos pelas sao foi pode \
    podem voce voces seu seus nosso nossa nossos nossas isso isto esse essa tem ter muito tambem ate apos \
    sem devem aos nao";

/// [`STOP_WORDS`] as a set.
static STOP_WORD_SET: LazyLock<HashSet<&str>> = LazyLock::new(|| STOP_WORDS.split_whitespace().collect());

/// Openings of sentences without content, without accents; `*` stands for any ending.
const COURTESY_OPENINGS: &str = "hello, hi, dear, thank*, you re welcome, you are welcome, sure, of course, certainly, great question, \
    good question, glad to help, happy to help, i m happy to help, i am happy to help, let me know, \
    feel free, i hope th*, hope this helps*, here is what, here s what, here are the, if you have any other, \
    if you have any more, if you have any further, if you have more, if you have further, \
    if you need anything else, if you need any further, please let me know, have a nice, have a great, \
    based on the passages, based on the information, hallo, guten tag, danke, vielen dank, gerne, \
    gern geschehen, naturlich, selbstverstandlich, wenn sie weitere fragen, falls sie weitere fragen, \
    bei weiteren fragen, ich hoffe*, lassen sie es mich wissen, hier ist was, hier sind die, einen schonen, \
    hola, buenos dias, buenas, gracias, de nada, claro, por supuesto, con gusto, espero que, \
    si tiene mas preguntas, si tiene alguna otra, si tienes mas preguntas, si necesita, no dude en, \
    no dudes en, aqui tiene, aqui tienes, bonjour, merci, de rien, bien sur, avec plaisir, j espere que, \
    n hesitez pas, si vous avez d autres, voici ce que, voici les, bonne journee, ciao, buongiorno, \
    grazie, prego, certo, certamente, volentieri, spero che, se hai altre domande, se ha altre domande, \
    non esit*, ecco cosa, ecco le, ecco i, buona giornata, ola, bom dia, boa tarde, obrigad*, com certeza, \
    com prazer, se tiver mais, se tiver outras, nao hesite, fique a vontade, aqui esta, aqui estao, \
    tenha um";

/// One-word answers.
const BARE_ANSWERS: &[&str] =
    &["yes", "no", "ja", "nein", "si", "oui", "non", "sim", "nao", "correct", "genau"];

/// Phrases of a refusal, without accents; `*` stands for any ending.
const REFUSALS: &str = "i don t know, i do not know, i m not sure, i am not sure, don t have information, \
    don t have any information, don t have enough information, do not have information, \
    do not have any information, do not have enough information, have no information, \
    no information about, no information on, i cannot find, i can t find, i couldn t find, \
    i could not find, unable to find, unable to answer, cannot answer, can t answer, is not mentioned, \
    is not specified, are not mentioned, isn t mentioned, not in the passages, no answer to, \
    weiss ich nicht, weiss ich leider nicht, ich weiss nicht, ich weiss es nicht, \
    ich weiss es leider nicht, keine informationen, keine angaben, keine information, \
    kann ich nicht beantworten, kann ich leider nicht, nicht erwahnt, finde ich nichts, nichts gefunden, \
    nichts dazu, no lo se, no se si, no se que, no se cuando, no se cuanto, no se donde, \
    no se cual, no tengo informacion, no dispongo de, no hay informacion, \
    no he encontrado, no encuentro, no puedo responder, no se menciona, no se especifica, no se indica, \
    je ne sais pas, je l ignore, je n ai pas d information, aucune information, pas d information, \
    je n ai pas trouve, je n ai rien trouve, je ne trouve, je ne peux pas repondre, n est pas mentionne, \
    n est pas precise, n est pas indique, non lo so, non so, non ho informazioni, non dispongo, \
    nessuna informazione, non ci sono informazioni, non ho trovato, non trovo, non posso rispondere, \
    non e menzionat*, non e specificat*, non e indicat*, nao sei, nao tenho informac*, nao tenho a informac*, \
    nao ha informac*, nenhuma informac*, nao encontrei, nao consigo responder, nao posso responder, \
    nao e mencionad*, nao esta especificad*, nao consta";

/// Words for the passages, as models use them.
const PASSAGE_WORDS: &str = "passage passages passagen pasaje pasajes passaggio passaggi passagem passagens document documents \
    dokument dokumente dokumenten documento documentos documenti context kontext contexto contexte \
    contesto texts texten textos testi information informationen unterlagen abschnitte abschnitten \
    extraits informacion informations informazioni informacoes sources quellen fuentes fonti fontes";

const NEGATIONS: &str = "not no don doesn cannot nothing nicht nichts kein keine keinen keinerlei ningun ninguna nada ne n pas \
    aucun aucune rien non nessun nessuna nao nenhum nenhuma";

/// Stems of reporting verbs, as in "do not mention".
const REPORTING_STEMS: &str = "mention contain say specif provide include state cover answer tell hold found enthalt erwahn nenn sag \
    beantwort steht hervor gefunden mencion contien indic especific respond dice incluye mentionn indiqu \
    precis repond dit disent contengono contiene menzion indica rispond dicono contem diz dizem inform \
    figur";

/// Distinct content words, without numbers.
pub(super) fn content_words(text: &str) -> Vec<String> {
    let (mut content, mut seen) = (Vec::new(), HashSet::new());
    for word in words(text) {
        let is_content = word.chars().count() > 2
            && !word.chars().any(|c| c.is_ascii_digit())
            && !STOP_WORD_SET.contains(word.as_str());
        if is_content && seen.insert(word.clone()) {
            content.push(word);
        }
    }
    content
}

/// Whether two folded words share a stem, judged by the length of their common prefix.
pub(super) fn similar_words(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    if a.chars().next() != b.chars().next() {
        return false;
    }
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let common = short.chars().zip(long.chars()).take_while(|(a, b)| a == b).count();
    let (short, long) = (short.chars().count(), long.chars().count());
    common >= 4 && 10 * common >= 7 * short && 2 * common >= long
}

/// Whether a sentence is a greeting, an offer of help or the like.
pub(super) fn is_courtesy(text: &str) -> bool {
    let folded = phrase(text);
    COURTESY_OPENINGS.split(", ").any(|courtesy| folded.starts_with(&pattern(courtesy)))
        && folded.split(' ').count() <= 22
}

/// Whether a sentence is a one-word answer.
pub(super) fn is_bare_answer(text: &str) -> bool {
    let words = words(text);
    matches!(words.as_slice(), [word] if BARE_ANSWERS.contains(&word.as_str()))
}

/// Whether a sentence refuses to answer.
pub(super) fn is_refusal(text: &str) -> bool {
    let folded = phrase(text);
    if REFUSALS.split(", ").any(|refusal| folded.contains(&pattern(refusal))) {
        return true;
    }
    let words = words(text);
    let has = |list: &str| list.split(' ').any(|listed| words.iter().any(|word| word == listed));
    let tells = REPORTING_STEMS.split(' ').any(|start| words.iter().any(|word| word.starts_with(start)));
    has(PASSAGE_WORDS) && has(NEGATIONS) && tells
}

/// Listed phrase in the form of [`phrase`]: whole words, except a last one with `*`.
fn pattern(listed: &str) -> String {
    match listed.strip_suffix('*') {
        Some(start) => format!(" {start}"),
        None => format!(" {listed} "),
    }
}

/// Folded text with each run of other characters than letters and digits as one space, and spaces around.
fn phrase(text: &str) -> String {
    format!(" {} ", words(text).join(" "))
}
