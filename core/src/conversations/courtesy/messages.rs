//! Recognised courtesies: folded phrases, separated by semicolons.

use super::Act;
use crate::bots::Language::{self, English, French, German, Italian, Portuguese, Spanish};

/// A message with more words is no courtesy.
pub(super) const MOST_WORDS: usize = 14;

pub(super) const COURTESIES: &[(Act, Language, &str)] = &[
    (
        Act::Greeting,
        English,
        "hi;hello;hey;hiya;howdy;greetings;good morning;good afternoon;good evening;good day;morning;\
        nice to meet you;pleased to meet you;can you help me;could you help me;i have a question;i need help;i need your help",
    ),
    (
        Act::Greeting,
        Spanish,
        "hola;buenas;buenos dias;buen dia;buenas tardes;buenas noches;saludos;encantado;encantada;\
        mucho gusto;me puedes ayudar;puedes ayudarme;me puede ayudar;puede ayudarme;tengo una pregunta;tengo una duda;necesito ayuda",
    ),
    (
        Act::Greeting,
        French,
        "bonjour;bonsoir;salut;coucou;enchante;enchantee;pouvez vous m aider;peux tu m aider;\
        j ai une question;j ai besoin d aide",
    ),
    (
        Act::Greeting,
        German,
        "hallo;hi;hey;guten tag;guten morgen;guten abend;morgen;moin;servus;gruss gott;gruezi;gruss dich;\
        tag;schonen guten tag;freut mich;kannst du mir helfen;konnen sie mir helfen;konnten sie mir helfen;ich habe eine frage;\
        ich brauche hilfe",
    ),
    (
        Act::Greeting,
        Italian,
        "ciao;salve;buongiorno;buonasera;buon giorno;buona sera;buon pomeriggio;piacere;\
        piacere di conoscerti;puoi aiutarmi;mi puoi aiutare;puo aiutarmi;ho una domanda;ho bisogno di aiuto",
    ),
    (
        Act::Greeting,
        Portuguese,
        "ola;oi;bom dia;boa tarde;boa noite;saudacoes;prazer;muito prazer;prazer em conhecer;\
        pode me ajudar;podes ajudar me;pode ajudar me;tenho uma pergunta;tenho uma duvida;preciso de ajuda",
    ),
    (
        Act::Thanks,
        English,
        "thanks;thank you;thx;ty;cheers;many thanks;thanks a lot;thanks a million;thank you very much;\
        thank you so much;much appreciated;appreciate it;i appreciate it;i appreciate your help;that helped;that helps;\
        that was helpful;that was very helpful;that is very helpful;very helpful;you have been very helpful",
    ),
    (
        Act::Thanks,
        Spanish,
        "gracias;muchas gracias;mil gracias;muchisimas gracias;te lo agradezco;se lo agradezco;muy amable;\
        gracias de antemano;le agradezco;muy agradecido;muy agradecida",
    ),
    (
        Act::Thanks,
        French,
        "merci;merci beaucoup;merci bien;mille mercis;je vous remercie;je te remercie;un grand merci;\
        grand merci;merci infiniment;merci d avance;c est gentil;c est tres gentil",
    ),
    (
        Act::Thanks,
        German,
        "danke;vielen dank;danke schon;dankeschon;danke sehr;besten dank;herzlichen dank;tausend dank;\
        ich danke ihnen;ich danke dir;danke dir;danke ihnen;danke vielmals;lieben dank;schonen dank;das hat geholfen;\
        das hilft mir",
    ),
    (
        Act::Thanks,
        Italian,
        "grazie;grazie mille;mille grazie;molte grazie;tante grazie;grazie tante;ti ringrazio;la ringrazio;\
        vi ringrazio;grazie infinite;molto gentile",
    ),
    (
        Act::Thanks,
        Portuguese,
        "obrigado;obrigada;muito obrigado;muito obrigada;valeu;agradeco;agradecido;agradecida;\
        muito agradecido;muito agradecida;obrigadinho;obrigadinha",
    ),
    (
        Act::Goodbye,
        English,
        "bye;goodbye;good bye;bye bye;see you;see you later;see you soon;see ya;farewell;have a nice day;\
        have a good day;have a great day;have a lovely day;have a good one;have a nice weekend;have a good weekend;\
        have a good evening;have a nice evening;good night;take care;talk to you later",
    ),
    (
        Act::Goodbye,
        Spanish,
        "adios;hasta luego;hasta pronto;hasta manana;hasta la vista;hasta otra;chao;chau;nos vemos;\
        que tengas un buen dia;que tenga un buen dia;que tengas buen dia;que tenga buen dia;buen fin de semana",
    ),
    (
        Act::Goodbye,
        French,
        "au revoir;a bientot;a plus;a plus tard;a demain;bonne journee;bonne soiree;bonne nuit;adieu;\
        bon week end;bonne fin de journee;passez une bonne journee",
    ),
    (
        Act::Goodbye,
        German,
        "tschuss;tschuess;tschau;ciao;bye;auf wiedersehen;auf wiederhoren;bis bald;bis dann;bis spater;\
        bis morgen;schonen tag;schonen tag noch;einen schonen tag;einen schonen tag noch;schonen abend;schonen abend noch;\
        einen schonen abend;mach s gut;machs gut;gute nacht;schones wochenende;ein schones wochenende",
    ),
    (
        Act::Goodbye,
        Italian,
        "arrivederci;arrivederla;a presto;a dopo;a domani;buona giornata;buona serata;buona notte;\
        buonanotte;addio;ci vediamo;ci sentiamo;alla prossima;buon fine settimana",
    ),
    (
        Act::Goodbye,
        Portuguese,
        "adeus;tchau;ate logo;ate breve;ate mais;ate mais tarde;ate amanha;ate a proxima;\
        tenha um bom dia;tenha um otimo dia;um bom dia para voce;bom fim de semana",
    ),
    (
        Act::HowAreYou,
        English,
        "how are you;how are you doing;how is it going;how s it going;hows it going;how do you do;\
        what s up;whats up;how are things;how have you been;are you ok;are you well",
    ),
    (
        Act::HowAreYou,
        Spanish,
        "como estas;como esta;como esta usted;que tal;que tal estas;que tal esta;como te va;como va;\
        como va todo;como andas;todo bien",
    ),
    (
        Act::HowAreYou,
        French,
        "comment allez vous;comment vas tu;comment ca va;ca va;ca va bien;tu vas bien;vous allez bien;\
        comment tu vas;quoi de neuf",
    ),
    (
        Act::HowAreYou,
        German,
        "wie geht es dir;wie geht es ihnen;wie geht es euch;wie geht s;wie gehts;wie geht s dir;\
        wie gehts dir;wie geht s ihnen;alles gut bei dir;geht es dir gut",
    ),
    (Act::HowAreYou, Italian, "come stai;come sta;come va;come state;tutto bene;come te la passi"),
    (
        Act::HowAreYou,
        Portuguese,
        "como esta;como estas;como vai;como voce esta;como vai voce;como voce vai;tudo bem;tudo bom;\
        tudo bem com voce;tudo bem contigo;esta tudo bem;como tem passado",
    ),
    (
        Act::Who,
        English,
        "who are you;what are you;who am i talking to;who am i speaking to;who am i speaking with;\
        who am i chatting with;who is this;are you a bot;are you a robot;are you human;are you a human;are you a human being;\
        are you a person;are you real;are you a real person;are you an ai;are you ai;are you a chatbot;are you a machine;\
        are you a bot or a human;are you human or a bot;am i talking to a bot;am i talking to a human;am i talking to a real person;\
        am i talking to a person;is this a bot;what can you do;what can you do for me;what can you help me with;what can i ask;\
        what can i ask you;what do you do;how can you help me;how can you help;what is your name;what s your name;whats your name;\
        do you have a name;introduce yourself;tell me about yourself",
    ),
    (
        Act::Who,
        Spanish,
        "quien eres;quien eres tu;quien es usted;que eres;eres un bot;eres un robot;eres humano;eres humana;\
        eres un humano;eres una persona;eres una ia;eres real;eres una persona real;eres una maquina;es usted un bot;\
        es usted un robot;es usted una persona;eres un chatbot;hablo con un bot;estoy hablando con un bot;hablo con una persona;\
        estoy hablando con una persona;que puedes hacer;que puedes hacer por mi;que sabes hacer;que haces;que puede hacer;\
        en que me puedes ayudar;en que puedes ayudarme;en que me puede ayudar;en que puede ayudarme;como me puedes ayudar;\
        como puedes ayudarme;como puede ayudarme;como te llamas;cual es tu nombre;cual es su nombre;con quien hablo;\
        con quien estoy hablando;que te puedo preguntar;que puedo preguntarte",
    ),
    (
        Act::Who,
        French,
        "qui es tu;qui etes vous;tu es qui;vous etes qui;es tu un robot;etes vous un robot;es tu un bot;\
        etes vous un bot;tu es un robot;tu es un bot;vous etes un robot;vous etes un bot;es tu humain;etes vous humain;\
        est ce que tu es un robot;est ce que vous etes un robot;est ce que tu es un bot;est ce que vous etes un bot;es tu une ia;\
        etes vous une ia;etes vous une personne;etes vous une vraie personne;es tu une personne;que peux tu faire;\
        que pouvez vous faire;que pouvez vous faire pour moi;que sais tu faire;que savez vous faire;tu peux faire quoi;tu fais quoi;\
        qu est ce que tu peux faire;qu est ce que vous pouvez faire;comment tu t appelles;comment t appelles tu;\
        comment vous appelez vous;quel est ton nom;quel est votre nom;a qui je parle;a qui ai je affaire;\
        comment pouvez vous m aider;comment peux tu m aider;en quoi pouvez vous m aider;en quoi peux tu m aider",
    ),
    (
        Act::Who,
        German,
        "wer bist du;wer sind sie;was bist du;was sind sie;bist du ein bot;bist du ein roboter;bist du ein mensch;\
        bist du eine ki;bist du echt;bist du ein chatbot;bist du eine maschine;sind sie ein bot;sind sie ein roboter;\
        sind sie ein mensch;sind sie eine ki;rede ich mit einem bot;spreche ich mit einem bot;spreche ich mit einem menschen;\
        rede ich mit einem menschen;was kannst du;was kannst du tun;was kannst du alles;was kannst du fur mich tun;was konnen sie;\
        was konnen sie tun;was konnen sie fur mich tun;wobei kannst du helfen;wobei kannst du mir helfen;wobei konnen sie helfen;\
        wobei konnen sie mir helfen;womit kannst du mir helfen;womit konnen sie mir helfen;wie kannst du mir helfen;\
        wie konnen sie mir helfen;wie heisst du;wie heissen sie;wie ist dein name;wie ist ihr name;mit wem spreche ich;\
        mit wem rede ich;was machst du;was kann ich dich fragen;was kann ich sie fragen",
    ),
    (
        Act::Who,
        Italian,
        "chi sei;chi sei tu;chi e lei;cosa sei;che cosa sei;sei un bot;sei un robot;sei umano;sei umana;\
        sei un umano;sei una persona;sei una persona reale;sei una persona vera;sei un ia;sei un intelligenza artificiale;\
        sei un chatbot;sei reale;lei e un bot;parlo con un bot;sto parlando con un bot;parlo con una persona;\
        sto parlando con una persona;cosa sai fare;cosa puoi fare;cosa puoi fare per me;che cosa puoi fare;che cosa sai fare;\
        cosa fai;come puoi aiutarmi;come mi puoi aiutare;in cosa puoi aiutarmi;in che cosa puoi aiutarmi;come puo aiutarmi;\
        come ti chiami;qual e il tuo nome;qual e il suo nome;con chi parlo;con chi sto parlando;cosa posso chiederti",
    ),
    (
        Act::Who,
        Portuguese,
        "quem es tu;quem es;quem e voce;o que es;o que es tu;o que e voce;o que voce e;es um bot;es um robo;\
        es humano;es uma ia;es uma pessoa;voce e um bot;voce e um robo;voce e humano;voce e uma pessoa;voce e uma pessoa real;\
        voce e real;voce e uma ia;voce e um chatbot;falo com um bot;estou falando com um bot;estou a falar com um bot;\
        estou falando com um robo;com quem falo;com quem estou falando;com quem estou a falar;o que voce faz;o que fazes;\
        o que sabes fazer;o que podes fazer;o que voce pode fazer;o que voce pode fazer por mim;o que voce sabe fazer;\
        o que pode fazer;como pode me ajudar;como voce pode me ajudar;como podes ajudar me;como pode ajudar me;\
        em que pode me ajudar;como te chamas;qual e o seu nome;qual e o teu nome;qual o seu nome;como voce se chama",
    ),
];

