//! Hostile texts: invented clinical French, cut, mixed and salted with what
//! breaks readers. The same number gives the same text everywhere.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Sentences and telegraphic lines that open as many rules as possible.
const FRAGMENTS: &[&str] = &[
    "Hémiplégie gauche brutale avec aphasie",
    "Pas d'AVC ni AIT",
    "ATCD : HTA, DT2, FA sous apixaban 5 mg x2/j",
    "Antécédents familiaux : père AVC à 60 ans, mère diabétique",
    "Œdème cérébral et cœur normal",
    "TA 187/94, FC 88/min, T° 37°2, SpO2 96 % AA",
    "NIHSS 14 à l'entrée puis 4 à H24",
    "Rankin 2, mRS à 3 mois : 1",
    "IRM cérébrale le 12/03/2024 à 13h05 : infarctus sylvien droit",
    "Il y a 3 jours, céphalées ; la veille, vomissements",
    "né le 01/02/45, âgé de 79 ans et demi",
    "Thrombolyse à J0, thrombectomie TICI 2b/3 à 16h20",
    "Traitement de sortie :",
    "EXAMEN NEUROLOGIQUE",
    "1. Motif d'hospitalisation",
    "- Cardio : FA connue, IM en 2009",
    "diabète : non, tabac : oui (20 PA)",
    "insuff. rénale chr. sévère",
    "pas d'argument contre une dissection",
    "AVC hémorragique éliminé par le scanner",
    "suspicion d'embolie pulmonaire ?",
    "vu par le Dr H. Parkinson, unité Babinski",
    "kaliémie entre 3,5 et 4,2 mmol/L, HbA1c 7,8 %",
    "plaquettes 210 000/mm3, Hb 13 g/dL, CRP < 5",
    "lésion de 12 x 8 x 5 mm",
    "Glasgow 15 (Y4V5M6), score CHA2DS2-VASc à 4",
    "contrôle dans 3 mois, Doppler tous les 6 mois",
    "du 3 au 12 mars, entre 9h et 11h",
    "quatre-vingt-dix-sept ans, deux à trois semaines",
    "trans-\nformation hémor\u{ad}ragique",
    "sans fièvre, ni toux, ni dyspnée ou douleur thoracique",
    "En cas de récidive, reprise de l'anticoagulation",
    "l’AVC – d'allure « ischémique »",
    "e\u{301}pilepsie, apne\u{301}e, A\u{302}ge",
    "aspirine 75 mg 1-0-0, Kardégic®, Eliquis 2,5 mg matin et soir",
    "Hypertrophie ventriculaire gauche, FEVG 45-50 %",
    "dextro 1g80/L, glycémie 10,2 mmol/l",
    "H+3, J-1, S2, M3",
    "hier soir, vers minuit, au réveil",
    "mère hypertendue, tante décédée d'un IDM",
    "stade III de la NYHA, ASPECTS 8/10",
    "PF G, œdème MID, DT2 ID",
];

/// What stands between fragments.
#[rustfmt::skip]
const JOINTS: &[&str] = &[" ", " ", " ", "\n", "\r\n", ", ", ". ", "", "\t", "\u{a0}", "\n\n", " : ", "; ", " - ", "\u{202f}", "\r", " et ", " ou "];

