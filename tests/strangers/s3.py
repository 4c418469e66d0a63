#!/usr/bin/env python3
"""arno import against an S3 server that nobody here wrote (moto), holding real or made-up series.

usage: s3.py --arno target/release/arno [--files FOLDER]

Uploads every DICOM file below FOLDER (made-up ones without it) as <series>/<instance>.dcm, imports them by prefix, by manifest and by
table, and checks what came: all of it once, nothing twice, a wrong digest named, a missing object named, a killed import resumed.
Needs PyPI's moto[server], boto3, pydicom and numpy.
"""
import argparse, csv, hashlib, json, os, pathlib, signal, subprocess, sys, tempfile, time

import boto3
import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from servers import free_port, listens
from waiting import until

ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("--arno", required=True)
ap.add_argument("--files", help="a folder of real series; made-up ones without it")
a = ap.parse_args()
passed = failed = 0


def check(name, holds, seen=""):
    global passed, failed
    print("ok    " if holds else "FAILED", name, "" if holds else seen, flush=True)
    passed, failed = passed + bool(holds), failed + (not holds)


def made_up(folder, series=3, slices=12):
    """CT series of noise; the names are invented."""
    rng = np.random.default_rng(1)
    for s in range(series):
        study, uid = generate_uid(entropy_srcs=[f"study {s}"]), generate_uid(entropy_srcs=[f"series {s}"])
        for k in range(slices):
            ds = Dataset()
            ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, generate_uid(entropy_srcs=[f"{s} {k}"])
            ds.StudyInstanceUID, ds.SeriesInstanceUID = study, uid
            ds.PatientID, ds.PatientName, ds.Modality = f"IMPORT{s}", f"Import^{s}", "CT"
            ds.StudyDate, ds.InstanceNumber = "20200102", k + 1
            ds.Rows = ds.Columns = 64
            ds.BitsAllocated = ds.BitsStored = 16; ds.HighBit = 15; ds.PixelRepresentation = 0
            ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
            ds.PixelData = rng.integers(0, 4096, (64, 64), dtype=np.uint16).tobytes()
            ds.file_meta = FileMetaDataset()
            ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
            ds.save_as(folder / f"{s}-{k}.dcm", enforce_file_format=True)


work = pathlib.Path(tempfile.mkdtemp(prefix="arno-s3-"))
source = pathlib.Path(a.files) if a.files else work / "made"
if not a.files:
    source.mkdir()
    made_up(source)

