//! Binary PGM and PPM pictures of eight bits (`P5`, `P6`), without comments.

use arno_pixels::Picture;

/// Reads a picture.
pub(crate) fn parse(bytes: &[u8]) -> Option<Picture> {
    let mut fields = bytes.splitn(5, |byte| byte.is_ascii_whitespace());
    let mut text = || std::str::from_utf8(fields.next()?).ok();
    let channels = match text()? {
        "P5" => 1,
        "P6" => 3,
        _ => return None,
    };
    let columns = text()?.parse().ok()?;
    let rows = text()?.parse().ok()?;
    if text()? != "255" {
        return None;
    }
    let picture = Picture {
        rows,
        columns,
        bytes: fields.next()?.to_vec(),
    };
    (picture.channels() == Some(channels)).then_some(picture)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn pictures_are_read_and_nonsense_is_not() {
        let check = |bytes: &[u8], expect: Option<(u16, u16, usize)>| {
            let picture = parse(bytes);
            let said = picture.map(|p| (p.rows, p.columns, p.bytes.len()));
            assert_eq!(said, expect);
        };
        check(b"P5\n3 2\n255\n\n 3456", Some((2, 3, 6)));
        check(b"P6 1 1 255 abc", Some((1, 1, 3)));
        check(b"P6 1 1 255 ab", None);
        check(b"P5 0 1 255 ", None);
        check(b"P4 1 1 255 a", None);
        check(b"", None);
    }
}
