#!/usr/bin/env python3
"""dcmtk and pynetdicom as strangers: they store, find, get, move and commit over DICOM's own protocol, with TLS too.

    tests/strangers/dimse.py --node target/release/arno-node     an Arno node, started here
    tests/strangers/dimse.py --target orthanc                    Debian's Orthanc: are the questions right?

Needs Debian's dcmtk and openssl, and the packages of requirements.txt.
"""
import argparse, pathlib, shutil, subprocess, tempfile, threading
from io import BytesIO

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, generate_uid
from pynetdicom import AE, build_context, build_role, evt
from pynetdicom.pdu_primitives import SOPClassExtendedNegotiation
from pynetdicom.sop_class import (PatientRootQueryRetrieveInformationModelFind as PATIENT_FIND, PatientRootQueryRetrieveInformationModelGet as PATIENT_GET,
                                  PatientRootQueryRetrieveInformationModelMove as PATIENT_MOVE, StorageCommitmentPushModel as COMMITMENT,
                                  StudyRootQueryRetrieveInformationModelFind as STUDY_FIND, StudyRootQueryRetrieveInformationModelGet as STUDY_GET,
                                  StudyRootQueryRetrieveInformationModelMove as STUDY_MOVE, Verification)

import made
from checks import Checks
from dimse_tls import check_tls
from parking import parked
from servers import Arno, Orthanc, free_port, listens
from waiting import PATIENCE_S, until

ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("--node", default="target/release/arno-node"); ap.add_argument("--target", choices=["arno", "orthanc"], default="arno")
COMMITMENT_INSTANCE = "1.2.840.10008.1.20.1.1"
PENDING = (0xFF00, 0xFF01)
# storescu's words for the transfer syntax of a file; pynetdicom sends what it has none for.
STORESCU = {"implicit": "-xi", "explicit": "-xe", "big": "-xb", "deflated": "-xd", "rle": "-xr", "rle-colour": "-xr", "jpeg-baseline": "-xy",
            "jpeg-colour": "-xy", "jpeg-extended": "-xx", "jpeg-lossless-sv1": "-xs", "jpeg-ls": "-xt", "jpeg-ls-near": "-xu",
            "j2k-lossless": "-xv", "j2k": "-xw", "frames": "-xe"}
check = Checks()


def dcmtk(program, server, *options):
    """Debian's programs by their path: pynetdicom installs others of the same names."""
    command = [f"/usr/bin/{program}", "-aet", "STRANGER", "-aec", server.aet, "127.0.0.1", str(server.dimse), *map(str, options)]
    return subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=PATIENCE_S)


def associate(server, contexts, roles=(), handlers=(), title="STRANGER", negotiation=()):
    ae = AE(ae_title=title); ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = PATIENCE_S
    proposed = [build_context(abstract, syntaxes) for abstract, syntaxes in contexts]
    association = parked(ae.associate("127.0.0.1", server.dimse, proposed, server.aet, ext_neg=[*roles, *negotiation], evt_handlers=list(handlers)))
    assert association.is_established, "association refused"
    return association


def storage_contexts(instances):
    """One for each pair of class and transfer syntax: of several syntaxes in one, a server chooses one."""
    return sorted({(m.ds.SOPClassUID, m.syntax) for m in instances})


class Receiver:
    """A storage SCP of pynetdicom: what came, by SOP Instance UID, as encoded; and reports of storage commitment."""

    def __init__(self, title, instances):
        self.title, self.port, self.came, self.reports, self.lock = title, free_port(), {}, [], threading.Condition()
        ae = AE(ae_title=title); ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = PATIENCE_S
        for abstract in {m.ds.SOPClassUID for m in instances}:
            ae.add_supported_context(abstract, sorted({m.syntax for m in instances}))
        ae.add_supported_context(COMMITMENT, scu_role=True, scp_role=True)
        ae.add_supported_context(Verification)
        self.server = ae.start_server(("127.0.0.1", self.port), block=False,
                                      evt_handlers=[(evt.EVT_C_STORE, self.store), (evt.EVT_N_EVENT_REPORT, self.report)])

    def store(self, event):
        with self.lock:
            self.came[event.request.AffectedSOPInstanceUID] = (event.context.transfer_syntax, event.request.DataSet.getvalue())
        return 0

    def report(self, event):
        with self.lock:
            self.reports.append((event.event_type, event.event_information)); self.lock.notify_all()
        return 0, None

    def wait_for_report(self):
        with self.lock:
            self.lock.wait_for(lambda: self.reports, PATIENCE_S)
            return self.reports.pop() if self.reports else None


