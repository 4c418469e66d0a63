//! Annotations as they come in: one JSON object per line (`*.annotations.jsonl`), what one reader wrote and drew of one
//! nodule. The ratings and outlines are those of LIDC-IDRI (S. G. Armato et al., Medical Physics 38(2), 2011).
//!
//! Lines are hostile: every count and length has a named limit, and errors never quote a value.

use serde::{Deserialize, Serialize};

/// Longest line. The longest LIDC-IDRI reading has 6,814 points, below 100 kB as text.
pub const MAX_LINE_BYTES: usize = 1 << 20;

/// Most outlines in a reading; LIDC-IDRI has up to 88.
pub const MAX_CONTOURS: usize = 1_000;

/// Most points in all outlines of a reading; LIDC-IDRI has up to 6,814. The time for the largest diameter grows with its square.
pub const MAX_POINTS: usize = 20_000;

/// Largest column or row number, positive or negative. DICOM's Rows and Columns are 16-bit numbers.
pub const MAX_PIXEL: i32 = 65_535;

/// Longest identifier: DICOM's LO and UI have at most 64 characters.
pub const MAX_IDENTIFIER_BYTES: usize = 64;

/// Largest pixel or slice spacing. No patient is wider than a metre, and one pixel is less than the patient.
pub const MAX_SPACING_MM: f64 = 1_000.0;

/// Largest distance of a slice from the origin, in mm. Scanners count from an arbitrary point, but not kilometres away.
pub const MAX_POSITION_MM: f64 = 1e6;

/// What one reader wrote and drew of one nodule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// Patient ID as in the series' header (the node maps it to its pseudonym before it stores the reading).
    pub patient_id: String,
    /// Study Instance UID.
    pub study_uid: String,
    /// Series Instance UID of the series that was read.
    pub series_uid: String,
    /// Name of the nodule within its series; all readings with the same name are of the same nodule.
    pub nodule: String,
    /// Number of the reader within this nodule. Readers are anonymous in LIDC-IDRI.
    pub reader: u8,
    /// Whether the patient belongs to the training or the test data.
    pub split: Split,
    /// The reader's opinion.
    pub ratings: Ratings,
    /// Distance between pixel centres, in both directions.
    pub pixel_spacing_mm: f64,
    /// Distance between slices.
    pub slice_spacing_mm: f64,
    /// The outlines, in any order.
    pub contours: Vec<Contour>,
}

/// Part of the data that a patient belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// Models are fitted on it.
    Train,
    /// Models are judged on it.
    Test,
}

/// The nine ratings of LIDC-IDRI: 1 to 5, but calcification 1 to 6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ratings {
    /// 1 extremely subtle … 5 obvious.
    pub subtlety: u8,
    /// 1 soft tissue, 2 fluid, 3 fat, 4 air (5 occurs once in LIDC-IDRI).
    pub internal_structure: u8,
    /// 1 popcorn, 2 laminated, 3 solid, 4 non-central, 5 central, 6 absent.
    pub calcification: u8,
    /// 1 linear … 5 round.
    pub sphericity: u8,
    /// 1 poorly defined … 5 sharp.
    pub margin: u8,
    /// 1 none … 5 marked.
    pub lobulation: u8,
    /// 1 none … 5 marked.
    pub spiculation: u8,
    /// 1 non-solid (ground glass) … 5 solid.
    pub texture: u8,
    /// 1 highly unlikely … 5 highly suspicious.
    pub malignancy: u8,
}

/// A closed outline in one slice. The last point is joined to the first, and may repeat it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contour {
    /// Position of the slice along the patient's axis (third value of Image Position (Patient)).
    pub z_mm: f64,
    /// Whether the outline encloses nodule (true) or a hole in it (false).
    pub inclusion: bool,
    /// Column and row of each point, in pixels.
    pub points: Vec<[i32; 2]>,
}

