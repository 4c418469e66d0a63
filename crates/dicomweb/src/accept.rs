//! Which of what we can give a client accepts (PS3.18 sections 8.7 and 8.7.3.5): media types, whether in parts or alone,
//! and transfer syntaxes.
//!
//! An accepted `application/dicom` without a transfer syntax means Explicit VR Little Endian, as the standard has it;
//! whoever accepts anything at all (`*/*`) gets what is stored. Not here: whether an object can be transcoded.

use crate::media::{MediaType, MediaTypeError};

/// The media type of instances.
pub const DICOM: &str = "application/dicom";
/// The media type of metadata, answers to queries and to storing.
pub const DICOM_JSON: &str = "application/dicom+json";
/// The media type of bytes that are nothing else.
pub const OCTET_STREAM: &str = "application/octet-stream";
/// The transfer syntax of `application/dicom` that names none.
pub const EXPLICIT_LITTLE_ENDIAN: &str = "1.2.840.10008.1.2.1";

const MULTIPART: &str = "multipart/related";

/// What a client accepts, most wanted first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accept {
    wanted: Vec<Wanted>,
    /// What it does not want at all (a weight of zero).
    excluded: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Wanted {
    /// Of the parts, or of the whole where it has none.
    essence: String,
    form: WantedForm,
    syntax: Option<String>,
    /// In thousandths (RFC 9110 section 12.4.2).
    weight: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WantedForm {
    Parts,
    Single,
    /// `*/*`.
    Either,
}

/// How an answer goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `multipart/related`.
    Parts,
    /// One object is the whole body.
    Single,
}

/// How much is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// One object, which can go alone.
    One,
    /// Perhaps many, which cannot.
    Many,
}

/// In which syntax an object goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Syntax {
    /// As it is stored.
    Stored,
    /// Transcoded to this transfer syntax.
    To(String),
}

/// What is stored of an object, as far as the choice depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored<'a> {
    /// Its transfer syntax.
    pub transfer_syntax: &'a str,
    /// Its media type as it is stored: `application/dicom`, or that of a frame.
    pub media_type: &'a str,
    /// Whether it can be decoded to native pixels.
    pub decodable: bool,
}

impl Accept {
    /// Reads the `accept` query parameter, which wins, or the header; neither means anything.
    ///
    /// # Errors
    /// When it is no list of media types.
    pub fn parse(header: Option<&str>, parameter: Option<&str>) -> Result<Self, MediaTypeError> {
        let text = parameter.or(header).filter(|text| !text.trim().is_empty());
        let types = MediaType::parse_list(text.unwrap_or("*/*"))?;
        let (mut wanted, mut excluded) = (Vec::new(), Vec::new());
        for one in types.iter().map(Wanted::of) {
            let one = one?;
            match one.weight {
                0 => excluded.push(one.essence),
                _ => wanted.push(one),
            }
        }
        wanted.sort_by_key(|one| std::cmp::Reverse(one.weight));
        Ok(Self { wanted, excluded })
    }

