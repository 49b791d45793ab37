//! What the sender is told: the acknowledgement of a message, in original and
//! in enhanced mode (chapter 2.9), and the look at a message that comes before.

use std::borrow::Cow;

use chrono::{DateTime, Datelike, Offset, TimeZone, Timelike};

use super::defect::{Defect, Location};
use super::event::event;
use super::message::{Header, is_break};

/// Nothing that is given back from the original is longer.
const MAX_FIELD: usize = 512;

/// What a transport needs to know of a message before it stores it.
#[derive(Clone, PartialEq, Eq)]
pub struct Envelope {
    /// MSH-10.
    pub control_id: String,
    /// MSH-9.1, in capitals.
    pub message_type: String,
    /// MSH-9.2 or EVN-1, in capitals; empty where there is none.
    pub trigger: String,
    /// MSH-12.
    pub version: String,
    /// When the sender wants to hear.
    pub asks: Asks,
}

impl std::fmt::Debug for Envelope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Envelope").field("version", &self.version).field("asks", &self.asks).finish_non_exhaustive()
    }
}

/// When a sender wants an answer: MSH-15 and MSH-16 (table 0155).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    Always,
    Never,
    /// Only of errors and refusals.
    OnError,
    /// Only of success.
    OnSuccess,
}

impl Asks {
    /// Whether an acknowledgement of that outcome is to be sent at all.
    pub fn answers(self, outcome: Outcome) -> bool {
        match self {
            Asks::Always => true,
            Asks::Never => false,
            Asks::OnError => outcome != Outcome::Accepted,
            Asks::OnSuccess => outcome == Outcome::Accepted,
        }
    }
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is durable.
    Accepted,
    Refused(Defect),
}

/// Looks at the header of a message, nothing else.
///
/// # Errors
/// What keeps the message from being taken, to be given to [`acknowledgement`].
pub fn inspect(bytes: &[u8]) -> Result<Envelope, Defect> {
    let header = Header::read(bytes)?;
    let missing = |field| Defect::MissingField(Location { segment: "MSH", ordinal: 1, field });
    let message_type = header.component(9, 1).ok_or(missing(9))?.to_ascii_uppercase();
    let control_id = header.component(10, 1).ok_or(missing(10))?.into_owned();
    let version = header.component(12, 1).unwrap_or_default().into_owned();
    if !version.is_empty() && !version.starts_with("2.") && version != "2" {
        return Err(Defect::UnsupportedVersion);
    }
    let trigger = trigger(&header, bytes);
    event(&message_type, &trigger)?;
    Ok(Envelope { control_id, message_type, trigger, version, asks: asks(&header) })
}

/// MSH-9.2, else EVN-1 (2.3 and before had the event there alone).
pub(super) fn trigger(header: &Header<'_>, bytes: &[u8]) -> String {
    let from_event = || {
        let line = bytes.split(|b| is_break(*b)).find(|line| line.starts_with(b"EVN"))?;
        let field = line.strip_prefix(b"EVN")?.strip_prefix(header.separator)?;
        let code: Vec<u8> = field.iter().copied().take_while(u8::is_ascii_alphanumeric).collect();
        String::from_utf8(code).ok().map(Cow::Owned)
    };
    header.component(9, 2).or_else(from_event).unwrap_or_default().to_ascii_uppercase()
}

/// When to answer. A message with neither field is in original mode and always
/// answered; the fields set apart the answer that it is stored (MSH-15, given
/// here) from that of the application (MSH-16), which is the same moment here:
/// who wants that one only gets it as in original mode (chapter 2.9.3.1).
fn asks(header: &Header<'_>) -> Asks {
    let asked = |field| match header.component(field, 1)?.to_ascii_uppercase().as_str() {
        "NE" => Some(Asks::Never),
        "ER" => Some(Asks::OnError),
        "SU" => Some(Asks::OnSuccess),
        _ => Some(Asks::Always),
    };
    match (asked(15), asked(16)) {
        (None, None) => Asks::Always,
        (None | Some(Asks::Never), Some(application)) => application,
        (Some(accept), _) => accept,
    }
}

