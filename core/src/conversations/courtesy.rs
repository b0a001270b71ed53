//! Pure: replies to messages that are a courtesy and nothing else: greetings, thanks, goodbyes, "How are you?" and "Who are
//! you?". They need no knowledge.

use crate::bots::{Bot, Language};
use crate::words;

mod messages;
mod replies;

use messages::{AFTER_THANKS, COURTESIES, FILLERS, MOST_WORDS};

/// What a courtesy is. The last of several in a message decides the reply: "Hi, how are you?" is a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    Greeting,
    Goodbye,
    Thanks,
    HowAreYou,
    Who,
}

/// The bot's reply to a message that is a courtesy in one of the six languages, in the language of the message; `None`
/// for any other message.
#[must_use]
pub fn reply(bot: &Bot, message: &str) -> Option<String> {
    let (act, language) = recognise(message, bot.language, &bot.name)?;
    let reply = replies::reply(bot, act, language);
    let is_welcome = bot.welcome_message.as_deref().is_some_and(|welcome| welcome.trim() == reply);
    Some(if is_welcome { replies::short_greeting(language) } else { reply })
}

/// What a message is, and its language, when every word of it belongs to a courtesy. A phrase of several languages is
/// read in the bot's.
fn recognise(message: &str, spoken: Language, name: &str) -> Option<(Act, Language)> {
    let said = words::words(message);
    let name = words::words(name);
    if said.is_empty() || said.len() > MOST_WORDS {
        return None;
    }
    let mut rest = said.as_slice();
    let mut found: Option<(Act, Language)> = None;
    while !rest.is_empty() {
        let phrase = longest(rest, spoken);
        // "Thanks a lot for your help": what thanks are for says nothing by itself.
        let is_thanked = found.is_some_and(|(act, _)| act == Act::Thanks);
        let tail = if is_thanked { longest_of(rest, AFTER_THANKS) } else { 0 };
        let filler =
            longest_of(rest, FILLERS).max(tail).max(if rest.starts_with(&name) { name.len() } else { 0 });
        let length = match phrase {
            Some((act, language, length)) if length >= filler => {
                found = Some(match found {
                    Some(before) if before.0 >= act => before,
                    _ => (act, language),
                });
                length
            }
            _ => filler,
        };
        if length == 0 {
            return None;
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    found
}

/// The longest courtesy at the beginning of some words; of equals the one in the bot's language,
/// else the first of the table.
fn longest(said: &[String], spoken: Language) -> Option<(Act, Language, usize)> {
    let phrases = COURTESIES.iter().flat_map(|(act, language, phrases)| {
        phrases.split(';').filter_map(|phrase| starts(said, phrase).map(|length| (*act, *language, length)))
    });
    // Of equals the last wins: the table is read from its end.
    let phrases: Vec<(Act, Language, usize)> = phrases.collect();
    phrases.into_iter().rev().max_by_key(|(_, language, length)| (*length, *language == spoken))
}

fn longest_of(said: &[String], phrases: &str) -> usize {
    phrases.split(';').filter_map(|phrase| starts(said, phrase)).max().unwrap_or(0)
}

/// How many words a phrase has, when the words begin with it.
fn starts(said: &[String], phrase: &str) -> Option<usize> {
    let mut length = 0;
    for word in phrase.split_whitespace() {
        if said.get(length)? != word {
            return None;
        }
        length += 1;
    }
    (length > 0).then_some(length)
}

#[cfg(test)]
mod tests;
