//! Replays what fuzzing has kept: nothing may panic, and what is accepted survives being written and read again.
//! How the corpora are made is told in docs/fuzzing.md.

#[path = "../../../fuzz/bodies/corpus.rs"]
mod corpus;
#[path = "../../../fuzz/bodies/multipart.rs"]
mod multipart;
#[path = "../../../fuzz/bodies/query_string.rs"]
mod query_string;

#[test]
fn the_corpus_of_multipart_holds() {
    corpus::replay("multipart", multipart::multipart);
}

#[test]
fn the_corpus_of_query_string_holds() {
    corpus::replay("query_string", query_string::query_string);
}
