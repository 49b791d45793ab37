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
    numbered(&objects)
}

/// A file of these objects, the first of which is the catalogue.
fn numbered(objects: &[String]) -> Vec<u8> {
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

/// One page ("NIHSS : 7."), sealed with a password (RC4, 40 bits), in base64.
pub(super) const LOCKED: &str = "\
    JVBERi0xLjMKJeLjz9MKMiAwIG9iago8PAovVHlwZSAvUGFnZXMKL0NvdW50IDEKL0tpZHMgWyA0IDAgUiBdCj4+CmVuZG9iagozIDAgb2JqCjw8Ci9UeXBlIC9DYXRhbG9nCi9QYWdlcyAyIDAgUgo+PgplbmRv\
    YmoKNCAwIG9iago8PAovVHlwZSAvUGFnZQovUmVzb3VyY2VzIDw8Ci9Gb250IDw8Ci9GMSA8PAovVHlwZSAvRm9udAovU3VidHlwZSAvVHlwZTEKL0Jhc2VGb250IC9IZWx2ZXRpY2EKPj4KPj4KPj4KL01lZGlh\
    Qm94IFsgMC4wIDAuMCAyMDAgMTAwIF0KL1BhcmVudCAyIDAgUgovQ29udGVudHMgNSAwIFIKPj4KZW5kb2JqCjUgMCBvYmoKPDwKL0xlbmd0aCA0MAo+PgpzdHJlYW0Kl6g5YfhRlek8C6bvSmDG+xE5wNp6jjUm\
    N8YenKUpNADBijfAEF6NXgplbmRzdHJlYW0KZW5kb2JqCjYgMCBvYmoKPDwKL1YgMQovUiAyCi9MZW5ndGggNDAKL1AgNDI5NDk2NzI5MgovRmlsdGVyIC9TdGFuZGFyZAovTyA8OTJmZTBmNDQ1NGFkNGM5NjQ0\
    NjkzZjMzYzA3Y2I1NGY1ODdkY2UxZTI2ODJmZTllY2VhNjEwN2ExZWY2MzBkZD4KL1UgPDg5ODQ1NDc3OTkxYWQ2YTE3NzgxMjUyZTA5ZjZjZDgzYjViYTAyNGJmMGYzY2UwMjE4NzljM2I2MmY0ODkzNzk+Cj4+\
    CmVuZG9iagp4cmVmCjAgNwowMDAwMDAwMDAxIDY1NTM1IGYgCjAwMDAwMDAwMDAgMDAwMDEgZiAKMDAwMDAwMDAxNSAwMDAwMCBuIAowMDAwMDAwMDc0IDAwMDAwIG4gCjAwMDAwMDAxMjMgMDAwMDAgbiAKMDAw\
    MDAwMDMwNCAwMDAwMCBuIAowMDAwMDAwMzk0IDAwMDAwIG4gCnRyYWlsZXIKPDwKL1NpemUgNwovUm9vdCAzIDAgUgovSUQgWyA8MTBiMzQwZmRjZTAxMDZkNmNkMjM5OTRiN2Y0MzJmNTQ+IDwxMGIzNDBmZGNl\
    MDEwNmQ2Y2QyMzk5NGI3ZjQzMmY1ND4gXQovRW5jcnlwdCA2IDAgUgo+PgpzdGFydHhyZWYKNjA4CiUlRU9GCg==";

/// The same for everybody to read and nobody to change.
pub(super) const OPEN: &str = "\
    JVBERi0xLjMKJeLjz9MKMSAwIG9iago8PAovVHlwZSAvQ2F0YWxvZwovUGFnZXMgMiAwIFIKPj4KZW5kb2JqCjIgMCBvYmoKPDwKL1R5cGUgL1BhZ2VzCi9Db3VudCAxCi9LaWRzIFsgMyAwIFIgXQo+PgplbmRv\
    YmoKMyAwIG9iago8PAovVHlwZSAvUGFnZQovUmVzb3VyY2VzIDw8Ci9Gb250IDw8Ci9GMSA8PAovVHlwZSAvRm9udAovU3VidHlwZSAvVHlwZTEKL0Jhc2VGb250IC9IZWx2ZXRpY2EKPj4KPj4KPj4KL01lZGlh\
    Qm94IFsgMC4wIDAuMCAyMDAgMTAwIF0KL1BhcmVudCAyIDAgUgovQ29udGVudHMgNCAwIFIKPj4KZW5kb2JqCjQgMCBvYmoKPDwKL0xlbmd0aCA0MAo+PgpzdHJlYW0KcQVG+eX8vPq+0ParGsdfYr+cHRBud2ob\
    9ghTuGGTUYJ6RuvMlLOhqQplbmRzdHJlYW0KZW5kb2JqCjUgMCBvYmoKPDwKL1YgMQovUiAyCi9MZW5ndGggNDAKL1AgNDI5NDk2NzI5MgovRmlsdGVyIC9TdGFuZGFyZAovTyA8YzkyNDIyNjg3ZmFjZWU2ODZl\
    MzczZjEwYjVjN2QwNDczODA1MzE1MmY3ZTJlZTMwZTExYzY5ZWM0NDI1NzZhYj4KL1UgPDM0ZDM0YzU0Y2JkNDVjNTllMTk2MzVlMWNmYmUwOTRmYmRhMGI0YzBkZjgxNmI1YmUzMmY4MjliZDk1ZGQ1M2Q+Cj4+\
    CmVuZG9iagp4cmVmCjAgNgowMDAwMDAwMDAwIDY1NTM1IGYgCjAwMDAwMDAwMTUgMDAwMDAgbiAKMDAwMDAwMDA2NCAwMDAwMCBuIAowMDAwMDAwMTIzIDAwMDAwIG4gCjAwMDAwMDAzMDQgMDAwMDAgbiAKMDAw\
    MDAwMDM5NCAwMDAwMCBuIAp0cmFpbGVyCjw8Ci9TaXplIDYKL1Jvb3QgMSAwIFIKL0lEIFsgPDEwYjM0MGZkY2UwMTA2ZDZjZDIzOTk0YjdmNDMyZjU0PiA8NmZkMjUyNWFlMmVkY2I0NmQxMGY0MGMwNzA3NmIw\
    M2Q+IF0KL0VuY3J5cHQgNSAwIFIKPj4Kc3RhcnR4cmVmCjYwOAolJUVPRgo=";

/// A form of one field that was filled in, behind what is printed before it.
pub(super) fn form(printed: &str, filled: &str) -> Vec<u8> {
    let content = format!("BT /F1 11 Tf 60 700 Td ({}) Tj ET\n", escaped(printed));
    numbered(&[
        "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [6 0 R] /DR << /Font << /F1 3 0 R >> >> /DA (/F1 11 Tf 0 g) >> >>".to_owned(),
        "<< /Type /Pages /Kids [5 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
        format!("<< /Length {} >>\nstream\n{content}endstream", content.len()),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> /Contents 4 0 R /Annots [6 0 R] >>"
            .to_owned(),
        format!("<< /Type /Annot /Subtype /Widget /FT /Tx /T (score) /V ({}) /Rect [200 696 300 712] /P 5 0 R /F 4 >>", escaped(filled)),
    ])
}
