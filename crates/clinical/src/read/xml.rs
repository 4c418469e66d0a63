//! The little of XML 1.0 that workbooks are written in: elements, attributes, text. Document types are refused, since entities of a
//! stranger's making can grow without end.

/// What comes next in a document.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event<'a> {
    /// An element opens. Its name is without a prefix.
    Open {
        name: &'a str,
        attributes: &'a str,
        is_empty: bool,
    },
    /// An element ends.
    Close(&'a str),
    /// Text, with its entities replaced.
    Text(String),
}

/// Reads a document from front to end.
pub(super) struct Xml<'a> {
    rest: &'a str,
}

impl<'a> Xml<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// The next event; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Event<'a>>, String> {
        loop {
            if self.rest.is_empty() {
                return Ok(None);
            }
            let Some(markup) = self.rest.strip_prefix('<') else {
                let end = self.rest.find('<').unwrap_or(self.rest.len());
                let (text, rest) = self.rest.split_at(end);
                self.rest = rest;
                return Ok(Some(Event::Text(unescape(text)?)));
            };
            if let Some(comment) = markup.strip_prefix("!--") {
                self.rest = after(comment, "-->")?.1;
            } else if let Some(text) = markup.strip_prefix("![CDATA[") {
                let (text, rest) = after(text, "]]>")?;
                self.rest = rest;
                return Ok(Some(Event::Text(text.to_owned())));
            } else if let Some(instruction) = markup.strip_prefix('?') {
                self.rest = after(instruction, "?>")?.1;
            } else if markup.starts_with('!') {
                return Err("it declares a document type, which no workbook does".into());
            } else {
                return self.element(markup).map(Some);
            }
        }
    }

    fn element(&mut self, markup: &'a str) -> Result<Event<'a>, String> {
        let (inside, rest) = after(markup, ">")?;
        self.rest = rest;
        if let Some(name) = inside.strip_prefix('/') {
            return Ok(Event::Close(local(name.trim())));
        }
        let (inside, is_empty) = match inside.strip_suffix('/') {
            Some(inside) => (inside, true),
            None => (inside, false),
        };
        let end = inside.find(|letter: char| letter.is_ascii_whitespace());
        let (name, attributes) = inside.split_at(end.unwrap_or(inside.len()));
        Ok(Event::Open {
            name: local(name),
            attributes,
            is_empty,
        })
    }
}

/// The value of an attribute; its prefix does not matter.
pub(super) fn attribute(attributes: &str, wanted: &str) -> Option<String> {
    let mut rest = attributes;
    loop {
        let (name, after_name) = rest.split_once('=')?;
        let after_name = after_name.trim_start();
        let quote = after_name
            .chars()
            .next()
            .filter(|quote| matches!(quote, '"' | '\''))?;
        let (value, after_value) = after_name[1..].split_once(quote)?;
        if local(name.trim()) == wanted {
            return unescape(value).ok();
        }
        rest = after_value;
    }
}

fn after<'a>(text: &'a str, end: &str) -> Result<(&'a str, &'a str), String> {
    text.split_once(end)
        .ok_or_else(|| "its XML is cut short".to_owned())
}

fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

fn unescape(text: &str) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('&') {
        out.push_str(before);
        let (entity, after) = behind.split_once(';').ok_or("its XML has an open entity")?;
        out.push(letter(entity).ok_or("its XML has an entity that is not known")?);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

fn letter(entity: &str) -> Option<char> {
    Some(match entity {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = entity.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)?
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{Event, Xml, attribute};

    #[test]
    fn elements_attributes_and_text_are_read() {
        let mut xml = Xml::new(
            "<?xml version=\"1.0\"?><!-- x --><x:c r=\"A1\" t='s'><v>a &amp; &#252;</v><e/></x:c>",
        );
        let mut texts = Vec::new();
        let mut names = Vec::new();
        while let Some(event) = xml.next().unwrap() {
            match event {
                Event::Open {
                    name, attributes, ..
                } => {
                    names.push(name.to_owned());
                    texts.extend(attribute(attributes, "t"));
                }
                Event::Text(text) => texts.push(text),
                Event::Close(_) => {}
            }
        }
        assert_eq!(names, ["c", "v", "e"]);
        assert_eq!(texts, ["s", "a & ü"]);
    }

    #[test]
    fn what_could_grow_or_is_cut_is_refused() {
        for text in [
            "<!DOCTYPE a [<!ENTITY b 'c'>]>",
            "<a",
            "&b;",
            "&#x110000;",
            "<![CDATA[a",
        ] {
            assert!(Xml::new(text).next().is_err(), "{text}");
        }
    }
}
