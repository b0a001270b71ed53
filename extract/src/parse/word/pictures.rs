//! Descriptions of pictures.

/// Longest description that is kept, in characters.
const MAX_DESCRIPTION: usize = 600;

/// Sentences that programs add to generated descriptions.
const ADDED: [&str; 8] = [
    "description automatically generated",
    "description generated with",
    "texte de remplacement généré automatiquement",
    "automatisch generierte beschreibung",
    "description générée automatiquement",
    "descripción generada automáticamente",
    "descrizione generata automaticamente",
    "ai-generated content may be incorrect",
];

/// The description of a picture by an author. None for a file name, an address or a generated name.
pub(super) fn description(text: &str) -> Option<String> {
    let mut lines = Vec::new();
    for line in text.lines() {
        let lower = line.to_lowercase();
        if !ADDED.iter().any(|added| lower.contains(added)) {
            lines.push(line.trim());
        }
    }
    let text = lines.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() || is_path(&text) || is_generic(&text) || !text.chars().any(char::is_alphabetic) {
        return None;
    }
    Some(text.chars().take(MAX_DESCRIPTION).collect())
}

fn is_path(text: &str) -> bool {
    const EXTENSIONS: [&str; 14] = [
        "png", "jpg", "jpeg", "gif", "bmp", "tif", "tiff", "emf", "wmf", "svg", "webp", "eps", "ico", "pict",
    ];
    let lower = text.to_lowercase();
    let extension = lower.rsplit_once('.').is_some_and(|(_, last)| EXTENSIONS.contains(&last));
    let drive = lower.as_bytes().get(1) == Some(&b':') && lower.contains('\\');
    let address = !text.contains(' ') && (lower.contains("://") || lower.starts_with("www."));
    let scheme = ["file:", "cid:", "data:", "\\\\", "http://", "https://"]
        .iter()
        .any(|start| lower.starts_with(start));
    let attached = EXTENSIONS.iter().any(|extension| lower.contains(&format!(".{extension}@")));
    extension || attached || drive || address || scheme
}

/// Names such as "Picture 3" or "Grafik 1".
fn is_generic(text: &str) -> bool {
    const NAMES: [&str; 22] = [
        "picture",
        "image",
        "graphic",
        "object",
        "shape",
        "text box",
        "chart",
        "diagram",
        "logo image",
        "bild",
        "grafik",
        "objekt",
        "diagramm",
        "imagen",
        "gráfico",
        "immagine",
        "afbeelding",
        "imagem",
        "obraz",
        "рисунок",
        "图片",
        "図",
    ];
    let lower = text.to_lowercase();
    let name =
        lower.trim_end_matches(|character: char| character.is_ascii_digit() || character.is_whitespace());
    // Prefixes of file names by cameras and scanners: IMG_2034, scan0001.
    const FILES: [&str; 8] = ["img", "dsc", "dscn", "scan", "screenshot", "unbenannt", "untitled", "image"];
    let file = name.trim_end_matches(['_', '-', ' ']);
    FILES.contains(&file) || NAMES.contains(&name) || lower.starts_with("image result for")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_an_author_wrote_describes_a_picture() {
        for (text, expected) in [
            ("Plan of the harbour with berth 7", Some("Plan of the harbour with berth 7")),
            (r"C:\Users\ann\Desktop\map1.png", None),
            (r"\\server\share\map", None),
            ("/home/ann/map.jpeg", None),
            ("map.svg", None),
            ("https://a.example/map", None),
            ("Picture 12", None),
            ("DSC_0042", None),
            ("scan0001", None),
            ("image001.png@01D5F2A1.6B1E5D20", None),
            ("A boat\nDescription generated with very high confidence", Some("A boat")),
            ("A boat\n\nDescription automatically generated", Some("A boat")),
            ("Description automatically generated with low confidence", None),
            ("  ", None),
        ] {
            assert_eq!(description(text).as_deref(), expected, "{text}");
        }
    }
}
