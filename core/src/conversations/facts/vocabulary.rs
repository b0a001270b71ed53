//! Pure: currencies, time units, months and number words in six languages.

use std::str::FromStr;

use super::TimeUnit;
use crate::bots::Language;

const CURRENCIES: &[(&str, &str)] = &[
    ("€", "EUR"),
    ("eur", "EUR"),
    ("euro", "EUR"),
    ("euros", "EUR"),
    ("$", "USD"),
    ("usd", "USD"),
    ("dollar", "USD"),
    ("dollars", "USD"),
    ("dolares", "USD"),
    ("dollari", "USD"),
    ("£", "GBP"),
    ("gbp", "GBP"),
    ("pound", "GBP"),
    ("pounds", "GBP"),
    ("pfund", "GBP"),
    ("libras", "GBP"),
    ("chf", "CHF"),
    ("franken", "CHF"),
    ("francs", "CHF"),
    ("r$", "BRL"),
    ("brl", "BRL"),
    ("reais", "BRL"),
    ("real", "BRL"),
];

pub(super) const TIME_UNITS: &[(&str, TimeUnit)] = &[
    ("second", TimeUnit::Seconds),
    ("sekunde", TimeUnit::Seconds),
    ("segundo", TimeUnit::Seconds),
    ("seconde", TimeUnit::Seconds),
    ("secondi", TimeUnit::Seconds),
    ("minut", TimeUnit::Minutes),
    ("hour", TimeUnit::Hours),
    ("stunde", TimeUnit::Hours),
    ("hora", TimeUnit::Hours),
    ("heure", TimeUnit::Hours),
    ("ora", TimeUnit::Hours),
    ("ore", TimeUnit::Hours),
    ("day", TimeUnit::Days),
    ("tag", TimeUnit::Days),
    ("dia", TimeUnit::Days),
    ("jour", TimeUnit::Days),
    ("giorn", TimeUnit::Days),
    ("werktag", TimeUnit::Days),
    ("week", TimeUnit::Weeks),
    ("woche", TimeUnit::Weeks),
    ("semana", TimeUnit::Weeks),
    ("semaine", TimeUnit::Weeks),
    ("settiman", TimeUnit::Weeks),
    ("month", TimeUnit::Months),
    ("monat", TimeUnit::Months),
    ("mes", TimeUnit::Months),
    ("mois", TimeUnit::Months),
    ("year", TimeUnit::Years),
    ("jahr", TimeUnit::Years),
    ("ano", TimeUnit::Years),
    ("annee", TimeUnit::Years),
    ("ans", TimeUnit::Years),
    ("anni", TimeUnit::Years),
    ("anno", TimeUnit::Years),
    ("time", TimeUnit::Times),
    ("mal", TimeUnit::Times),
    ("vez", TimeUnit::Times),
    ("vece", TimeUnit::Times),
    ("fois", TimeUnit::Times),
    ("volt", TimeUnit::Times),
];

const MONTHS: &str = "january 1 januar 1 enero 1 janvier 1 gennaio 1 janeiro 1 jan 1 february 2 februar 2 febrero 2 \
    fevrier 2 febbraio 2 fevereiro 2 feb 2 march 3 marz 3 marzo 3 mars 3 marco 3 april 4 abril 4 avril 4 \
    aprile 4 apr 4 may 5 mai 5 mayo 5 maggio 5 maio 5 june 6 juni 6 junio 6 juin 6 giugno 6 junho 6 july 7 \
    juli 7 julio 7 juillet 7 luglio 7 julho 7 august 8 agosto 8 aout 8 september 9 septiembre 9 \
    septembre 9 settembre 9 setembro 9 sept 9 october 10 oktober 10 octubre 10 octobre 10 ottobre 10 \
    outubro 10 oct 10 november 11 noviembre 11 novembre 11 novembro 11 nov 11 december 12 dezember 12 \
    diciembre 12 decembre 12 dicembre 12 dezembro 12 dec 12";

/// Number words by language. The words for 1 are articles in most.
pub(super) const NUMBER_WORDS: &[(Language, &str)] = &[
    (
        Language::English,
        "two 2 three 3 four 4 five 5 six 6 seven 7 eight 8 nine 9 ten 10 eleven 11 twelve 12 fourteen 14 \
        fifteen 15 twenty 20 thirty 30 forty 40 fifty 50 sixty 60 ninety 90 one 1 twice 2 hundred 100",
    ),
    (
        Language::German,
        "zwei 2 drei 3 vier 4 funf 5 sechs 6 sieben 7 acht 8 neun 9 zehn 10 elf 11 zwolf 12 vierzehn 14 \
        funfzehn 15 zwanzig 20 dreissig 30 vierzig 40 funfzig 50 sechzig 60 neunzig 90 ein 1 eine 1 \
        einen 1 einem 1 einer 1 hundert 100 zweimal 2 dreimal 3",
    ),
    (
        Language::Spanish,
        "dos 2 tres 3 cuatro 4 cinco 5 seis 6 siete 7 ocho 8 nueve 9 diez 10 doce 12 catorce 14 quince 15 \
        veinte 20 treinta 30 cuarenta 40 cincuenta 50 sesenta 60 noventa 90 un 1 una 1 uno 1 cien 100",
    ),
    (
        Language::French,
        "deux 2 trois 3 quatre 4 cinq 5 six 6 sept 7 huit 8 dix 10 onze 11 douze 12 quatorze 14 quinze 15 \
        vingt 20 trente 30 quarante 40 cinquante 50 soixante 60 un 1 une 1 cent 100",
    ),
    (
        Language::Italian,
        "due 2 tre 3 quattro 4 cinque 5 sei 6 sette 7 otto 8 nove 9 dieci 10 dodici 12 quattordici 14 \
        quindici 15 venti 20 trenta 30 quaranta 40 cinquanta 50 sessanta 60 novanta 90 un 1 una 1 uno 1 \
        cento 100",
    ),
    (
        Language::Portuguese,
        "dois 2 duas 2 tres 3 quatro 4 cinco 5 seis 6 sete 7 oito 8 nove 9 dez 10 doze 12 catorze 14 \
        quinze 15 vinte 20 trinta 30 quarenta 40 cinquenta 50 sessenta 60 noventa 90 um 1 uma 1 cem 100",
    ),
];

/// Top-level domains that make a dotted word an address.
pub(super) const DOMAINS: &[&str] = &[
    "com", "org", "net", "de", "es", "fr", "it", "pt", "br", "io", "eu", "example", "co", "uk", "ch", "at",
    "dev", "app",
];

pub(super) fn currency(word: &str) -> Option<&'static str> {
    CURRENCIES.iter().find(|(name, _)| *name == word).map(|(_, code)| *code)
}

pub(super) fn month(word: &str) -> Option<u32> {
    lookup(MONTHS, word)
}

pub(super) fn number_word(word: &str, languages: &[Language]) -> Option<f64> {
    let mut lists = NUMBER_WORDS.iter().filter(|(language, _)| languages.contains(language));
    lists.find_map(|(_, list)| lookup(list, word))
}

/// Value of a word in a list of alternating words and values.
fn lookup<T: FromStr>(list: &str, word: &str) -> Option<T> {
    let mut parts = list.split_whitespace();
    while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
        if name == word {
            return value.parse().ok();
        }
    }
    None
}