/// Whether the answer is that of the transport (CA, CE, CR).
fn is_enhanced(header: &Header<'_>) -> bool {
    header.component(15, 1).is_some_and(|asked| !asked.eq_ignore_ascii_case("NE"))
}

/// The acknowledgement of a message, with the message's own delimiters,
/// character set and version, in a control id of one's own.
///
/// Whether it is to be sent is for [`Envelope::asks`] to say. Of a message that
/// cannot be read at all it is as much of one as can be.
pub fn acknowledgement<Z: TimeZone>(original: &[u8], outcome: Outcome, now: &DateTime<Z>, control_id: &str) -> Vec<u8> {
    let header = Header::read(original).ok();
    let writer = Writer::new(header.as_ref());
    let version = header.as_ref().and_then(|h| h.component(12, 1)).filter(|v| v.len() <= 16).unwrap_or(Cow::Borrowed("2.5"));
    let back = |field: usize| Cow::Borrowed(header.as_ref().map(|h| cut(h.field(field))).unwrap_or_default());
    let trigger = header.as_ref().map(|h| trigger(h, original)).filter(|t| t.len() <= 8 && t.bytes().all(|b| b.is_ascii_alphanumeric()));
    let kind = match trigger.as_deref() {
        None | Some("") => Cow::Borrowed(&b"ACK"[..]),
        // The message structure came with 2.3.1.
        Some(trigger) if matches!(&*version, "2" | "2.1" | "2.2" | "2.3") => writer.components(&["ACK", trigger]),
        Some(trigger) => writer.components(&["ACK", trigger, "ACK"]),
    };
    let nothing = || Cow::Borrowed(&b""[..]);
    let processing = Some(back(11)).filter(|p| !p.is_empty()).unwrap_or(Cow::Borrowed(b"P"));
    let mut answer = Vec::with_capacity(256);
    writer.segment(
        &mut answer,
        &[
            Cow::Borrowed(b"MSH"),
            Cow::Borrowed(writer.encoding),
            back(5),
            back(6),
            back(3),
            back(4),
            Cow::Owned(time(now)),
            nothing(),
            kind,
            writer.text(control_id),
            processing,
            Cow::Borrowed(version.as_bytes()),
            nothing(),
            nothing(),
            nothing(),
            nothing(),
            back(17),
            back(18),
        ],
    );

    let enhanced = header.as_ref().is_some_and(is_enhanced);
    let code = match outcome {
        Outcome::Accepted => "A",
        Outcome::Refused(defect) if defect.rejects() => "R",
        Outcome::Refused(_) => "E",
    };
    let code = [if enhanced { "C" } else { "A" }, code].concat();
    let msa = [Cow::Borrowed(&b"MSA"[..]), Cow::Borrowed(code.as_bytes()), back(10)];
    let Outcome::Refused(defect) = outcome else {
        writer.segment(&mut answer, &msa);
        return answer;
    };
    let text = defect.to_string();
    let (number, meaning) = defect.code();
    // ERR got its fields apart, and MSA-3 was given up for them, with 2.5.
    let modern = !matches!(&*version, "2" | "2.1" | "2.2" | "2.3" | "2.3.1" | "2.4");
    if modern {
        let place = |l: Location| writer.components(&[l.segment, &l.ordinal.to_string(), &l.field.to_string()]);
        let condition = writer.components(&[&number.to_string(), meaning, "HL70357"]);
        let place = defect.location().map_or_else(nothing, place);
        let severity = Cow::Borrowed(&b"E"[..]);
        writer.segment(&mut answer, &msa);
        let name = Cow::Borrowed(&b"ERR"[..]);
        writer.segment(&mut answer, &[name, nothing(), place, condition, severity, nothing(), nothing(), nothing(), writer.text(&text)]);
    } else {
        let [name, code, original] = msa;
        writer.segment(&mut answer, &[name, code, original, writer.text(&text)]);
        let (segment, ordinal, field) = match defect.location() {
            Some(l) => (l.segment, l.ordinal.to_string(), l.field.to_string()),
            None => ("", String::new(), String::new()),
        };
        let mut place = writer.components(&[segment, &ordinal, &field, &number.to_string()]).into_owned();
        for part in [meaning, "HL70357"] {
            place.extend(writer.subcomponent);
            place.extend_from_slice(&writer.text(part));
        }
        writer.segment(&mut answer, &[Cow::Borrowed(b"ERR"), Cow::Owned(place)]);
    }
    answer
}

