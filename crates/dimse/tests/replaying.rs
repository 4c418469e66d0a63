//! Replays what fuzzing has kept: nothing may panic, and what is accepted survives being written and read again.
//! How the corpora are made is told in docs/fuzzing.md.

#[path = "../../../fuzz/bodies/corpus.rs"]
mod corpus;
#[path = "../../../fuzz/bodies/pdu.rs"]
mod pdu;

#[test]
fn the_corpus_of_pdu_holds() {
    corpus::replay("pdu", pdu::pdu);
}
