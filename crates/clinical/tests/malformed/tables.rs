//! Tables: CSV, XLSX, Parquet.

use std::fs;

use arno_clinical::export::{Exporter as _, Folder, ParquetExport};
use arno_domain::model::{Entity, Field, Record, Recorded, Value};

use crate::{TABLE, answers, is_answered, workbook};

const HEADER: &str = "id;icd;date;size;words\n";

#[track_caller]
fn csv(rows: &str, expect: &[&str]) {
    is_answered(
        &answers("t.csv", format!("{HEADER}{rows}").as_bytes(), TABLE),
        expect,
    );
}

#[test]
fn what_is_right_is_not_complained_of() {
    csv("A;C34.1;2020-01-31;15;\"a; b\"\nB;C50;NA;1.5 cm;x\n", &[]);
}

#[test]
fn texts_that_are_cut_or_encoded_wrongly() {
    let file = |bytes: &[u8], expect: &[&str]| is_answered(&answers("t.csv", bytes, TABLE), expect);
    // Another delimiter than the mapping says.
    let other = TABLE.replace("[file]", "[file]\ndelimiter = ','");
    let found = answers("t.csv", format!("{HEADER}A;C34;;1;x\n").as_bytes(), &other);
    assert!(
        found
            .iter()
            .all(|one| one.contains("the file has no such column") && one.contains("delimiter ,")),
        "{found:#?}"
    );
    // UTF-8 with lines of Latin-1.
    file(
        "id;icd;date;size;words\nA;C34;;1;Müller\nB;C34;;1;M"
            .as_bytes()
            .iter()
            .chain(b"\xFCller\nC;C34;;1;x\n")
            .copied()
            .collect::<Vec<_>>()
            .as_slice(),
        &["row 3, … two encodings are mixed"],
    );
    // UTF-16 with its mark is read; without it, and cut off, it is not.
    let wide = |text: &str| {
        text.encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect::<Vec<_>>()
    };
    let text = format!("{HEADER}A;C34;;1;ü\n");
    file(&wide(&format!("\u{feff}{text}")), &[]);
    file(
        &wide(&format!("\u{feff}{text}"))[..45],
        &["/t.csv: UTF-16 that ends within a letter"],
    );
    let found = answers("t.csv", &wide(&text), TABLE);
    assert!(found[0].starts_with("row 2, a NUL"), "{found:#?}");
    file(format!("\u{feff}{text}").as_bytes(), &[]);
    csv(
        "A;C34;;1;x\nB;C34;;1;\0\n",
        &["row 3, a NUL … save it as UTF-8"],
    );
    file(b"", &["/t.csv: the file is empty"]);
}

#[test]
fn rows_that_do_not_fit() {
    csv(
        "A;C34;;1\nB;C34;;1;x\nC;C34;;1;x;y\n",
        &["row 2, 4 cells, but the header has 5", "row 4, 6 cells"],
    );
    csv(
        "A;C34;;1;x\nB;C34;;1;\"x\nC;C34;;1;x\n",
        &["row 3, a quote is opened here and never closed"],
    );
    // Empty lines count, as they do in a spreadsheet.
    csv(
        "A;C34;;1;x\n\n\nB;C34;;Geheim;x\n",
        &["row 5, column size, no number"],
    );
    csv(
        "A;C34;;1;x\nid;icd;date;size;words\n",
        &["row 3, column id, the header comes again"],
    );
    // A patient may be named like the column; a public archive has one.
    csv("id;C34;;Geheim;x\n", &["row 2, column size, no number"]);
    csv(
        "A;C34;;1;x\nB;C34;;1;x\nA;C50;;1;x\n",
        &["row 4, column id, this patient stands in an earlier row"],
    );
    let doubled = "id;icd;date;size;words;size\nA;C34;;1;x;2\n";
    is_answered(
        &answers("t.csv", doubled.as_bytes(), TABLE),
        &["column size, 2 columns have this name"],
    );
}

#[test]
fn cells_that_say_what_they_should_not() {
    csv(
        "A;C34;31.01.2020;1;x\nB;C34;01/31/2020;1;x\nC;C34;20200131;1;x\nD;C34;31-Jan-20;1;x\nE;C34;2020-01-31;1;x\nF;C34;2020-02-30;1;x\nG;C34;0000-00-00;1;x\n",
        &[
            "row 2, column date",
            "row 3, column date",
            "row 4, column date",
            "row 5, column date",
            "row 7, column date, no date",
            "row 8, column date",
        ],
    );
    csv(
        "A;C34;;12 kg;x\nB;C34;;1,5;x\nC;C34;;1 in;x\nD;C34;;1.5 cm;x\nE;C34;;1e400;x\nF;C34;;NaN;x\n",
        &[
            "row 2, column size, a unit that is not turned into",
            "row 3, column size, no number",
            "row 4, column size, a unit",
            "row 6, column size",
            "row 7, column size",
        ],
    );
    csv("A;C34|C50;;1;x\n", &["row 2, column icd, no code"]);
    csv(
        "A;C34;;1;#REF!\n",
        &["row 2, column words, an error of the spreadsheet"],
    );
}

