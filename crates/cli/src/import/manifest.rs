//! What to import: an address of an S3 prefix, a list of such addresses as the NCI Imaging Data Commons hands out (s5cmd commands
//! or bare addresses), or a CSV table with sizes and digests.
//!
//! A list of TCIA (`.tcia`) names series on TCIA's own server, which speaks no S3: it is refused with what to do instead.

use std::path::Path;

use anyhow::{Context as _, bail, ensure};

/// Longest manifest: a million lines of a hundred bytes.
const MAX_MANIFEST_BYTES: u64 = 256 << 20;
/// Columns that may hold the address, in order of preference.
const ADDRESS_COLUMNS: [&str; 5] = ["s3_url", "series_aws_url", "aws_url", "url", "address"];

/// Where an import reads, and what it expects there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The bucket.
    pub(crate) bucket: String,
    /// One object, or all whose key begins so.
    pub(crate) what: What,
    /// Size and digests, as the manifest says.
    pub(crate) expected: Expected,
}

/// One object or many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    Object(String),
    Prefix(String),
}

/// What a manifest says of one object, or of all below a prefix together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Expected {
    /// Bytes of the object.
    pub(crate) size: Option<u64>,
    /// MD5, hexadecimal.
    pub(crate) md5: Option<String>,
    /// SHA-256, hexadecimal.
    pub(crate) sha256: Option<String>,
    /// Objects below the prefix.
    pub(crate) instances: Option<u64>,
}

/// An address, or the manifest in a file.
pub(crate) fn read(source: &str) -> anyhow::Result<Vec<Wanted>> {
    if source.starts_with("s3://") {
        return Ok(vec![address(source)?]);
    }
    let path = Path::new(source);
    let about = std::fs::metadata(path)
        .with_context(|| format!("{source} is neither an s3:// address nor a manifest file"))?;
    ensure!(
        about.len() <= MAX_MANIFEST_BYTES,
        "{source} has {} bytes; manifests up to {MAX_MANIFEST_BYTES} bytes are read",
        about.len()
    );
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("{source} cannot be read as text"))?;
    let wanted = parse(&text).with_context(|| source.to_owned())?;
    ensure!(!wanted.is_empty(), "{source} names nothing to import");
    Ok(wanted)
}

/// Reads the text of a manifest.
pub(crate) fn parse(text: &str) -> anyhow::Result<Vec<Wanted>> {
    let text = text.trim_start_matches('\u{feff}');
    let first = text.lines().find(|line| is_content(line)).unwrap_or("");
    if first.starts_with("downloadServerUrl=") || first.starts_with("manifestVersion=") {
        bail!(
            "this is a manifest of TCIA's own download server, which speaks no S3: look the collection up at the Imaging \
             Data Commons, which hands out a manifest of the same series, or download it and ingest the folder"
        );
    }
    if first.contains("s3://") {
        return lines(text);
    }
    table(text)
}

fn is_content(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with('#')
}

/// `cp s3://bucket/series/* folder`, or the address alone.
fn lines(text: &str) -> anyhow::Result<Vec<Wanted>> {
    let mut wanted = Vec::new();
    for (index, line) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| is_content(line))
    {
        let found = line.split_whitespace().find(|word| word.contains("s3://"));
        let found = found.map(|word| word.trim_matches(['"', '\'']));
        let address = found
            .with_context(|| format!("line {} names no s3:// address", index + 1))
            .and_then(address)
            .with_context(|| format!("line {}", index + 1))?;
        wanted.push(address);
    }
    Ok(wanted)
}

/// A header line and one row a series or object. Cells hold no line breaks; quotes are taken off.
fn table(text: &str) -> anyhow::Result<Vec<Wanted>> {
    let mut rows = text
        .lines()
        .enumerate()
        .filter(|(_, line)| is_content(line));
    let Some((_, header)) = rows.next() else {
        return Ok(Vec::new());
    };
    let separator = if header.contains('\t') { '\t' } else { ',' };
    let header: Vec<String> = cells(header, separator)
        .map(|name| name.to_ascii_lowercase())
        .collect();
    let column = |name: &str| header.iter().position(|other| other == name);
    let at = ADDRESS_COLUMNS.iter().find_map(|name| column(name));
    let at = at.with_context(|| {
        format!(
            "no line names an s3:// address and no column is called {}",
            ADDRESS_COLUMNS.join(", ")
        )
    })?;
    let read = |(index, line): (usize, &str)| {
        let cells: Vec<&str> = cells(line, separator).collect();
        let cell = |name| column(name).and_then(|at| cells.get(at).copied());
        let here = || format!("line {}", index + 1);
        let mut wanted = address(cells.get(at).copied().unwrap_or_default()).with_context(here)?;
        wanted.expected = Expected {
            size: number(cell("size").or(cell("size_bytes"))).with_context(here)?,
            md5: digest(cell("md5"), 32).with_context(here)?,
            sha256: digest(cell("sha256"), 64).with_context(here)?,
            instances: number(cell("instancecount").or(cell("instances"))).with_context(here)?,
        };
        Ok(wanted)
    };
    rows.map(read).collect()
}

