//! Pure: fixed sentences of answers in six languages.

use crate::bots::Language;

/// Text of an "unknown" answer.
#[must_use]
pub const fn unknown(language: Language) -> &'static str {
    match language {
        Language::English => "I'm sorry, I don't know. I found nothing about that in what I have learnt.",
        Language::Spanish => "Lo siento, no lo sé. No he encontrado nada sobre eso en lo que he aprendido.",
        Language::French => "Désolé, je ne sais pas. Je n'ai rien trouvé à ce sujet dans ce que j'ai appris.",
        Language::German => "Das weiß ich leider nicht. Ich habe in meinem Wissen nichts dazu gefunden.",
        Language::Italian => "Mi dispiace, non lo so. Non ho trovato nulla su questo in ciò che ho imparato.",
        Language::Portuguese => "Desculpe, não sei. Não encontrei nada sobre isso no que aprendi.",
    }
}

/// Lead of a tentative answer.
#[must_use]
pub const fn tentative(language: Language) -> &'static str {
    match language {
        Language::English => "I am not sure that this answers your question. The nearest I found:",
        Language::Spanish => {
            "No estoy seguro de que esto responda a su pregunta. Lo más parecido que he encontrado:"
        }
        Language::French => {
            "Je ne suis pas certain que cela réponde à votre question. Ce que j'ai trouvé de plus proche :"
        }
        Language::German => {
            "Ich bin nicht sicher, ob das Ihre Frage beantwortet. Am nächsten kommt, was ich dazu gefunden habe:"
        }
        Language::Italian => {
            "Non sono sicuro che questo risponda alla sua domanda. La cosa più vicina che ho trovato:"
        }
        Language::Portuguese => {
            "Não tenho a certeza de que isto responda à sua pergunta. O mais próximo que encontrei:"
        }
    }
}
