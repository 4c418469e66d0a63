#!/usr/bin/env python3
"""De-identifies other people's files with `arno deid` and judges the result with programs that nobody here wrote.

    cargo build --release -p arno-cli
    pip install -r tests/strangers/requirements.txt
    tests/strangers/deid.py --arno target/release/arno [--studies 4] [--per-study 10] [--yard FOLDER]

1. The yardstick's CT collection (../shared/yardsticks/dicom/gen.py, or one made before: --yard), judged by its check_deid.py.
2. Every file of pydicom and pydicom-data, and of ../shared/data what is DICOM: each file is accounted for, what is written can be
   read, is marked, holds none of its source's identities in its header, and has no error in dciodvfy that its source has not.
Prints a table of outcomes. What is absent is said; exit code 1 if anything does not hold.
"""
import argparse, collections, json, pathlib, re, subprocess, sys, tempfile, warnings

import pydicom
from pydicom.data import get_testdata_files

from checks import Checks

warnings.filterwarnings("ignore")
ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
YARDSTICKS = SHARED / "yardsticks" / "dicom"
DCIODVFY = pathlib.Path(sys.executable).parent / "dciodvfy"
SETS = ["highdicom_test_files", "dcmqi_test_data", "deid_data_ultrasound", "presidio_pixel_phi", "hostile_dicom"]
# Attributes whose values may not be found in the header of the result; shorter values recur by chance.
IDENTITIES = ["PatientName", "PatientID", "OtherPatientIDs", "AccessionNumber", "PatientBirthDate", "ReferringPhysicianName",
              "PatientAddress", "PatientTelephoneNumbers", "OperatorsName", "PerformingPhysicianName"]
SHORTEST = 5
# Words in name fields that name nobody: they are in UIDs' places, vendors' names and marks too.
NOBODY = {"anonymous", "anonymized", "patient", "removed", "unknown", "phantom", "test", "study", "lestrade", "default", "series"}

check = Checks()
table = []


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--arno", required=True)
    options.add_argument("--studies", default="4")
    options.add_argument("--per-study", default="10")
    options.add_argument("--yard", help="a collection that gen.py made before")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        secret = scratch / "secret"
        check.group(yardstick, given, scratch, secret)
        check.group(corpora, given.arno, scratch, secret)
        check.group(again_and_otherwise, given.arno, scratch, secret)
    print(f"\n{'files of':34} {'all':>5} {'written':>8} {'left out':>9} {'not DICOM':>10} {'same':>5}  why left out")
    for name, report, why in table:
        left, alien, same = (len(report[key]) for key in ("left_out", "not_dicom", "duplicates"))
        total = report["written"] + left + alien + same
        print(f"{name:34} {total:5} {report['written']:8} {left:9} {alien:10} {same:5}  {why}")
    check.done()


