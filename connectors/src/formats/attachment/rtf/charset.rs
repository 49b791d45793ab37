//! The single and double byte character sets of RTF.

use encoding_rs::{
    BIG5, EUC_KR, Encoding, GBK, MACINTOSH, SHIFT_JIS, UTF_8, WINDOWS_874, WINDOWS_1250, WINDOWS_1251, WINDOWS_1252, WINDOWS_1253,
    WINDOWS_1254, WINDOWS_1255, WINDOWS_1256, WINDOWS_1257, WINDOWS_1258,
};

/// What bytes of text stand for.
#[derive(Clone, Copy)]
pub(super) enum Charset {
    Encoding(&'static Encoding),
    /// The upper half of a character set of DOS.
    Dos(&'static str),
    /// A font of signs, of which the bullets are known.
    Signs,
}

impl Default for Charset {
    fn default() -> Self {
        Charset::Encoding(WINDOWS_1252)
    }
}

impl Charset {
    /// By a control word of the header or of the table of fonts.
    pub fn declared(word: &str, number: Option<i32>) -> Option<Self> {
        let encoding = match (word, number.unwrap_or(0)) {
            ("ansi", _) => WINDOWS_1252,
            ("mac", _) | ("ansicpg" | "cpg", 10000) | ("fcharset", 77) => MACINTOSH,
            ("pc", _) | ("ansicpg" | "cpg", 437) => return Some(Charset::Dos(DOS_437)),
            ("pca", _) | ("ansicpg" | "cpg", 850 | 858) => return Some(Charset::Dos(DOS_850)),
            ("fcharset", 2) => return Some(Charset::Signs),
            ("ansicpg" | "cpg", 874) | ("fcharset", 222) => WINDOWS_874,
            ("ansicpg" | "cpg", 932) | ("fcharset", 128) => SHIFT_JIS,
            ("ansicpg" | "cpg", 936) | ("fcharset", 134) => GBK,
            ("ansicpg" | "cpg", 949) | ("fcharset", 129) => EUC_KR,
            ("ansicpg" | "cpg", 950) | ("fcharset", 136) => BIG5,
            ("ansicpg" | "cpg", 1250) | ("fcharset", 238) => WINDOWS_1250,
            ("ansicpg" | "cpg", 1251) | ("fcharset", 204) => WINDOWS_1251,
            ("ansicpg" | "cpg", 1252) | ("fcharset", 0) => WINDOWS_1252,
            ("ansicpg" | "cpg", 1253) | ("fcharset", 161) => WINDOWS_1253,
            ("ansicpg" | "cpg", 1254) | ("fcharset", 162) => WINDOWS_1254,
            ("ansicpg" | "cpg", 1255) | ("fcharset", 177) => WINDOWS_1255,
            ("ansicpg" | "cpg", 1256) | ("fcharset", 178) => WINDOWS_1256,
            ("ansicpg" | "cpg", 1257) | ("fcharset", 186) => WINDOWS_1257,
            ("ansicpg" | "cpg", 1258) | ("fcharset", 163) => WINDOWS_1258,
            ("ansicpg" | "cpg", 65001) => UTF_8,
            _ => return None,
        };
        Some(Charset::Encoding(encoding))
    }

    pub fn decode(self, bytes: &[u8]) -> String {
        match self {
            Charset::Encoding(encoding) => encoding.decode_without_bom_handling(bytes).0.into_owned(),
            Charset::Dos(upper) => {
                let character = |byte: &u8| match byte {
                    0..128 => *byte as char,
                    _ => upper.chars().nth(usize::from(byte - 128)).unwrap_or(char::REPLACEMENT_CHARACTER),
                };
                bytes.iter().map(character).collect()
            }
            Charset::Signs => bytes.iter().map(|b| if matches!(b, 0xa7 | 0xa8 | 0xb7 | 0xd8 | 0xfc) { '•' } else { *b as char }).collect(),
        }
    }
}

const DOS_437: &str =
    "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";
const DOS_850: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{ad}±‗¾¶§÷¸°¨·¹³²■\u{a0}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_dos_are_whole() {
        assert_eq!((DOS_437.chars().count(), DOS_850.chars().count()), (128, 128));
        let decode = |word| Charset::declared(word, None).map(|c| c.decode(b"\x82t\x82 \xf8 \x80"));
        assert_eq!(decode("pc").as_deref(), Some("été ° Ç"));
        assert_eq!(decode("pca").as_deref(), Some("été ° Ç"));
    }
}
