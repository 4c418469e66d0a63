#!/usr/bin/env python3
"""Files that make a reader take gigabytes or fall over, through every way into a node: folder, C-STORE, STOW-RS. Each is refused or put
into quarantine within 0.5 s of processor time and 64 MB, and the node goes on.

usage: hostile.py --node target/release/arno-node [--files FOLDER]

Three are made here, with lengths that lie and sequences 20,000 deep; those of FOLDER come besides. Memory is the largest the node ever
had (VmHWM), the node itself included. Needs PyPI's pydicom, pynetdicom and requests.
"""
import argparse, io, os, pathlib, shutil, struct, subprocess, sys, tempfile, uuid

import requests
from pynetdicom import AE
from pynetdicom.dimse_primitives import C_STORE

from checks import Checks
from parking import parked
from servers import Arno
from waiting import PATIENCE_S, until

ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("--node", required=True); ap.add_argument("--files", help="a folder of hostile files")
a = ap.parse_args()
check, work = Checks(), pathlib.Path(tempfile.mkdtemp(prefix="arno-hostile-"))
MAX_MB, MAX_S = 64, 0.5
CT, EXPLICIT = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2.1"
# The largest memory of a process counts from its fork on: a small one starts the program.
MEASURE = """
import os, sys
pid = os.spawnv(os.P_NOWAIT, sys.argv[1], sys.argv[1:])
usage = os.wait4(pid, 0)[2]
print(usage.ru_utime + usage.ru_stime, usage.ru_maxrss, file=sys.stderr)
"""
TICKS = os.sysconf("SC_CLK_TCK")


def short(group, element, vr, value):
    value += b" " * (len(value) % 2)
    return struct.pack("<HH2sH", group, element, vr, len(value)) + value


def part10(data_set):
    meta = b"".join(short(2, e, b"UI", v.encode()) for e, v in ((0x02, CT), (0x03, "1.2.3.4"), (0x10, EXPLICIT)))
    return b"\0" * 128 + b"DICM" + struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(meta)) + meta + data_set


def lying(group, element, vr, length, behind):
    return struct.pack("<HH2sHI", group, element, vr, 0, length) + behind


IDENTIFIED = short(0x08, 0x16, b"UI", CT.encode()) + short(0x08, 0x18, b"UI", b"1.2.3.4")
NESTED = (struct.pack("<HH2sHI", 0x40, 0x275, b"SQ", 0, 0xFFFFFFFF) + struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)) * 20_000
files = {
    "made: 20,000 nested sequences": part10(IDENTIFIED + NESTED),
    "made: pixels of 2 GB": part10(IDENTIFIED + lying(0x7FE0, 0x10, b"OW", 0x7FFFFFFE, b"\0" * 100)),
    "made: a private value of 4 GB": part10(IDENTIFIED + short(0x09, 0x10, b"LO", b"AAAA") + lying(0x09, 0x1001, b"OB", 0xFFFFFFFC, b"ab")),
}
if a.files and pathlib.Path(a.files).is_dir():
    files.update({path.name: path.read_bytes() for path in sorted(pathlib.Path(a.files).glob("*.dcm"))})
else:
    print(f"NOT THERE: {a.files}")


def used(pid):
    """Processor seconds so far, and the most memory ever, in MB."""
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    peak = next(line for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return (int(stat[11]) + int(stat[12])) / TICKS, int(peak.split()[1]) / 1024


def within(name, seconds, megabytes):
    check(f"{name}: {seconds:.2f} s, {megabytes:.0f} MB", seconds < MAX_S and megabytes < MAX_MB)


def quarantined(node):
    folder = node.folder / "data" / "quarantine"
    return len([p for p in folder.iterdir() if p.suffix != ".part"]) if folder.is_dir() else 0


def settled(node, before):
    """What was acknowledged has gone on into quarantine."""
    return until(lambda: quarantined(node) > before)


def c_store(node, content):
    ae = AE(); ae.add_requested_context(CT, EXPLICIT); ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = PATIENCE_S
    association = parked(ae.associate("127.0.0.1", node.dimse, ae_title=node.aet))
    request = C_STORE(); request.MessageID, request.Priority = 1, 2
    request.AffectedSOPClassUID, request.AffectedSOPInstanceUID = CT, "1.2.3.4"
    request.DataSet = io.BytesIO(content[144 + int.from_bytes(content[140:144], "little"):])
    # As send_c_store does: the answer is ours, not the reactor's.
    association._reactor_checkpoint.clear()
    association.dimse.send_msg(request, association.accepted_contexts[0].context_id)
    answer = association.dimse.get_msg(block=True)[1]
    association._reactor_checkpoint.set()
    association.release()
    return answer.Status if answer else None


def stow(node, content):
    boundary = uuid.uuid4().hex
    body = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode() + content + f"\r\n--{boundary}--\r\n".encode()
    return requests.post(node.url + "/studies", data=body, timeout=PATIENCE_S, headers={
        "Content-Type": f'multipart/related; type="application/dicom"; boundary={boundary}', "Accept": "application/dicom+json"}).status_code


def through_a_folder(name, content, data):
    folder = work / uuid.uuid4().hex; folder.mkdir(); (folder / "hostile.dcm").write_bytes(content)
    command = [sys.executable, "-I", "-S", "-c", MEASURE, a.node, "ingest", "--data", str(data), str(folder), "--json"]
    measured = subprocess.run(command, capture_output=True, text=True, check=True).stderr.splitlines()[-1].split()
    within(f"folder: {name}", float(measured[0]), int(measured[1]) / 1024)


def through_the_network(name, content, send, way, expected):
    """On a node of its own, so that its memory is this file's doing."""
    with Arno(a.node, work / uuid.uuid4().hex) as node:
        before, count = used(node.pid)[0], quarantined(node)
        status = send(node, content)
        check(f"{way}: {name}: {status}", expected(status, lambda: settled(node, count)), status)
        after, peak = used(node.pid)
        within(f"{way}: {name}", after - before, peak)
        check(f"{way}: {name}: the node goes on", node.answers() and node.listens())


with Arno(a.node, work / "folder") as node:
    for name, content in files.items():
        through_a_folder(name, content, node.folder / "data")
    check("folder: each is in quarantine", quarantined(node) == len(files), quarantined(node))
for name, content in files.items():
    # A C-STORE is acknowledged when it is durable, before anybody reads it; what it is shows in quarantine.
    through_the_network(name, content, c_store, "C-STORE", lambda status, is_settled: status == 0 and is_settled())
    through_the_network(name, content, stow, "STOW", lambda status, _: 400 <= status < 500)
shutil.rmtree(work, ignore_errors=True)
check.done()
