//! The clinical text library for French: plain functions from `&str` to structs.
//! No Arrow, no async, no I/O.

pub mod analysis;
pub mod coded;
mod copies;
pub mod document_kind;
mod enumeration;
pub mod form;
pub mod knowledge;
pub mod lexicon;
pub mod measurement;
pub mod mention;
pub mod number;
pub mod phrase;
pub mod qualifier;
pub mod section;
pub mod sentence;
mod stem;
pub mod temporal;
pub mod text;
pub mod trie;
pub mod vocabulary;
pub mod vote;