/// As YYYYMMDDHHMMSS+ZZZZ.
fn time<Z: TimeZone>(now: &DateTime<Z>) -> Vec<u8> {
    let local = now.naive_local();
    let offset = now.offset().fix().local_minus_utc() / 60;
    let zone = offset.unsigned_abs() / 60 * 100 + offset.unsigned_abs() % 60;
    let mut time = Vec::with_capacity(19);
    digits(&mut time, local.year().unsigned_abs(), 4);
    for part in [local.month(), local.day(), local.hour(), local.minute(), local.second()] {
        digits(&mut time, part, 2);
    }
    time.push(if offset < 0 { b'-' } else { b'+' });
    digits(&mut time, zone, 4);
    time
}

fn digits(out: &mut Vec<u8>, number: u32, count: u32) {
    out.extend((0..count).rev().map(|place| b'0' + (number / 10u32.pow(place) % 10) as u8));
}

/// A field without what would make the answer grow with the original.
fn cut(field: &[u8]) -> &[u8] {
    let mut end = field.len().min(MAX_FIELD);
    // Not inside a character of UTF-8.
    while end < field.len() && end > 0 && field[end] & 0xc0 == 0x80 {
        end -= 1;
    }
    &field[..end]
}

/// Writes segments with the delimiters of the original.
struct Writer<'b> {
    separator: &'b [u8],
    encoding: &'b [u8],
    component: &'b [u8],
    subcomponent: &'b [u8],
    escape: &'b [u8],
    repetition: &'b [u8],
}

impl<'b> Writer<'b> {
    fn new(header: Option<&Header<'b>>) -> Self {
        let Some(header) = header else {
            let [separator, component, repetition, escape, subcomponent] = [b"|", b"^", b"~", b"\\", b"&"].map(|c| &c[..]);
            return Writer { separator, encoding: b"^~\\&", component, subcomponent, escape, repetition };
        };
        let nth = |at: usize| header.encoding.get(at).copied().unwrap_or_default();
        Writer {
            separator: header.separator,
            encoding: cut(header.field(2)),
            component: nth(0),
            repetition: nth(1),
            escape: nth(2),
            subcomponent: nth(3),
        }
    }

    fn segment(&self, answer: &mut Vec<u8>, fields: &[Cow<'_, [u8]>]) {
        let filled = fields.iter().rposition(|field| !field.is_empty()).map_or(0, |last| last + 1);
        for (at, field) in fields[..filled].iter().enumerate() {
            if at > 0 {
                answer.extend_from_slice(self.separator);
            }
            answer.extend_from_slice(field);
        }
        answer.push(b'\r');
    }

    fn components(&self, parts: &[&str]) -> Cow<'static, [u8]> {
        Cow::Owned(parts.iter().map(|part| self.text(part)).collect::<Vec<_>>().join(self.component))
    }

