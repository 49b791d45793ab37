//! i2b2 2014 de-identification: one XML file a record, `<TEXT>` (CDATA) and `<TAGS>`
//! whose elements carry `start`, `end` (characters, end exclusive), `text` and `TYPE`.
//!
//! Only what these files hold of XML is read: no document type, no name spaces.

use super::{Annotation, Document, Span};

/// Elements of the de-identification track; the others are risk factors.
const PHI: &[&str] = &["PHI", "NAME", "PROFESSION", "LOCATION", "AGE", "DATE", "CONTACT", "ID", "OTHER"];

const CDATA: &str = "<![CDATA[";

/// One record.
pub fn document(name: String, xml: &str) -> Result<Document, String> {
    // As every XML parser does, and as the offsets were counted.
    let xml = xml.replace("\r\n", "\n").replace('\r', "\n");
    let body = after_tag(&xml, "TEXT").ok_or("no <TEXT>")?;
    let (text, rest) = text(body)?;
    let tags = match after_tag(rest, "TAGS") {
        Some(tags) => tags.split("</TAGS>").next().unwrap_or_default(),
        None if rest.contains("<TAGS/>") || rest.contains("<TAGS />") => "",
        None => return Err("no <TAGS>".to_owned()),
    };
    let mut annotations = Vec::new();
    for element in elements(tags) {
        let (element, attributes) = element?;
        if PHI.contains(&element) {
            annotations.push(annotation(element, &attributes)?);
        }
    }
    Document::new(name, text, annotations)
}

fn annotation(element: &str, attributes: &[(&str, String)]) -> Result<Annotation, String> {
    let of = |name: &str| attributes.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_str());
    let offset = |name: &str| of(name).and_then(|v| v.parse().ok()).ok_or_else(|| format!("<{element} id={:?}>: no {name}", of("id")));
    let label = of("TYPE").unwrap_or(element).to_uppercase();
    Ok(Annotation { span: Span { start: offset("start")?, end: offset("end")?, label }, quote: of("text").map(str::to_owned) })
}

/// What follows the start tag.
fn after_tag<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let open = xml.find(&format!("<{name}>"))?;
    Some(&xml[open + name.len() + 2..])
}

/// Characters up to the end tag, and what follows.
fn text(mut rest: &str) -> Result<(String, &str), String> {
    let mut text = String::new();
    loop {
        let next = rest.find(['<', '&']).ok_or("<TEXT> does not end")?;
        text.push_str(&rest[..next]);
        rest = &rest[next..];
        if let Some(raw) = rest.strip_prefix(CDATA) {
            let (raw, after) = raw.split_once("]]>").ok_or("CDATA does not end")?;
            text.push_str(raw);
            rest = after;
        } else if let Some(after) = rest.strip_prefix("</TEXT>") {
            return Ok((text, after));
        } else if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.split_once("-->").ok_or("a comment does not end")?.1;
        } else {
            let (c, after) = reference(rest).ok_or("<TEXT> holds a tag or a bare `&`")?;
            text.push(c);
            rest = after;
        }
    }
}

/// The character that `&name;` or `&#number;` stands for.
fn reference(rest: &str) -> Option<(char, &str)> {
    let (name, after) = rest.strip_prefix('&')?.split_once(';')?;
    let number = |digits: &str, radix: u32| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
    let c = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => match name.strip_prefix('#')? {
            hexadecimal if hexadecimal.starts_with(['x', 'X']) => number(&hexadecimal[1..], 16)?,
            decimal => number(decimal, 10)?,
        },
    };
    Some((c, after))
}

fn unescape(value: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(value.len()), value);
    while let Some(next) = rest.find('&') {
        out.push_str(&rest[..next]);
        match reference(&rest[next..]) {
            Some((c, after)) => {
                out.push(c);
                rest = after;
            }
            None => {
                out.push('&');
                rest = &rest[next + 1..];
            }
        }
    }
    out.push_str(rest);
    out
}

