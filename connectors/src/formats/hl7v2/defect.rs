//! What is wrong with a message, as an acknowledgement says it.

use sillage_schemas::Fault;

/// Where in a message: names and numbers, never what stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Location {
    pub segment: &'static str,
    /// Which of the segments of that name, from 1.
    pub ordinal: usize,
    pub field: usize,
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}[{}]-{}", self.segment, self.ordinal, self.field)
    }
}

/// Why a message is not taken. The texts go to the sender's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Defect {
    #[error("the message does not begin with an MSH segment")]
    NotHl7,
    #[error("MSH-1 and MSH-2 are not delimiters")]
    Delimiters,
    #[error("{0} is required and empty")]
    MissingField(Location),
    #[error("this message type is not supported; expected MDM, ORU^R01 or ADT")]
    UnsupportedType,
    #[error("this trigger event is not supported for its message type")]
    UnsupportedEvent,
    #[error("this version is not supported; expected 2.x")]
    UnsupportedVersion,
    #[error("the message is larger than the receiver allows")]
    TooLarge,
    #[error("the message cannot be stored at the moment; send it again")]
    NotStored,
}

impl Defect {
    /// Code and text of HL7 table 0357 (message error condition codes).
    pub fn code(self) -> (u16, &'static str) {
        match self {
            Defect::NotHl7 => (100, "Segment sequence error"),
            Defect::MissingField(_) => (101, "Required field missing"),
            Defect::Delimiters => (102, "Data type error"),
            Defect::UnsupportedType => (200, "Unsupported message type"),
            Defect::UnsupportedEvent => (201, "Unsupported event code"),
            Defect::UnsupportedVersion => (203, "Unsupported version id"),
            Defect::TooLarge | Defect::NotStored => (207, "Application internal error"),
        }
    }

    /// Where it is, `None` where it is nowhere in particular.
    pub fn location(self) -> Option<Location> {
        let msh = |field| Some(Location { segment: "MSH", ordinal: 1, field });
        match self {
            Defect::MissingField(location) => Some(location),
            Defect::Delimiters => msh(2),
            Defect::UnsupportedType | Defect::UnsupportedEvent => msh(9),
            Defect::UnsupportedVersion => msh(12),
            Defect::NotHl7 | Defect::TooLarge | Defect::NotStored => None,
        }
    }

    /// Whose fault it is.
    pub fn fault(self) -> Fault {
        if self == Defect::NotStored { Fault::Environment } else { Fault::Input }
    }

    /// Refused for what its header says (AR, CR) rather than for what is in it
    /// (AE, CE): chapter 2.9.2.2, table 0008. Sending it again as it is does not help.
    pub fn rejects(self) -> bool {
        !matches!(self, Defect::MissingField(_) | Defect::NotStored)
    }
}
