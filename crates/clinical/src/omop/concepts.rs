//! Concepts: the few standard ones that rows need, and local ones for whatever codes records have. Terminologies are licensed, so a
//! local concept is named by its code and nothing else.

use std::collections::HashMap;

use arno_domain::model::{CodeSystem, Coded};

use super::{
    row::Row,
    tables::{MAX_NAME_CHARS, MAX_SOURCE_CHARS, Table},
};

/// No matching concept.
pub(super) const NONE: i64 = 0;
/// Where rows come from: an electronic health record.
pub(super) const EHR: i64 = 32817;
pub(super) const YES: i64 = 4_188_539;
pub(super) const NO: i64 = 4_188_540;
pub(super) const MALE: i64 = 8507;
pub(super) const FEMALE: i64 = 8532;
pub(super) const OTHER: i64 = 8521;
/// OMOP CDM 5.4.0.
pub(super) const CDM_VERSION: i64 = 756_265;
/// Ids above are free for local concepts.
const FIRST_LOCAL: i64 = 2_000_000_001;

/// Number, name, domain, vocabulary, class and code of the standard concepts.
const STANDARD: [(i64, &str, &str, &str, &str, &str); 12] = [
    (
        NONE,
        "No matching concept",
        "Metadata",
        "None",
        "Undefined",
        "No matching concept",
    ),
    (
        EHR,
        "EHR",
        "Type Concept",
        "Type Concept",
        "Type Concept",
        "OMOP4976890",
    ),
    (
        YES,
        "Yes",
        "Meas Value",
        "SNOMED",
        "Qualifier Value",
        "373066001",
    ),
    (
        NO,
        "No",
        "Meas Value",
        "SNOMED",
        "Qualifier Value",
        "373067005",
    ),
    (MALE, "MALE", "Gender", "Gender", "Gender", "M"),
    (FEMALE, "FEMALE", "Gender", "Gender", "Gender", "F"),
    (OTHER, "OTHER", "Gender", "Gender", "Gender", "O"),
    (
        CDM_VERSION,
        "OMOP CDM Version 5.4.0",
        "Metadata",
        "CDM",
        "CDM",
        "CDM v5.4.0",
    ),
    (
        1_147_127,
        "condition_occurrence.condition_occurrence_id",
        "Metadata",
        "CDM",
        "Field",
        "condition_occurrence.condition_occurrence_id",
    ),
    (
        1_147_082,
        "procedure_occurrence.procedure_occurrence_id",
        "Metadata",
        "CDM",
        "Field",
        "procedure_occurrence.procedure_occurrence_id",
    ),
    (
        1_147_094,
        "drug_exposure.drug_exposure_id",
        "Metadata",
        "CDM",
        "Field",
        "drug_exposure.drug_exposure_id",
    ),
    (
        1_147_138,
        "measurement.measurement_id",
        "Metadata",
        "CDM",
        "Field",
        "measurement.measurement_id",
    ),
];

/// The vocabulary of the model's fields and of our own lists.
pub(super) const OURS: &str = "Arno";
/// The vocabulary of OMOP's own tables and fields.
pub(super) const CDM: &str = "CDM";
/// The system of a vocabulary, with the edition that its name says: national editions of ICD-10 are not ICD-10 itself.
pub(super) fn system_of(vocabulary: &str) -> Option<(CodeSystem, Option<String>)> {
    let (base, version) = match vocabulary.split_once(VERSION_MARK) {
        Some((base, version)) => (base, Some(version.to_owned())),
        None => (vocabulary, None),
    };
    if let Some(edition) = base
        .strip_prefix("ICD10")
        .filter(|edition| !edition.is_empty())
    {
        return (edition != "PCS").then(|| (CodeSystem::Icd10, Some(edition.to_owned())));
    }
    let known = CodeSystem::ALL
        .into_iter()
        .find(|system| vocabulary_of(*system) == base)?;
    Some((known, version))
}

/// The vocabulary of words that are too long for their column.
pub(super) const WORDS: &str = "Arno words";
/// What parts a vocabulary from the version of its codes.
const VERSION_MARK: char = '@';

/// The vocabulary that OHDSI knows a system by; those that it does not know keep our names.
pub(super) fn vocabulary_of(system: CodeSystem) -> &'static str {
    match system {
        CodeSystem::Icd10 => "ICD10",
        CodeSystem::IcdO3 => "ICDO3",
        CodeSystem::Snomed => "SNOMED",
        CodeSystem::Loinc => "LOINC",
        CodeSystem::Ncit => "NCIt",
        CodeSystem::Atc => "ATC",
        CodeSystem::RxNorm => "RxNorm",
        CodeSystem::Dicom => "DICOM",
        CodeSystem::RadLex => "RadLex",
        CodeSystem::Tnm => "TNM",
        CodeSystem::Arno => OURS,
    }
}

