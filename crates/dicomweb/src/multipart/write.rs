//! The writer of answers: openings of parts as texts, so that bodies go out as the slices they are.

use super::Boundary;

/// Writes one multipart body.
#[derive(Debug, Clone)]
pub struct Writer {
    boundary: Boundary,
    begun: bool,
}

impl Writer {
    /// A writer with a boundary that no part contains.
    #[must_use]
    pub fn new(boundary: Boundary) -> Self {
        Self {
            boundary,
            begun: false,
        }
    }

    /// The media type of the whole; `part_type` is that of its parts (RFC 2387 section 3.1).
    #[must_use]
    pub fn content_type(&self, part_type: &str) -> String {
        format!(
            "multipart/related; type=\"{part_type}\"; boundary={}",
            self.boundary
        )
    }

    /// What stands before a part's body; `content_type` and `location` are of our own making.
    #[must_use]
    pub fn open(&mut self, content_type: &str, location: Option<&str>) -> String {
        let line_end = if self.begun { "\r\n" } else { "" };
        self.begun = true;
        let location = location.map_or(String::new(), |at| format!("Content-Location: {at}\r\n"));
        format!(
            "{line_end}--{}\r\nContent-Type: {content_type}\r\n{location}\r\n",
            self.boundary
        )
    }

    /// What stands behind the last part.
    #[must_use]
    pub fn close(&self) -> String {
        format!("\r\n--{}--\r\n", self.boundary)
    }
}
