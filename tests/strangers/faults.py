#!/usr/bin/env python3
"""A node whose disk fails: fsync that gives EIO, a disk that is full, a pack that lost its end. Nothing that was acknowledged is lost, nobody
is told of success that was none, and the node goes on by itself.

usage: faults.py --node target/release/arno-node [--seed N]

Needs strace for the failing disk, root for the full one (a tmpfs), and PyPI's numpy, pydicom, pynetdicom and requests. What cannot be
tried is said.
"""
import argparse, collections, os, pathlib, random, re, shutil, subprocess, sys, tempfile, uuid

import numpy as np
import pydicom
import requests
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid
from pynetdicom import AE

from checks import Checks
from parking import parked
from servers import Arno
from waiting import PATIENCE_S, until

ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("--node", required=True); ap.add_argument("--seed", type=int, default=20261126)
a = ap.parse_args()
rnd, rng, check = random.Random(a.seed), np.random.default_rng(a.seed), Checks()
work = pathlib.Path(tempfile.mkdtemp(prefix="arno-faults-"))
print(f"seed {a.seed}", flush=True)
SUCCESS, OUT_OF_RESOURCES = 0x0000, 0xA700
# Instances and batches that are enough to fill the small disk, whatever the node compresses and clears away meanwhile.
MANY_INSTANCES, MANY_BATCHES = 1000, 10


def made(series, number, side=128):
    ds = Dataset()
    ds.file_meta = FileMetaDataset(); ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, generate_uid(entropy_srcs=[f"{a.seed} {series} {number}"])
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    ds.StudyInstanceUID, ds.SeriesInstanceUID = generate_uid(entropy_srcs=[f"{a.seed} study"]), generate_uid(entropy_srcs=[f"{a.seed} {series}"])
    ds.PatientID, ds.PatientName, ds.Modality = "FAULT", "Invented^Person", "CT"
    ds.StudyDate, ds.StudyTime, ds.AccessionNumber, ds.StudyID = "20200102", "101112", "A1", "1"
    ds.SeriesNumber, ds.InstanceNumber = series, number
    ds.Rows = ds.Columns = side
    ds.BitsAllocated = ds.BitsStored = 16; ds.HighBit = 15; ds.PixelRepresentation = 0
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.PixelData = rng.integers(0, 4096, (side, side), dtype=np.uint16).tobytes()
    return ds


def c_store(node, sets):
    """The status of each; None where there was no answer."""
    ae = AE(); ae.add_requested_context(CTImageStorage, ExplicitVRLittleEndian)
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = PATIENCE_S
    association = parked(ae.associate("127.0.0.1", node.dimse, ae_title=node.aet))
    if not association.is_established:
        return [None] * len(sets)
    found = []
    for ds in sets:
        found.append(association.send_c_store(ds).get("Status") if association.is_established else None)
    association.release()
    return found


def stow(node, sets):
    """The status of the answer, and the UIDs that it calls stored."""
    from io import BytesIO
    boundary, body = uuid.UUID(int=rnd.getrandbits(128)).hex, b""
    for ds in sets:
        file = BytesIO(); ds.save_as(file, enforce_file_format=True)
        body += b"--" + boundary.encode() + b"\r\nContent-Type: application/dicom\r\n\r\n" + file.getvalue() + b"\r\n"
    answer = requests.post(node.url + "/studies", data=body + b"--" + boundary.encode() + b"--\r\n", timeout=PATIENCE_S, headers={
        "Content-Type": f'multipart/related; type="application/dicom"; boundary={boundary}', "Accept": "application/dicom+json"})
    try:
        said = answer.json()
    except ValueError:
        said = {}
    return answer.status_code, [row["00081155"]["Value"][0] for row in said.get("00081199", {}).get("Value", [])] if isinstance(said, dict) else []


def kept(node):
    answer = requests.get(node.url + "/instances?limit=1000", timeout=PATIENCE_S)
    return {row["00080018"]["Value"][0] for row in (answer.json() if answer.status_code == 200 and answer.content else [])}


def comes_to_hold(node, uids):
    return until(lambda: uids <= kept(node), pause=0.2)


def whole_in_quarantine(node, sets):
    """UIDs of the instances whose data set, as it was sent, lies there."""
    pixels = {ds.SOPInstanceUID: ds.PixelData for ds in sets}
    copies = [pydicom.dcmread(path) for path in (node.folder / "data" / "quarantine").glob("*") if path.suffix != ".part"]
    return {copy.SOPInstanceUID for copy in copies if copy.PixelData == pixels[copy.SOPInstanceUID]}


