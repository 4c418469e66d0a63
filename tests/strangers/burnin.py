#!/usr/bin/env python3
"""Judges `arno deid --text-finder` by other people's pictures, and by a set with planted lines whose boxes are known.

    cargo build --release -p arno-cli -p arno-textfinder
    pip download --no-deps rapidocr==3.10.0 && target/release/arno-textfinder install rapidocr-*.whl --to textfinder
    pip install -r tests/strangers/requirements.txt
    tests/strangers/burnin.py --arno target/release/arno --finder textfinder [--burnin FOLDER] [--images 60]

1. The yardstick's set (../shared/yardsticks/dicom/gen_burnin.py, or one made before: --burnin): of each planted line, at least half of
   what was not black in its box must be, in 95 % of them; of clean slices, 5 % may be touched. 2. deid's ultrasound and Presidio's set: where their ground
   truth or our eyes say that there is a name, all is black.
"""
import argparse, json, pathlib, shutil, subprocess, sys, tempfile, warnings

import numpy as np
import pydicom

from checks import Checks

warnings.filterwarnings("ignore")
SHARED = pathlib.Path(__file__).resolve().parents[3] / "shared"
YARDSTICKS = SHARED / "yardsticks" / "dicom"
# Wanted of the planted lines, and allowed of the clean slices.
LEAST_RECALL, MOST_TOUCHED = 0.95, 0.05
# Where names stand in the ultrasound set, seen by eye: x, y, width, height.
BANNERS = {"GREYSCALE_IMAGE.dcm": [0, 3, 690, 20], "RGB_IMAGE.dcm": [0, 4, 890, 50]}
# Presidio's ground truth is of the uncompressed original, with a margin of so many pixels round the picture.
MARGIN = 25
TRUTH = {"2_ORIGINAL.dcm": "2_ORIGINAL.dcm", "RGB_ORIGINAL.dcm": "RGB_ORIGINAL.dcm", "0_ORIGINAL_compressed.dcm": "0_ORIGINAL.dcm"}

check = Checks()


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--arno", required=True)
    options.add_argument("--finder", required=True)
    options.add_argument("--burnin", type=pathlib.Path)
    options.add_argument("--images", default="60")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        check.group(planted, given, scratch)
        check.group(others, given, scratch)
    check.done()


def deid(given, source, result):
    """Runs `arno deid`; gives its report, and each source with what was made of it."""
    secret = result.with_name(result.name + ".key")
    command = [given.arno, "--json", "deid", source, result, "--new-secret", secret, "--text-finder", given.finder]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    check(f"{source.name}: it ends with 0 or 4", done.returncode in (0, 4), done.stderr[-300:])
    lines = result.with_name(result.name + ".done.jsonl").read_text().splitlines()[1:]
    pairs = {line["source"]["name"]: result / line["result"] for line in map(json.loads, lines)}
    return json.loads(done.stdout), {name: (pydicom.dcmread(source / name), pydicom.dcmread(path)) for name, path in pairs.items()}


def changed(before, after):
    """Which pixels are not what they were."""
    old, new = before.pixel_array.astype(np.int64), after.pixel_array.astype(np.int64)
    return (old != new) if old.ndim == 2 else (old != new).any(axis=-1)


def blackened(before, after, box):
    """Of the pixels of a box that were not black before, the share that is now."""
    x, y, width, height = box
    lowest = -(1 << (after.BitsStored - 1)) if after.PixelRepresentation else 0
    black = (1 << after.BitsStored) - 1 if after.PhotometricInterpretation == "MONOCHROME1" else lowest

    def dark(instance):
        pixels = instance.pixel_array[y:y + height, x:x + width] == black
        return pixels.all(axis=-1) if pixels.ndim == 3 else pixels
    lit = ~dark(before)
    return float((lit & dark(after)).sum() / max(1, lit.sum()))


def marked(name, after):
    codes = [item.CodeValue for item in after.DeidentificationMethodCodeSequence]
    check(f"{name}: it says that pixels were cleaned", "113101" in codes and after.BurnedInAnnotation == "NO", str(codes))


def planted(given, scratch):
    if given.images == "0":
        return check.not_asked("the planted lines", "--images 0")
    if not YARDSTICKS.is_dir():
        return check.not_asked("the planted lines", f"there is no {YARDSTICKS} beside the checkout")
    data = given.burnin or scratch / "burnin"
    if not given.burnin:
        for script, *rest in (["gen.py", scratch / "yard", "--studies", "4", "--per-study", "15"],
                              ["gen_burnin.py", scratch / "yard", data, "-n", given.images]):
            subprocess.run([sys.executable, YARDSTICKS / script, *rest], check=True, capture_output=True)
    _, pairs = deid(given, data, scratch / "planted")
    found = whole = lines = touched = clean = 0
    for truth in map(json.loads, (data / "truth.jsonl").read_text().splitlines()):
        if truth["file"] not in pairs:
            # Held for a person: nothing leaks, and nothing is cleaned.
            check(f"{truth['file']}: it is written", False, "left out")
            continue
        before, after = pairs[truth["file"]]
        if not truth["boxes"]:
            clean += 1
            touched += bool(changed(before, after).any())
        for planted_line in truth["boxes"]:
            x0, y0, x1, y1 = planted_line["box"]
            lines += 1
            share = blackened(before, after, [x0, y0, x1 - x0, y1 - y0])
            found += share >= 0.5
            whole += share >= 0.95
            if share < 0.5:
                print(f"  not covered: {planted_line['size']} px, tone {planted_line['tone']}, in {truth['file']}")
        marked(truth["file"], after)
    print(f"planted lines covered: {found}/{lines} = {found / max(1, lines):.3f}, to 95 % and more {whole}; "
          f"clean slices touched: {touched}/{clean}")
    check("planted lines are covered", found >= LEAST_RECALL * lines, f"{found}/{lines}")
    check("clean slices are left alone", touched <= MOST_TOUCHED * clean, f"{touched}/{clean}")


def others(given, scratch):
    for name in ("deid_data_ultrasound", "presidio_pixel_phi"):
        source = SHARED / "data" / name
        if not source.is_dir():
            check.not_asked(name, f"there is no {source} beside the checkout")
            continue
        # The same instance a second time, without its pixels, would keep the first out.
        files = scratch / (name + "-files")
        shutil.copytree(source, files, ignore=shutil.ignore_patterns("*no_pixels*"))
        report, pairs = deid(given, files, scratch / name)
        truth = source / "ground_truth.json"
        truth = json.loads(truth.read_text()) if truth.is_file() else {}
        for file in report["left_out"]:
            print(f"  left out {file['file']}: {file['reason']}")
        for file, (before, after) in sorted(pairs.items()):
            if "PixelData" not in after:
                continue
            boxes = [[max(0, b["left"] - MARGIN), max(0, b["top"] - MARGIN), b["width"], b["height"]] for b in truth.get(f"sample_data/{TRUTH.get(file)}", [])]
            boxes += [BANNERS[file]] if file in BANNERS else []
            covered = sum(blackened(before, after, box) >= 0.5 for box in boxes)
            print(f"  {file}: {covered}/{len(boxes)} boxes with names are black; transfer syntax {after.file_meta.TransferSyntaxUID.name}")
            check(f"{file}: every name is black", covered == len(boxes), f"{covered}/{len(boxes)}")
            marked(file, after)


main()