type Element<'a> = (&'a str, Vec<(&'a str, String)>);

/// Start tags with their attributes, in order.
fn elements(mut rest: &str) -> impl Iterator<Item = Result<Element<'_>, String>> {
    std::iter::from_fn(move || {
        loop {
            rest = &rest[rest.find('<')? + 1..];
            if let Some(comment) = rest.strip_prefix("!--") {
                rest = comment.split_once("-->")?.1;
            } else if !rest.starts_with('/') {
                break;
            }
        }
        let (element, after) = match element(rest) {
            Some(found) => found,
            None => {
                rest = "";
                return Some(Err("a tag of <TAGS> cannot be read".to_owned()));
            }
        };
        rest = after;
        Some(Ok(element))
    })
}

fn element(rest: &str) -> Option<(Element<'_>, &str)> {
    let (name, mut rest) = rest.split_at(rest.find([' ', '\n', '\t', '/', '>'])?);
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix("/>").or_else(|| rest.strip_prefix('>')) {
            return Some(((name, attributes), after));
        }
        let (attribute, value) = rest.split_once('=')?;
        let value = value.trim_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, after) = value[1..].split_once(quote)?;
        attributes.push((attribute.trim_end(), unescape(value)));
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\r\n<deIdi2b2>\r\n<TEXT><![CDATA[\r\nRecord: 2031-02-03\r\nMrs. Odile <K> & Kerv\u{e9}, seen in Loudeac.\r\n]]></TEXT>\r\n<TAGS>\r\n<DATE id=\"P0\" start=\"9\" end=\"19\" text=\"2031-02-03\" TYPE=\"DATE\" comment=\"\" />\r\n<NAME id='P1' start='25' end='42' text='Odile &lt;K&gt; &amp; Kerv&#xe9;' TYPE='patient'/>\r\n<!-- <NAME start=\"x\"/> -->\r\n<LOCATION id=\"P2\" start=\"52\" end=\"59\" text=\"Loudeac\" TYPE=\"CITY\"></LOCATION>\r\n<MEDICATION id=\"M0\" time=\"before DCT\"/>\r\n</TAGS>\r\n</deIdi2b2>\r\n";

    #[test]
    fn a_record_is_read() {
        let document = document("110-01".to_owned(), RECORD).unwrap();
        assert!(document.text.starts_with("\nRecord: 2031-02-03\nMrs. Odile <K> & Kervé, seen"), "{:?}", document.text);
        let spans: Vec<_> = document.spans.iter().map(|s| (s.start, s.end, s.label.as_str())).collect();
        assert_eq!(spans, [(9, 19, "DATE"), (25, 42, "PATIENT"), (52, 59, "CITY")]);
        assert_eq!(document.drifted, 0);
    }

    #[test]
    fn text_without_cdata_is_unescaped() {
        let document = document("d".to_owned(), "<r><TEXT>a &lt; b<!-- no --> &#233;</TEXT><TAGS/></r>").unwrap();
        assert_eq!((document.text.as_str(), document.spans.len()), ("a < b é", 0));
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        for (xml, wanted) in [
            ("<r></r>", "no <TEXT>"),
            ("<TEXT>a", "does not end"),
            ("<TEXT>a</TEXT>", "no <TAGS>"),
            ("<TEXT><![CDATA[a</TEXT>", "CDATA"),
            ("<TEXT>a</TEXT><TAGS><NAME id=\"P1\" end=\"1\"/></TAGS>", "no start"),
            ("<TEXT>a</TEXT><TAGS><NAME start=0/></TAGS>", "cannot be read"),
            ("<TEXT>a</TEXT><TAGS><NAME start=\"0\" end=\"2\"/></TAGS>", "outside"),
        ] {
            let error = document("d".to_owned(), xml).unwrap_err();
            assert!(error.contains(wanted), "{xml}: {error}");
        }
    }
}