def journal(node):
    return [p for p in (node.folder / "data" / "spool").glob("*.journal")]


def verified(node):
    """After the node has stopped: every row's bytes are whole."""
    node.stop()
    return subprocess.run([a.node, "verify", "--data", str(node.folder / "data"), "--json"], capture_output=True, text=True)


class Failing:
    """Calls that make bytes durable fail with EIO, those that `when` says, while it is used."""

    def __init__(self, node, when):
        self.pid = node.pid
        self.program = ["strace", "-f", "-qq", "-o", str(work / f"strace-{when.replace('+', '-')}.log"), "-p", str(node.pid),
                        "-e", "trace=fsync,fdatasync", "-e", f"inject=fsync,fdatasync:error=EIO:when={when}"]

    def __enter__(self):
        if not until(self.takes_all_threads):
            raise RuntimeError("strace does not come to hold all threads of the node")
        return self

    def takes_all_threads(self):
        """It misses a thread that another one starts while it takes hold of them: then it begins anew."""
        self.process = subprocess.Popen(self.program, stderr=subprocess.PIPE, text=True)
        until(lambda: self.process.poll() is not None or self.has_all_threads(), patience=10)
        if self.process.poll() is not None:
            raise RuntimeError(f"strace: {self.process.stderr.read()}")
        if self.has_all_threads():
            return True
        self.__exit__()
        return False

    def has_all_threads(self):
        try:
            status = [(task / "status").read_text() for task in pathlib.Path(f"/proc/{self.pid}/task").iterdir()]
        except FileNotFoundError:
            return False  # One ended just now.
        return all(f"TracerPid:\t{self.process.pid}\n" in text for text in status)

    def __exit__(self, *_):
        self.process.terminate(); self.process.wait(); self.process.stderr.close()


def a_disk_that_never_syncs(node):
    before, during, later = ([made(series, n) for n in range(1, 13)] for series in (1, 2, 3))
    check.equal("before: acknowledged", c_store(node, before), [SUCCESS] * len(before))
    check("before: taken in", comes_to_hold(node, {ds.SOPInstanceUID for ds in before}))
    with Failing(node, "1+"):
        statuses = c_store(node, during)
        check("C-STORE is out of resources", all(status in (OUT_OF_RESOURCES, None) for status in statuses), statuses)
        status, stored = stow(node, later)
        check("STOW stores nothing and says so", status >= 400 and not stored, (status, len(stored)))
        check("what was there can be read", kept(node) >= {ds.SOPInstanceUID for ds in before})
    check("C-STORE is acknowledged again", until(lambda: c_store(node, during) == [SUCCESS] * len(during), pause=0.5))
    check("STOW stores again", until(lambda: stow(node, later)[0] == 200, pause=0.5))
    check("all of it is there", comes_to_hold(node, {ds.SOPInstanceUID for ds in before + during + later}))
    found = verified(node)
    check("verify finds nothing", found.returncode == 0, found.stdout + found.stderr)


def a_disk_that_fails_now_and_then(node):
    """One call in seven. Senders go on with what was not acknowledged; what was acknowledged is counted on."""
    sets = [made(10 + n % 5, n) for n in range(120)]
    acknowledged, refused = set(), 0
    with Failing(node, "3+7"):
        for start in range(0, len(sets), 10):
            some = sets[start:start + 10]
            if start % 20:
                status, stored = stow(node, some)
                acknowledged |= set(stored); refused += status != 200
            else:
                statuses = c_store(node, some)
                acknowledged |= {ds.SOPInstanceUID for ds, status in zip(some, statuses) if status == SUCCESS}
                refused += sum(status != SUCCESS for status in statuses)
    check("some were refused, some acknowledged", refused and acknowledged, (refused, len(acknowledged)))
    # An instance that failed three times with others and once alone waits in quarantine for another try (decision 0014).
    is_somewhere = until(lambda: acknowledged <= kept(node) | whole_in_quarantine(node, sets), pause=0.2)
    check(f"the {len(acknowledged)} that were acknowledged are there or whole in quarantine", is_somewhere, len(acknowledged - kept(node)))
    present = kept(node)
    left = [ds for ds in sets if ds.SOPInstanceUID not in present]
    check("the others are taken when they come again", until(lambda: c_store(node, left) == [SUCCESS] * len(left), pause=0.5))
    check("all of it is there", comes_to_hold(node, {ds.SOPInstanceUID for ds in sets}))
    found = verified(node)
    check("verify finds nothing", found.returncode == 0, found.stdout + found.stderr)