def deid(arno, source, result, secret):
    """Runs `arno deid`; gives exit code and report."""
    flag = "--secret" if secret.exists() else "--new-secret"
    command = [arno, "--json", "deid", str(source), str(result), flag, str(secret)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    check(f"{source.name}: it ends with 0 or 4", done.returncode in (0, 4), done.stderr[-300:])
    report = json.loads(done.stdout)
    why = collections.Counter(file["code"] for file in report["left_out"])
    table.append((source.name, report, ", ".join(f"{n} {code}" for code, n in sorted(why.items()))))
    return done.returncode, report


def yardstick(given, scratch, secret):
    if not YARDSTICKS.is_dir():
        return check.not_asked("the yardstick", f"there is no {YARDSTICKS} beside the checkout")
    data = pathlib.Path(given.yard) if given.yard else scratch / "yard"
    if not given.yard:
        subprocess.run([sys.executable, YARDSTICKS / "gen.py", data, "--studies", given.studies, "--per-study", given.per_study],
                       check=True, capture_output=True)
    result = scratch / "yard-result"
    _, report = deid(given.arno, data, result, secret)
    command = [sys.executable, YARDSTICKS / "check_deid.py", result, data / "manifest.jsonl", DCIODVFY]
    judged = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    print("      ", json.dumps(judged))
    n = sum(1 for _ in open(data / "manifest.jsonl"))
    uid = judged["uid"]
    check.equal("every instance is there, pixels as they were", (judged["matched"], judged["pixels_changed_or_unknown"]), (n, 0))
    check.equal("none of nine kinds of identity leaks", judged["leaks"], {})
    check.equal("references are right", (uid["reference_right"], uid["reference_removed"], uid["reference_broken"]), (n, 0, 0))
    check("UIDs are new and one to one", uid["study_1to1"] and uid["series_1to1"] and uid["sop_distinct"] and not uid["sop_unchanged"], uid)
    check.equal("nothing that research asks for is lost", judged["lost"], {})
    check.equal("dciodvfy finds no error", judged.get("iod_errors"), {})
    check.equal("all are marked", judged["marked"], 1.0)
    check.equal("only the list of the collection is no DICOM", [str(f) for f in report["not_dicom"]], ["manifest.jsonl"])


def corpora(arno, scratch, secret):
    pydicoms = scratch / "pydicom"
    pydicoms.mkdir()
    for path in map(pathlib.Path, get_testdata_files()):
        if path.is_file():
            target = pydicoms / f"{path.parent.name}-{path.name}"
            target.write_bytes(path.read_bytes())
    corpus(arno, pydicoms, scratch, secret)
    for name in SETS:
        folder = SHARED / "data" / name
        if folder.is_dir():
            corpus(arno, folder, scratch, secret)
        else:
            check.not_asked(name, f"there is no {folder} beside the checkout")


def corpus(arno, folder, scratch, secret):
    result = scratch / "results" / folder.name
    result.parent.mkdir(exist_ok=True)
    _, report = deid(arno, folder, result, secret)
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    named = len(report["left_out"]) + len(report["not_dicom"]) + len(report["duplicates"])
    check.equal(f"{folder.name}: every file is accounted for", report["written"] + named, len(files))
    check.equal(f"{folder.name}: no file brings a defect to light", [f for f in report["left_out"] if f["code"] == "defect"], [])
    written = [path for path in result.rglob("*") if path.is_file()]
    check.equal(f"{folder.name}: the output holds what is written and nothing else", len(written), report["written"])
    lines = map(json.loads, (result.parent / f"{result.name}.done.jsonl").read_text().splitlines()[1:])
    faults = collections.defaultdict(list)
    for line in lines:
        for fault in faults_of(folder / line["source"]["name"], result / line["result"]):
            faults[fault].append(line["source"]["name"])
    for fault in ("cannot be read", "is not marked", "holds an identity", "keeps an identifier", "has a new error"):
        check.equal(f"{folder.name}: no result {fault}", faults.pop(fault, []), [])


def faults_of(source, result):
    """What is wrong with one result, in words; never a value."""
    try:
        before, after = pydicom.dcmread(source, force=True), pydicom.dcmread(result)
    except Exception:
        return ["cannot be read"]
    faults = []
    if after.get("PatientIdentityRemoved") != "YES" or not after.get("DeidentificationMethodCodeSequence"):
        faults.append("is not marked")
    if any(holds(header_bytes(result), value) for value in identities(before)):
        faults.append("holds an identity")
    if before.get("SOPInstanceUID") == after.get("SOPInstanceUID"):
        faults.append("keeps an identifier")
    if DCIODVFY.exists() and errors(result) - errors(source):
        faults.append("has a new error")
    return faults


def identities(ds):
    for keyword in IDENTITIES:
        for text in re.split(r"[\\^=]", str(ds.get(keyword) or "")):
            text = text.strip()
            if len(text) >= SHORTEST and text.lower() not in NOBODY and not re.fullmatch(r"[0.]*", text):
                yield text


def holds(header, value):
    word = re.escape(value.encode(errors="replace"))
    return re.search(rb"(?<![A-Za-z0-9])" + word + rb"(?![A-Za-z0-9])", header, re.IGNORECASE) is not None


def header_bytes(path):
    """All but the pixels: they are looked at elsewhere."""
    ds = pydicom.dcmread(path)
    raw = path.read_bytes()
    for keyword in ("PixelData", "FloatPixelData", "DoubleFloatPixelData"):
        value = ds.get_item(keyword).value if keyword in ds else None
        if value:
            at = raw.rfind(value[:4096])
            return raw[:at]
    return raw


def errors(path):
    done = subprocess.run([DCIODVFY, path], capture_output=True, text=True, errors="replace", check=False)
    lines = (done.stdout + done.stderr).splitlines()
    return {re.sub(r'"[^"]*"|<[^<>]*[0-9][^<>]*>|[0-9]+', "*", line)[:110] for line in lines if line.startswith("Error")}


def again_and_otherwise(arno, scratch, secret):
    source, result = scratch / "pydicom", scratch / "results" / "pydicom"
    _, report = deid(arno, source, result, secret)
    check.equal("the same again does nothing anew", report["written"], 0)
    check("and knows what is done", report["done_before"] > 0, report["done_before"])
    other = scratch / "other-secret"
    command = [arno, "deid", str(source), str(result), "--new-secret", str(other)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    check("another secret does not mix into the same output", done.returncode == 1 and "another" in done.stderr, done.stderr)
    recipe = scratch / "recipe.toml"
    recipe.write_text('name = "mine"\noptions = ["CleanAll"]\n[pixels]\nrisky_kinds = "review"\nfaces = "review"\n')
    command = [arno, "deid", str(source), str(scratch / "x"), "--secret", str(secret), "--recipe", str(recipe)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    check("a mistake in a recipe is named with line and key", done.returncode == 3 and "line 2, options" in done.stderr, done.stderr)
    command = [arno, "deid", str(source), str(scratch / "x")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    check("nothing happens without a secret", done.returncode == 2, done.stderr)
    table.pop()


if __name__ == "__main__":
    main()
