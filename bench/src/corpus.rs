//! Pure: deterministic generated company documents, and questions about them.

use std::fmt::Write as _;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

const PRODUCTS: [&str; 24] = [
    "Falcon", "Heron", "Osprey", "Kestrel", "Merlin", "Plover", "Avocet", "Bittern", "Curlew", "Dunlin",
    "Egret", "Fulmar", "Gannet", "Harrier", "Lapwing", "Nightjar", "Petrel", "Redwing", "Siskin", "Teal",
    "Wigeon", "Whimbrel", "Pintail", "Shoveler",
];
const KINDS: [&str; 16] = [
    "router",
    "sensor",
    "gateway",
    "heat pump",
    "inverter",
    "thermostat",
    "camera",
    "battery",
    "charger",
    "water meter",
    "display",
    "door lock",
    "speaker",
    "printer",
    "scanner",
    "projector",
];
const TEAMS: [&str; 16] = [
    "customer care",
    "field service",
    "returns",
    "billing",
    "logistics",
    "quality",
    "installation",
    "procurement",
    "legal",
    "training",
    "security",
    "facilities",
    "partner support",
    "warranty",
    "data protection",
    "finance",
];
const CITIES: [&str; 20] = [
    "Lisbon", "Turin", "Lyon", "Leeds", "Bremen", "Porto", "Ghent", "Malmo", "Aarhus", "Bilbao", "Graz",
    "Basel", "Krakow", "Brno", "Tartu", "Cork", "Nantes", "Utrecht", "Bergen", "Tampere",
];
const PARTS: [&str; 16] = [
    "filter",
    "fuse",
    "antenna",
    "power supply",
    "fan",
    "pump",
    "gasket",
    "mounting plate",
    "cable",
    "valve",
    "relay",
    "housing",
    "lens",
    "keypad",
    "memory card",
    "firmware",
];
const SIGNS: [&str; 12] = [
    "blinks red twice",
    "stays dark",
    "makes a clicking noise",
    "restarts every few minutes",
    "loses its connection at night",
    "shows an empty screen",
    "smells of warm plastic",
    "drips water",
    "reports a wrong temperature",
    "does not accept the code",
    "charges too slowly",
    "prints blank pages",
];
const REASONS: [&str; 12] = [
    "because the seal was not seated properly during installation",
    "when the supply voltage falls below the limit printed on the label",
    "after an update that was interrupted by a power cut",
    "if the ambient humidity exceeds what the data sheet allows",
    "since older units were delivered with another revision of the board",
    "unless the protective film has been removed from the contacts",
    "as long as the device has not been registered in the portal",
    "whenever two units share the same address on one bus",
    "because the clock was not set after the battery was replaced",
    "if the cover was closed before the display had gone out",
    "when the cable is longer than fifteen metres",
    "after the device was stored below freezing for a winter",
];

/// A generated document.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) name: String,
    pub(crate) text: String,
    /// Questions that it answers, a few per section.
    pub(crate) questions: Vec<String>,
}

/// Generates documents, sentences and questions.
#[derive(Debug)]
pub(crate) struct Writer(StdRng);

impl Writer {
    /// A generator that is deterministic for a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    /// A Markdown document of exactly this many bytes.
    pub(crate) fn document(&mut self, number: usize, bytes: usize) -> Document {
        let title = format!("The {} handbook, volume {number}", self.pick(&PRODUCTS));
        let mut text = format!("# {title}\n");
        let mut questions = Vec::new();
        while text.len() < bytes {
            let device = self.device();
            // Writing to a string cannot fail.
            let _infallible = write!(text, "\n## The {device}\n");
            for _paragraph in 0..self.number(2, 4) {
                text.push('\n');
                for _sentence in 0..self.number(3, 6) {
                    let (sentence, question) = self.fact(&device);
                    text.push_str(&sentence);
                    text.push(' ');
                    questions.push(question);
                }
                text.push('\n');
            }
        }
        // The text is ASCII: every byte is a character boundary.
        text.truncate(bytes);
        questions.truncate(questions.len() * 9 / 10);
        Document { name: format!("handbook-{number}.md"), text, questions }
    }