/// Local concepts, numbered as they are first needed.
#[derive(Debug, Default)]
pub(super) struct Concepts {
    /// By vocabulary and code.
    local: HashMap<(String, String), i64>,
}

impl Concepts {
    /// The concept of a code; `None` where code or version are longer than the tables take.
    pub(super) fn of(&mut self, coded: &Coded) -> Option<i64> {
        const MAX_VOCABULARY_CHARS: usize = 20;
        let base = vocabulary_of(coded.system);
        let vocabulary = match &coded.version {
            None => base.to_owned(),
            Some(version) => format!("{base}{VERSION_MARK}{version}"),
        };
        let fits = vocabulary.chars().count() <= MAX_VOCABULARY_CHARS
            && coded.code.chars().count() <= MAX_SOURCE_CHARS;
        fits.then(|| self.local(&vocabulary, &coded.code))
    }

    /// The concept of words, cut to what a name takes.
    pub(super) fn of_words(&mut self, words: &str) -> i64 {
        let words: String = words.chars().take(MAX_NAME_CHARS).collect();
        self.local(WORDS, &words)
    }

    /// The concept of one of our own names.
    pub(super) fn ours(&mut self, name: &str) -> i64 {
        self.local(OURS, name)
    }

    /// The concept of the key of a table, by which rows of others point at its rows.
    pub(super) fn key_of(&mut self, table: Table) -> i64 {
        let name = format!("{0}.{0}_id", table.as_str());
        let known = STANDARD.iter().find(|(.., code)| *code == name);
        known.map_or_else(|| self.local(CDM, &name), |(id, ..)| *id)
    }

    fn local(&mut self, vocabulary: &str, code: &str) -> i64 {
        // There are fewer codes than local numbers; tables hold no more rows either.
        let next = FIRST_LOCAL + i64::try_from(self.local.len()).unwrap_or_default();
        let key = (vocabulary.to_owned(), code.to_owned());
        *self.local.entry(key).or_insert(next)
    }

    /// Rows of all vocabulary tables, in the order of their tables.
    pub(super) fn rows(&self) -> Vec<Row> {
        let mut local: Vec<_> = self.local.iter().collect();
        local.sort_by_key(|(_, id)| **id);
        let mut vocabularies: Vec<&str> = STANDARD.iter().map(|standard| standard.3).collect();
        vocabularies.extend(local.iter().map(|((vocabulary, _), _)| vocabulary.as_str()));
        let mut domains: Vec<&str> = STANDARD.iter().map(|standard| standard.2).collect();
        domains.push(LOCAL_DOMAIN);
        let mut classes: Vec<&str> = STANDARD.iter().map(|standard| standard.4).collect();
        classes.push(LOCAL_CLASS);
        let standard = STANDARD
            .iter()
            .map(|(id, name, domain, vocabulary, class, code)| {
                let is_standard = (!matches!(*vocabulary, "None" | "CDM")).then_some("S");
                concept(*id, name, domain, vocabulary, class, code)
                    .set_if("standard_concept", is_standard)
            });
        let local = local
            .iter()
            .enumerate()
            .map(|(at, ((vocabulary, code), id))| {
                // Words may be longer than a code.
                let short = match vocabulary.as_str() {
                    WORDS => format!("words-{at}"),
                    _ => code.clone(),
                };
                concept(**id, code, LOCAL_DOMAIN, vocabulary, LOCAL_CLASS, &short)
            });
        standard
            .chain(local)
            .chain(named(Table::Vocabulary, vocabularies))
            .chain(named(Table::Domain, domains))
            .chain(named(Table::ConceptClass, classes))
            .collect()
    }
}

const LOCAL_DOMAIN: &str = "Metadata";
const LOCAL_CLASS: &str = "Undefined";

fn concept(id: i64, name: &str, domain: &str, vocabulary: &str, class: &str, code: &str) -> Row {
    Row::new(Table::Concept)
        .set("concept_id", id)
        .set("concept_name", name)
        .set("domain_id", domain)
        .set("vocabulary_id", vocabulary)
        .set("concept_class_id", class)
        .set("concept_code", code)
        .set("valid_start_date", "1970-01-01")
        .set("valid_end_date", "2099-12-31")
}

/// Each name once, as a row of a table of names.
fn named(table: Table, mut names: Vec<&str>) -> Vec<Row> {
    names.sort_unstable();
    names.dedup();
    let columns = table.columns();
    let (id, name) = (columns[0], columns[1]);
    let number = *columns.last().unwrap_or(&"");
    let row = |own: &&str| {
        Row::new(table)
            .set(id, own)
            .set(name, own)
            .set(number, NONE)
    };
    names.iter().map(row).collect()
}
