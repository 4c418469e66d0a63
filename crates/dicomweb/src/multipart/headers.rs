//! The header fields of a part (RFC 5322 section 2.2, as far as RFC 2045 needs them).

/// Fields of one part; more are no honest part's.
const MAX_FIELDS: usize = 32;

/// Header fields of a part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartHeaders(Vec<(String, String)>);

impl PartHeaders {
    /// Fields of the lines between two empty ones; `None` for anything else.
    pub(super) fn parse(block: &[u8]) -> Option<Self> {
        let mut fields: Vec<(String, String)> = Vec::new();
        for line in std::str::from_utf8(block).ok()?.split("\r\n") {
            if line.is_empty() {
                continue;
            }
            if !line
                .bytes()
                .all(|byte| byte == b'\t' || !byte.is_ascii_control())
            {
                return None;
            }
            if let Some(more) = line.strip_prefix([' ', '\t']) {
                // A folded line goes on with the field before it.
                let (_, value) = fields.last_mut()?;
                value.push(' ');
                value.push_str(more.trim());
                continue;
            }
            let (name, value) = line.split_once(':')?;
            if !is_name(name) || fields.len() == MAX_FIELDS {
                return None;
            }
            fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        Some(Self(fields))
    }

    /// The first field of this name, which is given in small letters.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut fields = self.0.iter();
        fields
            .find(|(field, _)| field == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Printable ASCII without blank and colon (RFC 5322 section 3.6.8).
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::{MAX_FIELDS, PartHeaders};

    fn check(block: &str, expect: Option<&str>) {
        let headers = PartHeaders::parse(block.as_bytes());
        let found = headers
            .as_ref()
            .map(|headers| headers.get("content-type").unwrap_or("absent"));
        assert_eq!(found, expect, "{block:?}");
    }

    #[test]
    fn fields_are_read_by_line() {
        check("", Some("absent"));
        check("\r\n", Some("absent"));
        check(
            "\r\nContent-Type: application/dicom",
            Some("application/dicom"),
        );
        check(
            "CONTENT-TYPE:application/dicom  ",
            Some("application/dicom"),
        );
        check("A: b\r\nContent-Type: c\r\nContent-Type: d", Some("c"));
        check(
            "Content-Type: multipart/related;\r\n\ttype=x",
            Some("multipart/related; type=x"),
        );
        check(" folded first", None);
        check("no colon", None);
        check(": no name", None);
        check("a b: blank in the name", None);
        check("Content-Type: a\nb", None);
        check("Content-Type: a\0b", None);
        check(&"A: b\r\n".repeat(MAX_FIELDS), Some("absent"));
        check(&"A: b\r\n".repeat(MAX_FIELDS + 1), None);
        assert_eq!(PartHeaders::parse(b"A: \xFF"), None);
    }
}