    /// A plain text of about this many bytes, in paragraphs longer than a chunk: chunks are cut at their
    /// size.
    pub(crate) fn prose(&mut self, number: usize, bytes: usize) -> Document {
        let mut text = String::new();
        while text.len() < bytes {
            for _sentence in 0..self.number(30, 50) {
                text.push_str(&self.sentence());
                text.push(' ');
            }
            text.push_str("\n\n");
        }
        Document { name: format!("report-{number}.txt"), text, questions: Vec::new() }
    }

    /// A sentence about a random device.
    pub(crate) fn sentence(&mut self) -> String {
        let device = self.device();
        self.fact(&device).0
    }

    fn device(&mut self) -> String {
        format!("{} {} {}", self.pick(&PRODUCTS), self.number(100, 999), self.pick(&KINDS))
    }

    fn fact(&mut self, device: &str) -> (String, String) {
        let (part, team, city) = (self.pick(&PARTS), self.pick(&TEAMS), self.pick(&CITIES));
        let (sign, reason, amount) = (self.pick(&SIGNS), self.pick(&REASONS), self.number(2, 98));
        match self.number(0, 9) {
            0 => (
                format!(
                    "The warranty of the {device} lasts {amount} months from the day of delivery, and the {team} team in {city} extends it on request."
                ),
                format!("How long does the warranty of the {device} last?"),
            ),
            1 => (
                format!("Replace the {part} of the {device} every {amount} weeks, {reason}."),
                format!("How often should the {part} of the {device} be replaced?"),
            ),
            2 => (
                format!(
                    "If the {device} {sign}, hold its button for {amount} seconds and call the {team} team; this happens {reason}."
                ),
                format!("What should I do if the {device} {sign}?"),
            ),
            3 => (
                format!(
                    "Our warehouse in {city} keeps {amount} pieces of the {part} for the {device} and ships before noon on working days."
                ),
                format!("Which warehouse keeps the {part} for the {device}?"),
            ),
            4 => (
                format!(
                    "A spare {part} for the {device} costs {amount} euros without tax, and the {team} team grants a discount from five pieces."
                ),
                format!("What does a spare {part} for the {device} cost?"),
            ),
            5 => (
                format!("The {device} must not be operated above {amount} degrees, {reason}."),
                format!("Up to which temperature can the {device} be operated?"),
            ),
            6 => (
                format!(
                    "Installers from {city} need {amount} minutes for a {device}, including the test of the {part} and the report to the {team} team."
                ),
                format!("How many minutes do installers need for a {device}?"),
            ),
            7 => (
                format!(
                    "Reports about a {device} that {sign} are answered within {amount} hours by {team} in {city}."
                ),
                format!("Within how many hours are reports about the {device} answered?"),
            ),
            8 => (
                format!(
                    "Since last spring the {part} of every {device} has been made in {city}; {amount} units had to be recalled {reason}."
                ),
                format!("Where is the {part} of the {device} made?"),
            ),
            _ => (
                format!(
                    "To return a {device}, write to the {team} team in {city} within {amount} days and enclose the {part}."
                ),
                format!("Within how many days can I return the {device}?"),
            ),
        }
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from.get(self.0.random_range(0..from.len())).copied().unwrap_or_default()
    }

    fn number(&mut self, min: u32, max: u32) -> u32 {
        self.0.random_range(min..=max)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::Writer;

    #[test]
    fn a_document_has_the_requested_size_and_questions() {
        let document = Writer::new(1).document(3, 10 * 1024);
        assert_eq!((document.name.as_str(), document.text.len()), ("handbook-3.md", 10 * 1024));
        assert!(document.questions.len() > 40, "{}", document.questions.len());
    }

    #[test]
    fn output_depends_on_the_seed_only() {
        let text = |seed| Writer::new(seed).document(1, 4096).text;
        assert_eq!(text(5), text(5));
        assert_ne!(text(5), text(6));
    }

    #[test]
    fn sentences_rarely_repeat() {
        let mut writer = Writer::new(2);
        let different: HashSet<String> = (0..2000).map(|_| writer.sentence()).collect();
        assert!(different.len() > 1990, "{}", different.len());
    }
}
