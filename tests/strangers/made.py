"""Makes the instances that strangers send: small, of invented people, in every transfer syntax that dcmtk, pylibjpeg and pydicom encode.

Not here: real series, and files with faults.
"""
import pathlib, subprocess, zlib

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (CTImageStorage, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian,
                         JPEG2000, JPEG2000Lossless, JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSLossless, JPEGLSNearLossless, JPEGLossless,
                         JPEGLosslessSV1, RLELossless, SecondaryCaptureImageStorage, generate_uid)

ROWS, COLUMNS = 48, 64

# patient id, name, character set, birth date, study date and time, description: two studies of one of them
PEOPLE = [("STR-1", "Doe^Jane", "ISO_IR 100", "19600131", "20200102", "101500", "Chest low dose"),
          ("STR-1", "Doe^Jane", "ISO_IR 100", "19600131", "20210607", "083000.5", "Chest follow up"),
          ("STR-2", "Doering^Jörg", "ISO_IR 100", "19551224", "20200615", "235959", "Abdomen"),
          ("STR-3", "Yamada^Tarou=山田^太郎=やまだ^たろう", "ISO_IR 192", "19700704", "20191231", "000000", "Head")]

# keyword: transfer syntax, bits, colour, who encodes it, loses nothing
SYNTAXES = {
    "implicit": (ImplicitVRLittleEndian, 16, False, None), "explicit": (ExplicitVRLittleEndian, 16, False, None),
    "big": (ExplicitVRBigEndian, 16, False, ["dcmconv", "+tb"]), "deflated": (DeflatedExplicitVRLittleEndian, 16, False, ["dcmconv", "+td"]),
    "rle": (RLELossless, 16, False, ["dcmcrle"]), "rle-colour": (RLELossless, 8, True, "pydicom"),
    "jpeg-baseline": (JPEGBaseline8Bit, 8, False, ["dcmcjpeg", "+eb", "+un"]), "jpeg-colour": (JPEGBaseline8Bit, 8, True, ["dcmcjpeg", "+eb", "+un"]),
    "jpeg-extended": (JPEGExtended12Bit, 12, False, ["dcmcjpeg", "+ee", "+un"]), "jpeg-lossless": (JPEGLossless, 16, False, ["dcmcjpeg", "+el", "+un"]),
    "jpeg-lossless-sv1": (JPEGLosslessSV1, 16, False, ["dcmcjpeg", "+e1", "+un"]), "jpeg-ls": (JPEGLSLossless, 16, False, ["dcmcjpls", "+un"]),
    "jpeg-ls-near": (JPEGLSNearLossless, 8, False, ["dcmcjpls", "+en", "+un"]), "j2k-lossless": (JPEG2000Lossless, 16, False, "pydicom"),
    "j2k": (JPEG2000, 8, False, "pydicom"), "frames": (ExplicitVRLittleEndian, 16, False, None),
}


class Made:
    """A file, and what is in it."""

    def __init__(self, key, path):
        self.key, self.path, self.ds = key, path, pydicom.dcmread(path)
        self.syntax, self.data_set = self.ds.file_meta.TransferSyntaxUID, data_set(path.read_bytes())
        self.study, self.series, self.uid = self.ds.StudyInstanceUID, self.ds.SeriesInstanceUID, self.ds.SOPInstanceUID

    @property
    def pixels(self):
        return self.ds.pixel_array


def data_set(part10):
    """The bytes behind the file meta information (PS3.10 section 7.1), inflated if they are deflated."""
    length = int.from_bytes(part10[140:144], "little")
    rest = part10[144 + length:]
    deflated = DeflatedExplicitVRLittleEndian.encode() in part10[:144 + length]
    return zlib.decompress(rest, -zlib.MAX_WBITS) if deflated else rest


def make(folder, seed):
    """One instance of each kind of the first study, one of each other study. Another seed gives other UIDs and pixels."""
    folder = pathlib.Path(folder); folder.mkdir(parents=True)
    made = [encode(folder, key, seed, 0, number) for number, key in enumerate(SYNTAXES, 1)]
    return made + [encode(folder, "explicit", seed, study, 1) for study in range(1, len(PEOPLE))]


