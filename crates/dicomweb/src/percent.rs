//! The parameters of a query string, decoded strictly (RFC 3986 section 2.1; a plus is a blank, as browsers and
//! Python write it).

/// Longest query string: a list of a thousand UIDs fits.
pub const MAX_QUERY_BYTES: usize = 64 << 10;

/// Parameters of one request.
pub const MAX_PARAMETERS: usize = 128;

/// Why a query string cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodingError {
    /// Too long.
    #[error("the query string has more than {MAX_QUERY_BYTES} bytes: ask in several requests")]
    TooLong,
    /// Too many parameters.
    #[error("the query string has more than {MAX_PARAMETERS} parameters")]
    TooMany,
    /// A percent sign without two hexadecimal digits, or bytes that are no UTF-8, or a control character.
    #[error("parameter {number} is not percent-encoded UTF-8 without control characters")]
    BadText {
        /// Counted from 1.
        number: usize,
    },
}

/// Names and values in their order; what has no equals sign has an empty value.
///
/// # Errors
/// [`EncodingError`].
pub fn pairs(query: &str) -> Result<Vec<(String, String)>, EncodingError> {
    if query.len() > MAX_QUERY_BYTES {
        return Err(EncodingError::TooLong);
    }
    let mut pairs = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        if pairs.len() == MAX_PARAMETERS {
            return Err(EncodingError::TooMany);
        }
        let number = pairs.len() + 1;
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decoded = decode(name).zip(decode(value));
        pairs.push(decoded.ok_or(EncodingError::BadText { number })?);
    }
    Ok(pairs)
}

fn decode(text: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.bytes());
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => (digit(rest.next()?)? << 4) | digit(rest.next()?)?,
            other => other,
        });
    }
    let text = String::from_utf8(bytes).ok()?;
    (!text.chars().any(char::is_control)).then_some(text)
}

fn digit(byte: u8) -> Option<u8> {
    let value = char::from(byte).to_digit(16)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::{EncodingError, MAX_PARAMETERS, MAX_QUERY_BYTES, pairs};

    fn check(query: &str, expect: Result<&[(&str, &str)], EncodingError>) {
        let expect = expect.map(|pairs| {
            let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            pairs.iter().map(owned).collect::<Vec<_>>()
        });
        assert_eq!(pairs(query), expect, "{}", &query[..query.len().min(60)]);
    }

    #[test]
    fn parameters_are_decoded_strictly() {
        check("", Ok(&[]));
        check("&&", Ok(&[]));
        check("a=b&c=d", Ok(&[("a", "b"), ("c", "d")]));
        check("a", Ok(&[("a", "")]));
        check("a=b=c", Ok(&[("a", "b=c")]));
        check("a=%C3%a4+%2B%26%3d", Ok(&[("a", "ä +&=")]));
        check("%61=1", Ok(&[("a", "1")]));
        let bad = |number| Err(EncodingError::BadText { number });
        check("a=%", bad(1));
        check("a=%4", bad(1));
        check("a=%+1", bad(1));
        check("b=1&a=%GG", bad(2));
        check("a=%FF", bad(1));
        check("a=%00", bad(1));
        check("a=%0D%0A", bad(1));
        check(
            &"a=b&".repeat(MAX_PARAMETERS + 1),
            Err(EncodingError::TooMany),
        );
        check(
            &"a".repeat(MAX_QUERY_BYTES + 1),
            Err(EncodingError::TooLong),
        );
    }
}
