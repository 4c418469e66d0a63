//! Random patients, with dirt as real headers have it, and random plans.

use std::collections::BTreeMap;

use arno_engine::{
    Apart, Cells, ColumnId, Kind, Level, Moment, Plan, Presence, Question, Range, Schema, Test,
};
use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::{Just, Strategy},
    prop_oneof,
    sample::select,
};

use crate::model::{Known, Tree};

/// A schema with every kind of level.
pub(crate) struct Fields {
    pub(crate) schema: Schema,
    pub(crate) diagnosis: Level,
    pub(crate) stage: Level,
    pub(crate) segment: Level,
    pub(crate) sex: ColumnId,
    pub(crate) age: ColumnId,
    pub(crate) modality: ColumnId,
    pub(crate) thickness: ColumnId,
    pub(crate) code: ColumnId,
    pub(crate) day: ColumnId,
    pub(crate) group: ColumnId,
    pub(crate) label: ColumnId,
}

impl Fields {
    /// Every column with a way to group it.
    pub(crate) fn all(&self) -> Vec<(ColumnId, Cells)> {
        vec![
            (self.sex, Cells::Values),
            (self.modality, Cells::Values),
            (self.age, Cells::Steps(vec![0.0, 1.25])),
            (self.thickness, Cells::Values),
            (self.code, Cells::Values),
            (self.day, Cells::Steps(vec![0.0])),
            (self.group, Cells::Values),
            (self.label, Cells::Values),
        ]
    }
}

pub(crate) fn fields() -> Fields {
    let mut schema = Schema::new();
    let diagnosis = schema.level(Level::PATIENT).unwrap();
    let stage = schema.level(diagnosis).unwrap();
    let segment = schema.level(Level::SERIES).unwrap();
    let mut column = |level, kind| schema.column(level, kind).unwrap();
    let sex = column(Level::PATIENT, Kind::Words);
    let age = column(Level::STUDY, Kind::Numbers);
    let modality = column(Level::SERIES, Kind::Words);
    let thickness = column(Level::SERIES, Kind::Numbers);
    let code = column(diagnosis, Kind::Words);
    let day = column(diagnosis, Kind::Numbers);
    let group = column(stage, Kind::Words);
    let label = column(segment, Kind::Words);
    Fields {
        schema,
        diagnosis,
        stage,
        segment,
        sex,
        age,
        modality,
        thickness,
        code,
        day,
        group,
        label,
    }
}

pub(crate) fn one_of(column: ColumnId, words: &[&str]) -> Plan {
    let words = words.iter().map(|word| (*word).to_owned());
    Plan::Is(column, Test::OneOf(words.collect()))
}

pub(crate) fn below(column: ColumnId, limit: f64) -> Plan {
    let range = Range {
        below: Some(limit),
        ..Range::default()
    };
    Plan::Is(column, Test::Range(range))
}

const WORDS: [&str; 5] = ["F", "f", "0000", "6657", ""];
/// The last one counts as not recorded; two differ in the last bit.
const NUMBERS: [f64; 6] = [-1.0, 0.0, -0.0, 1.25, 1.250_000_000_000_000_2, f64::NAN];

fn word(column: ColumnId) -> impl Strategy<Value = Option<(ColumnId, Known)>> {
    option::of(select(&WORDS[..]).prop_map(move |word| (column, Known::Word(word.to_owned()))))
}

fn number(column: ColumnId) -> impl Strategy<Value = Option<(ColumnId, Known)>> {
    option::of(select(&NUMBERS[..]).prop_map(move |number| (column, Known::Number(number))))
}

fn rows(
    level: Level,
    values: impl Strategy<Value = Vec<Option<(ColumnId, Known)>>>,
    below: impl Strategy<Value = Vec<Tree>>,
) -> impl Strategy<Value = Vec<Tree>> {
    let row = (values, below).prop_map(move |(values, below)| Tree {
        level,
        values: values.into_iter().flatten().collect(),
        below,
        presence: Presence::There,
    });
    vec(row, 0..4)
}

