//! A light French stem: number and gender off, nothing more.
//!
//! Meant for matching a written word with a listed one, so that `cérébrales`,
//! `cérébraux` and `cérébral` meet. It never merges a noun with its adjective.

/// Stem of a folded word (see [`crate::text::fold`]). Words under four letters and
/// words with digits are left alone.
pub fn stem(word: &str) -> &str {
    let bytes = word.as_bytes();
    if bytes.len() < 4 || !bytes.iter().all(u8::is_ascii_lowercase) {
        return word;
    }
    let mut end = bytes.len();
    // The plural of -al, -eu and -ou; cortex and thorax have none.
    if bytes[end - 1] == b's' || end > 4 && word.ends_with("ux") {
        end -= 1;
    }
    let singular = end;
    // Short words differ by their last letter: mère and mer, agité and agit.
    while end > 5 && bytes[end - 1] == b'e' {
        end -= 1;
    }
    let feminine = end < singular;
    if end > 4 && bytes[end - 1] == bytes[end - 2] && matches!(bytes[end - 1], b'n' | b'l' | b't') {
        end -= 1;
    }
    if feminine && end > 4 && word[..end].ends_with("eus") {
        end -= 1;
    }
    &word[..end]
}

/// Second stem to try when the first one is unknown: `-aux` for `-al`, `-ive` for `-if`.
pub fn alternative(word: &str) -> Option<String> {
    let word = word.strip_suffix('s').unwrap_or(word);
    if word.len() > 4 {
        if let Some(base) = word.strip_suffix("aux") {
            return Some(format!("{base}al"));
        }
        if let Some(base) = word.strip_suffix("ive") {
            return Some(format!("{base}if"));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_and_gender_meet() {
        for (a, b) in [
            ("hypertendue", "hypertendu"),
            ("cerebrales", "cerebral"),
            ("anciennes", "ancien"),
            ("veineuse", "veineux"),
            ("paralysees", "paralyse"),
            ("actuelles", "actuel"),
        ] {
            assert_eq!(stem(a), stem(b), "{a} {b}");
        }
        assert_eq!(alternative("cerebraux").as_deref(), Some("cerebral"));
    }

    #[test]
    fn short_words_and_codes_stay() {
        for word in ["bas", "os", "m1", "dt2", "pas", "toux", "mere", "agit"] {
            assert_eq!(stem(word), word);
        }
        assert_ne!(stem("agite"), stem("agit"));
        assert_ne!(stem("ischemie"), stem("ischemique"));
    }
}
