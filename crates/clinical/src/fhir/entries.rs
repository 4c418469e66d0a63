//! Resources out of files, one after the other: a Bundle (3.1.4, "collection", "batch", "transaction", "searchset" or "document"), or
//! NDJSON as of Bulk Data, in one file or in a folder. One resource at a time is in memory.

use std::{
    cell::{Cell, RefCell},
    fmt,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::{
    json::{Step, Trail, Walk, broken},
    reader::Reader,
};
use crate::{
    Place, Problem,
    draft::MAX_PROBLEMS,
    read::{MAX_FILE_BYTES, ReadError},
};

/// Largest entry. The largest resources hold documents, and documents are not looked at.
const MAX_ENTRY_BYTES: u64 = 8 << 20;
/// Bytes of a file that are read at once.
const BUFFER_BYTES: usize = 64 << 10;
/// Bundles that hold what is; histories and answers of servers do not.
const BUNDLES: [&str; 5] = [
    "collection",
    "batch",
    "transaction",
    "searchset",
    "document",
];

/// Hands every resource to the reader.
pub(super) fn read(path: &Path, reader: &mut Reader<'_>) -> Result<(), ReadError> {
    if !path.is_dir() {
        return read_file(path, reader);
    }
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(path).map_err(io_error(path))? {
        paths.push(entry.map_err(io_error(path))?.path());
    }
    paths.retain(|path| path.is_file() && kind(path).is_some());
    paths.sort();
    if paths.is_empty() {
        return Err(ReadError::Malformed {
            path: path.to_owned(),
            what: "no file in this folder ends in .json or .ndjson".into(),
        });
    }
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        reader.begin_file(&name);
        read_file(&path, reader)?;
    }
    Ok(())
}

/// Whether a file or a folder holds resources, by its name or those in it.
#[must_use]
pub fn is_fhir(path: &Path) -> bool {
    if !path.is_dir() {
        return kind(path).is_some();
    }
    let mut entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    entries.any(|entry| kind(&entry.path()).is_some())
}

#[derive(Clone, Copy)]
enum Kind {
    Bundle,
    Lines,
}

fn kind(path: &Path) -> Option<Kind> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    match extension.as_str() {
        "json" => Some(Kind::Bundle),
        "ndjson" | "jsonl" => Some(Kind::Lines),
        _ => None,
    }
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> ReadError {
    let path: PathBuf = path.to_owned();
    |source| ReadError::Io { path, source }
}

fn read_file(path: &Path, reader: &mut Reader<'_>) -> Result<(), ReadError> {
    let malformed = |what: &str| ReadError::Malformed {
        path: path.to_owned(),
        what: what.to_owned(),
    };
    let Some(kind) = kind(path) else {
        return Err(malformed(
            "a bundle ends in .json, resources line by line in .ndjson: name it so",
        ));
    };
    let file = File::open(path).map_err(io_error(path))?;
    if file.metadata().map_err(io_error(path))?.len() > MAX_FILE_BYTES {
        return Err(ReadError::TooLarge(path.to_owned()));
    }
    let meter = Cell::new(0);
    let mut bytes = BufReader::with_capacity(BUFFER_BYTES, Metered { file, read: &meter });
    let start = bytes.fill_buf().map_err(io_error(path))?;
    match start {
        // An export by types has an empty file where there is none of a type.
        [] if matches!(kind, Kind::Lines) => return Ok(()),
        [] => return Err(malformed("the file is empty")),
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [_, 0, ..] | [0, ..] => {
            return Err(malformed("this is not UTF-8: save it as UTF-8"));
        }
        [0xEF, 0xBB, 0xBF, ..] => bytes.consume(3),
        _ => {}
    }
    match kind {
        Kind::Bundle => read_bundle(bytes, &meter, reader),
        Kind::Lines => read_lines(bytes, &meter, reader).map_err(io_error(path))?,
    }
    Ok(())
}

/// Refuses to read more than an entry's worth between two entries.
struct Metered<'a> {
    file: File,
    read: &'a Cell<u64>,
}

impl Read for Metered<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.read.get() > MAX_ENTRY_BYTES + BUFFER_BYTES as u64 {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let length = self.file.read(into)?;
        self.read.set(self.read.get() + length as u64);
        Ok(length)
    }
}

