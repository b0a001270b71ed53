//! The languages of bots.

use crate::stored_enum;

stored_enum! {
    /// Default language of a bot; also selects the stemming of its knowledge.
    #[derive(Default)]
    pub enum Language {
        /// English.
        #[default]
        English = "en",
        /// Spanish.
        Spanish = "es",
        /// French.
        French = "fr",
        /// German.
        German = "de",
        /// Italian.
        Italian = "it",
        /// Portuguese.
        Portuguese = "pt",
    }
}

impl Language {
    /// The code of ISO 639-2, the name of Tesseract's language data.
    #[must_use]
    pub const fn iso_639_2(self) -> &'static str {
        match self {
            Language::English => "eng",
            Language::Spanish => "spa",
            Language::French => "fra",
            Language::German => "deu",
            Language::Italian => "ita",
            Language::Portuguese => "por",
        }
    }

    /// The Postgres text search configuration of this language.
    #[must_use]
    pub const fn text_search(self) -> &'static str {
        match self {
            Language::English => "english",
            Language::Spanish => "spanish",
            Language::French => "french",
            Language::German => "german",
            Language::Italian => "italian",
            Language::Portuguese => "portuguese",
        }
    }
}