    /// The first of the offered media types, best first, that is accepted; as one body.
    #[must_use]
    pub fn first_of<'a>(&self, offered: &[&'a str]) -> Option<&'a str> {
        let weight = |offer: &str| {
            let fits = |one: &&Wanted| one.form != WantedForm::Parts && covers(&one.essence, offer);
            let fitting = self.wanted.iter().filter(fits);
            // The most specific range decides (RFC 9110 section 12.5.1).
            let specific = fitting.max_by_key(|one| one.essence.matches('*').count().abs_diff(2));
            let excluded = self.excluded.iter().any(|one| one == offer);
            specific.filter(|_| !excluded).map_or(0, |one| one.weight)
        };
        let best = offered.iter().map(|offer| weight(offer)).max()?;
        let mut offered = offered.iter().copied();
        offered.find(|offer| best > 0 && weight(offer) == best)
    }

    /// How an instance goes out, if the client accepts it in any way that there is.
    #[must_use]
    pub fn instance(&self, amount: Amount, stored: Stored<'_>) -> Option<(Form, Syntax)> {
        let stored = Stored {
            media_type: DICOM,
            ..stored
        };
        self.best(amount, |one| {
            let syntax = match one.syntax.as_deref() {
                None if one.essence == DICOM => Some(EXPLICIT_LITTLE_ENDIAN),
                other => other,
            };
            covers(&one.essence, DICOM)
                .then(|| in_syntax(syntax, stored))
                .flatten()
        })
    }

    /// How a frame goes out: as it is stored in the media type of its compression, or decoded as `application/octet-stream`.
    #[must_use]
    pub fn frame(&self, amount: Amount, stored: Stored<'_>) -> Option<(Form, Syntax)> {
        let as_stored = |one: &Wanted| {
            let named = one.syntax.as_deref();
            let fits_syntax =
                named.is_none_or(|named| named == "*" || named == stored.transfer_syntax);
            let fits_type = covers(&one.essence, stored.media_type)
                || (one.essence == OCTET_STREAM && named.is_some());
            fits_syntax && fits_type
        };
        let native = |one: &Wanted| {
            let syntax = one.syntax.as_deref().unwrap_or(EXPLICIT_LITTLE_ENDIAN);
            stored.decodable
                && covers(&one.essence, OCTET_STREAM)
                && syntax == EXPLICIT_LITTLE_ENDIAN
        };
        self.best(amount, |one| match (as_stored(one), native(one)) {
            (true, _) => Some(Syntax::Stored),
            (false, true) => Some(Syntax::To(EXPLICIT_LITTLE_ENDIAN.to_owned())),
            (false, false) => None,
        })
    }

    /// How bytes without a syntax go out.
    #[must_use]
    pub fn bulk(&self) -> Option<Form> {
        let bytes = |one: &Wanted| covers(&one.essence, OCTET_STREAM).then_some(Syntax::Stored);
        self.best(Amount::One, bytes).map(|(form, _)| form)
    }

    /// Of equal weight, what needs no transcoding is best, then what stands first.
    fn best(
        &self,
        amount: Amount,
        fit: impl Fn(&Wanted) -> Option<Syntax>,
    ) -> Option<(Form, Syntax)> {
        let mut best: Option<(u16, Form, Syntax)> = None;
        for one in &self.wanted {
            let (Some(form), Some(syntax)) = (one.form.of(amount), fit(one)) else {
                continue;
            };
            let better = best.as_ref().is_none_or(|(weight, _, found)| {
                one.weight == *weight && syntax == Syntax::Stored && *found != Syntax::Stored
            });
            if better {
                best = Some((one.weight, form, syntax));
            }
        }
        best.map(|(_, form, syntax)| (form, syntax))
    }
}

impl Wanted {
    fn of(media_type: &MediaType) -> Result<Self, MediaTypeError> {
        let (essence, form) = match media_type.essence.as_str() {
            MULTIPART => {
                let part = media_type.parameter("type").unwrap_or("*/*");
                (part.trim().to_ascii_lowercase(), WantedForm::Parts)
            }
            "*/*" => ("*/*".to_owned(), WantedForm::Either),
            other => (other.to_owned(), WantedForm::Single),
        };
        let weight = media_type.parameter("q").map_or(Some(1000), weight);
        Ok(Self {
            essence,
            form,
            syntax: media_type.parameter("transfer-syntax").map(str::to_owned),
            weight: weight.ok_or(MediaTypeError)?,
        })
    }
}

impl WantedForm {
    fn of(self, amount: Amount) -> Option<Form> {
        match (self, amount) {
            (Self::Parts | Self::Either, _) => Some(Form::Parts),
            (Self::Single, Amount::One) => Some(Form::Single),
            (Self::Single, Amount::Many) => None,
        }
    }
}

fn in_syntax(named: Option<&str>, stored: Stored<'_>) -> Option<Syntax> {
    match named {
        None | Some("*") => Some(Syntax::Stored),
        Some(named) if named == stored.transfer_syntax => Some(Syntax::Stored),
        Some(named @ (EXPLICIT_LITTLE_ENDIAN | IMPLICIT_LITTLE_ENDIAN)) => {
            stored.decodable.then(|| Syntax::To(named.to_owned()))
        }
        Some(_) => None,
    }
}

/// The other syntax that native pixels are transcoded to.
const IMPLICIT_LITTLE_ENDIAN: &str = "1.2.840.10008.1.2";

/// Whether a media range covers a media type.
fn covers(range: &str, media_type: &str) -> bool {
    match range.strip_suffix('*') {
        Some("*/") => true,
        Some(start) if start.ends_with('/') => media_type.starts_with(start),
        _ => range == media_type,
    }
}

/// `0.5` is 500 (RFC 9110 section 12.4.2).
fn weight(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction: u16 = format!("{fraction:0<3}").parse().ok()?;
    match (whole, fraction) {
        ("0", fraction) => Some(fraction),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
#[path = "accept/tests.rs"]
mod tests;