port = free_port()
endpoint = f"http://127.0.0.1:{port}"
server = subprocess.Popen(["moto_server", "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
env = {**os.environ, "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": endpoint, "NO_COLOR": "1"}
arno = os.path.abspath(a.arno)


def run(*args, ok=True):
    r = subprocess.run([arno, *args], env=env, capture_output=True, text=True)
    if ok and r.returncode != 0:
        print(r.stdout, r.stderr)
    return r


def imported(data, what, *more, ok=True):
    r = run("--json", "import", what, "--data", str(data), *more, ok=ok)
    return r, (json.loads(r.stdout) if r.stdout.strip() else {})


def new_node(name):
    data = work / name
    run("node", "init", "--data", str(data), "--name", name, "--city", "Graz", "--country", "AT", "--latitude", "47", "--longitude", "15")
    return data


try:
    if not until(lambda: listens(port) or server.poll() is not None) or server.poll() is not None:
        raise SystemExit("moto_server does not listen")
    s3 = boto3.client("s3", endpoint_url=endpoint, aws_access_key_id="key", aws_secret_access_key="secret", region_name="us-east-1")
    s3.create_bucket(Bucket="archive")
    series, rows = {}, []
    for path in sorted(p for p in source.rglob("*") if p.is_file()):
        try:
            ds = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["SeriesInstanceUID", "SOPInstanceUID"])
            key = f"{ds.SeriesInstanceUID}/{ds.SOPInstanceUID}.dcm"
        except Exception:
            continue
        body = path.read_bytes()
        s3.put_object(Bucket="archive", Key=key, Body=body, ACL="public-read")
        series.setdefault(ds.SeriesInstanceUID, 0)
        series[ds.SeriesInstanceUID] += 1
        rows.append((key, len(body), hashlib.md5(body).hexdigest(), hashlib.sha256(body).hexdigest()))
    total = len(rows)
    print(f"{total} instances of {len(series)} series at the S3 server")

    data = new_node("by-prefix")
    began = time.time()
    r, j = imported(data, "s3://archive/", "--report", str(work / "report.csv"))
    print(f"imported in {time.time() - began:.1f} s: {j}")
    check("a prefix brings all instances", r.returncode == 0 and j.get("objects") == total and j.get("stored") == total, f"{r.returncode} {j} {r.stderr}")
    lines = list(csv.DictReader(open(work / "report.csv")))
    check("the report has a line for each object", len(lines) == total and all(x["outcome"] == "stored" for x in lines))
    verified = json.loads(run("node", "verify", "--data", str(data), "--json").stdout)
    check("what was kept verifies", verified["instances"] == total and verified["damaged"] == 0, verified)
    r, j = imported(data, "s3://archive/")
    check("the same again downloads nothing", r.returncode == 0 and j.get("done_before") == total and j.get("bytes") == 0, j)

    data = new_node("by-manifest")
    manifest = work / "manifest.s5cmd"
    manifest.write_text("# as an archive hands it out\n" + "".join(f"cp s3://archive/{uid}/* .\n" for uid in series))
    r, j = imported(data, str(manifest))
    check("a manifest brings its series", r.returncode == 0 and j.get("stored") == total, f"{j} {r.stderr}")

    data = new_node("by-table")
    table = work / "table.csv"
    with open(table, "w") as f:
        f.write("s3_url,size,md5,sha256\n")
        for i, (key, size, md5, sha) in enumerate(rows):
            wrong = "0" * 64 if i == 0 else sha
            f.write(f"s3://archive/{key},{size},{md5},{wrong}\n")
        f.write(f"s3://archive/absent.dcm,1,,\n")
    r, j = imported(data, str(table), "--report", str(work / "table-report.csv"), ok=False)
    check("a wrong digest and a missing object are named, the rest comes", r.returncode == 1 and j.get("failed") == 2 and j.get("stored") == total - 1, f"{r.returncode} {j}")
    check("both are named", rows[0][0] in r.stderr and "SHA-256" in r.stderr and "absent.dcm" in r.stderr, r.stderr)

    data = new_node("killed")
    child = subprocess.Popen([arno, "--json", "import", "s3://archive/", "--data", str(data), "--concurrency", "2"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    begun = lambda: [path for path in data.glob("imports/*.done") if path.stat().st_size]
    until(lambda: begun() or child.poll() is not None, pause=0)
    child.send_signal(signal.SIGKILL)
    child.wait()
    # A line that the kill cut off does not count.
    before = sum(path.read_text().count("\n") for path in begun())
    r, j = imported(data, "s3://archive/")
    verified = json.loads(run("node", "verify", "--data", str(data), "--json").stdout)
    check("a killed import goes on where it was", r.returncode == 0 and j.get("done_before") >= before and verified["instances"] == total and verified["damaged"] == 0, f"{before} {j} {verified}")
    print(f"      killed after {before} of {total}")

    r, _ = imported(data, "s3://no-such-bucket/", ok=False)
    check("a bucket that is not there is said", r.returncode == 1 and "404" in r.stderr, r.stderr)
    env.pop("AWS_ACCESS_KEY_ID")
    data = new_node("anonymous")
    r, j = imported(data, "s3://archive/")
    check("a public bucket needs no key", r.returncode == 0 and j.get("stored") == total, f"{j} {r.stderr}")
finally:
    server.terminate()
    server.wait()
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed or not passed else 0)
