//! A row of an answer: attributes as text, copied from what was written at ingest. Most of them are never looked at, so they are
//! taken apart only where a key has to match.

use std::collections::BTreeSet;

use arno_dicom::{
    json::{Attributes, name_of},
    query::{Query, Returned},
};
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::NodeError;

/// A tag as eight hexadecimal digits, such as `00100020`; in the order of tags.
pub(super) type Name = [u8; 8];

/// Attributes in the order of their tags, each as a JSON object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row(Vec<(Name, Box<str>)>);

impl Row {
    /// The attribute as JSON text.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let place = self.place(&as_name(name)?).ok()?;
        Some(&self.0[place].1)
    }

    /// The only or first value of an attribute of text.
    #[must_use]
    pub fn word(&self, name: &str) -> Option<String> {
        let attribute: Value = serde_json::from_str(self.get(name)?).ok()?;
        attribute.get("Value")?.get(0)?.as_str().map(str::to_owned)
    }

    /// The same as values.
    #[must_use]
    pub fn attributes(&self) -> Attributes {
        let parsed = self.0.iter().filter_map(|(name, text)| {
            let name = std::str::from_utf8(name).ok()?;
            Some((name.to_owned(), serde_json::from_str(text).ok()?))
        });
        parsed.collect()
    }

    /// Appends the row as a JSON object, with one more attribute in its place.
    pub(crate) fn write_with(&self, name: &str, text: &str, out: &mut Vec<u8>) {
        let added = as_name(name).map(|name| (name, text));
        let at = added.map_or(0, |(name, _)| self.place(&name).unwrap_or_else(|at| at));
        let own = |range: &[(Name, Box<str>)], out: &mut Vec<u8>| {
            for (name, text) in range {
                write_member(name, text, out);
            }
        };
        let start = out.len();
        own(&self.0[..at], out);
        if let Some((name, text)) = &added {
            write_member(name, text, out);
        }
        own(&self.0[at..], out);
        // Each member begins with a comma: the first one's place is the object's begin.
        match out.get_mut(start) {
            Some(first) => *first = b'{',
            None => out.push(b'{'),
        }
        out.push(b'}');
    }

    /// Reads an object that this program wrote, as far as it is wanted; all of it where nothing is named.
    pub(super) fn parse(text: &str, wanted: Option<&BTreeSet<Name>>) -> Result<Self, NodeError> {
        members(text, wanted).ok_or_else(|| damaged().into())
    }

    /// Sets an attribute.
    pub(super) fn put(&mut self, name: &str, text: impl Into<Box<str>>) {
        let Some(name) = as_name(name) else { return };
        match self.place(&name) {
            Ok(at) => self.0[at].1 = text.into(),
            Err(at) => self.0.insert(at, (name, text.into())),
        }
    }

    /// Adds what it lacks of another: an attribute without a value is none.
    pub(super) fn complete(&mut self, with: &Self) {
        let mut all = Vec::with_capacity(self.0.len() + with.0.len());
        let mut others = with.0.iter().peekable();
        for own in std::mem::take(&mut self.0) {
            while let Some(other) = others.next_if(|other| other.0 < own.0) {
                all.push(other.clone());
            }
            match others.next_if(|other| other.0 == own.0) {
                Some(other) if !has_value(&own.1) => all.push(other.clone()),
                _ => all.push(own),
            }
        }
        all.extend(others.cloned());
        self.0 = all;
    }

    /// The attributes of both; where both have one, that of the other.
    pub(super) fn extend(&mut self, with: Self) {
        for (name, text) in with.0 {
            match self.place(&name) {
                Ok(at) => self.0[at].1 = text,
                Err(at) => self.0.insert(at, (name, text)),
            }
        }
    }

    /// Leaves out what does not hold.
    pub(super) fn retain(&mut self, holds: impl Fn(&str) -> bool) {
        self.0.retain(|(_, text)| holds(text));
    }

    /// Whether the row has all that the keys of a query ask for.
    pub(super) fn matches(&self, query: &Query) -> bool {
        if query.keys.is_empty() {
            return true;
        }
        let firsts = query.keys.iter().filter_map(|key| key.path.first());
        let asked = firsts.filter_map(|tag| {
            let name = name_of(*tag);
            let value = serde_json::from_str(self.get(&name)?).ok()?;
            Some((name, value))
        });
        query.matches(&asked.collect())
    }

    fn place(&self, name: &Name) -> Result<usize, usize> {
        self.0.binary_search_by(|(own, _)| own.cmp(name))
    }
}

impl From<Attributes> for Row {
    fn from(attributes: Attributes) -> Self {
        let mut row = Self::default();
        for (name, value) in attributes {
            row.put(&name, value.to_string());
        }
        row
    }
}

/// What a query wants to see of a row.
pub(super) enum Picked {
    /// Everything.
    All,
    /// These attributes, and what stands for one that the row lacks, if anything does.
    Whole(Vec<(Name, Option<Box<str>>)>),
    /// Parts of sequences, for which the row is taken apart.
    Parts,
}