/// What breaks readers.
#[rustfmt::skip]
const HOSTILE: &[&str] = &[
    "\u{301}", "\u{300}\u{323}", "\u{ad}", "\u{200b}", "\u{200d}", "\u{feff}", "\u{0}", "\u{7f}", "\u{85}", "\u{2028}", "\u{c}", "\u{a0}",
    "\u{fffd}", "\u{d7ff}", "\u{e000}", "\u{10ffff}", "\u{1d400}", "😀", "👩🏽‍⚕️", "🇫🇷", "مرحبا", "\u{202e}", "\u{2066}", "ﬁ", "ﬃ", "œ", "Æ", "ß", "ẞ", "İ",
    "ı", "ſ", "K", "Å", "µ", "μ", "½", "²", "³", "⁹", "①", "Ⅳ", "١٢", "１２", "１３ｈ０５", "๓", "－", "‐", "‑", "–", "—", "−", "’", "‘", "ʼ", "`",
    "´", "«", "»", "“", "…", "→", "≥", "≤", "±", "×", "°", "º", "%", "‰", "(", ")", "[", "]", "((((", "))))", "[[", "{", "<", ">", "&",
    "\\", "\\u{d800}", "\\ud83d", "|", "#", "*", "_", "~", "@", "\"", "'", "''", "?", "??", "!", ".", "..", "....", ",", ",,", ";", ":", "::", "/", "//",
    "+", "=", "0", "00", "9", "99999999999999999999", "1e999", "0,0", "12/", "/12", "31/02", "29/02/2023", "24h", "24h60", "h", "H", "J", "J999999",
    "M1-\nM2", "a-\r\nb", "-\n", "-\r\n", "ni ", "ou ", "sans ", "pas ", "pas de ", "non ", "de la ", "d'", "l'", "si ", "ATCD ", "TA ", "PAS ", "entre ",
    "il y a ", "depuis ", "à ", "vingt ", "quatre-vingt-", "mg", "mmHg", "x", "x2", "\r", "\n", "\r\n", "\r\r\n", "\n\r", "\t", " ", "   ",
];

/// A small xorshift generator.
pub struct Random(u64);

impl Random {
    /// `name` keeps the parsers apart: each has texts of its own.
    pub fn new(name: &str, number: u64) -> Self {
        let mut seed = 0xcbf2_9ce4_8422_2325_u64 ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for byte in name.bytes() {
            seed = (seed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        let mut random = Random(seed | 1);
        random.below(1);
        random
    }

    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as usize % limit.max(1)
    }

    pub fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }

    /// Any scalar value, the planes that texts use more often than others.
    fn scalar(&mut self) -> char {
        let top = [0x80, 0x250, 0x700, 0x3000, 0x1_0000, 0x11_0000][self.below(6)];
        char::from_u32(self.below(top) as u32).unwrap_or('\u{fffd}')
    }

