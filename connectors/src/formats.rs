//! What bytes mean, whatever way they came.

pub mod attachment;
pub mod fhir;

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
    /// Nested deeper than any resource is.
    pub const TOO_DEEP: &str = "too_deep";
    /// Larger than one resource may be.
    pub const TOO_LARGE: &str = "too_large";
    /// The file ends inside a resource or inside its compression.
    pub const TRUNCATED: &str = "truncated";
    /// The compression is damaged.
    pub const CORRUPT_GZIP: &str = "corrupt_gzip";
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

    /// All of them.
    pub const ALL: &[&str] = &[
        BAD_JSON,
        BAD_RESOURCE,
        NOT_A_RESOURCE,
        NOT_UTF8,
        TOO_DEEP,
        TOO_LARGE,
        TRUNCATED,
        CORRUPT_GZIP,
        MISSING_ID,
        MISSING_ATTACHMENT,
        MISSING_BINARY,
        BAD_BASE64,
        UNSUPPORTED_CONTENT_TYPE,
    ];
}