def came_identical(how, instances, came):
    """Byte for byte the data sets that were sent; and pixel for pixel, which says more where the bytes differ."""
    check.equal(f"{how}: all came", sorted(came), sorted(m.uid for m in instances))
    for m in instances:
        if m.uid not in came:
            continue
        syntax, encoded = came[m.uid]
        if syntax == DeflatedExplicitVRLittleEndian:
            encoded = made.zlib.decompress(encoded, -made.zlib.MAX_WBITS)
        same_syntax = syntax == m.syntax or (m.syntax, syntax) == (DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian)
        check(f"{how}: {m.key} has the data set that was sent", same_syntax and encoded == m.data_set, difference(m, syntax, encoded))
        check(f"{how}: {m.key} has the pixels that were sent", same_pixels(m, syntax, encoded), syntax.name)


def difference(m, syntax, encoded):
    at = next((i for i, (a, b) in enumerate(zip(m.data_set, encoded)) if a != b), min(len(m.data_set), len(encoded)))
    return f"{syntax.name}, {len(encoded)} bytes instead of {len(m.data_set)}, differs from byte {at}"


def same_pixels(m, syntax, encoded):
    plain = ExplicitVRLittleEndian if syntax == DeflatedExplicitVRLittleEndian else syntax
    ds = pydicom.filereader.read_dataset(BytesIO(encoded), plain.is_implicit_VR, plain.is_little_endian)
    ds.file_meta = pydicom.dataset.FileMetaDataset(); ds.file_meta.TransferSyntaxUID = plain
    return np.array_equal(ds.pixel_array, m.pixels)


def echo(server):
    check("echoscu is answered", dcmtk("echoscu", server).returncode == 0)
    association = associate(server, [(Verification, [ExplicitVRLittleEndian])])
    check.equal("pynetdicom's C-ECHO is answered", association.send_c_echo().Status, 0)
    association.release()


def store(server, by_dcmtk, by_pynetdicom):
    for m in by_dcmtk:
        if m.key in STORESCU:
            sent = dcmtk("storescu", server, STORESCU[m.key], m.path)
            check(f"storescu stores {m.key}", sent.returncode == 0, sent.stderr[-300:])
    rest = by_pynetdicom + [m for m in by_dcmtk if m.key not in STORESCU]
    association = associate(server, [(abstract, [syntax]) for abstract, syntax in storage_contexts(rest)])
    for m in rest:
        check.equal(f"pynetdicom stores {m.key}", association.send_c_store(m.path).Status, 0)
    check.equal("the same instance again is no failure", association.send_c_store(rest[0].path).Status, 0)
    association.release()
    syntaxes = {syntax for _, syntax in storage_contexts(by_dcmtk)}
    check(f"these were {len(syntaxes)} transfer syntaxes, at least ten", len(syntaxes) >= 10)


def find(association, model, level, **keys):
    query = Dataset(); query.SpecificCharacterSet = "ISO_IR 192"; query.QueryRetrieveLevel = level
    for keyword, value in keys.items():
        setattr(query, keyword, value)
    answers = list(association.send_c_find(query, model))
    assert answers and answers[-1][0].Status == 0, f"C-FIND ended with {answers and answers[-1][0]}"
    return [identifier for status, identifier in answers if status.Status in PENDING]


