//! PDFs with reference loops, deep nesting, decompression bombs and false metadata.

use crate::corpus::pdf::{Pdf, deflated, of_content, show};
use crate::corpus::{Sample, half, noise, pdf};
use crate::protocol::Verdict::{
    Corrupt, Empty, Encrypted, GarbledText, ScannedNoText, Timeout, TooComplex, TooLarge,
};

pub(super) fn samples() -> Vec<Sample> {
    let mut samples = unreadable();
    samples.extend(loops());
    samples.extend(bombs());
    samples.extend(false_metadata());
    samples
}

fn unreadable() -> Vec<Sample> {
    let whole = pdf(&["Some words on a page, and some more of them.", "Another page with other words."]);
    let mut encrypted = of_content(&show(72, 700, 11, "Secret words"), "");
    let digest = "<28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a>";
    let dictionary =
        encrypted.add(format!("<</Filter/Standard/V 2/R 3/Length 128/P -4/O{digest}/U{digest}>>"));
    encrypted.trailer(&format!("/Encrypt {dictionary} 0 R/ID[<00112233445566778899aabbccddeeff><00>]"));

    let mut scan = of_content(b"q 595 0 0 842 0 0 cm /I1 Do Q", "/XObject<</I1 5 0 R>>");
    let image = "/Type/XObject/Subtype/Image/Width 64/Height 64/ColorSpace/DeviceGray/BitsPerComponent 8";
    let number = scan.stream(image, &noise(64 * 64));
    scan.set(6, format!(
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 5 0 R/Resources<</XObject<</I1 {number} 0 R>>>>>>"
    ));

    // Glyphs by number, without a mapping to characters.
    let mut garbled =
        of_content(b"BT /F9 11 Tf 72 700 Td <0102030405060708090a0b0c0d0e0f10> Tj ET", "/Dummy 0");
    let descriptor = garbled.add("<</Type/FontDescriptor/FontName/Unknown/Flags 4/FontBBox[0 0 1 1]/ItalicAngle 0/Ascent 1/Descent 0/CapHeight 1/StemV 1>>");
    let cid = garbled.add(format!(
        "<</Type/Font/Subtype/CIDFontType2/BaseFont/Unknown/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/FontDescriptor {descriptor} 0 R>>"
    ));
    let font = garbled.add(format!(
        "<</Type/Font/Subtype/Type0/BaseFont/Unknown/Encoding/Identity-H/DescendantFonts[{cid} 0 R]>>"
    ));
    garbled.set(6, format!(
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 5 0 R/Resources<</Font<</F9 {font} 0 R>>>>>>"
    ));
    vec![
        Sample::rejected("encrypted.pdf", encrypted.finish(), &[Encrypted]),
        Sample::rejected("scan.pdf", scan.finish(), &[ScannedNoText]),
        Sample::rejected("garbled.pdf", garbled.finish(), &[GarbledText]),
        Sample::rejected("blank.pdf", of_content(b"q Q", "").finish(), &[Empty]),
        Sample::any("truncated.pdf", half(whole.clone())),
        Sample::rejected("head.pdf", whole.get(..40).unwrap_or_default(), &[Corrupt]),
        Sample::rejected(
            "noise-after-mark.pdf",
            [b"%PDF-1.7\n".as_slice(), &noise(1 << 20)].concat(),
            &[Corrupt],
        ),
    ]
}

fn loops() -> Vec<Sample> {
    let text = show(72, 700, 11, "Words before the loop");
    let mut tree = of_content(&text, "");
    tree.set(2, "<</Type/Pages/Count 3/Kids[2 0 R 6 0 R 2 0 R]>>");
    let mut pair = Pdf::new();
    pair.set(2, "<</Type/Pages/Count 1/Kids[5 0 R]>>");
    pair.add("<</Type/Pages/Count 1/Parent 2 0 R/Kids[2 0 R]>>");
    let mut parent = of_content(&text, "");
    parent.set(2, "<</Type/Pages/Count 1/Kids[6 0 R]/Parent 2 0 R>>");
    let mut previous = of_content(&text, "");
    previous.trailer("/Prev 9");
    let mut reference = of_content(&text, "");
    reference.set(5, "5 0 R");
    let mut length = of_content(&text, "");
    length.set(5, "<</Length 5 0 R>>stream\nBT ET\nendstream");

    let mut form = of_content(b"/X1 Do", "/XObject<</X1 7 0 R>>");
    form.stream(
        "/Type/XObject/Subtype/Form/BBox[0 0 595 842]/Resources<</XObject<</X1 7 0 R>>>>",
        b"/X1 Do /X1 Do",
    );
    // Each form paints the next one ten times: 10^20 paints in total.
    let mut fan = of_content(b"/X Do", "/XObject<</X 7 0 R>>");
    for level in 0..20 {
        let next = format!(
            "/Type/XObject/Subtype/Form/BBox[0 0 595 842]/Resources<</Font<</F1 3 0 R>>/XObject<</X {} 0 R>>>>",
            level + 8
        );
        fan.stream(&next, &b"/X Do ".repeat(10));
    }
    fan.stream("/Type/XObject/Subtype/Form/BBox[0 0 595 842]/Resources<</Font<</F1 3 0 R>>>>", &text);
    let mut objects = of_content(&text, "");
    objects.stream("/Type/ObjStm/N 1/First 4/Extends 7 0 R", b"7 0 <<>>");
    vec![
        Sample::any("page-tree-loop.pdf", tree.finish()),
        Sample::rejected("page-tree-pair.pdf", pair.finish(), &[Corrupt, Empty, TooComplex]),
        Sample::any("page-tree-parent.pdf", parent.finish()),
        Sample::any("previous-table-loop.pdf", previous.finish()),
        Sample::any("reference-loop.pdf", reference.finish()),
        Sample::any("length-loop.pdf", length.finish()),
        Sample::any("form-loop.pdf", form.finish()),
        Sample::any("form-fan.pdf", fan.finish()),
        Sample::any("object-stream-loop.pdf", objects.finish()),
    ]
}

