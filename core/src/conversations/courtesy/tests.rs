use super::*;
use crate::bots::{Channel, Personality, Role, WhenUnsure};
use crate::ids::BotId;

fn bot(language: Language) -> Bot {
    Bot {
        id: BotId::fresh(),
        name: "Ada".to_owned(),
        channel_type: Channel::Webchat,
        description: None,
        welcome_message: None,
        system_prompt: None,
        is_active: true,
        is_default: true,
        language,
        personality: None,
        role: None,
        when_unsure: WhenUnsure::Tell,
        strict: false,
        created_at: chrono::DateTime::UNIX_EPOCH,
        updated_at: chrono::DateTime::UNIX_EPOCH,
    }
}

const COURTEOUS: &[(Act, Language, &str)] = &[
    (
        Act::Greeting,
        Language::English,
        "hi;Hello!;hey there 👋;Good morning;Hi Ada!;Hello, I have a question",
    ),
    (Act::Greeting, Language::Spanish, "Hola;¡Buenos días!;buenas tardes;Hola de nuevo 😊;Hola, buenas"),
    (Act::Greeting, Language::French, "Bonjour;Salut !;bonsoir à tous;Coucou"),
    (Act::Greeting, Language::German, "Hallo;Guten Tag!;Moin;Grüß Gott;guten morgen zusammen"),
    (Act::Greeting, Language::Italian, "Ciao!;Buongiorno;buonasera;Salve a tutti"),
    (Act::Greeting, Language::Portuguese, "Olá;Oi!;Bom dia;Boa tarde pessoal"),
    (
        Act::Thanks,
        Language::English,
        "thanks;Thank you very much for your help!;ok, thanks a lot 🙏;Great, thank you;no thanks",
    ),
    (Act::Thanks, Language::Spanish, "Gracias;¡Muchas gracias por la información!;Perfecto, gracias"),
    (Act::Thanks, Language::French, "Merci;merci beaucoup pour votre aide;D'accord, merci !"),
    (Act::Thanks, Language::German, "Danke;Vielen Dank für die schnelle Hilfe!;Super, danke schön"),
    (Act::Thanks, Language::Italian, "Grazie;grazie mille per l'aiuto!;Va bene, grazie"),
    (Act::Thanks, Language::Portuguese, "Obrigado;Muito obrigada pela ajuda!;Ótimo, valeu"),
    (Act::Goodbye, Language::English, "bye;Goodbye!;See you later;have a nice day"),
    (Act::Goodbye, Language::Spanish, "Adiós;hasta luego;¡Que tengas un buen día!"),
    (Act::Goodbye, Language::French, "Au revoir;Bonne journée !;à bientôt"),
    (Act::Goodbye, Language::German, "Tschüss;Auf Wiedersehen!;schönen Tag noch"),
    (Act::Goodbye, Language::Italian, "Arrivederci;a presto!;Buona giornata"),
    (Act::Goodbye, Language::Portuguese, "Tchau;Até logo!;adeus"),
    (Act::HowAreYou, Language::English, "How are you?;Hi, how are you doing today?;what's up"),
    (Act::HowAreYou, Language::Spanish, "¿Qué tal?;Hola, ¿cómo estás?"),
    (Act::HowAreYou, Language::French, "Comment allez-vous ?;Salut, ça va ?"),
    (Act::HowAreYou, Language::German, "Wie geht es dir?;Hallo, wie geht's?"),
    (Act::HowAreYou, Language::Italian, "Come stai?;Ciao, come va?"),
    (Act::HowAreYou, Language::Portuguese, "Tudo bem?;Oi, como vai você?"),
    (
        Act::Who,
        Language::English,
        "Who are you?;What can you do?;are you a bot?;What's your name?;Hello, am I talking to a human?",
    ),
    (Act::Who, Language::Spanish, "¿Quién eres?;¿Eres un robot?;¿Qué puedes hacer?;hola, ¿cómo te llamas?"),
    (Act::Who, Language::French, "Qui êtes-vous ?;Es-tu un robot ?;Que pouvez-vous faire ?"),
    (Act::Who, Language::German, "Wer bist du?;Sind Sie ein Mensch?;Was kannst du?;Wie heißt du?"),
    (Act::Who, Language::Italian, "Chi sei?;Sei un bot?;Cosa puoi fare?"),
    (Act::Who, Language::Portuguese, "Quem é você?;Você é um robô?;O que você pode fazer?"),
];

#[test]
fn courtesies_are_recognised_in_six_languages() {
    for (act, language, messages) in COURTEOUS {
        for message in messages.split(';') {
            assert_eq!(recognise(message, *language, "Ada"), Some((*act, *language)), "{message}");
        }
    }
    let count: usize = COURTEOUS.iter().map(|(.., messages)| messages.split(';').count()).sum();
    assert!(count >= 60, "{count}");
}