def find_with_pynetdicom(server, instances):
    """The keys of PS3.4 C.2.2.2: universal, single value, wildcard, range, list of UIDs, sequence left alone."""
    association = associate(server, [(PATIENT_FIND, [ExplicitVRLittleEndian]), (STUDY_FIND, [ExplicitVRLittleEndian])])
    studies = {m.study: m for m in instances}
    first = instances[0]
    ids = lambda rows: sorted(row.PatientID for row in rows)
    by = lambda **keys: sorted({row.StudyInstanceUID for row in find(association, STUDY_FIND, "STUDY", **{"StudyInstanceUID": "", **keys})})
    those = lambda holds: sorted(uid for uid, m in studies.items() if holds(m.ds))
    patients = find(association, PATIENT_FIND, "PATIENT", PatientID="STR-*-1", PatientName="", PatientBirthDate="", PatientSex="")
    check.equal("patient root, PATIENT: three people", ids(patients), ["STR-1-1", "STR-2-1", "STR-3-1"])
    names = sorted(str(row.PatientName) for row in patients)
    check.equal("names come back in their letters", names, sorted({person[1] for person in made.PEOPLE}))
    check.equal("PATIENT: birth date and sex come", {(row.PatientBirthDate, row.PatientSex) for row in patients}, {(p[3], "O") for p in made.PEOPLE})
    rows = find(association, PATIENT_FIND, "STUDY", PatientID="STR-1-1", StudyInstanceUID="", StudyDate="")
    check.equal("patient root, STUDY: below one person", sorted(row.StudyDate for row in rows), ["20200102", "20210607"])
    check.equal("study root: all studies", by(PatientID="STR-*-1"), those(lambda ds: True))
    cases = {
        "PatientID by its value": (dict(PatientID="STR-2-1"), lambda ds: ds.PatientID == "STR-2-1"),
        "PatientName with *": (dict(PatientName="Doe*"), lambda ds: str(ds.PatientName).startswith("Doe")),
        "PatientName with ?": (dict(PatientName="Doe^J?ne"), lambda ds: ds.PatientName == "Doe^Jane"),
        "PatientName in other letters": (dict(PatientName="*=山田^太郎=*"), lambda ds: ds.PatientID == "STR-3-1"),
        "PatientName with an umlaut": (dict(PatientName="Doering^Jörg"), lambda ds: ds.PatientID == "STR-2-1"),
        "StudyDate as a range": (dict(StudyDate="20200101-20201231"), lambda ds: ds.StudyDate[:4] == "2020"),
        "StudyDate from": (dict(StudyDate="20200615-"), lambda ds: ds.StudyDate >= "20200615"),
        "StudyDate until": (dict(StudyDate="-20200102"), lambda ds: ds.StudyDate <= "20200102"),
        "StudyTime as a range": (dict(StudyTime="080000-120000"), lambda ds: "08" <= ds.StudyTime < "12"),
        "a list of UIDs": (dict(StudyInstanceUID=those(lambda ds: ds.StudyID in "13")), lambda ds: ds.StudyID in "13"),
        "AccessionNumber with *": (dict(AccessionNumber="*3"), lambda ds: ds.AccessionNumber.endswith("3")),
        "ModalitiesInStudy": (dict(ModalitiesInStudy="OT"), lambda ds: ds.StudyID == "0"),
        "StudyDescription with *": (dict(StudyDescription="Chest*"), lambda ds: ds.StudyDescription.startswith("Chest")),
        "two keys at once": (dict(PatientName="Doe*", StudyDate="20210607"), lambda ds: ds.StudyDate == "20210607"),
        "what nobody has": (dict(PatientID="NOBODY"), lambda ds: False),
    }
    for name, (keys, holds) in cases.items():
        keys = {"PatientID": "STR-*-1", **keys}
        check.equal(f"study root, STUDY: {name}", by(**keys), those(holds))
    [row] = find(association, STUDY_FIND, "STUDY", StudyInstanceUID=first.study, ModalitiesInStudy="", NumberOfStudyRelatedSeries="", NumberOfStudyRelatedInstances="")
    of_first = [m for m in instances if m.study == first.study]
    counts = (sorted(row.ModalitiesInStudy), int(row.NumberOfStudyRelatedSeries), int(row.NumberOfStudyRelatedInstances))
    check.equal("STUDY: modalities, numbers of series and instances", counts, (["CT", "OT"], 2, len(of_first)))
    rows = find(association, STUDY_FIND, "SERIES", StudyInstanceUID=first.study, SeriesInstanceUID="", Modality="", SeriesNumber="")
    check.equal("SERIES: of one study", sorted((row.SeriesInstanceUID, row.Modality) for row in rows), sorted({(m.series, m.ds.Modality) for m in of_first}))
    rows = find(association, STUDY_FIND, "SERIES", StudyInstanceUID=first.study, SeriesInstanceUID="", Modality="CT")
    check.equal("SERIES: by modality", [row.SeriesInstanceUID for row in rows], [first.series])
    rows = find(association, STUDY_FIND, "IMAGE", StudyInstanceUID=first.study, SeriesInstanceUID=first.series, SOPInstanceUID="", InstanceNumber="")
    expected = sorted((m.uid, int(m.ds.InstanceNumber)) for m in of_first if m.series == first.series)
    check.equal("IMAGE: of one series", sorted((row.SOPInstanceUID, int(row.InstanceNumber)) for row in rows), expected)
    rows = find(association, STUDY_FIND, "IMAGE", StudyInstanceUID=first.study, SeriesInstanceUID=first.series, SOPInstanceUID=first.uid)
    check.equal("IMAGE: by its UID", [row.SOPInstanceUID for row in rows], [first.uid])
    association.release()


