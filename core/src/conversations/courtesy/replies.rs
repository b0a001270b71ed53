//! Replies to courtesies, by language, personality and role.

use super::Act;
use crate::bots::{Bot, Language, Personality, Role};

/// Phrases of a bot in one language. Arrays of five follow the personalities: professional, friendly,
/// helpful, expert, enthusiastic.
struct Voice {
    greeting: [&'static str; 5],
    thanks: [&'static str; 5],
    goodbye: [&'static str; 5],
    well: [&'static str; 5],
    /// Text before and after the bot's name.
    introduction: (&'static str, &'static str),
    /// The same, identifying the bot as an assistant.
    identity: (&'static str, &'static str),
    /// Purpose by role: customer support, sales, technical support, general assistant, lead generation,
    /// appointments.
    purpose: [&'static str; 6],
    offer: [&'static str; 5],
}

const ENGLISH: Voice = Voice {
    greeting: ["Good day.", "Hi there!", "Hello!", "Hello.", "Hello, great to see you here!"],
    thanks: [
        "You are welcome.",
        "You're very welcome!",
        "You're welcome! I am glad that I could help.",
        "You are welcome. I am at your disposal for further questions.",
        "You're so welcome! It was a pleasure!",
    ],
    goodbye: [
        "Goodbye, and thank you for your visit.",
        "Bye, and take care!",
        "Goodbye! I am here whenever you need help.",
        "Goodbye. I am here when you have further questions.",
        "Goodbye, and have a fantastic day!",
    ],
    well: [
        "I am well, thank you for asking.",
        "I'm doing great, thanks for asking!",
        "I am fine, thank you!",
        "Very well, thank you.",
        "I'm doing wonderfully, thank you!",
    ],
    introduction: ("I am ", "."),
    identity: ("I am ", ", an automated assistant, not a human."),
    purpose: [
        "I answer customers' questions.",
        "I answer questions about our products and offers.",
        "I answer technical questions.",
        "I answer your questions.",
        "I tell you about what we offer.",
        "I answer questions about appointments.",
    ],
    offer: [
        "How may I help you?",
        "What can I do for you?",
        "How can I help you?",
        "What would you like to know?",
        "What can I do for you today?",
    ],
};

const SPANISH: Voice = Voice {
    greeting: ["Buenas.", "¡Hola!", "¡Hola!", "Hola.", "¡Hola, qué alegría saludarle!"],
    thanks: [
        "De nada.",
        "¡De nada, un placer!",
        "¡De nada! Me alegra haber podido ayudar.",
        "De nada. Quedo a su disposición para más preguntas.",
        "¡De nada! ¡Ha sido un verdadero placer!",
    ],
    goodbye: [
        "Adiós, y gracias por su visita.",
        "¡Hasta luego, cuídese mucho!",
        "¡Hasta luego! Aquí estoy cuando necesite ayuda.",
        "Hasta luego. Aquí estoy si tiene más preguntas.",
        "¡Hasta pronto, y que tenga un día fantástico!",
    ],
    well: [
        "Estoy bien, gracias por preguntar.",
        "¡Muy bien, gracias por preguntar!",
        "¡Bien, gracias!",
        "Muy bien, gracias.",
        "¡De maravilla, gracias!",
    ],
    introduction: ("Soy ", "."),
    identity: ("Soy ", ", un asistente automático, no una persona."),
    purpose: [
        "Respondo a las preguntas de los clientes.",
        "Respondo a preguntas sobre nuestros productos y ofertas.",
        "Respondo a preguntas técnicas.",
        "Respondo a sus preguntas.",
        "Le informo sobre lo que ofrecemos.",
        "Respondo a preguntas sobre citas.",
    ],
    offer: [
        "¿En qué puedo ayudarle?",
        "¿Qué puedo hacer por usted?",
        "¿Cómo puedo ayudarle?",
        "¿Qué desea saber?",
        "¿Qué puedo hacer hoy por usted?",
    ],
};

const FRENCH: Voice = Voice {
    greeting: [
        "Bonjour.",
        "Bonjour !",
        "Bonjour !",
        "Bonjour.",
        "Bonjour, quel plaisir de vous accueillir !",
    ],
    thanks: [
        "Je vous en prie.",
        "Avec plaisir !",
        "Je vous en prie ! Je suis là pour vous aider.",
        "Je vous en prie. Je reste à votre disposition pour toute autre question.",
        "Avec grand plaisir !",
    ],
    goodbye: [
        "Au revoir, et merci de votre visite.",
        "Au revoir, et à bientôt !",
        "Au revoir ! Je suis là quand vous avez besoin d'aide.",
        "Au revoir. Je suis là si vous avez d'autres questions.",
        "Au revoir, et passez une excellente journée !",
    ],
    well: [
        "Je vais bien, merci de votre attention.",
        "Très bien, merci de demander !",
        "Je vais bien, merci !",
        "Très bien, merci.",
        "Je vais à merveille, merci !",
    ],
    introduction: ("Je suis ", "."),
    identity: ("Je suis ", ", un assistant automatique, et non une personne."),
    purpose: [
        "Je réponds aux questions des clients.",
        "Je réponds aux questions sur nos produits et nos offres.",
        "Je réponds aux questions techniques.",
        "Je réponds à vos questions.",
        "Je vous renseigne sur ce que nous proposons.",
        "Je réponds aux questions sur les rendez-vous.",
    ],
    offer: [
        "En quoi puis-je vous aider ?",
        "Que puis-je faire pour vous ?",
        "Comment puis-je vous aider ?",
        "Que souhaitez-vous savoir ?",
        "Que puis-je faire pour vous aujourd'hui ?",
    ],
};

const GERMAN: Voice = Voice {
    greeting: ["Guten Tag.", "Hallo!", "Hallo!", "Guten Tag.", "Hallo, wie schön, dass Sie da sind!"],
    thanks: [
        "Gern geschehen.",
        "Sehr gerne!",
        "Gern geschehen! Es freut mich, dass ich helfen konnte.",
        "Gern geschehen. Für weitere Fragen stehe ich zur Verfügung.",
        "Sehr, sehr gerne! Es war mir eine Freude!",
    ],
    goodbye: [
        "Auf Wiedersehen, und danke für Ihren Besuch.",
        "Tschüss, und bis bald!",
        "Auf Wiedersehen! Ich bin da, wenn Sie Hilfe brauchen.",
        "Auf Wiedersehen. Ich bin da, wenn Sie weitere Fragen haben.",
        "Auf Wiedersehen, und einen wunderbaren Tag!",
    ],
    well: [
        "Mir geht es gut, danke der Nachfrage.",
        "Sehr gut, danke der Nachfrage!",
        "Mir geht es gut, danke!",
        "Sehr gut, danke.",
        "Mir geht es großartig, danke!",
    ],
    introduction: ("Ich bin ", "."),
    identity: ("Ich bin ", ", ein automatischer Assistent und kein Mensch."),
    purpose: [
        "Ich beantworte Fragen von Kunden.",
        "Ich beantworte Fragen zu unseren Produkten und Angeboten.",
        "Ich beantworte technische Fragen.",
        "Ich beantworte Ihre Fragen.",
        "Ich informiere Sie über unser Angebot.",
        "Ich beantworte Fragen zu Terminen.",
    ],
    offer: [
        "Wie kann ich Ihnen behilflich sein?",
        "Was kann ich für Sie tun?",
        "Wie kann ich Ihnen helfen?",
        "Was möchten Sie wissen?",
        "Was kann ich heute für Sie tun?",
    ],
};

const ITALIAN: Voice = Voice {
    greeting: ["Salve.", "Ciao!", "Salve!", "Salve.", "Salve, che piacere averla qui!"],
    thanks: [
        "Prego.",
        "Prego, è stato un piacere!",
        "Prego! Sono felice di aver potuto aiutare.",
        "Prego. Resto a disposizione per altre domande.",
        "Prego! È stato un vero piacere!",
    ],
    goodbye: [
        "Arrivederci, e grazie della visita.",
        "Ciao, e a presto!",
        "Arrivederci! Sono qui quando serve aiuto.",
        "Arrivederci. Sono qui per altre domande.",
        "Arrivederci, e buona, buonissima giornata!",
    ],
    well: [
        "Sto bene, grazie dell'interessamento.",
        "Benissimo, grazie di averlo chiesto!",
        "Sto bene, grazie!",
        "Molto bene, grazie.",
        "A meraviglia, grazie!",
    ],
    introduction: ("Sono ", "."),
    identity: ("Sono ", ", un assistente automatico, non una persona."),
    purpose: [
        "Rispondo alle domande dei clienti.",
        "Rispondo a domande sui nostri prodotti e sulle nostre offerte.",
        "Rispondo a domande tecniche.",
        "Rispondo alle sue domande.",
        "La informo su ciò che offriamo.",
        "Rispondo a domande sugli appuntamenti.",
    ],
    offer: [
        "In che cosa posso esserle utile?",
        "Che cosa posso fare per lei?",
        "Come posso aiutarla?",
        "Che cosa desidera sapere?",
        "Che cosa posso fare per lei oggi?",
    ],
};

const PORTUGUESE: Voice = Voice {
    greeting: ["Olá.", "Olá!", "Olá!", "Olá.", "Olá, que alegria falar consigo!"],
    thanks: [
        "De nada.",
        "De nada, foi um prazer!",
        "De nada! Fico feliz por ter ajudado.",
        "De nada. Fico à disposição para mais perguntas.",
        "De nada! Foi um verdadeiro prazer!",
    ],
    goodbye: [
        "Adeus, e obrigado pela visita.",
        "Até breve, e fique bem!",
        "Até logo! Estou aqui quando precisar de ajuda.",
        "Até logo. Estou aqui se tiver mais perguntas.",
        "Até breve, e um dia fantástico!",
    ],
    well: [
        "Estou bem, obrigado por perguntar.",
        "Tudo ótimo, obrigado por perguntar!",
        "Estou bem, obrigado!",
        "Muito bem, obrigado.",
        "Tudo maravilhoso, obrigado!",
    ],
    introduction: ("Sou ", "."),
    identity: ("Sou ", ", um assistente automático, não uma pessoa."),
    purpose: [
        "Respondo às perguntas dos clientes.",
        "Respondo a perguntas sobre os nossos produtos e ofertas.",
        "Respondo a perguntas técnicas.",
        "Respondo às suas perguntas.",
        "Dou informações sobre o que oferecemos.",
        "Respondo a perguntas sobre marcações.",
    ],
    offer: [
        "Em que posso ajudar?",
        "O que posso fazer por si?",
        "Como posso ajudar?",
        "O que deseja saber?",
        "O que posso fazer por si hoje?",
    ],
};

/// Reply to a courtesy.
pub(super) fn reply(bot: &Bot, act: Act, language: Language) -> String {
    let voice = voice(language);
    let [greeting, thanks, goodbye, well, offer] =
        [voice.greeting, voice.thanks, voice.goodbye, voice.well, voice.offer]
            .map(|of| manner(bot.personality, of));
    let name = |(before, behind): (&str, &str)| format!("{before}{}{behind}", bot.name);
    match act {
        Act::Greeting => format!("{greeting} {} {offer}", name(voice.introduction)),
        Act::HowAreYou => format!("{well} {} {offer}", name(voice.introduction)),
        Act::Thanks => thanks.to_owned(),
        Act::Goodbye => goodbye.to_owned(),
        Act::Who => {
            let about = bot.description.as_deref().map(str::trim).filter(|about| !about.is_empty());
            let about = about.map_or_else(|| purpose(&voice, bot.role).to_owned(), sentence);
            format!("{} {about} {offer}", name(voice.identity))
        }
    }
}

/// Greeting used when the reply would repeat the welcome message.
pub(super) fn short_greeting(language: Language) -> String {
    let voice = voice(language);
    let [_, _, greeting, ..] = voice.greeting;
    let [.., offer] = voice.offer;
    format!("{greeting} {offer}")
}

fn sentence(text: &str) -> String {
    if text.ends_with(['.', '!', '?', '…']) { text.to_owned() } else { format!("{text}.") }
}

const fn manner(personality: Option<Personality>, of: [&str; 5]) -> &str {
    let [professional, friendly, helpful, expert, enthusiastic] = of;
    match personality {
        Some(Personality::Professional) => professional,
        Some(Personality::Friendly) => friendly,
        Some(Personality::Helpful) | None => helpful,
        Some(Personality::Expert) => expert,
        Some(Personality::Enthusiastic) => enthusiastic,
    }
}

const fn purpose(voice: &Voice, role: Option<Role>) -> &'static str {
    let [support, sales, technical, assistance, leads, appointments] = voice.purpose;
    match role {
        Some(Role::CustomerSupport) => support,
        Some(Role::Sales) => sales,
        Some(Role::TechnicalSupport) => technical,
        Some(Role::GeneralAssistant) | None => assistance,
        Some(Role::LeadGeneration) => leads,
        Some(Role::AppointmentBooking) => appointments,
    }
}

const fn voice(language: Language) -> Voice {
    match language {
        Language::English => ENGLISH,
        Language::Spanish => SPANISH,
        Language::French => FRENCH,
        Language::German => GERMAN,
        Language::Italian => ITALIAN,
        Language::Portuguese => PORTUGUESE,
    }
}