#[test]
fn a_courtesy_has_its_own_language() {
    for (act, language, messages) in COURTEOUS {
        // "Hi" is German too, and "ciao" is a German goodbye.
        for bot_language in [Language::French, Language::Portuguese] {
            for message in messages.split(';').filter(|message| !message.contains("cómo est")) {
                assert_eq!(recognise(message, bot_language, "Ada"), Some((*act, *language)), "{message}");
            }
        }
    }
    assert_eq!(recognise("Ciao", Language::German, "Ada"), Some((Act::Goodbye, Language::German)));
    assert_eq!(recognise("Hi", Language::German, "Ada"), Some((Act::Greeting, Language::German)));
}

#[test]
fn a_message_with_a_question_is_no_courtesy() {
    let questions = [
        "",
        "   ",
        "👍",
        "Ada",
        "ok",
        "yes please",
        "no",
        "for your help",
        "Do you sell Hello Kitty mugs?",
        "hola es vuestra marca?",
        "Hi, how do I reset my password?",
        "thanks, and what about shipping?",
        "Hello, where is my order",
        "hello world example",
        "Is there a good morning breakfast menu?",
        "What are you selling?",
        "What can you do about a late parcel?",
        "How are you different from the others?",
        "Who are you owned by?",
        "Are you a bot developer agency?",
        "Are you open today?",
        "Are you real estate agents?",
        "Thank you cards price",
        "Do you have thank you cards?",
        "bye bye diapers, do you stock them?",
        "What is your name tag size?",
        "Can you help me with a refund?",
        "I need help with my invoice",
        "good night tea ingredients",
        "how is it going with my order",
        "What's up with my delivery",
        "Hi, price?",
        "hey is it waterproof",
        "see you later alligator toy",
        "Hola, ¿a qué hora abren?",
        "¿Qué tal es la batería?",
        "¿Cómo está mi pedido?",
        "gracias, ¿y el envío?",
        "¿Quién es el director?",
        "¿Qué puedes hacer con este producto?",
        "Buenos días, quiero devolver unas botas",
        "Necesito ayuda con mi factura",
        "Bonjour, quels sont vos horaires ?",
        "Merci, et pour la livraison ?",
        "Ça va durer combien de temps ?",
        "Salut, c'est combien ?",
        "Le forfait Bonjour coûte combien ?",
        "Qui êtes-vous autorisés à livrer ?",
        "Comment allez-vous me rembourser ?",
        "Hallo, wann habt ihr offen?",
        "Danke, und was kostet der Versand?",
        "Wie geht es dir mit dem Produkt Alpha?",
        "Gibt es Guten-Morgen-Tassen?",
        "Wie geht es weiter mit meiner Bestellung?",
        "Was kannst du zu Garantie sagen?",
        "Wer sind Sie im Impressum?",
        "Ciao, quanto costa?",
        "Grazie, e la spedizione?",
        "Come sta il mio ordine?",
        "Come va usato lo sciroppo?",
        "Chi sei tu per decidere il prezzo?",
        "Olá, quanto custa?",
        "Obrigado, e a entrega?",
        "Tudo bem se eu devolver?",
        "Como está o meu pedido?",
        "Quem é você na empresa Alfa?",
        "hello hello hello hello hello hello hello hello hello hello hello hello hello hello hello",
    ];
    for message in questions {
        for bot_language in [Language::English, Language::Spanish, Language::German] {
            assert_eq!(recognise(message, bot_language, "Ada"), None, "{message}");
        }
    }
    assert!(questions.len() >= 60);
}

#[test]
fn replies_follow_personality_role_and_description() {
    let mut ada = bot(Language::English);
    assert_eq!(reply(&ada, "Hi").unwrap(), "Hello! I am Ada. How can I help you?");
    ada.personality = Some(Personality::Professional);
    assert_eq!(reply(&ada, "Hi").unwrap(), "Good day. I am Ada. How may I help you?");
    assert_eq!(reply(&ada, "Thank you!").unwrap(), "You are welcome.");
    ada.role = Some(Role::TechnicalSupport);
    let who =
        "I am Ada, an automated assistant, not a human. I answer technical questions. How may I help you?";
    assert_eq!(reply(&ada, "Are you a robot?").unwrap(), who);
    ada.description = Some("The guide of the city library".to_owned());
    let who =
        "I am Ada, an automated assistant, not a human. The guide of the city library. How may I help you?";
    assert_eq!(reply(&ada, "Who are you?").unwrap(), who);
}

#[test]
fn personalities_reply_differently_in_every_language() {
    let messages = ["hi", "hola", "bonjour", "hallo", "buongiorno", "bom dia"];
    for (language, message) in Language::ALL.iter().zip(messages) {
        let mut replies: Vec<String> = Personality::ALL
            .iter()
            .map(|personality| Bot { personality: Some(*personality), ..bot(*language) })
            .filter_map(|bot| reply(&bot, message))
            .collect();
        assert!(replies.iter().all(|reply| reply.contains("Ada")), "{replies:?}");
        replies.sort();
        replies.dedup();
        assert_eq!(replies.len(), Personality::ALL.len(), "{replies:?}");
    }
}

#[test]
fn a_greeting_never_repeats_the_welcome_message() {
    let mut ada = bot(Language::English);
    let greeting = reply(&ada, "hi").unwrap();
    ada.welcome_message = Some(greeting.clone());
    assert_ne!(reply(&ada, "hi").unwrap(), greeting);
}
