//! What bytes mean, whatever way they came.

pub mod attachment;
pub mod cda;
pub mod fhir;
pub mod hl7v2;
pub(crate) mod row;

use chrono::{DateTime, Utc};

/// Object identifiers of the French national health identity begin so: NIR, NIA
/// and their test and demonstration ranges.
pub(crate) const NATIONAL_IDENTITY: &str = "1.2.250.1.213.1.4.";

/// 2000-01-01, from which seconds make a version number.
const VERSION_EPOCH: i64 = 946_684_800;

/// A time as a version number: one scale for all formats.
pub(crate) fn version_at(time: DateTime<Utc>) -> i32 {
    (time.timestamp() - VERSION_EPOCH).clamp(1, i32::MAX.into()) as i32
}

/// The words that say why an input became a dead letter, with what to do.
pub mod reason {
    /// Not JSON.
    pub const BAD_JSON: &str = "bad_json";
    /// JSON, but a field that is needed has the wrong shape.
    pub const BAD_RESOURCE: &str = "bad_resource";
    /// JSON, but not an object with a `resourceType`.
    pub const NOT_A_RESOURCE: &str = "not_a_resource";
    /// Bytes that are not UTF-8, as JSON must be.
    pub const NOT_UTF8: &str = "not_utf8";
    /// Not well-formed XML.
    pub const BAD_XML: &str = "bad_xml";
    /// XML with a document type or entities of its own.
    pub const XML_ENTITY: &str = "xml_entity";
    /// Nested deeper than any resource is.
    pub const TOO_DEEP: &str = "too_deep";
    /// Larger than one resource may be.
    pub const TOO_LARGE: &str = "too_large";
    /// The file ends inside a resource or inside its compression.
    pub const TRUNCATED: &str = "truncated";
    /// The compression is damaged.
    pub const CORRUPT_GZIP: &str = "corrupt_gzip";
    /// An attachment that is an archive, and damaged.
    pub const CORRUPT_ARCHIVE: &str = "corrupt_archive";
    /// An archive with a password.
    pub const ENCRYPTED: &str = "encrypted";
    /// The resource has no id of any kind.
    pub const MISSING_ID: &str = "missing_id";
    /// A document without any attachment that holds or names data.
    pub const MISSING_ATTACHMENT: &str = "missing_attachment";
    /// The Binary named by the attachment is not in this source.
    pub const MISSING_BINARY: &str = "missing_binary";
    /// Attachment data that is not base64.
    pub const BAD_BASE64: &str = "bad_base64";
    /// Attachments, but none of a type that text can be read from.
    pub const UNSUPPORTED_CONTENT_TYPE: &str = "unsupported_content_type";

    /// A change told in a way that does not hold the resource: a patch, a
    /// deletion of whatever a search finds.
    pub const UNSUPPORTED_METHOD: &str = "unsupported_method";
    /// A document Bundle without a Composition in front, or with one that has no narrative.
    pub const MISSING_NARRATIVE: &str = "missing_narrative";

    /// Not an HL7 version 2 message: no MSH, or none with delimiters.
    pub const NOT_HL7: &str = "not_hl7";
    /// An HL7 version 2 message of a type or event that is not read.
    pub const UNSUPPORTED_MESSAGE: &str = "unsupported_message";
    /// A pointer (RP) in place of the document; nothing is fetched.
    pub const POINTER: &str = "pointer";

    /// All of them.
    pub const ALL: &[&str] = &[
        BAD_JSON,
        BAD_RESOURCE,
        NOT_A_RESOURCE,
        NOT_UTF8,
        BAD_XML,
        XML_ENTITY,
        TOO_DEEP,
        TOO_LARGE,
        TRUNCATED,
        CORRUPT_GZIP,
        CORRUPT_ARCHIVE,
        ENCRYPTED,
        MISSING_ID,
        MISSING_ATTACHMENT,
        MISSING_BINARY,
        BAD_BASE64,
        UNSUPPORTED_CONTENT_TYPE,
        UNSUPPORTED_METHOD,
        MISSING_NARRATIVE,
        NOT_HL7,
        UNSUPPORTED_MESSAGE,
        POINTER,
    ];
}
