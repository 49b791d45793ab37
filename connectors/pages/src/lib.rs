//! Attachments that are pages (PDF, TIFF, JPEG, PNG) to text with a way back to
//! the page.
//!
//! What reads hostile bytes runs in processes of its own ([`Pool`] outside,
//! [`serve`] inside), so that a crash, a hang or a bomb costs one attachment.
//! Inside, [`pdf`] and [`scan`] give words with their boxes, [`layout`] puts them
//! in reading order and keeps letterheads, page headers and margins apart.

mod failure;
mod geometry;
mod layout;
mod library;
mod mark;
mod pdf;
mod picture;
mod pool;
mod reading;
mod scan;
mod settings;
mod tesseract;
mod tiff;
mod wire;
mod worker;

pub use failure::Failure;
pub use geometry::Rect;
pub use library::find as find_library;
pub use mark::{Mark, Picture};
pub use pool::Pool;
pub use reading::{Reading, Word};
pub use settings::Settings;
pub use tesseract::find as find_tesseract;
pub use worker::serve;