def encode(folder, key, seed, study, number):
    syntax, bits, colour, encoder = SYNTAXES[key]
    ds = instance(seed, study, number, bits, colour, 3 if key == "frames" else 1)
    path = folder / f"{seed}-{study}-{number:02}-{key}.dcm"
    ds.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if key == "implicit" else ExplicitVRLittleEndian
    if encoder == "pydicom":
        options = {"j2k_cr": [4]} if syntax == JPEG2000 else {}
        ds.compress(syntax, generate_instance_uid=False, **options)
    ds.save_as(path, enforce_file_format=True)
    if isinstance(encoder, list):
        program, *options = encoder
        plain = path.rename(path.with_suffix(".plain"))
        subprocess.run([f"/usr/bin/{program}", *options, str(plain), str(path)], check=True, capture_output=True)
        plain.unlink()
    made = Made(key, path)
    assert made.syntax == syntax and made.uid == ds.SOPInstanceUID, f"{key} became {made.syntax}"
    return made


def instance(seed, study, number, bits, colour, frames):
    uid = lambda *parts: generate_uid(entropy_srcs=["strangers", str(seed), *map(str, parts)])
    patient, name, charset, born, date, time, description = PEOPLE[study]
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.SpecificCharacterSet = charset
    ds.SOPClassUID = SecondaryCaptureImageStorage if colour else CTImageStorage
    # Colour is a series of its own: one series has one modality.
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPInstanceUID = uid(study), uid(study, "series", colour), uid(study, number)
    ds.PatientID, ds.PatientName, ds.PatientBirthDate, ds.PatientSex = f"{patient}-{seed}", name, born, "O"
    ds.StudyDate, ds.StudyTime, ds.StudyID, ds.AccessionNumber = date, time, str(study), f"ACC{seed}{study}"
    ds.StudyDescription, ds.ReferringPhysicianName = description, "Referrer^A"
    ds.Modality, ds.SeriesNumber, ds.InstanceNumber = "OT" if colour else "CT", 2 if colour else 1, number
    ds.SeriesDescription, ds.BodyPartExamined = "strangers", "CHEST"
    code = Dataset(); code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "T-D3000", "SRT", "Chest"
    ds.AnatomicRegionSequence = Sequence([code])
    block = ds.private_block(0x0099, "STRANGERS", create=True)
    block.add_new(0x01, "LO", "private"); block.add_new(0x02, "OB", bytes(range(64)) * 40)
    ds.ImagePositionPatient, ds.ImageOrientationPatient, ds.PixelSpacing = ["0", "0", str(number)], ["1", "0", "0", "0", "1", "0"], ["0.5", "0.5"]
    ds.Rows, ds.Columns, ds.SamplesPerPixel, ds.PixelRepresentation = ROWS, COLUMNS, 3 if colour else 1, 0
    ds.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if colour:
        ds.PlanarConfiguration = 0
    if frames > 1:
        ds.NumberOfFrames = frames
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 8 if bits == 8 else 16, bits, bits - 1
    ds.WindowCenter, ds.WindowWidth = str(2 ** (bits - 1)), str(2 ** bits)
    ds.PixelData = picture(seed * 1000 + study * 100 + number, bits, colour, frames).tobytes()
    ds["PixelData"].VR = "OB" if bits == 8 else "OW"
    return ds


def picture(seed, bits, colour, frames):
    """A ramp with a little noise, so that neither lossy nor lossless encoders have it too easy."""
    shape = (frames, ROWS, COLUMNS) + ((3,) if colour else ())
    ramp = np.linspace(0, 2 ** bits - 1 - 8, COLUMNS)[None, None, :, *([None] if colour else [])]
    noise = np.random.default_rng(seed).integers(0, 8, shape)
    return (ramp + noise).astype(np.uint8 if bits == 8 else np.uint16)