def a_full_disk(node):
    ballast = node.folder / "ballast"
    free = shutil.disk_usage(node.folder).free
    ballast.write_bytes(b"\0" * max(0, free - (6 << 20)))
    acknowledged, statuses, sent = set(), [], []
    while len(sent) < MANY_INSTANCES and statuses[-3:] != [OUT_OF_RESOURCES] * 3:
        sent.append(made(20, len(sent) + 1, 256))
        statuses += c_store(node, sent[-1:])
        if statuses[-1] == SUCCESS:
            acknowledged.add(sent[-1].SOPInstanceUID)
    check("C-STORE is acknowledged, then out of resources", acknowledged and statuses[-1] == OUT_OF_RESOURCES and set(statuses) == {SUCCESS, OUT_OF_RESOURCES}, statuses)
    # A node that clears away what it took in meanwhile has room for a batch or two more.
    for number in range(MANY_BATCHES):
        others = [made(21 + number, n, 256) for n in range(1, 11)]
        status, stored = stow(node, others)
        acknowledged |= set(stored)
        if status != 200:
            break
    check("STOW is told of it", status == 503 and not stored, (status, len(stored)))
    ballast.unlink()
    check("what was acknowledged is taken in once there is room", comes_to_hold(node, acknowledged), f"{len(acknowledged - kept(node))} of {len(acknowledged)} missing")
    check("C-STORE is acknowledged again", until(lambda: c_store(node, sent[-3:]) == [SUCCESS] * 3, pause=0.5))
    check("STOW stores again", until(lambda: stow(node, others)[0] == 200, pause=0.5))
    until(lambda: not journal(node))
    check("the journal is empty", not journal(node), journal(node))
    found = verified(node)
    check("verify finds nothing", found.returncode == 0, found.stdout + found.stderr)


def a_pack_that_lost_its_end(node):
    broken, whole = ([made(series, n) for n in range(1, 5)] for series in (30, 31))
    check.equal("before: acknowledged", c_store(node, broken[:2]), [SUCCESS] * 2)
    check("before: taken in", comes_to_hold(node, {ds.SOPInstanceUID for ds in broken[:2]}))
    until(lambda: not journal(node))
    pack, = (node.folder / "data" / "packs").rglob(f"{broken[0].SeriesInstanceUID}.pack")
    os.truncate(pack, pack.stat().st_size - 1)
    check.equal("more of that series and of another is acknowledged", c_store(node, [broken[2], whole[0], broken[3], whole[1]]), [SUCCESS] * 4)
    check("the other is taken in", comes_to_hold(node, {ds.SOPInstanceUID for ds in whole[:2]}))
    check("C-STORE goes on", c_store(node, whole[2:]) == [SUCCESS] * 2 and comes_to_hold(node, {ds.SOPInstanceUID for ds in whole}))
    until(lambda: not journal(node))
    copies = [p for p in (node.folder / "data" / "quarantine").iterdir()]
    check.equal("quarantine holds a copy of each of the two", len(copies), 2)
    log = node.log.read_text(errors="replace")
    check("the log names no patient", not re.search("Invented|FAULT", log))


def on_a_node(what, folder=None):
    with Arno(a.node, (folder or work) / what.__name__) as node:
        check.group(what, node)


if shutil.which("strace") and subprocess.run(["strace", "-qq", "-e", "trace=none", "true"], capture_output=True).returncode == 0:
    on_a_node(a_disk_that_never_syncs)
    on_a_node(a_disk_that_fails_now_and_then)
else:
    check.not_asked("a disk that fails", "strace is not there or may trace nothing")
small = work / "small"; small.mkdir()
if os.geteuid() == 0 and subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", small], capture_output=True).returncode == 0:
    try:
        on_a_node(a_full_disk, small)
    finally:
        subprocess.run(["umount", "-l", small])
else:
    check.not_asked("a full disk", "only root can mount a small one")
on_a_node(a_pack_that_lost_its_end)
if check.failed:
    print(f"left for a look: {work}")
else:
    shutil.rmtree(work)
check.done()
