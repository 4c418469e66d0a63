//! Replays what fuzzing has kept: nothing may panic, and what is accepted survives being written and read again.
//! How the corpora are made is told in docs/fuzzing.md.

#[path = "../../../fuzz/bodies/corpus.rs"]
mod corpus;
#[path = "../../../fuzz/bodies/file.rs"]
mod file;
#[path = "../../../fuzz/bodies/identifier.rs"]
mod identifier;

#[test]
fn the_corpus_of_file_holds() {
    corpus::replay("file", file::file);
}

#[test]
fn the_corpus_of_identifier_holds() {
    corpus::replay("identifier", identifier::identifier);
}
