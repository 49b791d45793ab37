//! PDF files of invented letters, written by hand.

use std::fmt::Write;

/// A line of text: where it begins, in points from the lower left corner, and how
/// large it is.
#[derive(Clone, Copy)]
pub(super) struct Line(pub f32, pub f32, pub f32, pub &'static str);

/// Helvetica has French letters at their places in Windows' character set.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        match character {
            '(' | ')' | '\\' => {
                out.push('\\');
                out.push(character);
            }
            ' '..='~' => out.push(character),
            '’' => out.push_str("\\222"),
            'œ' => out.push_str("\\234"),
            other => write!(out, "\\{:03o}", u32::from(other)).unwrap(),
        }
    }
    out
}

/// A file of these pages, A4 upright; `rotate` is the page's own turn.
pub(super) fn file(pages: &[&[Line]], rotate: u32) -> Vec<u8> {
    let mut objects = vec![String::from("<< /Type /Catalog /Pages 2 0 R >>"), String::new()];
    objects.push("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned());
    let mut kids = String::new();
    for lines in pages {
        let mut content = String::new();
        for Line(x, y, size, text) in *lines {
            writeln!(content, "BT /F1 {size} Tf {x} {y} Td ({}) Tj ET", escaped(text)).unwrap();
        }
        objects.push(format!("<< /Length {} >>\nstream\n{content}endstream", content.len()));
        let number = objects.len();
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Rotate {rotate} /Resources << /Font << /F1 3 0 R >> >> /Contents {number} 0 R >>"
        ));
        write!(kids, "{} 0 R ", objects.len()).unwrap();
    }
    objects[1] = format!("<< /Type /Pages /Kids [{kids}] /Count {} >>", pages.len());
    let mut out = b"%PDF-1.4\n".to_vec();
    let mut places = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        places.push(out.len());
        out.extend(format!("{} 0 obj\n{object}\nendobj\n", index + 1).bytes());
    }
    let xref = out.len();
    out.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).bytes());
    places.iter().for_each(|place| out.extend(format!("{place:010} 00000 n \n").bytes()));
    out.extend(format!("trailer << /Size {} /Root 1 0 R >>\nstartxref\n{xref}\n%%EOF\n", objects.len() + 1).bytes());
    out
}

/// A letter with a letterhead, a list of the staff on the left and a footer.
pub(super) const LETTER: &[Line] = &[
    Line(50.0, 795.0, 15.0, "CENTRE HOSPITALIER DE VALBRUME"),
    Line(50.0, 780.0, 8.0, "14 avenue des Ormeaux - 49777 VALBRUME CEDEX - Standard 02 41 55 01 02"),
    Line(40.0, 720.0, 7.5, "Service de Neurologie"),
    Line(40.0, 708.0, 7.5, "Chef de service"),
    Line(40.0, 699.0, 7.5, "Pr Aldegonde VERMOULUE"),
    Line(40.0, 681.0, 7.5, "Praticiens hospitaliers"),
    Line(40.0, 672.0, 7.5, "Dr Barnabé QUILLERON"),
    Line(40.0, 663.0, 7.5, "Dr Ombeline TRESSAC"),
    Line(40.0, 645.0, 7.5, "Secrétariat"),
    Line(40.0, 636.0, 7.5, "02 41 55 01 17"),
    Line(190.0, 724.0, 10.5, "Compte rendu d'hospitalisation"),
    Line(190.0, 698.0, 10.5, "Madame Zélie FARGUEBOIS a été adressée pour un AVC ischémique"),
    Line(190.0, 684.0, 10.5, "sylvien gauche. Le score NIHSS à l'admission était à 14. Elle a reçu"),
    Line(190.0, 670.0, 10.5, "une thrombolyse par altéplase, sans complication. Le Dr QUILLERON"),
    Line(190.0, 656.0, 10.5, "l'a revue le lendemain."),
    Line(190.0, 630.0, 10.5, "NIHSS de sortie : 3. Rankin à la sortie : 2."),
    Line(190.0, 604.0, 10.5, "Dr Ombeline TRESSAC"),
    Line(250.0, 24.0, 8.0, "Page 1 / 1"),
];
