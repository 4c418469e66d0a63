//! Elements of a resource with their paths, and the data types that are read (FHIR R4, 2.24): a thing of another type than FHIR says is
//! a fault at its path, never taken for absent.

use arno_domain::model::CodeSystem;
use chrono::NaiveDate;
use serde_json::{Map, Value};

use super::codes::{RELATIVE_DATE, UCUM};
use crate::draft::dates::DateStyle;

/// Days that a life can be away from a diagnosis.
const MAX_DAYS: f64 = 60_000.0;
/// The largest whole number up to which doubles have them all.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// Something to mend, at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) path: String,
    pub(super) what: String,
}

/// What an element says, if it is there.
pub(super) type Found<T> = Result<Option<T>, Fault>;

/// An object with its path.
#[derive(Debug, Clone)]
pub(super) struct Node<'a> {
    pub(super) map: &'a Map<String, Value>,
    pub(super) path: String,
}

/// A moment as far as it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// A day.
    Day(NaiveDate),
    /// A year, or a month of it.
    Year(i32),
    /// Days from the diagnosis, as our own exports have it.
    Days(i64),
}

/// One code of a concept.
#[derive(Debug, Clone)]
pub(super) struct Coding {
    pub(super) system: String,
    pub(super) code: String,
    pub(super) version: Option<String>,
    pub(super) display: String,
}

/// A concept: its codes, and what a person wrote.
#[derive(Debug, Clone, Default)]
pub(super) struct Concept {
    pub(super) path: String,
    pub(super) codings: Vec<Coding>,
    pub(super) text: Option<String>,
}

/// A number with its unit.
#[derive(Debug, Clone)]
pub(super) struct Quantity {
    pub(super) path: String,
    pub(super) number: f64,
    /// As it was written.
    pub(super) text: String,
    /// Code of UCUM, else what stands there.
    pub(super) unit: Option<String>,
    /// Whether it says "less than" or the like.
    pub(super) is_bound: bool,
    /// What the source wrote, as our own exports have it.
    pub(super) source: Option<String>,
}

impl Coding {
    /// `system|code`, as FHIR writes tokens.
    pub(super) fn token(&self) -> String {
        format!("{}|{}", self.system, self.code)
    }
}

impl<'a> Node<'a> {
    fn at(&self, key: &str) -> String {
        format!("{}.{key}", self.path)
    }

    pub(super) fn fault(&self, key: &str, what: impl Into<String>) -> Fault {
        Fault {
            path: self.at(key),
            what: what.into(),
        }
    }

    fn value(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// An object.
    pub(super) fn object(&self, key: &str) -> Found<Node<'a>> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(Node {
                map,
                path: self.at(key),
            })),
            Some(_) => Err(self.fault(key, "an object is wanted here")),
        }
    }

    /// A list of objects.
    pub(super) fn objects(&self, key: &str) -> Result<Vec<Node<'a>>, Fault> {
        let list = match self.value(key) {
            None => return Ok(Vec::new()),
            Some(Value::Array(list)) => list,
            Some(_) => return Err(self.fault(key, "a list is wanted here")),
        };
        let one = |(index, value): (usize, &'a Value)| match value {
            Value::Object(map) => Ok(Node {
                map,
                path: format!("{}.{key}[{index}]", self.path),
            }),
            _ => Err(self.fault(key, "a list of objects is wanted here")),
        };
        list.iter().enumerate().map(one).collect()
    }

    /// Text, trimmed; empty text is none.
    pub(super) fn text(&self, key: &str) -> Found<&'a str> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.trim()).filter(|text| !text.is_empty())),
            Some(_) => Err(self.fault(key, "text is wanted here")),
        }
    }

    pub(super) fn flag(&self, key: &str) -> Found<bool> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(self.fault(key, "true or false is wanted here")),
        }
    }

    /// A number that is kept exactly.
    pub(super) fn number(&self, key: &str) -> Found<f64> {
        let number = match self.value(key) {
            None => return Ok(None),
            Some(Value::Number(number)) => number.as_f64(),
            Some(_) => return Err(self.fault(key, "a number is wanted here, without quotes")),
        };
        match number.filter(|number| number.abs() <= MAX_EXACT) {
            Some(number) => Ok(Some(number)),
            None => Err(self.fault(key, "a number beyond 2^53, which is not kept exactly")),
        }
    }

    pub(super) fn concept(&self, key: &str) -> Found<Concept> {
        let Some(node) = self.object(key)? else {
            return Ok(None);
        };
        node.as_concept().map(Some)
    }

    pub(super) fn concepts(&self, key: &str) -> Result<Vec<Concept>, Fault> {
        let nodes = self.objects(key)?;
        nodes.iter().map(Node::as_concept).collect()
    }

    pub(super) fn as_concept(&self) -> Result<Concept, Fault> {
        let codings = self.objects("coding")?;
        let codings = codings.iter().map(Node::as_coding);
        Ok(Concept {
            codings: codings
                .filter_map(Result::transpose)
                .collect::<Result<_, _>>()?,
            text: self.text("text")?.map(str::to_owned),
            path: self.path.clone(),
        })
    }

    /// A coding without a code says nothing.
    pub(super) fn as_coding(&self) -> Found<Coding> {
        let Some(code) = self.text("code")? else {
            return Ok(None);
        };
        Ok(Some(Coding {
            system: self.text("system")?.unwrap_or_default().to_owned(),
            code: code.to_owned(),
            version: self.text("version")?.map(str::to_owned),
            display: self.text("display")?.unwrap_or_default().to_owned(),
        }))
    }

    pub(super) fn quantity(&self, key: &str) -> Found<Quantity> {
        let Some(node) = self.object(key)? else {
            return Ok(None);
        };
        let Some(number) = node.number("value")? else {
            return Ok(None);
        };
        let is_ucum = node.text("system")?.is_none_or(|system| system == UCUM);
        let code = node.text("code")?.filter(|_| is_ucum);
        Ok(Some(Quantity {
            number,
            text: node.map["value"].to_string(),
            unit: code.or(node.text("unit")?).map(str::to_owned),
            is_bound: node.text("comparator")?.is_some(),
            source: node.extension_text(super::codes::SOURCE)?,
            path: node.path,
        }))
    }

    /// The first extension of that address.
    pub(super) fn extension(&self, url: &str) -> Found<Node<'a>> {
        let nodes = self.objects("extension")?;
        Ok(nodes
            .into_iter()
            .find(|node| node.map.get("url").and_then(Value::as_str) == Some(url)))
    }

    pub(super) fn extension_text(&self, url: &str) -> Found<String> {
        let Some(node) = self.extension(url)? else {
            return Ok(None);
        };
        Ok(node.text("valueString")?.map(str::to_owned))
    }

    /// A date or a moment, and what our own exports have in place of one.
    pub(super) fn when(&self, key: &str) -> Found<When> {
        if let Some(text) = self.text(key)? {
            return match parse_date(text) {
                Some(when) => Ok(Some(when)),
                None => Err(self.fault(key, "no date that there is: FHIR writes 2020-01-31")),
            };
        }
        let Some(beside) = self.object(&format!("_{key}"))? else {
            return Ok(None);
        };
        match beside.extension(RELATIVE_DATE)? {
            None => Ok(None),
            Some(relative) => days(&relative).map(Some),
        }
    }

    /// A moment, or when a period begins.
    pub(super) fn begin(&self, moment: &str, period: &str) -> Found<When> {
        if let Some(when) = self.when(moment)? {
            return Ok(Some(when));
        }
        match self.object(period)? {
            None => Ok(None),
            Some(period) => period.when("start"),
        }
    }
}

