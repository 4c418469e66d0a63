#!/usr/bin/env python3
"""dicomweb-client as a stranger: it stores, finds, fetches and deletes over DICOMweb.

    tests/strangers/dicomweb.py --node target/release/arno-node

Needs Debian's dcmtk (it encodes what is sent) and the packages of requirements.txt.
"""
import argparse, io, pathlib, shutil, tempfile

import numpy as np
import pydicom
import requests
from dicomweb_client.api import DICOMwebClient
from pydicom.uid import ExplicitVRLittleEndian

import made
from checks import Checks
from servers import Arno

ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("--node", required=True)
a = ap.parse_args()
check = Checks()
work = pathlib.Path(tempfile.mkdtemp(prefix="arno-dicomweb-"))


def store(client, sent):
    answer = client.store_instances([m.ds for m in sent])
    check.equal("STOW-RS: every instance is in the answer", len(answer.ReferencedSOPSequence), len(sent))
    check("STOW-RS: none failed", not getattr(answer, "FailedSOPSequence", []))
    again = client.store_instances([sent[0].ds])
    check.equal("STOW-RS: the same again is accepted", len(again.ReferencedSOPSequence), 1)


def wrong_stores(server):
    url, kind = server.url + "/studies", 'multipart/related; type="application/dicom"; boundary=B'
    body = b"--B\r\nContent-Type: application/dicom\r\n\r\nno DICOM at all\r\n--B--\r\n"
    r = requests.post(url, data=body, headers={"Content-Type": kind, "Accept": "application/dicom+json"})
    check.equal("STOW-RS: what is no DICOM is refused with 409", r.status_code, 409)
    check("STOW-RS: and said to have failed (Other Failures Sequence)", "0008119A" in (r.json() if r.content else {}), r.text[:200])
    r = requests.post(url, data=b"{}", headers={"Content-Type": "text/plain"})
    check.equal("STOW-RS: another media type is 415", r.status_code, 415)
    r = requests.post(url, data=b"--B\r\nContent-Type: application/dicom\r\n\r\ncut off", headers={"Content-Type": kind})
    check("STOW-RS: a body that is cut off is refused", 400 <= r.status_code < 500, r.status_code)


def uids(rows, tag):
    return sorted(row[tag]["Value"][0] for row in rows)


def find(client, server, sent):
    studies = sorted({m.study for m in sent})
    check.equal("QIDO-RS: all studies", uids(client.search_for_studies(), "0020000D"), studies)
    first = sent[0]
    one = client.search_for_studies(search_filters={"StudyInstanceUID": first.study})
    check.equal("QIDO-RS: a study by its UID", uids(one, "0020000D"), [first.study])
    row = one[0]
    check.equal("QIDO-RS: its number of instances", row["00201208"]["Value"][0], sum(m.study == first.study for m in sent))
    check("QIDO-RS: its modalities", set(row["00080061"]["Value"]) == {m.ds.Modality for m in sent if m.study == first.study}, row.get("00080061"))
    for name, filters, wanted in [
            ("a wildcard in a name", {"PatientName": "Doe*"}, lambda m: str(m.ds.PatientName).startswith("Doe")),
            ("a name in another case", {"PatientName": "doe^jane"}, lambda m: str(m.ds.PatientName) == "Doe^Jane"),
            ("a patient", {"PatientID": "STR-2"}, lambda m: m.ds.PatientID == "STR-2"),
            ("a range of dates", {"StudyDate": "20200101-20201231"}, lambda m: "20200101" <= m.ds.StudyDate <= "20201231"),
            ("an open range of dates", {"StudyDate": "-20200101"}, lambda m: m.ds.StudyDate <= "20200101"),
            ("a modality", {"ModalitiesInStudy": "CT"}, lambda m: m.ds.Modality == "CT"),
            ("two keys at once", {"PatientID": "STR-1", "StudyDate": "20210607"}, lambda m: m.ds.PatientID == "STR-1" and m.ds.StudyDate == "20210607"),
            ("what is not there", {"PatientID": "nobody"}, lambda m: False)]:
        rows = client.search_for_studies(search_filters=filters)
        check.equal(f"QIDO-RS: {name}", uids(rows, "0020000D"), sorted({m.study for m in sent if wanted(m)}))
    rows = client.search_for_studies(search_filters={"PatientName": "jo"}, fuzzymatching=True)
    check.equal("QIDO-RS: fuzzily, the beginning of a word", uids(rows, "0020000D"), sorted({m.study for m in sent if "Jörg" in str(m.ds.PatientName)}))
    series = client.search_for_series(first.study)
    check.equal("QIDO-RS: series of a study", uids(series, "0020000E"), sorted({m.series for m in sent if m.study == first.study}))
    instances = client.search_for_instances(first.study, first.series)
    check.equal("QIDO-RS: instances of a series", uids(instances, "00080018"), sorted(m.uid for m in sent if m.series == first.series))
    check.equal("QIDO-RS: all instances", uids(client.search_for_instances(), "00080018"), sorted(m.uid for m in sent))
    pages = [uids(client.search_for_instances(limit=5, offset=at), "00080018") for at in range(0, len(sent) + 5, 5)]
    check.equal("QIDO-RS: pages fit together", sorted(sum(pages, [])), sorted(m.uid for m in sent))
    rows = client.search_for_instances(search_filters={"SOPInstanceUID": first.uid}, fields=["WindowCenter", "PatientBirthDate"])
    check("QIDO-RS: includefield", "00100030" in rows[0], sorted(rows[0]))
    r = requests.get(server.url + "/studies?PatientNme=x")
    check.equal("QIDO-RS: an unknown key is refused", r.status_code, 400)
    check("QIDO-RS: and named", "PatientNme" in r.text, r.text[:200])