impl Picked {
    pub(super) fn of(query: &Query) -> Self {
        match (query.whole_attributes(), &query.returned) {
            (Some(whole), _) => {
                let text = |absent: Value| absent.to_string().into();
                let whole = whole.into_iter();
                let named = |(name, absent): (String, Option<Value>)| {
                    Some((as_name(&name)?, absent.map(text)))
                };
                Self::Whole(whole.filter_map(named).collect())
            }
            (None, Returned::All) => Self::All,
            (None, _) => Self::Parts,
        }
    }

    pub(super) fn pick(&self, row: &Row, query: &Query) -> Row {
        match self {
            Self::All => row.clone(),
            Self::Parts => query.returned(&row.attributes()).into(),
            Self::Whole(wanted) => {
                let picked = wanted.iter().filter_map(|(name, absent)| {
                    let own = row.place(name).ok().map(|at| &row.0[at].1);
                    Some((*name, own.or(absent.as_ref())?.clone()))
                });
                Row(picked.collect())
            }
        }
    }
}

pub(super) fn as_name(name: &str) -> Option<Name> {
    name.as_bytes().try_into().ok()
}

fn damaged() -> arno_store::StoreError {
    arno_store::StoreError::Corrupt { what: "attribute" }
}

fn has_value(attribute: &str) -> bool {
    // Quotes inside JSON strings are escaped, so these are never text of a value.
    ["\"Value\":", "\"InlineBinary\":"]
        .iter()
        .any(|member| attribute.contains(member))
}

fn write_member(name: &Name, text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name);
    out.extend_from_slice(b"\":");
    out.extend_from_slice(text.as_bytes());
}

/// The members of an object whose names are tags, written without spaces; `None` when it is something else.
fn members(text: &str, wanted: Option<&BTreeSet<Name>>) -> Option<Row> {
    let mut row = Row::default();
    let mut rest = text.strip_prefix('{')?;
    while !rest.starts_with('}') {
        let (name, value) = rest.strip_prefix('"')?.split_once("\":")?;
        let name = as_name(name)?;
        let mut values = serde_json::Deserializer::from_str(value).into_iter::<IgnoredAny>();
        values.next()?.ok()?;
        let (value, behind) = value.split_at_checked(values.byte_offset())?;
        if wanted.is_none_or(|wanted| wanted.contains(&name)) {
            row.0.push((name, value.into()));
        }
        rest = behind.strip_prefix(',').unwrap_or(behind);
        // An object ends, or goes on behind a comma.
        if rest.len() == behind.len() && !rest.starts_with('}') {
            return None;
        }
    }
    // What this program writes is in order; what it once wrote may not be.
    if !row.0.is_sorted_by_key(|(name, _)| *name) {
        row.0.sort_by_key(|(name, _)| *name);
    }
    (rest == "}").then_some(row)
}

#[cfg(test)]
mod tests {
    use super::Row;

    const TEXT: &str =
        r#"{"00080005":{"vr":"CS"},"00100010":{"vr":"PN","Value":[{"Alphabetic":"A\":,}^B"}]}}"#;

    fn written(row: &Row) -> String {
        let mut out = b"[".to_vec();
        row.write_with("00081190", "{\"vr\":\"UR\"}", &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_is_read_is_written_with_one_more_in_its_place() {
        let row = Row::parse(TEXT, None).unwrap();
        let expect = TEXT.replace(",\"00100010", ",\"00081190\":{\"vr\":\"UR\"},\"00100010");
        assert_eq!(written(&row), format!("[{expect}"));
        let values = serde_json::from_str(TEXT).unwrap();
        assert_eq!(row.attributes(), values);
        assert_eq!(written(&Row::default()), "[{\"00081190\":{\"vr\":\"UR\"}}");
    }

    #[test]
    fn what_is_no_object_of_attributes_is_refused() {
        let check = |text: &str| assert!(Row::parse(text, None).is_err(), "{text}");
        check("");
        check("{");
        check("[]");
        check("{}}");
        check("{\"0008\":{}}");
        check("{\"00080005\":{}");
        check("{\"00080005\":{}\"00080008\":{}}");
        check("{\"00080005\":}");
        assert_eq!(Row::parse("{}", None).unwrap(), Row::default());
    }

    #[test]
    fn only_what_lacks_a_value_is_completed() {
        let mut row = Row::parse(TEXT, None).unwrap();
        let mut other = Row::default();
        for name in ["00080001", "00080005", "00100010", "00200010"] {
            other.put(name, "{\"vr\":\"CS\",\"Value\":[\"o\"]}");
        }
        row.complete(&other);
        let words = ["00080001", "00080005", "00100010", "00200010"].map(|name| row.word(name));
        let other = || Some("o".to_owned());
        assert_eq!(words, [other(), other(), None, other()]);
    }
}