fn parse_date(text: &str) -> Option<When> {
    let day = text.split('T').next().unwrap_or_default();
    let year = |digits: &str| {
        let year = digits.parse().ok()?;
        (1000..=9999).contains(&year).then_some(When::Year(year))
    };
    match day.split('-').collect::<Vec<_>>().as_slice() {
        [digits] if digits.len() == 4 => year(digits),
        [digits, month] if digits.len() == 4 => {
            let is_month = (1..=12).contains(&month.parse().unwrap_or(0));
            year(digits).filter(|_| is_month && month.len() == 2)
        }
        [_, month, day] if month.len() == 2 && day.len() == 2 => {
            DateStyle::Iso.parse(text).map(When::Day)
        }
        _ => None,
    }
}

/// The offset of a relative date (extension cqf-relativeDateTime).
fn days(relative: &Node<'_>) -> Result<When, Fault> {
    let fault = || Fault {
        path: relative.path.clone(),
        what: "a relative date needs a relationship, and an offset in whole days".into(),
    };
    let offset = relative.extension("offset")?.ok_or_else(fault)?;
    let offset = offset.quantity("valueDuration")?.ok_or_else(fault)?;
    let relationship = relative.extension("relationship")?.ok_or_else(fault)?;
    let sign = match relationship.text("valueCode")? {
        Some("after" | "concurrent") => 1.0,
        Some("before") => -1.0,
        _ => return Err(fault()),
    };
    let number = offset.number * sign;
    whole_days(&Quantity { number, ..offset })
}

/// Days from the diagnosis, as our own exports have them.
pub(super) fn whole_days(duration: &Quantity) -> Result<When, Fault> {
    let days = duration.number;
    let is_whole = duration.unit.as_deref() == Some("d") && days.fract() == 0.0;
    if !is_whole || days.abs() > MAX_DAYS {
        let (path, what) = (
            duration.path.clone(),
            "whole days within a life are wanted here",
        );
        return Err(Fault {
            path,
            what: what.into(),
        });
    }
    // Whole and small, by the lines above.
    Ok(When::Days(days as i64))
}

/// The system of an address, and the version that the address implies.
pub(super) fn system(coding: &Coding) -> Option<(CodeSystem, Option<String>)> {
    let version = coding.version.clone();
    if let Some(system) = CodeSystem::from_uri(&coding.system) {
        return Some((system, version));
    }
    let (_, system, implied) = super::codes::ALIASES
        .iter()
        .find(|(uri, ..)| *uri == coding.system)?;
    let version = match (implied.is_empty(), version) {
        (true, version) => version,
        (false, None) => Some((*implied).to_owned()),
        (false, Some(version)) => Some(format!("{implied} {version}")),
    };
    Some((*system, version))
}