def fetch(client, sent):
    for m in sent:
        got = client.retrieve_instance(m.study, m.series, m.uid, media_types=(("application/dicom", "*"),))
        plain = m.syntax if m.key != "deflated" else ExplicitVRLittleEndian
        check.equal(f"WADO-RS: {m.key} comes in its transfer syntax", got.file_meta.TransferSyntaxUID, plain)
        check(f"WADO-RS: {m.key} has the pixel bytes that were sent", got.PixelData == m.ds.PixelData)
    first = sent[0]
    whole = client.retrieve_study(first.study, media_types=(("application/dicom", "*"),))
    check.equal("WADO-RS: a whole study", sorted(d.SOPInstanceUID for d in whole), sorted(m.uid for m in sent if m.study == first.study))
    whole = client.retrieve_series(first.study, first.series, media_types=(("application/dicom", "*"),))
    check.equal("WADO-RS: a whole series", sorted(d.SOPInstanceUID for d in whole), sorted(m.uid for m in sent if m.series == first.series))


def transcoded(client, sent):
    """Pixel for pixel against pydicom."""
    for m in sent:
        try:
            wanted = m.pixels
        except Exception as error:
            check.not_asked(f"WADO-RS: {m.key} in explicit little endian", error)
            continue
        got = client.retrieve_instance(m.study, m.series, m.uid, media_types=(("application/dicom", ExplicitVRLittleEndian),))
        check.equal(f"WADO-RS: {m.key} in explicit little endian", got.file_meta.TransferSyntaxUID, ExplicitVRLittleEndian)
        difference = int(np.abs(got.pixel_array.astype(int) - wanted.astype(int)).max())
        most = 0 if m.key in LOSSLESS else 5
        check(f"WADO-RS: {m.key} pixel for pixel", difference <= most, f"differs by {difference}")


LOSSLESS = {"implicit", "explicit", "big", "deflated", "rle", "rle-colour", "jpeg-lossless", "jpeg-lossless-sv1", "jpeg-ls", "j2k-lossless", "frames"}


def metadata(client, server, sent):
    for m in sent:
        [got] = [client.retrieve_instance_metadata(m.study, m.series, m.uid)]
        check.equal(f"metadata: {m.key} names itself", got["00080018"]["Value"][0], m.uid)
        check.equal(f"metadata: {m.key} has rows", got["00280010"]["Value"][0], m.ds.Rows)
    m = sent[1]
    check.equal("metadata: of a study", len(client.retrieve_study_metadata(m.study)), sum(o.study == m.study for o in sent))
    check.equal("metadata: of a series", len(client.retrieve_series_metadata(m.study, m.series)), sum(o.series == m.series for o in sent))
    uri = client.retrieve_instance_metadata(m.study, m.series, m.uid)["7FE00010"]["BulkDataURI"]
    # The client's Host header lacks the port, so the address that the server makes of it does too.
    [bulk] = client.retrieve_bulkdata(server.url + uri.split("/dicom-web", 1)[1])
    check("bulk data: the pixels by their URI", bulk == m.ds.PixelData, len(bulk))