/// Why a line is not a reading. Never quotes a value, which might be a patient's.
#[derive(Debug, thiserror::Error)]
pub enum ReadingError {
    /// Longer than [`MAX_LINE_BYTES`].
    #[error("the line has {0} bytes, at most {MAX_LINE_BYTES} are read")]
    LineTooLong(usize),
    /// Not JSON, or not of this form. Only the place is told: the cause would quote the text.
    #[error("the line is not a reading: {category} at column {column}")]
    Form {
        /// What is wrong: `syntax`, `data` or `end of line`.
        category: &'static str,
        /// Where in the line, from 1.
        column: usize,
    },
    /// A text is empty or longer than [`MAX_IDENTIFIER_BYTES`].
    #[error("{0} must have 1 to {MAX_IDENTIFIER_BYTES} bytes")]
    Identifier(&'static str),
    /// A rating out of its range.
    #[error("rating {name} must be 1 to {most}")]
    Rating {
        /// The rating's name.
        name: &'static str,
        /// Its largest value.
        most: u8,
    },
    /// A spacing or position that is no finite number within its limit.
    #[error("{0} is out of range")]
    Length(&'static str),
    /// No outline, or more than [`MAX_CONTOURS`].
    #[error("a reading has 1 to {MAX_CONTOURS} outlines, this one {0}")]
    Contours(usize),
    /// More than [`MAX_POINTS`].
    #[error("a reading has at most {MAX_POINTS} points, this one {0}")]
    Points(usize),
    /// An outline without a point.
    #[error("outline {contour} has no point")]
    EmptyContour {
        /// Place of the outline, from 0.
        contour: usize,
    },
    /// A column or row beyond [`MAX_PIXEL`].
    #[error("outline {contour} leaves the image")]
    OutsideImage {
        /// Place of the outline, from 0.
        contour: usize,
    },
}

impl Reading {
    /// Parses and checks one line.
    pub fn parse(line: &str) -> Result<Self, ReadingError> {
        if line.len() > MAX_LINE_BYTES {
            return Err(ReadingError::LineTooLong(line.len()));
        }
        let reading: Self = serde_json::from_str(line).map_err(|error| form_error(&error))?;
        reading.check()?;
        Ok(reading)
    }

    /// Whether all values are within their limits; [`Reading::parse`] has done it already.
    pub fn check(&self) -> Result<(), ReadingError> {
        check_identifier("patient_id", &self.patient_id)?;
        check_identifier("study_uid", &self.study_uid)?;
        check_identifier("series_uid", &self.series_uid)?;
        check_identifier("nodule", &self.nodule)?;
        self.ratings.check()?;
        check_spacing("pixel_spacing_mm", self.pixel_spacing_mm)?;
        check_spacing("slice_spacing_mm", self.slice_spacing_mm)?;
        if self.contours.is_empty() || self.contours.len() > MAX_CONTOURS {
            return Err(ReadingError::Contours(self.contours.len()));
        }
        let points = self
            .contours
            .iter()
            .map(|contour| contour.points.len())
            .sum();
        if points > MAX_POINTS {
            return Err(ReadingError::Points(points));
        }
        let mut numbered = self.contours.iter().enumerate();
        numbered.try_for_each(|(at, contour)| contour.check(at))
    }
}

impl Ratings {
    fn check(&self) -> Result<(), ReadingError> {
        let ratings = [
            ("subtlety", self.subtlety, 5),
            ("internal_structure", self.internal_structure, 5),
            ("calcification", self.calcification, 6),
            ("sphericity", self.sphericity, 5),
            ("margin", self.margin, 5),
            ("lobulation", self.lobulation, 5),
            ("spiculation", self.spiculation, 5),
            ("texture", self.texture, 5),
            ("malignancy", self.malignancy, 5),
        ];
        match ratings
            .into_iter()
            .find(|(_, value, most)| !(1..=*most).contains(value))
        {
            Some((name, _, most)) => Err(ReadingError::Rating { name, most }),
            None => Ok(()),
        }
    }
}

impl Contour {
    fn check(&self, contour: usize) -> Result<(), ReadingError> {
        if self.points.is_empty() {
            return Err(ReadingError::EmptyContour { contour });
        }
        if !self.z_mm.is_finite() || self.z_mm.abs() > MAX_POSITION_MM {
            return Err(ReadingError::Length("z_mm"));
        }
        let inside = |value: &i32| (-MAX_PIXEL..=MAX_PIXEL).contains(value);
        let all_inside = self.points.as_flattened().iter().all(inside);
        if all_inside {
            Ok(())
        } else {
            Err(ReadingError::OutsideImage { contour })
        }
    }
}

fn form_error(error: &serde_json::Error) -> ReadingError {
    let category = match error.classify() {
        serde_json::error::Category::Eof => "end of line",
        serde_json::error::Category::Data => "data",
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => "syntax",
    };
    ReadingError::Form {
        category,
        column: error.column(),
    }
}

fn check_identifier(name: &'static str, text: &str) -> Result<(), ReadingError> {
    let fits = !text.is_empty() && text.len() <= MAX_IDENTIFIER_BYTES;
    if fits {
        Ok(())
    } else {
        Err(ReadingError::Identifier(name))
    }
}

fn check_spacing(name: &'static str, spacing_mm: f64) -> Result<(), ReadingError> {
    // Not a number compares false, so it is refused too.
    let fits = spacing_mm > 0.0 && spacing_mm <= MAX_SPACING_MM;
    if fits {
        Ok(())
    } else {
        Err(ReadingError::Length(name))
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_LINE_BYTES, Reading, Split};

    const LINE: &str = r#"{"patient_id":"P-Meier","study_uid":"1.2","series_uid":"1.2.3","nodule":"1","reader":2,
        "split":"test","ratings":{"subtlety":5,"internal_structure":1,"calcification":6,"sphericity":3,"margin":4,
        "lobulation":1,"spiculation":1,"texture":5,"malignancy":3},"pixel_spacing_mm":0.65,"slice_spacing_mm":3.0,
        "contours":[{"z_mm":-125.5,"inclusion":true,"points":[[364,172],[364,171],[365,171]]}]}"#;

    #[test]
    fn a_line_reads_and_writes_the_same() {
        let reading = Reading::parse(LINE).unwrap();
        assert_eq!(reading.split, Split::Test);
        assert_eq!(reading.contours[0].points[2], [365, 171]);
        let again = serde_json::to_string(&reading).unwrap();
        assert_eq!(Reading::parse(&again).unwrap(), reading);
    }

    #[test]
    fn broken_lines_are_refused_with_their_reason() {
        let check = |from: &str, to: &str, expect: &str| {
            assert!(LINE.contains(from), "{from}");
            let error = Reading::parse(&LINE.replacen(from, to, 1))
                .unwrap_err()
                .to_string();
            assert!(error.contains(expect), "{to}: {error}");
            assert!(!error.contains("Meier"), "{to}: {error}");
        };
        check("\"patient_id\"", "", "syntax at column");
        check("]}]}", "", "end of line");
        check(r#""reader":2"#, r#""reader":"P-Meier""#, "data at column");
        check(r#""reader":2"#, r#""reader":2,"Meier":1"#, "data at column");
        check(r#""reader":2"#, r#""reader":-1"#, "data at column");
        check(r#""P-Meier""#, r#""""#, "patient_id must have");
        check(
            r#""1.2.3""#,
            &format!("\"{}\"", "1".repeat(65)),
            "series_uid must have",
        );
        check(
            r#""malignancy":3"#,
            r#""malignancy":6"#,
            "malignancy must be 1 to 5",
        );
        check(
            r#""calcification":6"#,
            r#""calcification":0"#,
            "calcification must be 1 to 6",
        );
        check("0.65", "0.0", "pixel_spacing_mm is out of range");
        check("3.0", "-3.0", "slice_spacing_mm is out of range");
        check("3.0", "1e308", "slice_spacing_mm is out of range");
        check("-125.5", "1e300", "z_mm is out of range");
        check("364,172", "364,70000", "outline 0 leaves the image");
        check("364,172", "364,-2147483648", "outline 0 leaves the image");
        check(
            "[[364,172],[364,171],[365,171]]",
            "[]",
            "outline 0 has no point",
        );
        check("364", "[[[[[[[[[[[[[[", "data at column");
    }

    #[test]
    fn too_much_is_refused() {
        let contour = r#"{"z_mm":0,"inclusion":true,"points":[[0,0]]},"#;
        let many = LINE.replacen("[{\"z_mm", &format!("[{}{{\"z_mm", contour.repeat(1000)), 1);
        assert!(
            Reading::parse(&many)
                .unwrap_err()
                .to_string()
                .contains("this one 1001")
        );
        let points = LINE.replacen(
            "[364,172]",
            &format!("[364,172]{}", ",[0,0]".repeat(20_000)),
            1,
        );
        assert!(
            Reading::parse(&points)
                .unwrap_err()
                .to_string()
                .contains("this one 20003")
        );
        let long = " ".repeat(MAX_LINE_BYTES + 1);
        assert!(
            Reading::parse(&long)
                .unwrap_err()
                .to_string()
                .contains("at most")
        );
        let deep = "[".repeat(100_000);
        assert!(
            Reading::parse(&deep)
                .unwrap_err()
                .to_string()
                .contains("column")
        );
    }
}
