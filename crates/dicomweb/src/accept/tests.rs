//! What clients send as `Accept`, and what they get for it.

use super::{Accept, Amount, DICOM, Form, Stored, Syntax, weight};

const JPEG: Stored<'_> = Stored {
    transfer_syntax: "1.2.840.10008.1.2.4.50",
    media_type: "image/jpeg",
    decodable: true,
};
const MOVIE: Stored<'_> = Stored {
    transfer_syntax: "1.2.840.10008.1.2.4.102",
    media_type: "video/mp4",
    decodable: false,
};
const NATIVE: Stored<'_> = Stored {
    transfer_syntax: "1.2.840.10008.1.2.1",
    media_type: "application/octet-stream",
    decodable: true,
};

/// `parts` or `single`, and the syntax; `-` where nothing is accepted.
fn words(choice: Option<(Form, Syntax)>) -> String {
    match choice {
        None => "-".to_owned(),
        Some((form, syntax)) => {
            let form = if form == Form::Parts {
                "parts"
            } else {
                "single"
            };
            match syntax {
                Syntax::Stored => format!("{form} stored"),
                Syntax::To(uid) => format!("{form} {uid}"),
            }
        }
    }
}

fn check_instance(accept: &str, amount: Amount, stored: Stored<'_>, expect: &str) {
    let found = Accept::parse(Some(accept), None).unwrap();
    assert_eq!(words(found.instance(amount, stored)), expect, "{accept}");
}

fn check_frame(accept: &str, amount: Amount, stored: Stored<'_>, expect: &str) {
    let found = Accept::parse(Some(accept), None).unwrap();
    assert_eq!(words(found.frame(amount, stored)), expect, "{accept}");
}

#[test]
fn instances_go_out_as_they_are_accepted() {
    use Amount::{Many, One};
    let any = r#"multipart/related; type="application/dicom"; transfer-syntax=*"#;
    check_instance(any, Many, JPEG, "parts stored");
    check_instance(any, One, MOVIE, "parts stored");
    check_instance("", Many, JPEG, "parts stored");
    check_instance("*/*", One, JPEG, "parts stored");
    check_instance("multipart/related", Many, JPEG, "parts stored");
    let explicit = "multipart/related; type=application/dicom";
    check_instance(explicit, Many, NATIVE, "parts stored");
    check_instance(explicit, Many, JPEG, "parts 1.2.840.10008.1.2.1");
    check_instance(explicit, Many, MOVIE, "-");
    check_instance(
        "application/dicom; transfer-syntax=*",
        One,
        JPEG,
        "single stored",
    );
    check_instance("application/dicom; transfer-syntax=*", Many, JPEG, "-");
    check_instance("application/dicom", One, JPEG, "single 1.2.840.10008.1.2.1");
    let both = "application/dicom; transfer-syntax=1.2.840.10008.1.2.1, \
        application/dicom; transfer-syntax=1.2.840.10008.1.2.4.50";
    check_instance(both, One, JPEG, "single stored");
    let heavier = "application/dicom; transfer-syntax=1.2.840.10008.1.2; q=0.9, \
        application/dicom; transfer-syntax=1.2.840.10008.1.2.4.50; q=0.1";
    check_instance(heavier, One, JPEG, "single 1.2.840.10008.1.2");
    check_instance("application/dicom; transfer-syntax=1.2.3", One, JPEG, "-");
    check_instance("application/dicom+xml", One, JPEG, "-");
    check_instance("image/jpeg", One, JPEG, "-");
    check_instance("application/dicom;transfer-syntax=*;q=0", One, JPEG, "-");
}

#[test]
fn frames_go_out_as_they_are_accepted() {
    use Amount::{Many, One};
    let bytes = r#"multipart/related; type="application/octet-stream""#;
    check_frame(bytes, Many, NATIVE, "parts stored");
    check_frame(bytes, Many, JPEG, "parts 1.2.840.10008.1.2.1");
    check_frame(bytes, Many, MOVIE, "-");
    check_frame(
        &format!("{bytes}; transfer-syntax=*"),
        Many,
        JPEG,
        "parts stored",
    );
    check_frame(
        &format!("{bytes}; transfer-syntax=1.2.840.10008.1.2.1"),
        Many,
        JPEG,
        "parts 1.2.840.10008.1.2.1",
    );
    check_frame(
        r#"multipart/related; type="*/*""#,
        Many,
        JPEG,
        "parts stored",
    );
    check_frame("", One, JPEG, "parts stored");
    check_frame("image/jpeg", One, JPEG, "single stored");
    check_frame("image/jpeg", Many, JPEG, "-");
    check_frame("image/*", One, JPEG, "single stored");
    check_frame("image/jp2", One, JPEG, "-");
    check_frame(
        "multipart/related; type=image/jpeg; transfer-syntax=1.2.840.10008.1.2.4.70",
        Many,
        JPEG,
        "-",
    );
    check_frame("application/octet-stream", One, NATIVE, "single stored");
    check_frame(
        "multipart/related; type=image/jp2, multipart/related; type=application/octet-stream",
        Many,
        JPEG,
        "parts 1.2.840.10008.1.2.1",
    );
}

#[test]
fn the_most_specific_range_decides_among_offers() {
    let offers = ["image/jpeg", "image/png"];
    let check = |accept: &str, expect: Option<&str>| {
        let found = Accept::parse(Some(accept), None).unwrap();
        assert_eq!(found.first_of(&offers), expect, "{accept}");
    };
    check("", Some("image/jpeg"));
    check("*/*", Some("image/jpeg"));
    check("image/*", Some("image/jpeg"));
    check("image/png", Some("image/png"));
    check("image/png, image/jpeg", Some("image/jpeg"));
    check("image/jpeg;q=0.5, image/png", Some("image/png"));
    check("image/jpeg;q=0.1, */*", Some("image/png"));
    check("image/jpeg;q=0, */*", Some("image/png"));
    check("image/webp", None);
    check("image/gif, text/html;q=0.8", None);
    check(r#"multipart/related; type="image/png""#, None);
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
    check(browser, Some("image/jpeg"));
}

#[test]
fn the_query_parameter_wins() {
    let accept = Accept::parse(Some("image/png"), Some("application/dicom")).unwrap();
    assert_eq!(accept.first_of(&["image/png", DICOM]), Some(DICOM));
    assert!(Accept::parse(Some("image/png"), Some("garbage")).is_err());
    assert!(Accept::parse(Some("image/png;q=2"), None).is_err());
}

#[test]
fn bulk_data_is_bytes_in_parts_or_alone() {
    let check = |accept: &str, expect: Option<Form>| {
        assert_eq!(
            Accept::parse(Some(accept), None).unwrap().bulk(),
            expect,
            "{accept}"
        );
    };
    check("", Some(Form::Parts));
    check("application/octet-stream", Some(Form::Single));
    check(r#"multipart/related; type="*/*""#, Some(Form::Parts));
    check(
        r#"multipart/related; type="application/octet-stream""#,
        Some(Form::Parts),
    );
    check("image/jpeg", None);
}

#[test]
fn weights_are_thousandths() {
    let check = |text: &str, expect| assert_eq!(weight(text), expect, "{text}");
    check("1", Some(1000));
    check("1.000", Some(1000));
    check("0.5", Some(500));
    check("0.001", Some(1));
    check("0", Some(0));
    check("1.1", None);
    check("2", None);
    check("-1", None);
    check("", None);
    check("0.0001", None);
}
