//! Check digits of French numbers.

/// Whether the key of an insurance number is right; `None` when the number is none.
pub fn insurance_key(text: &str) -> Option<bool> {
    let bytes = text.as_bytes();
    if !matches!(bytes.len(), 13 | 15) || !matches!(bytes[0], b'1'..=b'4' | b'7' | b'8') {
        return None;
    }
    let month: u32 = text.get(3..5)?.parse().ok()?;
    if !(matches!(month, 1..=12 | 20..=42 | 50..=99)) {
        return None;
    }
    // Corsica counts as 19 less 1 million (2A) or 2 million (2B).
    let plain = text.replacen("2a", "19", 1).replacen("2b", "18", 1);
    let corsican = plain != *text;
    if corsican && !matches!(text.get(5..7), Some("2a" | "2b")) {
        return None;
    }
    let number: u64 = plain.get(..13)?.parse().ok()?;
    let key: u64 = if bytes.len() == 15 { plain.get(13..)?.parse().ok()? } else { return Some(false) };
    Some(97 - number % 97 == key)
}

/// The check of ISO/IEC 7812, as RPPS, FINESS and ADELI numbers have it.
pub fn luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(i, b)| {
            let digit = u32::from(b.wrapping_sub(b'0')) * if i % 2 == 1 { 2 } else { 1 };
            if digit > 9 { digit - 9 } else { digit }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_insurance_numbers() {
        let with_key = |n: &str| format!("{n}{:02}", 97 - n.parse::<u64>().unwrap() % 97);
        assert_eq!(insurance_key(&with_key("2391234172034")), Some(true));
        assert_eq!(insurance_key("239123417203400"), Some(false));
        assert_eq!(insurance_key("2391234172034"), Some(false));
        assert_eq!(insurance_key("939123417203400"), None);
        assert_eq!(insurance_key("239133417203400"), None);
        let corsican = 97 - 2_391_219_172_034u64 % 97;
        assert_eq!(insurance_key(&format!("239122a172034{corsican:02}")), Some(true));
    }

    #[test]
    fn luhn_checks() {
        assert_eq!((0..10).filter(|key| luhn(&format!("1000345678{key}"))).count(), 1);
        assert!(luhn("79927398713"));
    }
}