fn bombs() -> Vec<Sample> {
    // Inflates to more than the child's address space from less than 10 MiB.
    let spaces = deflated(&vec![b' '; 1 << 20], 1080);
    let mut flate = Pdf::new();
    let stream = flate.stream("/Filter/FlateDecode", &spaces);
    let page = flate.page(stream, "", 842);
    flate.pages(&[page]);
    let mut nested = Pdf::new();
    let stream = nested.stream("/Filter[/FlateDecode/FlateDecode]", &deflated(&spaces, 1));
    let page = nested.page(stream, "", 842);
    nested.pages(&[page]);
    let mut many = Pdf::new();
    let stream = many.stream("/Filter/FlateDecode", &deflated(&show(72, 700, 11, "Words again"), 200_000));
    let page = many.page(stream, "", 842);
    many.pages(&[page]);
    let mut shared = Pdf::new();
    let stream = shared.stream("", &show(72, 700, 11, "The same page again"));
    let page = shared.page(stream, "", 842);
    shared.pages(&vec![page; 100_000]);
    let mut cmap = of_content(&show(72, 700, 11, "Words"), "");
    let stream = cmap.stream(
        "",
        b"/CIDInit /ProcSet findresource begin 1 beginbfrange <00000000> <ffffffff> <0041> endbfrange",
    );
    cmap.set(3, format!("<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode {stream} 0 R>>"));
    let deep = |mark: &[u8]| of_content(&mark.repeat(1_000_000), "").finish();
    let mut arrays = of_content(b"q Q", "");
    arrays.add(b"[".repeat(1_000_000));
    let mut dictionaries = of_content(b"q Q", "");
    dictionaries.set(5, b"<</A".repeat(1_000_000));
    vec![
        Sample::rejected("flate-bomb.pdf", flate.finish(), &[TooComplex, TooLarge, Timeout, Empty, Corrupt]),
        Sample::rejected(
            "flate-bomb-nested.pdf",
            nested.finish(),
            &[TooComplex, TooLarge, Timeout, Empty, Corrupt],
        ),
        Sample::any("many-words.pdf", many.finish()),
        Sample::any("shared-page.pdf", shared.finish()),
        Sample::any("cmap.pdf", cmap.finish()),
        Sample::any("deep-content-arrays.pdf", deep(b"[")),
        Sample::any("deep-content-dictionaries.pdf", deep(b"<<")),
        Sample::any("deep-content-states.pdf", deep(b"q ")),
        Sample::any("deep-content-strings.pdf", deep(b"(")),
        Sample::any("deep-arrays.pdf", arrays.finish()),
        Sample::any("deep-dictionaries.pdf", dictionaries.finish()),
    ]
}

fn false_metadata() -> Vec<Sample> {
    let text = show(72, 700, 11, "Words");
    let mut count = of_content(&text, "");
    count.set(2, "<</Type/Pages/Count 2147483647/Kids[6 0 R]>>");
    let mut length = of_content(&text, "");
    length.set(5, "<</Length 9223372036854775807>>stream\nBT ET\nendstream");
    let mut predictor = of_content(&text, "");
    let content = deflated(&text, 1);
    let head = format!(
        "<</Length {}/Filter/FlateDecode/DecodeParms<</Predictor 15/Columns 2147483647/Colors 2147483647>>>>stream\n",
        content.len()
    );
    predictor.set(5, [head.as_bytes(), &content, b"\nendstream"].concat());
    let numbers = b"BT /F1 1e308 Tf 1e308 -1e308 1e308 1e308 1e308 99999999999999999999 Tm (x) Tj -9e999 TL T* (y) Tj ET";
    let mut size = of_content(&text, "");
    size.trailer("/Size 4294967295/W[8 8 8]/Index[0 4294967295]");
    vec![
        Sample::any("count.pdf", count.finish()),
        Sample::any("length.pdf", length.finish()),
        Sample::any("predictor.pdf", predictor.finish()),
        Sample::any("numbers.pdf", of_content(numbers, "").finish()),
        Sample::any("size.pdf", size.finish()),
    ]
}
