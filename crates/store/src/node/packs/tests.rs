//! Packs on a disk: what was appended is read back, what a crash left is cut off, what changed shows.

use super::{Form, PackLocation, PackRange, PackWriter, Packs, Record, Scanned};
use crate::StoreError;

const PACK: &str = "00/1.2.3.pack";

fn packs() -> (tempfile::TempDir, Packs) {
    let folder = tempfile::tempdir().unwrap();
    let packs = Packs::open(folder.path()).unwrap();
    (folder, packs)
}

fn append(writer: &mut PackWriter, end: u64, instance: &[u8]) -> PackLocation {
    let record = Record {
        instance,
        metadata: b"{\"of\":\"it\"}",
        source_sha256: [9; 32],
        form: Form::Encoded,
    };
    writer.append(PACK, end, &record).unwrap()
}

fn scanned(packs: &Packs) -> Vec<Scanned> {
    let mut scan = packs.scan(PACK).unwrap();
    std::iter::from_fn(|| scan.step().unwrap()).collect()
}

fn instance(location: &PackLocation) -> Scanned {
    Scanned::Instance {
        location: location.clone(),
        source_sha256: "09".repeat(32),
    }
}

#[test]
fn what_was_appended_is_read_back_and_verified() {
    let (_folder, packs) = packs();
    let mut writer = packs.writer(None);
    let first = append(&mut writer, 0, b"first");
    let second = append(&mut writer, 0, b"second");
    writer.sync().unwrap();
    assert_eq!(packs.read(&first.range()).unwrap(), b"first");
    assert_eq!(packs.read(&second.range()).unwrap(), b"second");
    assert_eq!(
        packs.read(&second.metadata_range()).unwrap(),
        b"{\"of\":\"it\"}"
    );
    packs.verify(&second).unwrap();
    // It was just written; where the system cannot tell that it is in memory, nothing is said.
    let cached = packs.read_cached(&second.range()).unwrap();
    assert!(cached.is_none_or(|bytes| bytes == b"second"));
    assert_eq!(second.offset, first.end());
    assert_eq!(scanned(&packs), [instance(&first), instance(&second)]);
}

#[test]
fn what_a_crash_left_behind_is_cut_off() {
    let (folder, packs) = packs();
    let mut writer = packs.writer(None);
    let kept = append(&mut writer, 0, b"kept");
    append(&mut writer, 0, b"never indexed");
    writer.sync().unwrap();
    let mut writer = packs.writer(None);
    let next = append(&mut writer, kept.end(), b"next");
    writer.sync().unwrap();
    assert_eq!(next.offset, kept.end());
    packs.verify(&kept).unwrap();
    packs.verify(&next).unwrap();
    let length = std::fs::metadata(folder.path().join(PACK)).unwrap().len();
    assert_eq!(length, next.end());
}

#[test]
fn a_batch_that_is_not_indexed_leaves_nothing_however_often_it_is_tried() {
    let (folder, packs) = packs();
    let path = folder.path().join(PACK);
    // More often than a pack may be set aside.
    for _ in 0..100 {
        let mut writer = packs.writer(None);
        append(&mut writer, 0, b"never indexed");
        writer.sync().unwrap();
        packs.cut_back(&writer.begins());
        assert!(!path.exists());
    }
    let mut writer = packs.writer(None);
    let kept = append(&mut writer, 0, b"kept");
    writer.sync().unwrap();
    let mut writer = packs.writer(None);
    append(&mut writer, kept.end(), b"never indexed");
    packs.cut_back(&writer.begins());
    assert_eq!(std::fs::metadata(&path).unwrap().len(), kept.end());
    assert_eq!(packs.list().unwrap(), [PACK]);
}

#[test]
fn whether_packs_can_be_written_is_found_out_without_a_trace() {
    let (folder, packs) = packs();
    packs.probe().unwrap();
    assert_eq!(packs.list().unwrap(), [""; 0]);
    std::fs::remove_dir(folder.path().join("00")).unwrap();
    std::fs::write(folder.path().join("00"), "no folder").unwrap();
    assert!(packs.probe().is_err());
}

