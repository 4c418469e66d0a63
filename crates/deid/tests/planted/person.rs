//! People who are planted, as a hospital knows them. Made up, every time others.

use proptest::prelude::{Just, Strategy, any, prop_oneof};

/// A person as the hospital knows them. No value is part of a word that may stay, nor of a mark.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) family: String,
    pub(crate) given: String,
    pub(crate) middle: String,
    pub(crate) ideographic: String,
    pub(crate) id: String,
    pub(crate) accession: String,
    pub(crate) birth_date: String,
    pub(crate) physician: String,
    pub(crate) uid: String,
}

impl Person {
    pub(crate) fn name(&self) -> String {
        format!(
            "{}^{}^{}^Dr^MD={}",
            self.family, self.given, self.middle, self.ideographic
        )
    }

    /// Everything that may not be found in the result.
    pub(crate) fn values(&self) -> Vec<&str> {
        let Self {
            family,
            given,
            middle,
            ideographic,
            id,
            accession,
            birth_date,
            physician,
            uid,
        } = self;
        vec![
            family,
            given,
            middle,
            ideographic,
            id,
            accession,
            birth_date,
            physician,
            uid,
        ]
    }

    /// Texts as people write them, with one value in the middle of words that may stay.
    pub(crate) fn sentences(&self) -> Vec<String> {
        self.values()
            .iter()
            .map(|value| format!("CT THORAX {value} 1.25 mm"))
            .collect()
    }
}

fn name_word() -> impl Strategy<Value = String> {
    // X and Q in front, so that no name is inside a word of the vocabulary; long enough that none is in a pseudonym by chance.
    "[XQ][qx][A-Za-z]{6,9}".prop_map(String::from)
}

pub(crate) fn person() -> impl Strategy<Value = Person> {
    let ideographic = prop_oneof![Just("山田^太郎".to_owned()), Just("김^희중".to_owned())];
    let numbers = (
        "[A-Z]{2}[0-9]{6,9}",
        "7[0-9]{8,11}",
        (1920..1990_u16, 1..=12_u8, 1..=28_u8),
    );
    let uid = any::<u64>().prop_map(|n| format!("1.3.6.1.4.1.99999.{n}"));
    (
        name_word(),
        name_word(),
        name_word(),
        ideographic,
        numbers,
        name_word(),
        uid,
    )
        .prop_map(
            |(family, given, middle, ideographic, (id, accession, (y, m, d)), physician, uid)| {
                Person {
                    birth_date: format!("{y}{m:02}{d:02}"),
                    family,
                    given,
                    middle,
                    ideographic,
                    id,
                    accession,
                    physician,
                    uid,
                }
            },
        )
}