/// Reasons for thanks.
pub(super) const AFTER_THANKS: &str = "for your help;for the help;for your great help;for helping;for helping me;for all your help;\
    for the information;for the info;for your answer;for the answer;for your reply;for the quick reply;for the quick answer;\
    for your time;for everything;for that;for your support;in advance;you;so much;very much;a lot;indeed;kindly;\
    you have been very helpful;\
    por tu ayuda;por su ayuda;por la ayuda;por ayudarme;por la informacion;por tu respuesta;por su respuesta;por la respuesta;\
    por todo;por responder;por tu tiempo;por su tiempo;de antemano;\
    pour votre aide;pour ton aide;pour l aide;pour tout;pour votre reponse;pour ta reponse;pour la reponse;pour l information;\
    pour l info;pour les informations;pour ces informations;d avance;a vous;a toi;pour votre temps;\
    fur ihre hilfe;fur deine hilfe;fur die hilfe;fur die schnelle hilfe;fur die auskunft;fur die info;fur die infos;\
    fur die information;fur die informationen;fur die antwort;fur die schnelle antwort;fur ihre antwort;fur deine antwort;\
    fur alles;fur ihre zeit;fur ihre muhe;im voraus;\
    per l aiuto;per il tuo aiuto;per il suo aiuto;per la risposta;per le informazioni;per l informazione;per tutto;\
    per la disponibilita;in anticipo;a te;a lei;\
    pela ajuda;pela sua ajuda;pela tua ajuda;pela resposta;pela informacao;pelas informacoes;por tudo;pela atencao;\
    por ajudar;por me ajudar";

