#!/usr/bin/env python3
"""Compares every frame of pydicom's own files, as Arno decodes it, with what pydicom and pylibjpeg make of it.

    cargo build -p arno-dicom --example dump_frames
    pip install pydicom pydicom-data numpy pylibjpeg pylibjpeg-libjpeg pylibjpeg-openjpeg pylibjpeg-rle
    tests/strangers/pixels.py target/debug/examples/dump_frames [FILE or FOLDER ...]

Prints one line a file: `same`, the greatest difference of any sample, or why one side has no pixels. Exit code 1 if a
sample differs by more than ALLOWED (with the reason for each exception in EXCEPTIONS) or if Arno alone has no pixels.
"""

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pydicom
from pydicom.data import get_testdata_files
from pydicom.pixels import apply_color_lut

# Decoders of lossy formats may round differently.
ALLOWED = 1
LOSSY = {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.4.203"}
# File name: the greatest difference that is accepted there, and why.
SMOOTHED = (5, "(colour of shared samples: one or two counts of rounding become up to five in RGB)")
SWAPPED = (65535, "(pydicom does not swap the words of a big endian palette; ours equals OBXXXX1A.dcm)")
EXCEPTIONS: dict[str, tuple[int, str]] = {
    "color3d_jpeg_baseline.dcm": SMOOTHED,
    "examples_ybr_color.dcm": SMOOTHED,
    "SC_rgb_dcmtk_+eb+cy+n1.dcm": SMOOTHED,
    "SC_rgb_dcmtk_+eb+cy+np.dcm": SMOOTHED,
    "SC_rgb_jpeg_lossy_gdcm.dcm": SMOOTHED,
    "OBXXXX1A_expb.dcm": SWAPPED,
    "OBXXXX1A_expb_2frame.dcm": SWAPPED,
}
# Read by pydicom although its element headers are not what its transfer syntax says; kept out here as malformed.
NOT_READ = {"SC_rgb_jpeg.dcm"}
PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")


def main() -> int:
    program, *places = sys.argv[1:]
    paths = sorted({path for place in places for path in files(Path(place))} or {Path(p) for p in get_testdata_files()})
    counts: dict[str, int] = {}
    for path in paths:
        result = compare(program, path)
        if result is None:
            continue
        verdict, text = result
        counts[verdict] = counts.get(verdict, 0) + 1
        print(f"{verdict:10} {path.name:50} {text}", flush=True)
    print(", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items())))
    return 1 if not counts or counts.get("DIFFERENT") or counts.get("MISSING") else 0


def files(place: Path) -> list[Path]:
    return [path for path in place.rglob("*") if path.is_file()] if place.is_dir() else [place]


def compare(program: str, path: Path) -> tuple[str, str] | None:
    try:
        dataset = pydicom.dcmread(path, force=True)
        if not any(keyword in dataset for keyword in PIXELS):
            return None
    except Exception:
        return None
    syntax = str(getattr(getattr(dataset, "file_meta", None), "TransferSyntaxUID", "?"))
    about = f"{syntax} {dataset.get('PhotometricInterpretation', '')} {dataset.get('BitsAllocated', '')}"
    theirs, reason = decoded_by_pydicom(dataset)
    ours, ours_reason = decoded_by_arno(program, path, dataset)
    if theirs is None and ours is None:
        return "neither", f"{about}: arno: {ours_reason}; pydicom: {reason}"
    if ours is None and path.name in NOT_READ:
        return "not read", f"{about}: {ours_reason}"
    if ours is None:
        return "MISSING", f"{about}: {ours_reason}"
    if theirs is None:
        return "alone", f"{about}: pydicom: {reason}"
    return verdict(path.name, syntax, about, ours, theirs)


def verdict(name: str, syntax: str, about: str, ours: np.ndarray, theirs: np.ndarray) -> tuple[str, str]:
    if ours.shape != theirs.shape:
        return "DIFFERENT", f"{about}: shape {ours.shape} and {theirs.shape}"
    if np.array_equal(ours, theirs, equal_nan=ours.dtype.kind == "f"):
        return "same", about
    difference = np.abs(ours.astype(np.float64) - theirs.astype(np.float64))
    greatest, share = difference.max(), np.count_nonzero(difference) / difference.size
    allowed, why = EXCEPTIONS.get(name, (ALLOWED if syntax in LOSSY else 0, ""))
    text = f"{about}: at most {greatest:g}, {100 * share:.2f} % of samples {why}"
    return ("close" if greatest <= allowed else "DIFFERENT"), text


def decoded_by_pydicom(dataset: pydicom.Dataset) -> tuple[np.ndarray | None, str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            pixels = dataset.pixel_array
            if dataset.PhotometricInterpretation == "PALETTE COLOR":
                pixels = apply_color_lut(pixels, dataset)
            return pixels, ""
        except Exception as error:
            return None, str(error).strip().splitlines()[-1][:120]


def decoded_by_arno(program: str, path: Path, dataset: pydicom.Dataset) -> tuple[np.ndarray | None, str]:
    done = subprocess.run([program, path, "colours"], capture_output=True, timeout=600, check=False)
    if done.returncode != 0:
        return None, done.stderr.decode(errors="replace").strip()[:120]
    frames, rest = [], done.stdout
    while rest:
        line, rest = rest.split(b"\n", 1)
        rows, columns, samples, width, kind = line.split()
        shape = (int(rows), int(columns), int(samples)) if int(samples) > 1 else (int(rows), int(columns))
        count = int(np.prod(shape)) * int(width)
        frames.append(np.frombuffer(rest[:count], f"<{kind.decode()}{int(width)}").reshape(shape))
        rest = rest[count:]
    return (frames[0] if len(frames) == 1 else np.stack(frames)), ""


if __name__ == "__main__":
    sys.exit(main())
