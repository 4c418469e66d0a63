//! The key as rows.

/// One row: what is planted where, and what has to become of it.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// `*`, or the kind of instance.
    pub(crate) kind: String,
    pub(crate) path: String,
    pub(crate) vr: String,
    pub(crate) planted: String,
    pub(crate) expected: String,
}

/// All rows.
#[derive(Debug)]
pub(crate) struct Key(Vec<Row>);

impl Key {
    pub(crate) fn parse(text: &str) -> Self {
        let lines = text
            .lines()
            .filter(|line| !line.starts_with('#') && !line.trim().is_empty());
        let row = |line: &str| {
            let cells: Vec<&str> = line.split(" | ").map(str::trim).collect();
            let [kind, path, vr, planted, expected] = cells.as_slice() else {
                panic!("five cells a row: {line}");
            };
            Row {
                kind: (*kind).to_owned(),
                path: (*path).to_owned(),
                vr: (*vr).to_owned(),
                planted: (*planted).to_owned(),
                expected: (*expected).to_owned(),
            }
        };
        Self(lines.map(row).collect())
    }

    /// The rows of a kind, in order.
    pub(crate) fn rows(&self, kind: &str) -> impl Iterator<Item = &Row> {
        self.0
            .iter()
            .filter(move |row| row.kind == "*" || row.kind == kind)
    }
}
