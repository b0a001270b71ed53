//! Pure: recognises courtesies and replies to them, without the knowledge base.
//!
//! Courtesies are greetings, thanks, goodbyes, "How are you?" and "Who are you?", with nothing else in the
//! message.

use crate::bots::{Bot, Language};
use crate::words;

mod messages;
mod replies;

use messages::{AFTER_THANKS, COURTESIES, FILLERS, MOST_WORDS};

/// Kind of courtesy, by priority: the highest in a message decides the reply, as in "Hi, how are you?".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    Greeting,
    Goodbye,
    Thanks,
    HowAreYou,
    Who,
}

/// Reply to a courtesy, in the language of the message; `None` for any other message.
#[must_use]
pub fn reply(bot: &Bot, message: &str) -> Option<String> {
    let (act, language) = recognise(message, bot.language, &bot.name)?;
    let reply = replies::reply(bot, act, language);
    let is_welcome = bot.welcome_message.as_deref().is_some_and(|welcome| welcome.trim() == reply);
    Some(if is_welcome { replies::short_greeting(language) } else { reply })
}

/// Recognises a message of which every word belongs to a courtesy; returns its kind and language. A phrase of
/// several languages counts as the bot's.
fn recognise(message: &str, bot_language: Language, name: &str) -> Option<(Act, Language)> {
    let message_words = words::words(message);
    let name = words::words(name);
    if message_words.is_empty() || message_words.len() > MOST_WORDS {
        return None;
    }
    let mut rest = message_words.as_slice();
    let mut found: Option<(Act, Language)> = None;
    while !rest.is_empty() {
        let phrase = longest(rest, bot_language);
        // "Thanks a lot for your help": the reason for thanks adds no question.
        let is_thanked = found.is_some_and(|(act, _)| act == Act::Thanks);
        let tail = if is_thanked { longest_phrase(rest, AFTER_THANKS) } else { 0 };
        let filler =
            longest_phrase(rest, FILLERS).max(tail).max(if rest.starts_with(&name) { name.len() } else { 0 });
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

/// Longest courtesy at the start; ties go to the bot's language, then to the first in the table.
fn longest(message_words: &[String], bot_language: Language) -> Option<(Act, Language, usize)> {
    let phrases = COURTESIES.iter().flat_map(|(act, language, phrases)| {
        phrases
            .split(';')
            .filter_map(|phrase| matched_words(message_words, phrase).map(|length| (*act, *language, length)))
    });
    // `max_by_key` keeps the last maximum, so the table is read backwards.
    let phrases: Vec<(Act, Language, usize)> = phrases.collect();
    phrases.into_iter().rev().max_by_key(|(_, language, length)| (*length, *language == bot_language))
}

fn longest_phrase(message_words: &[String], phrases: &str) -> usize {
    phrases.split(';').filter_map(|phrase| matched_words(message_words, phrase)).max().unwrap_or(0)
}

/// Number of words of a phrase that the words start with.
fn matched_words(message_words: &[String], phrase: &str) -> Option<usize> {
    let mut length = 0;
    for word in phrase.split_whitespace() {
        if message_words.get(length)? != word {
            return None;
        }
        length += 1;
    }
    (length > 0).then_some(length)
}

#[cfg(test)]
mod tests;