/// Words beside a courtesy that carry no request.
pub(super) const FILLERS: &str = "there;bot;chatbot;everyone;everybody;all;team;folks;sir;madam;again;today;now;really;ok;okay;k;great;\
    perfect;alright;all right;cool;nice;awesome;wonderful;excellent;fantastic;good;got it;i see;and;oh;ah;well;no;yes;please;then;\
    so;dear;my friend;\
    a todos;a todas;de nuevo;otra vez;hoy;vale;perfecto;genial;estupendo;excelente;entendido;muy bien;bien;y;si;bueno;amigo;amiga;\
    claro;listo;de acuerdo;pues;entonces;\
    a tous;encore;encore une fois;aujourd hui;d accord;parfait;super;tres bien;et;madame;monsieur;non;oui;alors;bon;voila;bien sur;\
    alle;zusammen;alle zusammen;nochmal;nochmals;noch mal;heute;alles klar;perfekt;gut;sehr gut;prima;klasse;toll;und;nein;ja;also;\
    erst mal;erstmal;schon mal;liebes team;ihr lieben;wunderbar;in ordnung;okay gut;du;dir;so;denn;\
    a tutti;ancora;di nuovo;oggi;perfetto;va bene;ottimo;e;bene;molto bene;capito;allora;d accordo;\
    pessoal;de novo;hoje;perfeito;otimo;certo;ta bom;esta bem;muito bem;nao;sim;entao;voce;tu";
