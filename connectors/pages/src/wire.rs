//! Numbers, texts and bytes between the processes: little-endian, each text and
//! each message after its length.

use std::io::{self, Read, Write};

/// Writes the parts of a message.
#[derive(Default)]
pub(crate) struct Encoder(Vec<u8>);

impl Encoder {
    pub fn number(&mut self, value: u32) {
        self.0.extend(value.to_le_bytes());
    }

    pub fn float(&mut self, value: f32) {
        self.0.extend(value.to_le_bytes());
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u32);
        self.0.extend(bytes);
    }

    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Reads them back; `None` where they are not there.
pub(crate) struct Decoder<'b>(&'b [u8]);

impl<'b> Decoder<'b> {
    pub fn new(bytes: &'b [u8]) -> Self {
        Decoder(bytes)
    }

    pub fn number(&mut self) -> Option<u32> {
        let (head, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        Some(u32::from_le_bytes(*head))
    }

    pub fn float(&mut self) -> Option<f32> {
        self.number().map(f32::from_bits)
    }

    /// How many items follow, if there is room for them.
    pub fn count(&mut self, size: usize) -> Option<usize> {
        let count = self.number()? as usize;
        (count.checked_mul(size)? <= self.0.len()).then_some(count)
    }

    pub fn bytes(&mut self) -> Option<&'b [u8]> {
        let length = self.count(1)?;
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }

    pub fn text(&mut self) -> Option<String> {
        String::from_utf8(self.bytes()?.to_vec()).ok()
    }

    pub fn is_done(&self) -> bool {
        self.0.is_empty()
    }
}

/// Writes a message after its length.
pub(crate) fn send(to: &mut impl Write, message: &[u8]) -> io::Result<()> {
    to.write_all(&(message.len() as u64).to_le_bytes())?;
    to.write_all(message)?;
    to.flush()
}

/// The next message, `None` at the end.
pub(crate) fn receive(from: &mut impl Read, most: u64) -> io::Result<Option<Vec<u8>>> {
    let mut head = [0u8; 8];
    if let Err(error) = from.read_exact(&mut head) {
        return if error.kind() == io::ErrorKind::UnexpectedEof { Ok(None) } else { Err(error) };
    }
    let length = u64::from_le_bytes(head);
    if length > most {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a message larger than any may be"));
    }
    let mut message = Vec::new();
    from.take(length).read_to_end(&mut message)?;
    if message.len() as u64 == length { Ok(Some(message)) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}
