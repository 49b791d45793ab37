//! Cuts what comes over a connection into messages (Minimal Lower Layer
//! Protocol, release 1: `0x0B` message `0x1C 0x0D`).
//!
//! As it is sent in practice: the carriage return may be missing, line ends
//! and rubbish may stand between frames, and the text may hold `0x0B` (the soft
//! line break of a word processor) and even `0x1C`. Engines differ there: some end
//! a frame at any `0x1C`, most at the pair. So a frame ends at `0x1C` followed by a
//! carriage return, by the beginning of another frame, or by nothing for a while
//! ([`Framer::settle`]), and `0x0B` begins another one inside only where a header
//! follows it: `MSH` and the field separator of the message, which no text holds
//! unescaped. (MSH alone is a hormone.) `0x1C 0x0D` inside a text is the end: that
//! is what the protocol says, and nobody could tell.

use memchr::{memchr, memmem};

const START: u8 = 0x0b;
const END: u8 = 0x1c;
/// What is kept of a message that is too large, enough for its header.
const KEPT: usize = 4096;

/// What was cut out.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Frame {
    /// A message.
    Whole(Vec<u8>),
    /// The beginning of a message larger than is allowed. Nothing comes after it.
    TooLarge(Vec<u8>),
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Frame::Whole(bytes) | Frame::TooLarge(bytes)) = self;
        write!(f, "{}({} bytes)", if matches!(self, Frame::Whole(_)) { "Whole" } else { "TooLarge" }, bytes.len())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Between,
    Inside,
    /// Behind an `0x1C` that may be the end.
    Ending,
    /// Behind so many bytes after that `0x1C` of what may be the next message.
    Restarting(usize),
    /// Behind a message that was too large.
    Broken,
}

/// The state of one connection. Holds no memory between frames.
#[derive(Debug)]
pub(super) struct Framer {
    max_message_bytes: usize,
    state: State,
    message: Vec<u8>,
    /// Bytes that were in no frame, line ends apart.
    pub skipped: u64,
    /// Messages begun and given up for another.
    pub abandoned: u64,
}

impl Framer {
    pub fn new(max_message_bytes: usize) -> Self {
        Framer { max_message_bytes, state: State::Between, message: Vec::new(), skipped: 0, abandoned: 0 }
    }

    /// Takes what came and appends the frames that are whole with it.
    pub fn push(&mut self, mut bytes: &[u8], frames: &mut Vec<Frame>) {
        while let Some(&first) = bytes.first() {
            match self.state {
                State::Between => {
                    let begin = memchr(START, bytes).unwrap_or(bytes.len());
                    self.skipped += bytes[..begin].iter().filter(|byte| !matches!(byte, b'\r' | b'\n')).count() as u64;
                    if begin < bytes.len() {
                        self.state = State::Inside;
                    }
                    bytes = bytes.get(begin + 1..).unwrap_or_default();
                }
                State::Inside => {
                    let end = memchr(END, bytes).unwrap_or(bytes.len());
                    self.extend(&bytes[..end], frames);
                    if self.state == State::Inside && end < bytes.len() {
                        self.state = State::Ending;
                    }
                    bytes = bytes.get(end + 1..).unwrap_or_default();
                }
                State::Ending => match first {
                    b'\r' => {
                        self.finish(frames);
                        bytes = &bytes[1..];
                    }
                    START => {
                        self.state = State::Restarting(1);
                        bytes = &bytes[1..];
                    }
                    _ => {
                        self.state = State::Inside;
                        self.extend(&[END], frames);
                    }
                },
                State::Restarting(come) => {
                    let restart = self.restart();
                    if restart.get(come) != Some(&first) {
                        self.state = State::Inside;
                        self.extend(&[&[END], &restart[..come]].concat(), frames);
                    } else {
                        self.state = State::Restarting(come + 1);
                        bytes = &bytes[1..];
                        if come + 1 == restart.len() {
                            self.begin_next(&restart[1..], frames);
                        }
                    }
                }
                State::Broken => return,
            }
        }
    }

    /// Nothing comes for now, or ever: an `0x1C` that came last was the end.
    pub fn settle(&mut self, frames: &mut Vec<Frame>) {
        match self.state {
            State::Ending => self.finish(frames),
            State::Restarting(come) => self.begin_next(&self.restart()[1..come], frames),
            _ => {}
        }
    }

    /// Whether the next byte, or that there is none, decides if a frame is whole.
    pub fn is_ending(&self) -> bool {
        matches!(self.state, State::Ending | State::Restarting(_))
    }

    /// Whether a frame has begun.
    pub fn is_inside(&self) -> bool {
        matches!(self.state, State::Inside | State::Ending | State::Restarting(_))
    }

    /// Bytes held.
    pub fn held(&self) -> usize {
        self.message.capacity()
    }

