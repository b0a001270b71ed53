//! Pure: the language of a question, among those that bots speak.

use crate::bots::Language;
use crate::conversations::words;

/// The language of a text, by its function words; `None` when it has too few to tell.
#[must_use]
pub fn of(text: &str) -> Option<Language> {
    words::language(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_told_apart_in_six_languages() {
        for (text, language) in [
            ("How long does delivery to France take?", Language::English),
            ("¿Cuánto tarda el envío a Francia?", Language::Spanish),
            ("Combien de temps prend la livraison en Espagne ?", Language::French),
            ("Wie lange dauert die Lieferung nach Frankreich?", Language::German),
            ("Quanto ci vuole per la consegna in Francia?", Language::Italian),
            ("Quanto tempo demora a entrega em França, por favor?", Language::Portuguese),
        ] {
            assert_eq!(of(text), Some(language), "{text}");
        }
    }

    #[test]
    fn short_texts_are_not_told_apart() {
        for text in ["", "XR-200", "Wi-Fi?", "1234 5678"] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