fn patient() -> impl Strategy<Value = Tree> {
    let fields = fields();
    let one = |value: Option<(ColumnId, Known)>| vec![value];
    let nothing = || Just(Vec::new());
    let segments = rows(fields.segment, word(fields.label).prop_map(one), nothing()).boxed();
    let facts = (word(fields.modality), number(fields.thickness));
    let facts = facts.prop_map(|(one, other)| vec![one, other]);
    let series = rows(Level::SERIES, facts, segments.clone());
    let studies = rows(Level::STUDY, number(fields.age).prop_map(one), series);
    let stages = rows(fields.stage, word(fields.group).prop_map(one), nothing()).boxed();
    let of_diagnosis = (word(fields.code), number(fields.day));
    let of_diagnosis = of_diagnosis.prop_map(|(one, other)| vec![one, other]);
    let diagnoses = rows(fields.diagnosis, of_diagnosis, stages.clone());
    let loose = (segments, stages).prop_map(move |(segments, stages)| loose(segments, stages));
    let sex = word(fields.sex);
    (sex, diagnoses, studies, loose).prop_map(|(sex, diagnoses, studies, loose)| Tree {
        level: Level::PATIENT,
        values: sex.into_iter().collect(),
        below: [diagnoses, studies, loose].concat(),
        presence: Presence::There,
    })
}

/// Placeholders for rows that hang on nobody knows what.
fn loose(segments: Vec<Tree>, stages: Vec<Tree>) -> Vec<Tree> {
    let placeholder = |level, below: Vec<Tree>| Tree {
        below,
        presence: Presence::Placeholder,
        ..Tree::new(level)
    };
    let mut loose = Vec::new();
    if segments.len() > 1 {
        let series = placeholder(Level::SERIES, segments);
        loose.push(placeholder(Level::STUDY, vec![series]));
    }
    if stages.len() > 1 {
        loose.push(placeholder(fields().diagnosis, stages));
    }
    loose
}

pub(crate) fn patients() -> impl Strategy<Value = BTreeMap<String, Tree>> {
    btree_map("p[0-9]", patient(), 0..6)
}

pub(crate) fn plan() -> impl Strategy<Value = Plan> {
    let fields = fields();
    let words = select(vec![
        fields.sex,
        fields.modality,
        fields.code,
        fields.group,
        fields.label,
    ]);
    let numbers = select(vec![fields.age, fields.thickness]);
    let limit = || option::of(select(&NUMBERS[..5]));
    let range = (limit(), limit(), limit(), limit());
    let range = range.prop_map(|(min, above, max, below)| Range {
        min,
        above,
        max,
        below,
    });
    let wanted = vec(select(&WORDS[..]), 0..3);
    let leaf = prop_oneof![
        (words.clone(), wanted).prop_map(|(column, words)| one_of(column, &words)),
        (numbers.clone(), range.clone())
            .prop_map(|(column, range)| Plan::Is(column, Test::Range(range))),
        prop_oneof![words, numbers].prop_map(|column| Plan::Is(column, Test::Recorded)),
    ];
    let within = select(vec![
        (Level::SERIES, Level::PATIENT),
        (Level::SERIES, Level::STUDY),
        (Level::STUDY, Level::PATIENT),
        (fields.diagnosis, Level::PATIENT),
        (fields.stage, fields.diagnosis),
        (fields.stage, Level::PATIENT),
        (fields.segment, Level::STUDY),
    ]);
    let moments = select(vec![
        (fields.age, Level::STUDY, Level::STUDY),
        (fields.age, Level::STUDY, Level::PATIENT),
        (fields.age, Level::SERIES, Level::PATIENT),
        (fields.thickness, Level::STUDY, Level::PATIENT),
        (fields.day, fields.diagnosis, Level::PATIENT),
        (fields.day, fields.stage, Level::PATIENT),
        (fields.day, fields.stage, fields.diagnosis),
    ]);
    let days = vec(range.clone(), 0..3);
    leaf.prop_recursive(4, 16, 3, move |inner| {
        let some = (within.clone(), inner.clone());
        let moment = (moments.clone(), inner.clone());
        let moment = moment.prop_map(|((day, level, of), plan)| Moment {
            day,
            level,
            of,
            plan,
        });
        let apart = (moment.clone(), moment, days.clone());
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Plan::And),
            vec(inner.clone(), 0..4).prop_map(Plan::Or),
            inner.prop_map(|plan| Plan::Not(Box::new(plan))),
            some.prop_map(|((level, of), plan)| Plan::Exists {
                level,
                of,
                plan: Box::new(plan)
            }),
            apart.prop_map(|(first, second, days)| Plan::Apart(Box::new(Apart {
                first,
                second,
                days
            }))),
        ]
    })
}

/// Mostly the same of all rows.
pub(crate) fn question() -> impl Strategy<Value = Question> {
    let same = plan().prop_map(Question::from);
    let each = (plan(), plan(), plan());
    let each = each.prop_map(|(of_series, of_studies, of_patients)| Question {
        of_series,
        of_studies,
        of_patients,
    });
    prop_oneof![3 => same, 1 => each]
}
