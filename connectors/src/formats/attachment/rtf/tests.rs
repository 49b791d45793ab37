use proptest::prelude::*;

use super::*;

fn check(rtf: &str, text: &str) {
    assert_eq!(to_text(rtf.as_bytes()).as_deref(), Ok(text), "{rtf}");
}

const REPORT: &str = r"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fswiss\fcharset0 Arial;}{\f1\fnil\fcharset2 Symbol;}{\f2\fnil\fcharset238 Arial CE;}}
{\colortbl ;\red0\green0\blue0;}{\stylesheet{\s0 Normal;}}{\info{\author Dr Inventé}{\title CR}}
{\header\pard Hôpital fictif\par}{\*\generator Essai 1.0;}\viewkind4\uc1
\pard\b Motif\b0\par
D\'e9ficit brutal, NIHSS\~: 12\line TA 18/9 \emdash  FC 80\par
{\pntext\f1\'B7\tab}HTA\par
{\listtext 2.\tab}FA \u233?volu\'e9e\par
\trowd\cellx100\cellx200\pard\intbl Examen\cell R\'e9sultat\cell\row
\trowd\pard\intbl INR\cell 1,2\par normal\cell\row
\pard{\*\inconnu perdu}{\v cach\'e9}{\deleted enlev\'e9}{\pict\bin4 }}}}}Fin \{1\} \\ 2\par}";

#[test]
fn a_report_reads_like_its_page() {
    check(
        REPORT,
        "Motif\nDéficit brutal, NIHSS : 12\nTA 18/9 — FC 80\n- HTA\n2. FA évoluée\nExamen | Résultat\nINR | 1,2, normal\nFin {1} \\ 2",
    );
}

#[test]
fn characters_by_number_and_by_set() {
    check(r"{\rtf1\uc2\u8805\'3e\'3d 4h30 {\uc0\u-10179\u-8704}}", "≥ 4h30 \u{1f600}");
    check(r"{\rtf1\ansi{\fonttbl{\f0\fcharset0 A;}{\f1\fcharset238 B;}}\f1\'e8\f0\'e8}", "čè");
    check(r"{\rtf1\mac \'8et\'8e}", "été");
    check(r"{\rtf1\pca \'82t\'82}", "été");
    check(r"{\rtf1\ansi{\fonttbl{\f0\fcharset128 M;}}\f0\'93\'fa}", "日");
    check(r"{\rtf1\u-3913?a\u55357 bc}", "•ac");
    assert_eq!(to_text(b"{\\rtf1\\ansi \xe9t\xe9}").as_deref(), Ok("été"));
}

#[test]
fn blank_lines_and_fields() {
    check(r"{\rtf1 a\par\par\par b\par {\field{\*\fldinst HYPERLINK x}{\fldrslt lien}}\page c}", "a\n\nb\nlien\nc");
    check("{\\rtf1 a\\\nb\\line\\tab c}", "a\nb\nc");
    check(r"{\rtf1 a{\footnote note} b{\shp{\*\shpinst{\sp{\sn x}{\sv 1}}{\shptxt encart\par}}}}", "anote bencart");
}

#[test]
fn what_is_cut_off_or_too_deep_is_said() {
    assert_eq!(to_text(b"{\\rtf1 a{\\b b{\\i c"), Err(RtfError::Truncated));
    assert_eq!(to_text(b"{\\rtf1 a").as_deref(), Ok("a"));
    assert_eq!(to_text(format!("{{\\rtf1{}", "{".repeat(100_000)).as_bytes()), Err(RtfError::TooDeep));
    assert_eq!(to_text(b"a {\\rtf1 b}"), Err(RtfError::NotRtf));
    assert_eq!(to_text(b"{\\rtf1 a\\bin2000000000 b").as_deref(), Ok("a"));
}

proptest! {
    #[test]
    fn plain_words_come_back(words in "[a-zA-Zéèàç0-9 ]{0,40}") {
        let rtf: String = words.chars().map(|c| if c.is_ascii() { c.to_string() } else { format!("\\u{}?", c as u32) }).collect();
        let text = to_text(format!("{{\\rtf1 {rtf}}}").as_bytes());
        prop_assert_eq!(text.as_deref().map(str::trim), Ok(words.trim()));
    }

    #[test]
    fn damage_does_no_harm(cuts in prop::collection::vec((any::<prop::sample::Index>(), 0..40usize, "[{}\\\\a-z0-9'*\u{e9}-]{0,12}"), 1..6)) {
        let mut bytes = REPORT.as_bytes().to_vec();
        for (at, length, piece) in cuts {
            let at = at.index(bytes.len());
            let end = (at + length).min(bytes.len());
            bytes.splice(at..end, piece.bytes());
            if bytes.is_empty() {
                break;
            }
        }
        if let Ok(text) = to_text(&bytes) {
            prop_assert!(text.len() <= bytes.len() * 4 + 64);
        }
    }
}