#[test]
fn workbooks() {
    let sheet = |rows: &str| workbook::bytes(rows);
    let file =
        |rows: &str, expect: &[&str]| is_answered(&answers("t.xlsx", &sheet(rows), TABLE), expect);
    let header = workbook::row(1, &["id", "icd", "date", "size", "words"]);
    let right = workbook::row(2, &["A", "C34", "2020-01-31", "1", "x"]);
    file(&format!("<sheetData>{header}{right}</sheetData>"), &[]);
    let far = workbook::row(9, &["B", "C34", "", "Geheim", "x"]);
    file(
        &format!("<sheetData>{header}{right}{far}</sheetData>"),
        &["row 9, column size, no number"],
    );
    let formula =
        r#"<row r="3"><c r="A3" t="str"><v>B</v></c><c r="B3"><f>UPPER("c34")</f></c></row>"#;
    file(
        &format!("<sheetData>{header}{right}{formula}</sheetData>"),
        &["row 3, column icd, a formula that was never computed"],
    );
    let computed = r#"<row r="3"><c r="A3" t="str"><v>B</v></c><c r="B3" t="str"><f>UPPER("c34")</f><v>C34</v></c></row>"#;
    file(
        &format!("<sheetData>{header}{right}{computed}</sheetData>"),
        &[],
    );
    file(
        &format!(
            "<sheetData>{header}{right}</sheetData><mergeCells><mergeCell ref=\"B2:B7\"/></mergeCells>"
        ),
        &["row 2, column icd, cells are merged from here"],
    );
    file(
        &format!(
            "<sheetData>{header}{right}<row r=\"3\"><c r=\"A3\" t=\"e\"><v>#REF!</v></c></row></sheetData>"
        ),
        &[],
    );
    file("<sheetData></sheetData>", &["/t.xlsx: its sheet is empty"]);
    file(
        "<!DOCTYPE x [<!ENTITY a \"b\">]><sheetData/>",
        &["/t.xlsx: "],
    );
    is_answered(
        &answers("t.xlsx", b"id;icd\n", TABLE),
        &["/t.xlsx: it is no workbook"],
    );
    is_answered(
        &answers("t.csv", &sheet("<sheetData/>"), TABLE)[..1],
        &["row"],
    );
}

#[test]
fn a_workbook_that_grows_without_end_is_refused() {
    let bomb = workbook::bytes(&" ".repeat(64 << 20));
    assert!(bomb.len() < 1 << 18, "{}", bomb.len());
    is_answered(
        &answers("t.xlsx", &bomb, TABLE),
        &["/t.xlsx: its part xl/worksheets/sheet1.xml grows beyond"],
    );
}

#[test]
fn parquet_whose_lengths_are_lies() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("out");
    let out = Folder::begin(&place).unwrap();
    let mut export = ParquetExport::begin(&out).unwrap();
    for number in 0..20 {
        let mut record = Record::new(Entity::Diagnosis, "P", &format!("k{number}"));
        let field = Field::parse("diagnosis_year").unwrap();
        record.values = vec![Recorded {
            field,
            value: Some(Value::Number(2000.0)),
            source: None,
        }];
        export.patient(&format!("P-{number}"), &[record]).unwrap();
    }
    export.finish().unwrap();
    out.finish().unwrap();
    let mapping = "source = \"p\"\n[patient]\ncolumn = \"patient\"\n[[record]]\nentity = \"diagnosis\"\nkey = [\"key\"]\nfields = [{ field = \"diagnosis_year\", column = \"diagnosis_year\" }]\n";
    let whole = fs::read(place.join("diagnosis.parquet")).unwrap();
    assert_eq!(answers("t.parquet", &whole, mapping), Vec::<String>::new());
    // Cut off anywhere, and each byte once as large as it can be: an answer, or what still can be read. Never a crash, never gigabytes.
    for length in (0..whole.len()).step_by(37) {
        let found = answers("t.parquet", &whole[..length], mapping);
        assert!(
            found.len() == 1 && found[0].starts_with("/t.parquet: "),
            "{length}: {found:?}"
        );
    }
    for at in (0..whole.len()).step_by(3) {
        let mut bytes = whole.clone();
        bytes[at] = if bytes[at] == 0xFF { 0x7F } else { 0xFF };
        answers("t.parquet", &bytes, mapping);
    }
}