#[test]
fn a_changed_byte_and_a_short_pack_show() {
    let (folder, packs) = packs();
    let mut writer = packs.writer(None);
    let location = append(&mut writer, 0, b"bytes");
    writer.sync().unwrap();
    let path = folder.path().join(PACK);
    let whole = std::fs::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        let verified = packs.verify(&location);
        assert!(
            matches!(verified, Err(StoreError::Corrupt { .. })),
            "byte {at}"
        );
    }
    std::fs::write(&path, &whole[..50]).unwrap();
    let read = packs.read(&location.range());
    assert!(matches!(read, Err(StoreError::Corrupt { .. })));
    let beyond = PackRange {
        pack: PACK.into(),
        offset: u64::MAX,
        length: 2,
    };
    assert!(packs.read(&beyond).is_err());
}

#[test]
fn a_scan_goes_on_behind_damage_and_tells_a_torn_end() {
    let (folder, packs) = packs();
    let mut writer = packs.writer(None);
    let first = append(&mut writer, 0, b"first");
    let second = append(&mut writer, 0, b"ARNO in an instance is no header");
    let deleted = writer.append_deletion(PACK, 0, "1.2.3.4").unwrap();
    let torn = append(&mut writer, 0, b"torn");
    writer.sync().unwrap();
    let path = folder.path().join(PACK);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.truncate(usize::try_from(torn.end()).unwrap() - 1);
    bytes[20] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let expect = [
        Scanned::Unreadable {
            offset: 0,
            length: first.end(),
        },
        instance(&second),
        Scanned::Deleted {
            instance_uid: "1.2.3.4".into(),
            end: deleted.end(),
        },
        Scanned::Unreadable {
            offset: torn.offset,
            length: torn.end() - torn.offset - 1,
        },
    ];
    assert_eq!(scanned(&packs), expect);
}

#[test]
fn records_move_whole_and_a_pack_that_is_gone_is_said_to_be() {
    let (folder, packs) = packs();
    let mut writer = packs.writer(None);
    append(&mut writer, 0, b"dead");
    let live = append(&mut writer, 0, b"live");
    writer.sync().unwrap();
    let next = Packs::next_generation(PACK).unwrap();
    std::fs::create_dir_all(folder.path().join(&next).parent().unwrap()).unwrap();
    packs.copy_records(&next, &[live.record_range()]).unwrap();
    packs.remove(PACK).unwrap();
    let moved = PackLocation {
        pack: next.clone(),
        offset: 0,
        ..live.clone()
    };
    packs.verify(&moved).unwrap();
    let gone = packs.read(&live.range());
    assert!(matches!(gone, Err(StoreError::NotFound { what: "pack" })));
    assert_eq!(packs.list().unwrap(), [next]);
}

#[test]
fn a_limit_is_kept() {
    let (_folder, packs) = packs();
    let mut writer = packs.writer(Some(8));
    append(&mut writer, 0, b"12345");
    let record = Record {
        instance: b"6789",
        metadata: b"",
        source_sha256: [0; 32],
        form: Form::Encoded,
    };
    assert!(matches!(
        writer.append(PACK, 0, &record),
        Err(StoreError::Full)
    ));
}

#[test]
fn only_a_uid_names_a_pack() {
    let check = |uid: &str, expect: bool| assert_eq!(Packs::pack_of(uid).is_ok(), expect, "{uid}");
    check("2.25.17", true);
    check("", false);
    check("..", false);
    check("1.2/../3", false);
    check("1..2", false);
    check(&"1".repeat(65), false);
    let second = Packs::next_generation(&Packs::pack_of("2.25.17").unwrap()).unwrap();
    assert!(second.ends_with("/2.25.17-2.pack"), "{second}");
    assert!(
        Packs::next_generation(&second)
            .unwrap()
            .ends_with("-3.pack")
    );
}