    fn boundary(&mut self, text: &str) -> usize {
        let mut at = self.below(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }

    /// A clinical text with some damage.
    pub fn text(&mut self) -> String {
        match self.below(200) {
            0 => return String::new(),
            1 => return self.of(&[" ", "\u{a0}", "\n", "\t", "\r\n", "\u{200b}"]).repeat(self.below(300)),
            2 => return self.of(HOSTILE).repeat(self.below(400)),
            3 => return (0..self.below(120)).map(|_| self.scalar()).collect(),
            4 => return format!("{}{}{}", self.of(FRAGMENTS), self.of(&["é", "a", "9", ".", "("]).repeat(3000), self.of(FRAGMENTS)),
            5..15 => return (0..self.below(60)).map(|_| self.of(HOSTILE)).collect(),
            15 => return format!("{}{}{}", "(".repeat(500), self.of(FRAGMENTS), ")".repeat(self.below(600))),
            _ => {}
        }
        let mut text = String::new();
        for _ in 0..=self.below(7) {
            text.push_str(self.of(FRAGMENTS));
            text.push_str(self.of(JOINTS));
        }
        for _ in 0..self.below(10) {
            self.damage(&mut text);
        }
        text
    }

    /// A term, as one would ask for the code of it.
    pub fn term(&mut self) -> String {
        let fragment = self.of(FRAGMENTS);
        let words: Vec<&str> = fragment.split(' ').collect();
        let from = self.below(words.len());
        let to = (from + 1 + self.below(4)).min(words.len());
        let mut term = words[from..to].join(" ");
        for _ in 0..self.below(4) {
            self.damage(&mut term);
        }
        term
    }

    /// A form of the lexicon with some damage.
    pub fn form(&mut self) -> String {
        const SEEDS: &[&str] = &[
            "insuffisance [cardiaque/ventriculaire gauche/]",
            "hypertendu(e)(s)",
            "[[a b/c] d/e]",
            "infarctus cardio-embolique",
            "?=IM :: valve, Écho !! mg",
            "bras ... [pend/tombe]",
            "=FA permanente",
            "perte(s) d'urine(s)",
            "(post-)AVC [hémorragique(s)/isch(émique)]",
        ];
        const PIECES: &[&str] = &[
            "[", "]", "(", ")", "/", "...", "…", "=", "?", "::", "!!", ",", "-", "'", "’", " ", "é", "e\u{301}", "İ", "\u{0}", "😀",
            "((((", "[a/b]", "(a)", "abc-def ", "[[[", "]]]", "\n", "AVC", "1", "  ",
        ];
        let mut form: String = self.of(SEEDS).to_owned();
        for _ in 0..self.below(8) {
            let at = self.boundary(&form);
            match self.below(4) {
                0 => form.truncate(at),
                1 => self.damage(&mut form),
                _ => form.insert_str(at, self.of(PIECES)),
            }
        }
        form
    }

    fn damage(&mut self, text: &mut String) {
        let at = self.boundary(text);
        match self.below(14) {
            0..6 => text.insert_str(at, self.of(HOSTILE)),
            6 => text.insert(at, self.scalar()),
            7 => drop((at < text.len()).then(|| text.remove(at))),
            8 => {
                let to = self.boundary(text);
                text.replace_range(at.min(to)..at.max(to), "");
            }
            9 => {
                let to = self.boundary(text);
                let mut piece = text[at.min(to)..at.max(to)].to_owned();
                piece.truncate(piece.char_indices().nth(40).map_or(piece.len(), |(i, _)| i));
                text.insert_str(at, &piece);
            }
            10 => {
                let upper = text[at..].chars().take(30).collect::<String>();
                text.replace_range(at..at + upper.len(), &upper.to_uppercase());
            }
            11 => {
                // Accents apart from their letters, as one kind of computer writes them.
                use unicode_normalization::UnicodeNormalization;
                *text = text.nfd().collect();
            }
            12 => {
                let piece = self.of(HOSTILE).repeat(2 + self.below(30));
                text.insert_str(at, &piece);
            }
            _ => text.truncate(at),
        }
    }
}

/// How many texts each parser reads.
pub fn cases() -> u64 {
    let Ok(cases) = std::env::var("SILLAGE_CASES") else { return 5_000 };
    cases.replace('_', "").parse().unwrap_or_else(|_| panic!("SILLAGE_CASES={cases} is no number"))
}

/// Shows that a property holds for every text; else panics with the shortest
/// text found for which it does not.
pub fn holds(name: &str, make: impl Fn(&mut Random) -> String, property: impl Fn(&str) -> Result<(), String>) {
    let cases = cases();
    assert!(cases > 0);
    let attempt = |text: &str| match catch_unwind(AssertUnwindSafe(|| property(text))) {
        Ok(outcome) => outcome,
        Err(panic) => {
            let message = panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|m| (*m).to_owned()));
            Err(format!("panic: {}", message.unwrap_or_default()))
        }
    };
    for number in 0..cases {
        let text = make(&mut Random::new(name, number));
        if attempt(&text).is_err() {
            let short = shrunk(text, |t| attempt(t).is_err());
            let reason = attempt(&short).err().unwrap_or_default();
            panic!("{name}, text {number}: {reason}\n{short:?}");
        }
    }
    eprintln!("{name}: {cases} texts");
}

/// Takes pieces out for as long as the text still fails.
fn shrunk(mut text: String, fails: impl Fn(&str) -> bool) -> String {
    let mut size = text.chars().count().div_ceil(2);
    while size > 0 {
        let mut from = 0;
        while let Some((at, _)) = text.char_indices().nth(from) {
            let end = text.char_indices().nth(from + size).map_or(text.len(), |(i, _)| i);
            let shorter = format!("{}{}", &text[..at], &text[end..]);
            if fails(&shorter) {
                text = shorter;
            } else {
                from += size;
            }
        }
        size /= 2;
    }
    text
}