    fn extend(&mut self, bytes: &[u8], frames: &mut Vec<Frame>) {
        if self.message.len() + bytes.len() <= self.max_message_bytes {
            self.message.extend_from_slice(bytes);
            return;
        }
        let kept = KEPT.min(self.max_message_bytes);
        let room = kept.saturating_sub(self.message.len()).min(bytes.len());
        self.message.extend_from_slice(&bytes[..room]);
        self.message.truncate(kept);
        self.message.shrink_to_fit();
        frames.push(Frame::TooLarge(std::mem::take(&mut self.message)));
        self.state = State::Broken;
    }

    /// What a sender that begins anew sends, with the separator of the message here.
    fn restart(&self) -> [u8; 5] {
        let start = self.message.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.message);
        let separator = start.trim_ascii_start().strip_prefix(b"MSH").and_then(|rest| rest.first());
        [START, b'M', b'S', b'H', separator.copied().unwrap_or(b'|')]
    }

    /// Ends the frame before another whose first bytes these are.
    fn begin_next(&mut self, beginning: &[u8], frames: &mut Vec<Frame>) {
        self.finish(frames);
        self.state = State::Inside;
        self.extend(beginning, frames);
    }

    fn finish(&mut self, frames: &mut Vec<Frame>) {
        self.state = State::Between;
        let restart = self.restart();
        let mut message = std::mem::take(&mut self.message);
        let restarts = memmem::find_iter(&message, &restart);
        let (count, last) = restarts.fold((0, None), |(count, _), at| (count + 1, Some(at)));
        if let Some(at) = last {
            self.abandoned += count;
            message.drain(..=at);
        }
        frames.push(Frame::Whole(message));
    }
}

