//! The clinical text library for French: plain functions from `&str` to structs.
//! No Arrow, no async, no I/O.

pub mod analysis;
pub mod document_kind;
pub mod knowledge;
pub mod lexicon;
pub mod measurement;
pub mod mention;
pub mod qualifier;
pub mod section;
pub mod sentence;
mod stem;
pub mod temporal;
pub mod text;
mod trie;
pub mod vocabulary;
