//! A DICOMDIR: the listing of the files on a medium (PS3.3 annex F, PS3.10 section 8). Only which files it names is read here.

use dicom_dictionary_std::tags;

use crate::attributes::texts;
use crate::instance::Header;

/// Components of a File ID (PS3.10 section 8.2).
const MAX_COMPONENTS: usize = 8;

/// The files that a listing refers to, as components below its own folder; `None` if it is no listing. Components that are no
/// plain names are left out with their file: they could lead elsewhere.
#[must_use]
pub fn referenced_files(header: &Header) -> Option<Vec<Vec<String>>> {
    let records = header.get(tags::DIRECTORY_RECORD_SEQUENCE)?.items()?;
    let mut files: Vec<Vec<String>> = records.iter().filter_map(file).collect();
    files.sort();
    files.dedup();
    Some(files)
}

fn file(record: &Header) -> Option<Vec<String>> {
    let id: Vec<String> = texts(record, tags::REFERENCED_FILE_ID)
        .into_iter()
        .map(str::to_owned)
        .collect();
    let is_plain = |name: &String| {
        !matches!(name.as_str(), "" | "." | "..")
            && !name.contains(['/', '\\', ':'])
            && !name.chars().any(char::is_control)
    };
    let is_file = !id.is_empty() && id.len() <= MAX_COMPONENTS && id.iter().all(is_plain);
    is_file.then_some(id)
}

#[cfg(test)]
mod tests {
    use dicom_core::value::DataSetSequence;
    use dicom_core::{DataElement, VR};
    use dicom_dictionary_std::tags;

    use super::referenced_files;
    use crate::instance::Header;

    fn listing(ids: &[&str]) -> Header {
        let record = |id: &&str| {
            let mut record = Header::new_empty();
            record.put(DataElement::new(tags::REFERENCED_FILE_ID, VR::CS, *id));
            record
        };
        let items: Vec<Header> = ids.iter().map(record).collect();
        let mut header = Header::new_empty();
        header.put(DataElement::new(
            tags::DIRECTORY_RECORD_SEQUENCE,
            VR::SQ,
            DataSetSequence::from(items),
        ));
        header
    }

    #[test]
    fn files_below_the_folder_are_named() {
        assert_eq!(referenced_files(&Header::new_empty()), None);
        let found = referenced_files(&listing(&[
            "IMAGES\\CT1",
            "IMAGES\\CT1",
            "",
            "..\\SECRET",
            "A/B",
            "C:\\X",
            "1\\2\\3\\4\\5\\6\\7\\8\\9",
            "README",
        ]));
        let expect = [vec!["IMAGES", "CT1"], vec!["README"]];
        assert_eq!(found.unwrap(), expect);
    }
}
