//! The smallest workbook there can be, round what a test puts into its sheet.

use std::io::{Cursor, Write as _};

use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// A workbook whose one sheet holds this.
pub(crate) fn bytes(sheet: &str) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    let sheet = format!("<worksheet>{sheet}</worksheet>");
    for (name, text) in [
        (
            "xl/workbook.xml",
            r#"<workbook><sheets><sheet name="S" r:id="r1"/></sheets></workbook>"#,
        ),
        (
            "xl/_rels/workbook.xml.rels",
            r#"<Relationships><Relationship Id="r1" Target="worksheets/sheet1.xml"/></Relationships>"#,
        ),
        ("xl/worksheets/sheet1.xml", sheet.as_str()),
    ] {
        zip.start_file(name, options).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A row of text.
pub(crate) fn row(number: u32, cells: &[&str]) -> String {
    let cells = cells
        .iter()
        .zip('A'..)
        .map(|(text, column)| format!(r#"<c r="{column}{number}" t="str"><v>{text}</v></c>"#));
    format!(r#"<row r="{number}">{}</row>"#, cells.collect::<String>())
}