fn cells(line: &str, separator: char) -> impl Iterator<Item = &str> {
    line.split(separator)
        .map(|cell| cell.trim().trim_matches('"').trim())
}

fn number(cell: Option<&str>) -> anyhow::Result<Option<u64>> {
    let Some(text) = cell.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let number = text.parse();
    Ok(Some(number.with_context(|| {
        format!("{text} is no number of bytes or objects")
    })?))
}

fn digest(cell: Option<&str>, digits: usize) -> anyhow::Result<Option<String>> {
    let Some(text) = cell.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let legal = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    ensure!(
        legal,
        "a digest has {digits} hexadecimal digits, {text} has not"
    );
    Ok(Some(text.to_ascii_lowercase()))
}

/// `s3://bucket/key`, where a key that is empty or ends in `/` or `*` means all that begin so.
fn address(text: &str) -> anyhow::Result<Wanted> {
    let rest = text.strip_prefix("s3://");
    let (bucket, key) = rest
        .map(|rest| rest.split_once('/').unwrap_or((rest, "")))
        .filter(|(bucket, _)| !bucket.is_empty())
        .with_context(|| format!("{text} is no address such as s3://bucket/series/"))?;
    let prefix = key.strip_suffix('*').unwrap_or(key);
    ensure!(
        !prefix.contains('*'),
        "{text}: a star may only stand at the end"
    );
    let is_prefix = prefix.len() < key.len() || key.is_empty() || key.ends_with('/');
    let what = match is_prefix {
        true => What::Prefix(prefix.to_owned()),
        false => What::Object(key.to_owned()),
    };
    Ok(Wanted {
        bucket: bucket.to_owned(),
        what,
        expected: Expected::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::{Expected, Wanted, What, parse};

    fn prefix(bucket: &str, prefix: &str) -> Wanted {
        Wanted {
            bucket: bucket.to_owned(),
            what: What::Prefix(prefix.to_owned()),
            expected: Expected::default(),
        }
    }

    #[test]
    fn a_list_of_commands_or_addresses_is_read() {
        let check = |text: &str, expect: Wanted| {
            assert_eq!(parse(text).unwrap(), [expect], "{text}");
        };
        let one = || prefix("open-data", "0a1b/");
        check("cp s3://open-data/0a1b/* .", one());
        check(
            "# made by hand\n\ncp 's3://open-data/0a1b/*' folder/\n",
            one(),
        );
        check("s3://open-data/0a1b/", one());
        check("s3://open-data", prefix("open-data", ""));
        let object = Wanted {
            what: What::Object("0a1b/1.dcm".to_owned()),
            ..one()
        };
        check("s3://open-data/0a1b/1.dcm", object);
    }

    #[test]
    fn a_table_says_what_to_expect() {
        let md5 = "900150983cd24fb0d6963f7d28e17f72";
        let text = format!(
            "collection,series_aws_url,instanceCount,MD5\nx,\"s3://b/u/*\",12,\ny,s3://b/v.dcm,,{md5}\n"
        );
        let wanted = parse(&text).unwrap();
        assert_eq!(wanted[0].expected.instances, Some(12));
        assert_eq!(wanted[1].expected.md5.as_deref(), Some(md5));
        assert_eq!(wanted[1].what, What::Object("v.dcm".to_owned()));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let check = |text: &str, expect: &str| {
            let error = format!("{:#}", parse(text).unwrap_err());
            assert!(error.contains(expect), "{error}");
        };
        check("cp s3://b/u/* .\nrm everything", "line 2");
        check("s3:///key", "line 1");
        check("s3://b/*/x", "star");
        check("a,b\n1,2", "no column");
        check("url,size\ns3://b/k,many", "line 2");
        check("url,md5\ns3://b/k,12", "32 hexadecimal");
        check(
            "downloadServerUrl=https://example.org\nListOfSeriesToDownload=\n1.2.3",
            "TCIA",
        );
    }
}