def frames(client, sent):
    many = next(m for m in sent if m.key == "frames")
    got = client.retrieve_instance_frames(many.study, many.series, many.uid, [1, 3])
    size = many.ds.Rows * many.ds.Columns * 2
    check("frames: the first and the third", got == [many.ds.PixelData[:size], many.ds.PixelData[2 * size:3 * size]])
    coded = next(m for m in sent if m.key == "j2k-lossless")
    [got] = client.retrieve_instance_frames(coded.study, coded.series, coded.uid, [1], media_types=(("image/jp2", coded.syntax),))
    check("frames: as it was sent", got.rstrip(b"\0") in coded.ds.PixelData and len(got) > 50, len(got))
    plain = (("application/octet-stream", str(ExplicitVRLittleEndian)),)
    [got] = client.retrieve_instance_frames(coded.study, coded.series, coded.uid, [1], media_types=plain)
    check("frames: decoded", got == coded.pixels.tobytes(), len(got))


def rendered(client, server, sent):
    import struct
    m = next(m for m in sent if m.key == "explicit")
    at = f"{server.url}/studies/{m.study}/series/{m.series}/instances/{m.uid}"
    png = client.retrieve_instance_rendered(m.study, m.series, m.uid, media_types=("image/png",))
    check.equal("rendered: a PNG of the frame's size", struct.unpack(">II", png[16:24]), (m.ds.Columns, m.ds.Rows))
    jpeg = client.retrieve_instance_rendered(m.study, m.series, m.uid, media_types=("image/jpeg",))
    check("rendered: a JPEG", jpeg[:3] == b"\xff\xd8\xff")
    r = requests.get(at + "/rendered?viewport=32,24&window=40,400,linear", headers={"Accept": "image/png"})
    check("rendered: within a viewport", r.status_code == 200 and struct.unpack(">II", r.content[16:24])[0] <= 32, r.status_code)
    r = requests.get(at + "/thumbnail", headers={"Accept": "image/jpeg"})
    check("thumbnail: a JPEG", r.status_code == 200 and r.content[:2] == b"\xff\xd8", r.status_code)
    r = requests.get(at + "/rendered?window=wide", headers={"Accept": "image/png"})
    check.equal("rendered: a wrong window is refused", r.status_code, 400)


def http(server, sent):
    m = sent[1]
    at = f"{server.url}/studies/{m.study}/series/{m.series}/instances/{m.uid}"
    one = {"Accept": "application/dicom"}
    r = requests.get(at, headers=one)
    check("one part where one is asked for", r.status_code == 200 and r.content[128:132] == b"DICM", r.status_code)
    check("never packed with gzip", "Content-Encoding" not in r.headers, r.headers)
    tag = r.headers.get("ETag", "")
    check.equal("an ETag spares the second time", requests.get(at, headers={**one, "If-None-Match": tag}).status_code, 304)
    part = requests.get(at, headers={**one, "Range": "bytes=128-131"})
    check("a range", part.status_code == 206 and part.content == b"DICM", part.status_code)
    check.equal("what cannot be given is 406", requests.get(at, headers={"Accept": "video/mp4"}).status_code, 406)
    check.equal("what is not there is 404", requests.get(f"{server.url}/studies/1.2.3/metadata").status_code, 404)
    check.equal("a foreign page may not read", requests.get(at, headers={**one, "Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}).status_code, 401)
    check.equal("a foreign name for this machine may not", requests.get(at, headers={**one, "Host": "evil.example"}).status_code, 401)


def delete(client, sent):
    m = sent[0]
    client.delete_instance(m.study, m.series, m.uid)
    left = [row["00080018"]["Value"][0] for row in client.search_for_instances(m.study)]
    check("DELETE: an instance is gone, the others stay", m.uid not in left and len(left) == sum(o.study == m.study for o in sent) - 1, len(left))
    other = sent[-1]
    client.delete_study(other.study)
    check.equal("DELETE: a study is gone", client.search_for_studies(search_filters={"StudyInstanceUID": other.study}), [])
    again = client.store_instances([m.ds])
    check.equal("DELETE: what was deleted may come again", len(again.ReferencedSOPSequence), 1)
    got = client.retrieve_instance(m.study, m.series, m.uid, media_types=(("application/dicom", "*"),))
    check("DELETE: and is whole", got.PixelData == m.ds.PixelData)


sent = made.make(work / "made", 7)
with Arno(a.node, work / "node") as server:
    client = DICOMwebClient(server.url)
    check.group(store, client, sent)
    check.group(wrong_stores, server)
    check.group(find, client, server, sent)
    check.group(fetch, client, sent)
    check.group(transcoded, client, sent)
    check.group(metadata, client, server, sent)
    check.group(frames, client, sent)
    check.group(rendered, client, server, sent)
    check.group(http, server, sent)
    check.group(delete, client, sent)
shutil.rmtree(work, ignore_errors=True)
check.done()