/// Cuts a stream that comes in pieces of these sizes, and at once: the same frames,
/// and no memory beyond what is allowed.
#[cfg(fuzzing)]
pub(crate) fn fuzz(sizes: &[u8], stream: &[u8]) {
    const MAX: usize = 512;
    let cut = |sizes: &[u8]| {
        let (mut framer, mut frames, mut rest) = (Framer::new(MAX), Vec::new(), stream);
        for size in sizes.iter().cycle() {
            let (piece, after) = rest.split_at(rest.len().min(usize::from(*size).max(1)));
            framer.push(piece, &mut frames);
            assert!(framer.held() <= 2 * (MAX + KEPT));
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        framer.push(rest, &mut frames);
        framer.settle(&mut frames);
        (frames, framer.skipped, framer.abandoned)
    };
    let whole = cut(&[]);
    assert_eq!(whole, cut(sizes));
    let framed: usize = whole.0.iter().map(|(Frame::Whole(bytes) | Frame::TooLarge(bytes))| bytes.len()).sum();
    assert!(framed + whole.1 as usize <= stream.len());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What comes of input in those pieces, with what was skipped and abandoned.
    fn cut<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, max: usize) -> (Vec<Frame>, u64, u64) {
        let mut framer = Framer::new(max);
        let mut frames = Vec::new();
        for piece in pieces {
            framer.push(piece, &mut frames);
            assert!(framer.held() <= 2 * max + 2 * KEPT);
        }
        framer.settle(&mut frames);
        if !framer.is_inside() {
            assert_eq!(framer.held(), 0);
        }
        (frames, framer.skipped, framer.abandoned)
    }

    fn whole(texts: &[&str]) -> Vec<Frame> {
        texts.iter().map(|text| Frame::Whole(text.as_bytes().to_vec())).collect()
    }

    #[test]
    fn frames_as_they_are_sent() {
        let cases: &[(&[u8], &[&str], u64)] = &[
            (b"\x0bMSH|1\r\x1c\r", &["MSH|1\r"], 0),
            (b"\x0bMSH|1\x1c\r\x0bMSH|2\x1c\r", &["MSH|1", "MSH|2"], 0),
            // The carriage return is missing, at the end and between.
            (b"\x0bMSH|1\x1c\x0bMSH|2\x1c", &["MSH|1", "MSH|2"], 0),
            (b"\x0bMSH|1\x1c\r\n\r\n\x0bMSH|2\x1c\r\n", &["MSH|1", "MSH|2"], 0),
            (b"hello\x0bMSH|1\x1c\rrubbish\x1c\r\x0bMSH|2\x1c\r", &["MSH|1", "MSH|2"], 13),
            (b"\x0b\x1c\r\x0b\x0b\x1c\r", &["", "\x0b"], 0),
            // Both bytes inside a text.
            (b"\x0bMSH|a\x0bb\x1cc\x1c\x1c\r", &["MSH|a\x0bb\x1cc\x1c"], 0),
            (b"\x0bMSH|a\x1c\x0bb\x1c\r", &["MSH|a\x1c\x0bb"], 0),
            (b"\x0bMSH|a\x1c\x0bMSH, ACTH\x1c\r", &["MSH|a\x1c\x0bMSH, ACTH"], 0),
            (b"\x0bMSH|a\x0bMSH et ACTH\rMSH: 12\x1c\r", &["MSH|a\x0bMSH et ACTH\rMSH: 12"], 0),
            (b"\x0bMSH|a\x1c\x1c\x0b\x0b\x1c\r", &["MSH|a\x1c\x1c\x0b\x0b"], 0),
            // Another separator: the usual one is a letter like any other.
            (b"\x0bMSH#^~\x0bMSH|a\x1c\r\x0bMSH#1\x1c\x0bMSH#2\x1c\r", &["MSH#^~\x0bMSH|a", "MSH#1", "MSH#2"], 0),
            (b"\x0bMSH|1\x1c\x0bMS", &["MSH|1"], 0),
            (b"\x0bMSH|half", &[], 0),
            (b"\x1c\r\x1c", &[], 2),
        ];
        for (input, expected, skipped) in cases {
            assert_eq!(cut([*input], 100), (whole(expected), *skipped, 0), "{}", input.escape_ascii());
        }
    }

    #[test]
    fn a_frame_begun_anew_gives_up_the_one_before() {
        assert_eq!(cut([&b"\x0bMSH|1 ha\x0bMSH|1 hal\x0bMSH|1\x1c\r"[..]], 100), (whole(&["MSH|1"]), 0, 2));
    }

    #[test]
    fn an_end_is_one_only_when_nothing_follows() {
        let mut framer = Framer::new(100);
        let mut frames = Vec::new();
        framer.push(b"\x0bMSH|1\x1c", &mut frames);
        assert!(frames.is_empty() && framer.is_ending());
        framer.push(b"2", &mut frames);
        assert!(!framer.is_ending());
        framer.push(b"\x1c", &mut frames);
        framer.settle(&mut frames);
        assert_eq!(frames, whole(&["MSH|1\x1c2"]));
        framer.push(b"\r", &mut frames);
        assert_eq!((frames.len(), framer.skipped), (1, 0));
    }

    #[test]
    fn a_message_too_large_ends_everything_and_an_endless_one_takes_no_memory() {
        let mut framer = Framer::new(10_000);
        let mut frames = Vec::new();
        framer.push(b"\x0bMSH|large", &mut frames);
        for _ in 0..1000 {
            framer.push(&[b'x'; 1000], &mut frames);
        }
        framer.push(b"\x1c\r\x0bMSH|2\x1c\r", &mut frames);
        let [Frame::TooLarge(kept)] = &frames[..] else { panic!("{frames:?}") };
        assert!(kept.starts_with(b"MSH|large") && kept.len() == KEPT);
        assert_eq!((framer.held(), framer.is_inside()), (0, false));
        assert_eq!(cut([&b"\x0b12345\x1c\r"[..]], 5).0, whole(&["12345"]));
        assert_eq!(cut([&b"\x0b123456\x1c\r"[..]], 5).0, [Frame::TooLarge(b"12345".to_vec())]);
    }

    /// Input rich in what matters.
    fn input() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            4 => prop::collection::vec(any::<u8>(), 0..20),
            4 => Just(vec![START]),
            4 => Just(vec![END]),
            4 => Just(b"\r".to_vec()),
            2 => Just(b"\n".to_vec()),
            3 => Just(b"\x0bMSH|^~\\&|".to_vec()),
            3 => Just(b"\x1c\r".to_vec()),
            2 => Just(b"\x1c\x0bMSH|".to_vec()),
            2 => Just(b"\x1c\x0bMSH".to_vec()),
            1 => Just(vec![b'x'; 300]),
        ];
        prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn in_any_pieces_it_is_the_same(input in input(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20), max in 1usize..400) {
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(input.len() + 1)).collect();
            cuts.extend([0, input.len()]);
            cuts.sort_unstable();
            let pieces = cuts.windows(2).map(|ends| &input[ends[0]..ends[1]]);
            let reference = cut([&input[..]], max);
            prop_assert_eq!(cut(pieces, max), reference.clone());
            prop_assert_eq!(cut(input.chunks(1), max), reference);
        }

        #[test]
        fn what_is_framed_comes_out_again(messages in prop::collection::vec("[A-Za-zé|^~\\\\&\r\n\t]{0,200}", 0..20)) {
            let mut wire = Vec::new();
            for message in &messages {
                wire.push(START);
                wire.extend(message.bytes());
                wire.extend([END, b'\r']);
            }
            let texts: Vec<&str> = messages.iter().map(String::as_str).collect();
            prop_assert_eq!(cut(wire.chunks(7), 1000), (whole(&texts), 0, 0));
        }

        #[test]
        fn no_byte_is_counted_twice(input in input()) {
            let (frames, skipped, _) = cut([&input[..]], 1 << 20);
            let framed: usize = frames.iter().map(|(Frame::Whole(bytes) | Frame::TooLarge(bytes))| bytes.len() + 2).sum();
            prop_assert!(framed + skipped as usize <= input.len());
        }
    }
}
