//! The media type of a frame as it is stored (PS3.18 table 8.7.3-5), by its transfer syntax.

/// Media type of the bytes of one frame; native frames are `application/octet-stream`.
#[must_use]
pub fn media_type(transfer_syntax: &str) -> &'static str {
    let suffix = transfer_syntax.strip_prefix("1.2.840.10008.1.2.");
    match suffix.unwrap_or_default() {
        // Not application/octet-stream, which clients take for native pixels.
        "8.1" => "application/x-deflate",
        "5" => "image/dicom-rle",
        "4.50" | "4.51" | "4.57" | "4.70" => "image/jpeg",
        "4.80" | "4.81" => "image/jls",
        "4.90" | "4.91" => "image/jp2",
        "4.92" | "4.93" => "image/jpx",
        "4.201" | "4.202" | "4.203" => "image/jphc",
        "4.110" | "4.111" | "4.112" => "image/jxl",
        "4.100" | "4.100.1" | "4.101" | "4.101.1" => "video/mpeg",
        "4.102" | "4.102.1" | "4.103" | "4.103.1" | "4.104" | "4.104.1" | "4.105" | "4.105.1"
        | "4.106" | "4.106.1" | "4.107" | "4.108" => "video/mp4",
        _ => "application/octet-stream",
    }
}

/// Whether this is a native syntax whose frames are little endian already.
#[must_use]
pub fn is_native_little_endian(transfer_syntax: &str) -> bool {
    matches!(transfer_syntax, "1.2.840.10008.1.2" | "1.2.840.10008.1.2.1")
}

#[cfg(test)]
mod tests {
    use super::media_type;

    #[test]
    fn compressions_have_their_types() {
        let check = |uid: &str, expect| assert_eq!(media_type(uid), expect, "{uid}");
        check("1.2.840.10008.1.2", "application/octet-stream");
        check("1.2.840.10008.1.2.1", "application/octet-stream");
        check("1.2.840.10008.1.2.4.50", "image/jpeg");
        check("1.2.840.10008.1.2.4.201", "image/jphc");
        check("1.2.840.10008.1.2.5", "image/dicom-rle");
        check("1.2.840.10008.1.2.4.102", "video/mp4");
        check("1.2.3", "application/octet-stream");
    }
}