def find_with_dcmtk(server, instances):
    found = dcmtk("findscu", server, "-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "PatientName=Doe*", "-k", "StudyInstanceUID", "-k", "StudyDate=20200101-20201231")
    check("findscu: wildcard and range", found.returncode == 0 and f"[{instances[0].study}" in found.stdout + found.stderr, (found.stdout + found.stderr)[-500:])
    found = dcmtk("findscu", server, "-P", "-k", "QueryRetrieveLevel=PATIENT", "-k", "PatientID=STR-2-1", "-k", "PatientName")
    check("findscu: patient root", found.returncode == 0 and "Doering" in found.stdout + found.stderr, (found.stdout + found.stderr)[-500:])


def find_fuzzily(server, _instances):
    """Extended negotiation asks for fuzzy names (PS3.4 C.5.1.1: third byte)."""
    item = SOPClassExtendedNegotiation(); item.sop_class_uid = STUDY_FIND; item.service_class_application_information = b"\x00\x00\x01"
    association = associate(server, [(STUDY_FIND, [ExplicitVRLittleEndian])], negotiation=[item])
    rows = find(association, STUDY_FIND, "STUDY", PatientName="jane do", StudyInstanceUID="", PatientID="STR-*-1")
    check.equal("fuzzy names: parts in any order, cut short, in any case", sorted(row.PatientID for row in rows), ["STR-1-1"] * 2)
    association.release()


def get(server, instances):
    came = {}

    def keep(event):
        came[event.request.AffectedSOPInstanceUID] = (event.context.transfer_syntax, event.request.DataSet.getvalue())
        return 0

    contexts = storage_contexts(instances)
    roles = [build_role(abstract, scp_role=True) for abstract in sorted({abstract for abstract, _ in contexts})]
    association = associate(server, [(STUDY_GET, [ExplicitVRLittleEndian]), (PATIENT_GET, [ExplicitVRLittleEndian]),
                                     *((abstract, [syntax]) for abstract, syntax in contexts)], roles, [(evt.EVT_C_STORE, keep)])
    for study in sorted({m.study for m in instances}):
        check.equal("C-GET of a study ends well", retrieve(association, association.send_c_get, STUDY_GET, "STUDY", StudyInstanceUID=study), 0)
    came_identical("C-GET", instances, came)
    came.clear()
    status = retrieve(association, association.send_c_get, PATIENT_GET, "PATIENT", PatientID=instances[-1].ds.PatientID)
    check("C-GET of a patient", status == 0 and set(came) == {m.uid for m in instances if m.ds.PatientID == instances[-1].ds.PatientID}, f"{status:04X}")
    came.clear()
    one = instances[0]
    status = retrieve(association, association.send_c_get, STUDY_GET, "IMAGE", StudyInstanceUID=one.study, SeriesInstanceUID=one.series, SOPInstanceUID=one.uid)
    check("C-GET of an instance", status == 0 and list(came) == [one.uid], f"{status:04X}")
    association.release()


def retrieve(_association, send, model, level, *more, **keys):
    query = Dataset(); query.QueryRetrieveLevel = level
    for keyword, value in keys.items():
        setattr(query, keyword, value)
    return [status.Status for status, _ in send(query, *more, model)][-1]


def get_with_dcmtk(server, instances, work):
    """getscu takes uncompressed instances unless told otherwise: the last study is one."""
    folder = work / "getscu"; folder.mkdir()
    last = instances[-1]
    got = dcmtk("getscu", server, "-S", "-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={last.study}", "-od", folder)
    files = [pydicom.dcmread(path) for path in folder.iterdir()]
    same = len(files) == 1 and files[0].SOPInstanceUID == last.uid and np.array_equal(files[0].pixel_array, last.pixels)
    check("getscu gets a study", got.returncode == 0 and same, got.stderr[-300:])


def move(server, instances, receiver):
    receiver.came.clear()
    association = associate(server, [(STUDY_MOVE, [ExplicitVRLittleEndian]), (PATIENT_MOVE, [ExplicitVRLittleEndian])])
    for study in sorted({m.study for m in instances}):
        status = retrieve(association, association.send_c_move, STUDY_MOVE, "STUDY", receiver.title, StudyInstanceUID=study)
        check.equal("C-MOVE of a study ends well", status, 0)
    came_identical("C-MOVE", instances, receiver.came)
    receiver.came.clear()
    status = retrieve(association, association.send_c_move, PATIENT_MOVE, "PATIENT", receiver.title, PatientID=instances[-1].ds.PatientID)
    check("C-MOVE of a patient", status == 0 and instances[-1].uid in receiver.came, f"{status:04X}")
    status = retrieve(association, association.send_c_move, STUDY_MOVE, "STUDY", "NOBODY", StudyInstanceUID=instances[0].study)
    check("C-MOVE to a title that is not known fails", status == 0xA801 or status >= 0xC000 or status == 0x0110, f"{status:04X}")
    association.release()


def move_with_dcmtk(server, instances, work, port):
    """movescu asks, storescp receives, both in the transfer syntaxes that storescp prefers."""
    folder = work / "storescp"; folder.mkdir()
    scp = subprocess.Popen(["/usr/bin/storescp", "-aet", "STORESCP", "-od", str(folder), "+xa", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        if not until(lambda: listens(port)):
            raise RuntimeError(f"nobody listens on port {port}")
        lossless = [m for m in instances if m.study == instances[0].study]
        moved = dcmtk("movescu", server, "-S", "-aem", "STORESCP", "-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={instances[0].study}")
        files = {ds.SOPInstanceUID: ds for ds in map(pydicom.dcmread, folder.iterdir())}
        check("movescu moves a study to storescp", moved.returncode == 0 and set(files) == {m.uid for m in lossless}, moved.stderr[-300:] or f"{len(files)} came")
        for m in lossless:
            check(f"movescu: {m.key} has the pixels that were sent", m.uid in files and np.array_equal(files[m.uid].pixel_array, m.pixels))
    finally:
        scp.terminate(); scp.wait()


def commit(server, instances, receiver):
    """N-ACTION; the N-EVENT-REPORT comes on the same association or on another (PS3.4 J.3.3)."""
    association = associate(server, [(COMMITMENT, [ExplicitVRLittleEndian])], title=receiver.title, handlers=[(evt.EVT_N_EVENT_REPORT, receiver.report)])
    missing = generate_uid()
    for name, extra, expected in (("all of them", [], 1), ("one that is not there", [missing], 2)):
        request = Dataset(); request.TransactionUID = generate_uid()
        references = [(m.ds.SOPClassUID, m.uid) for m in instances] + [(instances[0].ds.SOPClassUID, uid) for uid in extra]
        request.ReferencedSOPSequence = [reference(*pair) for pair in references]
        status, _ = association.send_n_action(request, 1, COMMITMENT, COMMITMENT_INSTANCE)
        check.equal(f"commitment of {name} is taken", status.Status, 0)
        came = receiver.wait_for_report()
        if not check(f"commitment of {name} is reported", came is not None):
            continue
        kind, report = came
        committed = sorted(item.ReferencedSOPInstanceUID for item in report.get("ReferencedSOPSequence", []))
        failed = [item.ReferencedSOPInstanceUID for item in report.get("FailedSOPSequence", [])]
        seen = (kind, report.TransactionUID, committed, failed)
        check.equal(f"commitment of {name} says which", seen, (expected, request.TransactionUID, sorted(m.uid for m in instances), extra))
    association.release()


def reference(sop_class, uid):
    item = Dataset(); item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, uid
    return item


def main():
    a = ap.parse_args()
    work = pathlib.Path(tempfile.mkdtemp(prefix="arno-dimse-"))
    first, second = made.make(work / "dcmtk", 1), made.make(work / "pynetdicom", 2)
    receiver, storescp = Receiver("RECEIVER", first + second), free_port()
    destinations = [("RECEIVER", receiver.port), ("STORESCP", storescp)]
    start = (lambda name, options=(), settings=None: Orthanc(work / name, destinations, settings)) if a.target == "orthanc" else (
        lambda name, options=(), settings=None: Arno(a.node, work / name, destinations, options))
    with start("server") as server:
        check.group(echo, server)
        check.group(store, server, first, second)
        check.group(find_with_pynetdicom, server, first)
        check.group(find_with_dcmtk, server, first)
        if a.target == "orthanc":
            check.not_asked("find fuzzily", "Orthanc does not negotiate it")
        else:
            check.group(find_fuzzily, server, first)
        check.group(get, server, first + second)
        check.group(get_with_dcmtk, server, first, work)
        check.group(move, server, first + second, receiver)
        check.group(move_with_dcmtk, server, first, work, storescp)
        check.group(commit, server, first, receiver)
    check.group(check_tls, check, start, work, a.target)
    receiver.server.shutdown()
    shutil.rmtree(work)
    check.done()


if __name__ == "__main__":
    main()
