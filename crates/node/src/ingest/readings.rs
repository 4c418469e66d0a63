//! Files of readings: each line is parsed and put under pseudonym and mapped UIDs. Bad lines are told, good ones kept.

use arno_deid::PatientKey;
use arno_learning::reading::Reading;

use super::{prepare::Prepared, refusal::Refusal};
use crate::secret::Keyring;

/// Reads all lines of a file.
pub(super) fn prepare(bytes: &[u8], secret: &Keyring) -> Prepared {
    let (mut readings, mut bad, mut first) = (Vec::new(), 0, None);
    for (at, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        match parse(line) {
            Ok(reading) => readings.push(deidentified(reading, secret)),
            Err(reason) => {
                bad += 1;
                first.get_or_insert_with(|| format!("line {}: {reason}", at + 1));
            }
        }
    }
    let refusal = first.map(|first| Refusal::bad_readings(bad, readings.len(), &first));
    Prepared::Readings(readings, refusal)
}

fn parse(line: &[u8]) -> Result<Reading, String> {
    let line = std::str::from_utf8(line).map_err(|_| "not UTF-8 text".to_owned())?;
    Reading::parse(line).map_err(|error| error.to_string())
}

/// The same reading under pseudonym and mapped UIDs. A nodule's name is free text unless it is a number.
fn deidentified(reading: Reading, keyring: &Keyring) -> Reading {
    let patient = PatientKey {
        id: reading.patient_id.trim().to_owned(),
        issuer: None,
    };
    let secret = keyring.of_patient(&patient);
    let is_number = reading.nodule.bytes().all(|byte| byte.is_ascii_digit());
    let nodule = match is_number {
        true => reading.nodule.clone(),
        false => secret
            .pseudonym(&reading.nodule, Some(&reading.series_uid))
            .to_string(),
    };
    Reading {
        patient_id: patient.pseudonym(secret).to_string(),
        study_uid: secret.map_uid(&reading.study_uid),
        series_uid: secret.map_uid(&reading.series_uid),
        nodule,
        ..reading
    }
}

#[cfg(test)]
mod tests {
    use super::{Prepared, prepare};
    use crate::secret::Keyring;

    const LINE: &str = r#"{"patient_id":"Meier","study_uid":"1.2","series_uid":"1.2.3","nodule":"Meier links","reader":2,"split":"test","ratings":{"subtlety":5,"internal_structure":1,"calcification":6,"sphericity":3,"margin":4,"lobulation":1,"spiculation":1,"texture":5,"malignancy":3},"pixel_spacing_mm":0.65,"slice_spacing_mm":3.0,"contours":[{"z_mm":-125.5,"inclusion":true,"points":[[364,172],[364,171],[365,171]]}]}"#;

    #[test]
    fn good_lines_are_kept_and_bad_ones_told() {
        let text = format!("{LINE}\n\n{{\"patient_id\":\"Meier\"}}\n\u{ff}\n");
        let Prepared::Readings(readings, refusal) =
            prepare(text.as_bytes(), &Keyring::of_one([1; 32]))
        else {
            unreachable!("a file of readings")
        };
        let refusal = refusal.unwrap();
        assert!(
            refusal.reason.contains("line 3") && refusal.reason.starts_with("2 lines"),
            "{}",
            refusal.reason
        );
        assert!(!refusal.reason.contains("Meier"));
        let json = serde_json::to_string(&readings).unwrap();
        assert!(!json.contains("Meier") && !json.contains("\"1.2"), "{json}");
        assert_eq!(readings.len(), 1);
    }
}