    /// Text with what would be a delimiter escaped, or left out where nothing escapes it.
    fn text<'t>(&self, text: &'t str) -> Cow<'t, [u8]> {
        let delimiters =
            [(self.escape, "E"), (self.separator, "F"), (self.component, "S"), (self.subcomponent, "T"), (self.repetition, "R")];
        let plain = |byte: u8| (b' '..0x7f).contains(&byte) && delimiters.iter().all(|(delimiter, _)| delimiter.first() != Some(&byte));
        if text.bytes().all(plain) {
            return Cow::Borrowed(text.as_bytes());
        }
        let mut out = Vec::with_capacity(text.len());
        for character in text.chars().filter(|c| !c.is_control()) {
            let mut bytes = [0; 4];
            let bytes = character.encode_utf8(&mut bytes).as_bytes();
            match delimiters.iter().find(|(delimiter, _)| *delimiter == bytes) {
                None => out.extend(bytes),
                Some(_) if self.escape.is_empty() => {}
                Some((_, letter)) => {
                    out.extend(self.escape);
                    out.extend(letter.bytes());
                    out.extend(self.escape);
                }
            }
        }
        Cow::Owned(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Utc;

    const ORIGINAL: &str = "MSH|^~\\&|RIS-T|Org-T|PFI-T|Org-R|20240305||MDM^T10^MDM_T02|015|P|2.6|||||FRA|UNICODE UTF-8\rEVN||2024\r";

    fn answer(original: &[u8], outcome: Outcome) -> String {
        let now = DateTime::<Utc>::UNIX_EPOCH;
        String::from_utf8_lossy(&acknowledgement(original, outcome, &now, "S1")).replace('\r', "\n")
    }

    #[test]
    fn accepted_in_original_mode() {
        assert_eq!(
            answer(ORIGINAL.as_bytes(), Outcome::Accepted),
            "MSH|^~\\&|PFI-T|Org-R|RIS-T|Org-T|19700101000000+0000||ACK^T10^ACK|S1|P|2.6|||||FRA|UNICODE UTF-8\nMSA|AA|015\n"
        );
    }

    #[test]
    fn refused_in_both_modes_and_in_old_versions() {
        let refused = answer(ORIGINAL.as_bytes(), Outcome::Refused(Defect::UnsupportedEvent));
        let err = "ERR||MSH^1^9|201^Unsupported event code^HL70357|E||||this trigger event is not supported for its message type\n";
        assert!(refused.ends_with(&format!("MSA|AR|015\n{err}")), "{refused}");
        let stored = answer(ORIGINAL.as_bytes(), Outcome::Refused(Defect::NotStored));
        assert!(stored.contains("MSA|AE|015\nERR|||207^"), "{stored}");
        let enhanced = ORIGINAL.replace("|2.6|||", "|2.6|||AL|NE");
        assert!(answer(enhanced.as_bytes(), Outcome::Accepted).contains("MSA|CA|015"));
        assert!(answer(enhanced.as_bytes(), Outcome::Refused(Defect::TooLarge)).contains("MSA|CR|015"));
        let old = answer(ORIGINAL.replace("|2.6|", "|2.3|").as_bytes(), Outcome::Refused(Defect::UnsupportedType));
        assert!(old.contains("|ACK^T10|S1|"), "{old}");
        assert!(old.contains("MSA|AR|015|this message type"), "{old}");
        assert!(old.ends_with("ERR|MSH^1^9^200&Unsupported message type&HL70357\n"), "{old}");
    }

    #[test]
    fn the_delimiters_are_those_of_the_original() {
        let odd = answer("MSH|^˜\\&|SIL|labo|PFI|Org|20240305||ORU^R01^ORU_R01|0\\F\\15|P|2.5\r".as_bytes(), Outcome::Accepted);
        assert!(odd.starts_with("MSH|^˜\\&|PFI|Org|SIL|labo|") && odd.ends_with("MSA|AA|0\\F\\15\n"), "{odd}");
        let own = answer(b"MSH#$*/%#A#B#C#D#2024##ADT$A01#77#T#2.5\r", Outcome::Refused(Defect::UnsupportedVersion));
        assert!(own.contains("##ACK$A01$ACK#S1#T#2.5\nMSA#AR#77\nERR##MSH$1$12#203$"), "{own}");
    }

    #[test]
    fn of_what_cannot_be_read_a_minimal_one() {
        for bytes in [&b""[..], b"\x00\xff", b"GET / HTTP/1.1\r\n", b"MSH", b"MSH||||"] {
            let text = answer(bytes, Outcome::Refused(inspect(bytes).err().unwrap_or(Defect::NotHl7)));
            assert!(text.starts_with("MSH|^~\\&|||||19700101000000+0000||ACK|S1|P|2.5\nMSA|AR\nERR|"), "{text}");
        }
        let long = format!("MSH|^~\\&|{}|||||{}", "é".repeat(100_000), "\rx");
        assert!(answer(long.as_bytes(), Outcome::Accepted).len() < 1000);
    }

    #[test]
    fn headers_are_inspected() {
        let seen = inspect(ORIGINAL.as_bytes()).map(|e| (e.control_id, e.message_type, e.trigger, e.version, e.asks));
        assert_eq!(seen, Ok(("015".into(), "MDM".into(), "T10".into(), "2.6".into(), Asks::Always)));
        let field = |field| Err(Defect::MissingField(Location { segment: "MSH", ordinal: 1, field }));
        let kind = |text: &str| inspect(text.as_bytes()).map(|e| e.trigger);
        assert_eq!(kind("MSH|^~\\&|||||||"), field(9));
        assert_eq!(kind("MSH|^~\\&|||||||ADT^A01"), field(10));
        assert_eq!(kind("MSH|^~\\&|||||||SIU^S12|7|P|2.5"), Err(Defect::UnsupportedType));
        assert_eq!(kind("MSH|^~\\&|||||||ADT^A01|7|P|3.0"), Err(Defect::UnsupportedVersion));
        assert_eq!(kind("MSH|^~\\&|||||||ADT|7|P|2.3\rEVN|A08|2024\r"), Ok("A08".into()));
        assert_eq!(kind("MSH|^~\\&|||||||adt^a01|7"), Ok("A01".into()));
        assert_eq!(kind("PID|1"), Err(Defect::NotHl7));
    }

    #[test]
    fn who_is_answered_when() {
        let asks = |fields: &str| inspect(format!("MSH|^~\\&|||||||ADT^A01|7|P|2.5|||{fields}").as_bytes()).map(|e| e.asks);
        for (fields, expected) in [
            ("|", Asks::Always),
            ("AL|NE", Asks::Always),
            ("NE|NE", Asks::Never),
            ("NE|AL", Asks::Always),
            ("ER|NE", Asks::OnError),
            ("|SU", Asks::OnSuccess),
        ] {
            assert_eq!(asks(fields), Ok(expected), "{fields}");
        }
        let refused = Outcome::Refused(Defect::TooLarge);
        assert!(Asks::OnError.answers(refused) && !Asks::OnError.answers(Outcome::Accepted));
        assert!(!Asks::OnSuccess.answers(refused) && !Asks::Never.answers(refused));
    }

    proptest::proptest! {
        #[test]
        fn never_panics_and_stays_small(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200), head: bool) {
            let bytes = if head { [b"MSH|^~\\&|", &bytes[..]].concat() } else { bytes };
            let outcome = inspect(&bytes).map_or_else(Outcome::Refused, |_| Outcome::Accepted);
            let answer = acknowledgement(&bytes, outcome, &DateTime::<Utc>::UNIX_EPOCH, "S|1\r");
            proptest::prop_assert!(answer.starts_with(b"MSH") && answer.ends_with(b"\r") && answer.len() < 4096);
            let lines = answer.split(|b| *b == b'\r').filter(|l| !l.is_empty()).count();
            proptest::prop_assert!((2..=3).contains(&lines));
        }
    }
}
