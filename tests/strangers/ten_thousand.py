#!/usr/bin/env python3
"""10,000 instances into one node by folder, STOW-RS and C-STORE at once, while it is queried, and killed again and again.

usage: ten_thousand.py --node target/release/arno-node [--seed N] [--count 10000] [--kills 12] [--real FOLDER ...]

Real series (--real: folders of DICOM files, or of `.tar.zst` archives of them) come first, the rest is generated from the seed; what
is not there is said. They are mixed and dealt to five senders. Every sender goes on after a kill with what was not acknowledged.
At the end each instance is there once, each that was acknowledged is intact (the data set that comes back has the SHA-256 of the one
that was sent; the pixels, where storescu encoded the rest anew), none was ever served half, and `verify` finds nothing.
Needs dcmtk's storescu, zstd for archives, and PyPI's numpy, pydicom and requests.
"""
import argparse, hashlib, json, os, pathlib, random, shutil, signal, subprocess, sys, tempfile, threading, time, uuid
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pydicom
import requests
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from servers import free_port
from waiting import PATIENCE_S, until

ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("--node", required=True); ap.add_argument("--seed", type=int, default=20261124)
ap.add_argument("--count", type=int, default=10_000); ap.add_argument("--kills", type=int, default=12)
ap.add_argument("--real", nargs="*", default=[], help="folders of real series")
a = ap.parse_args()
rnd, rng = random.Random(a.seed), np.random.default_rng(a.seed)
work = pathlib.Path(tempfile.mkdtemp(prefix="arno-10k-"))
passed = failed = 0
AS_IT_IS = "application/dicom; transfer-syntax=*"
# At least one answer to those who ask for so many instances that are sent.
ACKNOWLEDGED_PER_ANSWER = 5
GIVE_UP_S = max(600, a.count // 4)
print(f"seed {a.seed}, {a.count} instances, {a.kills} kills", flush=True)


def check(name, holds, seen=""):
    global passed, failed
    print("ok    " if holds else "FAILED", name, "" if holds else seen, flush=True)
    passed, failed = passed + bool(holds), failed + (not holds)


def uid(*parts):
    """A UID that the seed gives, under 2.25 (PS3.5 annex B.2)."""
    return "2.25." + str(int.from_bytes(hashlib.sha256(repr((a.seed, parts)).encode()).digest()[:16], "big"))


def generated(folder, count, per_series=100):
    """CT series of noise over a ramp, of invented people; their sizes differ."""
    paths = []
    for k in range(count):
        s, slice_ = divmod(k, per_series)
        ds = Dataset()
        ds.file_meta = FileMetaDataset(); ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, uid("i", k)
        ds.StudyInstanceUID, ds.SeriesInstanceUID = uid("study", s), uid("series", s)
        ds.PatientID, ds.PatientName, ds.Modality = f"GEN{s:04}", f"Generated^{s}", "CT"
        ds.StudyDate, ds.StudyTime, ds.AccessionNumber, ds.StudyID = "20200102", "101112", f"A{s}", str(s)
        ds.SeriesNumber, ds.InstanceNumber = 1, slice_ + 1
        side = (32, 48, 64, 96)[s % 4]
        ds.Rows = ds.Columns = side
        ds.BitsAllocated = ds.BitsStored = 16; ds.HighBit = 15; ds.PixelRepresentation = 0
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.PixelData = rng.integers(0, 4096, (side, side), dtype=np.uint16).tobytes()
        path = folder / f"{s:04}-{slice_:03}.dcm"
        ds.save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths


def real_files(folder, unpacked):
    """The DICOM files below a folder, and those in its archives."""
    if not folder.is_dir():
        print(f"NOT THERE: {folder}", flush=True)
        return []
    for archive in sorted(folder.rglob("*.tar.zst")):
        into = unpacked / archive.name.removesuffix(".tar.zst"); into.mkdir(parents=True)
        subprocess.run(["tar", "--zstd", "-xf", archive, "-C", into], check=True)
    found = [p for root in (folder, unpacked) if root.is_dir() for p in root.rglob("*")]
    return sorted(p for p in found if p.is_file() and p.open("rb").read(132)[128:] == b"DICM")


def digest_of(pixel_bytes):
    return hashlib.sha256(pixel_bytes).hexdigest()


def data_set(part10):
    """What follows the file meta information, whose length is its first element (PS3.10 section 7.1)."""
    return part10[144 + int.from_bytes(part10[140:144], "little"):]


class Instance:
    def __init__(self, path):
        ds, part10 = pydicom.dcmread(path), path.read_bytes()
        self.path, self.uid, self.series, self.study = path, ds.SOPInstanceUID, ds.SeriesInstanceUID, ds.StudyInstanceUID
        self.data_set = digest_of(data_set(part10))
        self.pixels = digest_of(ds.PixelData) if "PixelData" in ds else None
        self.encoded_anew = False

    def is_in(self, part10):
        """Whether these bytes are this instance, whole."""
        if not self.encoded_anew:
            return digest_of(data_set(part10)) == self.data_set
        return self.pixels is None or digest_of(pixels(part10)) == self.pixels


class Node:
    """The node as a process that is killed and started again on the same ports."""
    def __init__(self):
        self.data, self.http, self.dimse = work / "node", free_port(), free_port()
        self.kills, self.lock, self.process = 0, threading.Lock(), None
        self.url = f"http://127.0.0.1:{self.http}/dicom-web"
        self.log = open(work / "node.log", "ab")

    def start(self):
        self.process = subprocess.Popen([a.node, "serve", "--data", str(self.data), "--http", str(self.http), "--dimse", str(self.dimse),
                                         "--aet", "ARNO", "--recipe", "none"], stdout=self.log, stderr=self.log)
        until(lambda: self.answers() or self.process.poll() is not None)
        if self.process.poll() is not None or not self.answers():
            raise SystemExit(f"the node does not answer, it ended with {self.process.poll()}: see {work}/node.log")

    def answers(self):
        try:
            return requests.get(self.url + "/studies?limit=1", timeout=PATIENCE_S).status_code < 300
        except requests.RequestException:
            return False

    def kill(self):
        with self.lock:
            self.process.send_signal(signal.SIGKILL); self.process.wait()
            self.kills += 1
            self.start()


source = work / "source"; source.mkdir()
real = []
for k, folder in enumerate(a.real):
    real += real_files(pathlib.Path(folder), work / "unpacked" / str(k))
if len(real) > a.count // 2:
    real = sorted(rnd.sample(real, a.count // 2))
paths = real + generated(source, a.count - len(real))
instances, seen = [], set()
for p in paths:
    i = Instance(p)
    if i.uid not in seen:
        seen.add(i.uid); instances.append(i)
total = len(instances)
print(f"{len(real)} real, {total - len(real)} generated", flush=True)
rnd.shuffle(instances)
third = total // 3
by_folder, by_stow, by_cstore = instances[:third], instances[third:2 * third], instances[2 * third:]
for i in by_cstore:
    i.encoded_anew = True
landing = work / "landing"; landing.mkdir()
for k, i in enumerate(by_folder):
    shutil.copyfile(i.path, landing / f"{k:05}.dcm")

acknowledged, ack_lock, done = set(), threading.Lock(), threading.Event()
answers, wrong = [0], []
node = Node(); node.start()
# Senders give up then, and what is missing is a failure: none needs a tenth of that.
threading.Thread(target=lambda: done.wait(GIVE_UP_S) or done.set(), daemon=True).start()


def acknowledge(uids):
    with ack_lock:
        acknowledged.update(uids)


def keep_pace():
    """Senders wait for those who ask: so there are answers meanwhile on any machine."""
    while answers[0] < len(acknowledged) // ACKNOWLEDGED_PER_ANSWER and not done.is_set():
        time.sleep(0.01)


def send_folder():
    """The command beside the running node; what was killed goes on when it is run again."""
    while not done.is_set():
        r = subprocess.run([a.node, "ingest", "--data", str(node.data), str(landing), "--json"], capture_output=True, text=True)
        if r.returncode == 0:
            acknowledge(i.uid for i in by_folder)
            return
        time.sleep(0.1)


def stow(group):
    b = uuid.uuid4().hex
    body = b"".join(b"--" + b.encode() + b"\r\nContent-Type: application/dicom\r\n\r\n" + i.path.read_bytes() + b"\r\n" for i in group)
    body += b"--" + b.encode() + b"--\r\n"
    r = requests.post(node.url + "/studies", data=body, timeout=PATIENCE_S, headers={
        "Content-Type": f'multipart/related; type="application/dicom"; boundary={b}', "Accept": "application/dicom+json"})
    j = r.json() if r.content else {}
    return [x["00081155"]["Value"][0] for x in j.get("00081199", {}).get("Value", [])]


def send_stow(mine):
    left = {i.uid: i for i in mine}
    while left and not done.is_set():
        keep_pace()
        try:
            got = stow(list(left.values())[:20])
        except (requests.RequestException, ValueError):
            time.sleep(0.1)
            continue
        acknowledge(got)
        for u in got:
            left.pop(u, None)


def send_cstore(mine):
    """storescu sends a list; with -v it says which were acknowledged. What was not is sent again."""
    left = {str(i.path): i for i in mine}
    while left and not done.is_set():
        keep_pace()
        some = list(left)[:200]
        r = subprocess.run(["/usr/bin/storescu", "-v", "-R", "-aec", "ARNO", "127.0.0.1", str(node.dimse), *some], capture_output=True, text=True)
        sending = None
        for line in (r.stdout + r.stderr).splitlines():
            if "Sending file: " in line:
                sending = line.split("Sending file: ", 1)[1].strip()
            elif "Received Store Response (Success)" in line and sending in left:
                acknowledge([left.pop(sending).uid]); sending = None
        time.sleep(0.02)


def query():
    """Whatever was acknowledged before a question is in its answer; what is listed can be fetched and is whole."""
    mine = random.Random(a.seed + 1)
    while not done.is_set():
        with ack_lock:
            before = set(u for u in acknowledged)
        try:
            if mine.random() < 0.5 and before:
                u = mine.choice(sorted(before))
                r = requests.get(node.url + f"/instances?SOPInstanceUID={u}", timeout=PATIENCE_S)
                if r.status_code == 200 and len(r.json()) != 1:
                    wait_indexed.append(u)
            else:
                rows = requests.get(node.url + "/instances?limit=5&offset=" + str(mine.randrange(max(1, len(before) or 1))), timeout=PATIENCE_S)
                for row in rows.json() if rows.status_code == 200 and rows.content else []:
                    s, e, u = (row[t]["Value"][0] for t in ("0020000D", "0020000E", "00080018"))
                    r = requests.get(node.url + f"/studies/{s}/series/{e}/instances/{u}", timeout=PATIENCE_S, headers={"Accept": AS_IT_IS})
                    if r.status_code == 200 and not by_uid[u].is_in(r.content):
                        wrong.append(u)
            answers[0] += 1
        except (requests.RequestException, ValueError):
            time.sleep(0.05)


def pixels(part10):
    import io
    return pydicom.dcmread(io.BytesIO(part10)).get("PixelData", b"")


by_uid, wait_indexed = {i.uid: i for i in instances}, []
began = time.time()
with ThreadPoolExecutor(12) as pool:
    half, quarter = len(by_stow) // 2, len(by_cstore) // 2
    senders = [pool.submit(send_folder), pool.submit(send_stow, by_stow[:half]), pool.submit(send_stow, by_stow[half:]),
               pool.submit(send_cstore, by_cstore[:quarter]), pool.submit(send_cstore, by_cstore[quarter:])]
    askers = [pool.submit(query) for _ in range(2)]
    # What the folder holds is acknowledged in one go, perhaps last.
    marks = sorted(rnd.sample(range(total // 20, total * 6 // 10), a.kills))
    try:
        for mark in marks:
            while len(acknowledged) < mark and not all(s.done() for s in senders):
                time.sleep(0.01)
            if all(s.done() for s in senders):
                break
            time.sleep(rnd.random() * 0.1)
            node.kill()
        for s in senders:
            s.result()
    finally:
        done.set()
    for s in askers:
        s.result()
seconds = time.time() - began


def count():
    found, offset = set(), 0
    while True:
        r = requests.get(node.url + f"/instances?limit=1000&offset={offset}", timeout=PATIENCE_S)
        rows = r.json() if r.status_code == 200 and r.content else []
        found.update(x["00080018"]["Value"][0] for x in rows)
        if not rows:
            return found
        offset += len(rows)


until(lambda: len(count()) >= total, pause=0.2)  # what C-STORE acknowledged is durable at once and listed soon after
found = count()
check(f"every one of the {total} instances is listed once", found == set(by_uid), f"{len(found)} listed, {len(set(by_uid) - found)} missing, {len(found - set(by_uid))} strange")
check("all were acknowledged", acknowledged == set(by_uid), f"{len(acknowledged)}")
damaged, session = [], requests.Session()
for i in instances:
    url = node.url + f"/studies/{i.study}/series/{i.series}/instances/{i.uid}"
    r = session.get(url, timeout=PATIENCE_S, headers={"Accept": AS_IT_IS})
    if r.status_code != 200 or not i.is_in(r.content):
        damaged.append(i.path.name)
check("each comes back as it was sent", not damaged, f"{len(damaged)} do not: {damaged[:3]}")
check("no query gave a damaged instance", not wrong, wrong[:3])
node.process.terminate(); node.process.wait()
v = subprocess.run([a.node, "verify", "--data", str(node.data), "--json"], capture_output=True, text=True)
verified = json.loads(v.stdout) if v.stdout else {}
check("verify finds nothing", v.returncode == 0 and verified.get("instances") == total and verified.get("damaged") == 0, f"{v.returncode} {verified} {v.stderr}")
check("it was killed and queried meanwhile", node.kills >= min(a.kills, 3) and answers[0] > min(100, total // 20), f"{node.kills} kills, {answers[0]} answers")
print(f"{total} instances in {seconds:.1f} s, {node.kills} kills, {answers[0]} answers meanwhile, {len(wait_indexed)} asked for before they were listed")
if not failed:
    shutil.rmtree(work)
else:
    print(f"left for a look: {work}")
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed or not passed else 0)