fn read_lines(
    mut bytes: impl BufRead,
    meter: &Cell<u64>,
    reader: &mut Reader<'_>,
) -> io::Result<()> {
    let (mut line, mut number) = (Vec::new(), 0);
    while reader.problems.len() < MAX_PROBLEMS {
        line.clear();
        meter.set(0);
        let length = (&mut bytes)
            .take(MAX_ENTRY_BYTES)
            .read_until(b'\n', &mut line)?;
        if length == 0 {
            break;
        }
        number += 1;
        let place = Place::Line(number);
        if length as u64 == MAX_ENTRY_BYTES && line.last() != Some(&b'\n') {
            reader.problem(Problem::at(place, too_large()));
            return Ok(());
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let trail = RefCell::new(Trail::default());
        let mut json = serde_json::Deserializer::from_slice(&line);
        match Walk(&trail).deserialize(&mut json).and_then(|value| {
            json.end()?;
            Ok(value)
        }) {
            Ok(value) => {
                doubled(&trail, place, reader);
                reader.resource(place, None, &value);
            }
            Err(error) => {
                let problem = Problem::at(place, broken(&error));
                reader.problem(with_path(problem, &trail.borrow()));
            }
        }
    }
    Ok(())
}

fn read_bundle(bytes: impl BufRead, meter: &Cell<u64>, reader: &mut Reader<'_>) {
    let trail = RefCell::new(Trail::default());
    let mut json = serde_json::Deserializer::from_reader(bytes);
    let read = Bundle {
        trail: &trail,
        meter,
        reader,
    }
    .deserialize(&mut json)
    .and_then(|()| json.end());
    let Err(error) = read else {
        return;
    };
    let trail = trail.borrow();
    let place = match trail.steps.as_slice() {
        [Step::Key(key), Step::Index(index), ..] if key == "entry" => {
            Some(Place::Entry(*index as u64 + 1))
        }
        _ => None,
    };
    let what = match error.is_io() {
        true => too_large(),
        false if trail.steps.is_empty() && error.is_syntax() => format!(
            "{}; one bundle a file, and resources line by line in .ndjson",
            broken(&error)
        ),
        false => broken(&error),
    };
    let problem = match place {
        Some(place) => Problem::at(place, what),
        None => Problem::file(what),
    };
    reader.problem(with_path(problem, &trail));
}

fn too_large() -> String {
    format!(
        "an entry of more than {} MB, or one that cannot be read to its end: leave documents and pictures out",
        MAX_ENTRY_BYTES >> 20
    )
}

fn with_path(problem: Problem, trail: &Trail) -> Problem {
    match trail.path() {
        path if path.is_empty() => problem,
        path => problem.of(&path),
    }
}

fn doubled(trail: &RefCell<Trail>, place: Place, reader: &mut Reader<'_>) {
    for path in std::mem::take(&mut trail.borrow_mut().doubled) {
        let what = "this key comes twice, and nothing says which one counts: leave one";
        reader.problem(Problem::at(place, what).of(&path));
    }
}

/// The outermost object.
struct Bundle<'a, 'b, 'm> {
    trail: &'a RefCell<Trail>,
    meter: &'a Cell<u64>,
    reader: &'b mut Reader<'m>,
}

/// Its list of entries.
struct Entries<'a, 'b, 'm>(&'a mut Bundle<'a, 'b, 'm>);

impl<'de> DeserializeSeed<'de> for Bundle<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Bundle<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a bundle")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let (mut resource_type, mut bundle_type, mut seen) = (None, None, false);
        while let Some(key) = map.next_key::<String>()? {
            self.meter.set(0);
            self.trail.borrow_mut().steps.push(Step::Key(key.clone()));
            match key.as_str() {
                "resourceType" => resource_type = Some(map.next_value_seed(Walk(self.trail))?),
                "type" => bundle_type = Some(map.next_value_seed(Walk(self.trail))?),
                "link" => self.link(&map.next_value_seed(Walk(self.trail))?),
                "entry" if seen => {
                    self.reader
                        .problem(Problem::file("the bundle has two lists of entries"));
                    map.next_value::<IgnoredAny>()?;
                }
                "entry" => {
                    seen = true;
                    let inner = &mut Bundle {
                        trail: self.trail,
                        meter: self.meter,
                        reader: &mut *self.reader,
                    };
                    map.next_value_seed(Entries(inner))?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            self.trail.borrow_mut().steps.pop();
        }
        self.head(resource_type.as_ref(), bundle_type.as_ref());
        Ok(())
    }
}

impl Bundle<'_, '_, '_> {
    /// A page of a search that has a next one is not all that was found.
    fn link(&mut self, links: &Value) {
        let mut links = links.as_array().into_iter().flatten();
        if links.any(|link| link["relation"] == "next") {
            let what = "this is one page of a search and another follows: put the resources of all pages into one bundle";
            self.reader.problem(Problem::file(what).of("link"));
        }
    }

    fn head(&mut self, resource_type: Option<&Value>, bundle_type: Option<&Value>) {
        if resource_type.and_then(Value::as_str) != Some("Bundle") {
            let what = "a Bundle is wanted: put resources into a bundle of type collection, or line by line into .ndjson";
            self.reader.problem(Problem::file(what).of("resourceType"));
            return;
        }
        let is_known = bundle_type
            .and_then(Value::as_str)
            .is_some_and(|kind| BUNDLES.contains(&kind));
        if !is_known {
            let what = format!("a bundle of type {} is wanted", BUNDLES.join(", "));
            self.reader.problem(Problem::file(what).of("type"));
        }
    }
}

impl<'de> DeserializeSeed<'de> for Entries<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let bundle = self.0;
        for index in 0.. {
            bundle.meter.set(0);
            {
                let mut trail = bundle.trail.borrow_mut();
                trail.steps.push(Step::Index(index));
                trail.base = trail.steps.len();
            }
            let next = list.next_element_seed(Walk(bundle.trail))?;
            {
                let mut trail = bundle.trail.borrow_mut();
                trail.steps.pop();
                trail.base = 0;
            }
            let Some(entry) = next else {
                break;
            };
            let place = Place::Entry(index as u64 + 1);
            doubled(bundle.trail, place, bundle.reader);
            bundle.reader.entry(place, &entry);
            if bundle.reader.problems.len() >= MAX_PROBLEMS {
                while list.next_element::<IgnoredAny>()?.is_some() {
                    bundle.meter.set(0);
                }
                break;
            }
        }
        Ok(())
    }
}
