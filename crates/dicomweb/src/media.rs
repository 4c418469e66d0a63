//! Media types with parameters, and lists of them, as `Content-Type` and `Accept` have them (RFC 9110 section 8.3.1).
//!
//! Senders of DICOM leave out the quotes round `application/dicom`, so an unquoted value goes to the next semicolon or comma.

/// Longest text that is looked at; with every transfer syntax a client lists, headers have a few kilobytes.
const MAX_TEXT_BYTES: usize = 8 << 10;

/// Types of one list.
const MAX_TYPES: usize = 128;

/// Parameters of one type.
const MAX_PARAMETERS: usize = 16;

/// A media type or range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaType {
    /// Type and subtype in small letters, such as `image/jpeg` or `*/*`.
    pub essence: String,
    parameters: Vec<(String, String)>,
}

/// A text that is no media type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a media type, or a list of them, as RFC 9110 section 8.3.1 has them")]
pub struct MediaTypeError;

impl MediaType {
    /// One media type.
    ///
    /// # Errors
    /// [`MediaTypeError`].
    pub fn parse(text: &str) -> Result<Self, MediaTypeError> {
        match <[Self; 1]>::try_from(Self::parse_list(text)?) {
            Ok([single]) => Ok(single),
            Err(_) => Err(MediaTypeError),
        }
    }

    /// Media types between commas; empty places are left out.
    ///
    /// # Errors
    /// [`MediaTypeError`].
    pub fn parse_list(text: &str) -> Result<Vec<Self>, MediaTypeError> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(MediaTypeError);
        }
        let (mut types, mut rest) = (Vec::new(), text);
        loop {
            rest = rest.trim_start_matches([' ', '\t', ',']);
            if rest.is_empty() {
                return Ok(types);
            }
            let (media_type, behind) = read_type(rest)?;
            if types.len() == MAX_TYPES {
                return Err(MediaTypeError);
            }
            types.push(media_type);
            rest = behind;
        }
    }

    /// A parameter, by its name in small letters.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let mut parameters = self.parameters.iter();
        parameters
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }
}

/// The type at the start, and what stands behind it.
fn read_type(text: &str) -> Result<(MediaType, &str), MediaTypeError> {
    let end = text.find([';', ',']).unwrap_or(text.len());
    let (essence, mut rest) = text.split_at(end);
    let essence = essence.trim().to_ascii_lowercase();
    let (kind, subtype) = essence.split_once('/').ok_or(MediaTypeError)?;
    if !is_token(kind) || !is_token(subtype) {
        return Err(MediaTypeError);
    }
    let mut parameters = Vec::new();
    while let Some(more) = rest.strip_prefix(';') {
        let (parameter, behind) = read_parameter(more.trim_start_matches([' ', '\t']))?;
        parameters.extend(parameter);
        if parameters.len() > MAX_PARAMETERS {
            return Err(MediaTypeError);
        }
        rest = behind.trim_start_matches([' ', '\t']);
    }
    if !rest.is_empty() && !rest.starts_with(',') {
        return Err(MediaTypeError);
    }
    Ok((
        MediaType {
            essence,
            parameters,
        },
        rest,
    ))
}

/// A name and its value.
type Parameter = (String, String);

/// The parameter at the start, if there is one before the next semicolon.
fn read_parameter(text: &str) -> Result<(Option<Parameter>, &str), MediaTypeError> {
    let end = text.find(['=', ';', ',']).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let name = name.trim();
    let Some(value) = rest.strip_prefix('=') else {
        return match name.is_empty() {
            true => Ok((None, rest)),
            false => Err(MediaTypeError),
        };
    };
    if !is_token(name) {
        return Err(MediaTypeError);
    }
    let (value, rest) = match value.strip_prefix('"') {
        Some(quoted) => read_quoted(quoted)?,
        None => {
            let end = value.find([';', ',']).unwrap_or(value.len());
            (value[..end].trim().to_owned(), &value[end..])
        }
    };
    Ok((Some((name.to_ascii_lowercase(), value)), rest))
}

/// A quoted string whose first quote was read (RFC 9110 section 5.6.4).
fn read_quoted(text: &str) -> Result<(String, &str), MediaTypeError> {
    let (mut value, mut characters) = (String::new(), text.char_indices());
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok((value, &text[at + 1..])),
            '\\' => value.push(characters.next().ok_or(MediaTypeError)?.1),
            other => value.push(other),
        }
    }
    Err(MediaTypeError)
}

/// RFC 9110 section 5.6.2.
fn is_token(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(legal)
}

#[cfg(test)]
mod tests {
    use super::{MAX_TYPES, MediaType};

    /// A type and its parameters.
    type Expected<'a> = (&'a str, &'a [(&'a str, &'a str)]);

    fn check(text: &str, expect: Option<&[Expected<'_>]>) {
        let found = MediaType::parse_list(text).ok();
        let expect = expect.map(|types| {
            let one = |(essence, parameters): &Expected<'_>| {
                let owned =
                    |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
                MediaType {
                    essence: (*essence).to_owned(),
                    parameters: parameters.iter().map(owned).collect(),
                }
            };
            types.iter().map(one).collect::<Vec<_>>()
        });
        assert_eq!(found, expect, "{text}");
    }

    #[test]
    fn lists_are_read_with_their_parameters() {
        check("", Some(&[]));
        check("*/*", Some(&[("*/*", &[])]));
        check("Image/JPEG;Q=0.5", Some(&[("image/jpeg", &[("q", "0.5")])]));
        check("a/b, , c/d", Some(&[("a/b", &[]), ("c/d", &[])]));
        let related: &[_] = &[("type", "application/dicom"), ("transfer-syntax", "*")];
        check(
            r#"multipart/related; type="application/dicom"; transfer-syntax=*"#,
            Some(&[("multipart/related", related)]),
        );
        check(
            "multipart/related;type=application/dicom ;transfer-syntax=*",
            Some(&[("multipart/related", related)]),
        );
        check(r#"a/b;c="d,\"e;""#, Some(&[("a/b", &[("c", "d,\"e;")])]));
        check("a/b;", Some(&[("a/b", &[])]));
        check("a", None);
        check("a/", None);
        check("/", None);
        check("a/b c", None);
        check("a/b;c", None);
        check("a/b;c=\"d", None);
        check("a/b;c=\"d\"e", None);
        check("a/b;=d", None);
        check(&"a/b,".repeat(MAX_TYPES + 1), None);
        check(&" ".repeat(9000), None);
    }

    #[test]
    fn one_is_one() {
        assert!(MediaType::parse("a/b").is_ok());
        assert!(MediaType::parse("a/b,c/d").is_err());
        assert!(MediaType::parse("").is_err());
    }
}
