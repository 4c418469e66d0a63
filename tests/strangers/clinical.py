#!/usr/bin/env python3
"""Judges FHIR exports of a node with `fhir.resources`, models of FHIR R4B that nobody here wrote.

    cargo build -p arno-cli
    pip install -r tests/strangers/requirements.txt
    tests/strangers/clinical.py --arno target/debug/arno [--data ../shared/data]

1. A table of invented patients, and a bundle as a hospital's system writes it (made by the models themselves), are loaded into a node.
   Where ../shared/data is there, the real patients of Fed-TCGA-BRCA as well.
2. Both exports are read: every line and the whole bundle must be what the models take; references lead somewhere; mCODE's profiles are
   named; no date and no patient id is in them.
3. The export is loaded into a second node, and that one exported again: as much of everything.
Prints what holds; exit code 1 if anything does not.
"""
import argparse, collections, json, pathlib, re, subprocess, tempfile

from fhir.resources.R4B import get_fhir_model_class
from fhir.resources.R4B.bundle import Bundle

from checks import Checks

ROOT = pathlib.Path(__file__).resolve().parents[2]
MCODE = "http://hl7.org/fhir/us/mcode/StructureDefinition/mcode-"
SCT, LNC, UCUM = "http://snomed.info/sct", "http://loinc.org", "http://unitsofmeasure.org"
PLACE = ["--name", "St. Elsewhere", "--city", "Wien", "--country", "AT", "--latitude", "48.2", "--longitude", "16.4"]

TABLE = "id;sex;icd;date;stage;er;size\n" + "".join(
    f"MRN-{n:04};{'fm'[n % 2]};C50.{n % 9};20{n % 20:02}-03-{n % 28 + 1:02};{['IA', 'IIB', 'IIIC'][n % 3]};{['positive', 'negative', '?'][n % 3]};{n % 50 + 1}.5\n"
    for n in range(300)
)
MAPPING = """source = "registry"
[patient]
column = "id"
[[record]]
entity = "patient"
fields = [{ field = "sex", column = "sex", codes = "sex" }]
[[record]]
entity = "diagnosis"
fields = [{ field = "diagnosis", column = "icd", system = "icd10" }, { field = "diagnosis_date", column = "date" }]
[[record]]
entity = "stage"
fields = [{ field = "stage_group", column = "stage" }, { field = "stage_kind", value = "pathological" }]
[[record]]
entity = "biomarker"
fields = [{ field = "er_status", column = "er", codes = "er" }]
[[record]]
entity = "pathology"
fields = [{ field = "tumour_size", column = "size", unit = "mm" }]
[codes.sex]
system = "dicom"
map = { f = "F", m = "M" }
[codes.er]
system = "arno"
map = { positive = "positive", negative = "negative" }
"""

check = Checks()


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--arno", required=True)
    options.add_argument("--data", default=ROOT.parent / "shared" / "data", type=pathlib.Path)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        check.group(loads, given, scratch)
        check.group(exports, given, scratch)
        check.group(comes_back, given, scratch)
    check.done()


def arno(given, *arguments):
    done = subprocess.run([given.arno, *map(str, arguments)], capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def node(given, folder):
    check.equal(f"a node in {folder.name}", arno(given, "node", "init", "--data", folder, *PLACE)[0], 0)


def concept(system, code):
    return {"coding": [{"system": system, "code": code}]}


def hospital_bundle():
    """As the models write it, so that what they write is what we read."""
    subject = {"reference": "Patient/p1"}
    resources = [
        {"resourceType": "Patient", "id": "p1", "gender": "male", "birthDate": "1950-01-31", "deceasedDateTime": "2021-02-03T04:05:06+01:00",
         "identifier": [{"system": "urn:hospital", "value": "MRN-9999"}, {"system": "urn:insurer", "value": "77"}]},
        {"resourceType": "Condition", "id": "c1", "subject": subject, "onsetDateTime": "2019-05-06",
         "meta": {"profile": [MCODE + "primary-cancer-condition"]}, "code": concept("http://hl7.org/fhir/sid/icd-10-cm", "C61"),
         "extension": [{"url": MCODE + "histology-morphology-behavior", "valueCodeableConcept": concept("http://terminology.hl7.org/CodeSystem/icd-o-3", "8140/3")}]},
        {"resourceType": "Observation", "id": "o1", "status": "final", "subject": subject, "focus": [{"reference": "Condition/c1"}],
         "code": concept(LNC, "2857-1"), "effectiveDateTime": "2019-05-01", "valueQuantity": {"value": 12.75, "system": UCUM, "code": "ng/mL", "unit": "ng/mL"}},
        {"resourceType": "Procedure", "id": "t1", "status": "completed", "subject": subject, "code": concept(SCT, "90470006"),
         "reasonReference": [{"reference": "Condition/c1"}], "performedDateTime": "2019-06-07"},
        {"resourceType": "MedicationRequest", "id": "m1", "status": "active", "intent": "order", "subject": subject, "authoredOn": "2019-08-01",
         "reasonReference": [{"reference": "Condition/c1"}], "medicationCodeableConcept": concept("http://www.nlm.nih.gov/research/umls/rxnorm", "42375")},
    ]
    bundle = Bundle(type="collection", entry=[{"fullUrl": f"http://h/fhir/{r['resourceType']}/{r['id']}", "resource": r} for r in resources])
    return bundle.model_dump_json()


def loads(given, scratch):
    first = scratch / "first"
    node(given, first)
    (scratch / "t.csv").write_text(TABLE)
    (scratch / "t.toml").write_text(MAPPING)
    code, out, err = arno(given, "import", "clinical", scratch / "t.csv", "--mapping", scratch / "t.toml", "--data", first, "--json")
    check.equal("a table is loaded", (code, json.loads(out or "{}").get("state")), (0, "loaded"))
    (scratch / "b.json").write_text(hospital_bundle())
    load = ["import", "clinical", scratch / "b.json", "--source", "ehr", "--identifier-system", "urn:hospital", "--data", first, "--json"]
    code, out, err = arno(given, *load)
    check.equal("a bundle of the models is loaded", (code, json.loads(out or "{}").get("records")), (0, 6))
    check.equal("the same again changes nothing", json.loads(arno(given, *load)[1] or "{}").get("state"), "unchanged")
    code, out, err = arno(given, "map", "suggest", scratch / "b.json")
    check("the drafted mapping names both systems", code == 0 and "urn:hospital" in out and "urn:insurer" in out, out + err)
    real = given.data / "fed_tcga_brca" / "brca.csv"
    if not real.exists():
        return check.not_asked("real patients", f"{real} is not there")
    (scratch / "r.toml").write_text(
        'source = "fed-tcga-brca"\n[patient]\ncolumn = "pid"\n[[record]]\nentity = "diagnosis"\nfields = [{ field = "age_at_diagnosis", column = "age_at_index" }]\n'
        '[[record]]\nentity = "outcome"\nfields = [{ field = "overall_survival_days", column = "T" }, { field = "vital_status", column = "E", codes = "e" }]\n'
        '[codes.e]\nsystem = "arno"\nmap = { "1.0" = "dead", "0.0" = "alive", "1" = "dead", "0" = "alive" }\n')
    code, out, err = arno(given, "import", "clinical", real, "--mapping", scratch / "r.toml", "--data", first, "--json")
    rows = len(real.read_text().splitlines()) - 1
    check.equal(f"{rows} rows of real patients are loaded", (code, json.loads(out or "{}").get("rows")), (0, rows))


def export(given, data, format, to):
    code, out, err = arno(given, "node", "clinical", "export", "--data", data, "--format", format, "--to", to)
    check(f"{to.name} is exported", code == 0, err)


def lines(folder):
    for path in sorted(folder.glob("*.ndjson")):
        for line in path.read_text().splitlines():
            yield path.stem, json.loads(line)


def exports(given, scratch):
    export(given, scratch / "first", "fhir", scratch / "lines")
    export(given, scratch / "first", "fhir-bundle", scratch / "bundle")
    counts, refused, profiles, ids, references = collections.Counter(), [], collections.Counter(), set(), set()
    for kind, resource in lines(scratch / "lines"):
        counts[kind] += 1
        ids.add(f"{kind}/{resource['id']}")
        references.update(re.findall(r'"reference": "([^"]+)"', json.dumps(resource)))
        profiles.update(resource.get("meta", {}).get("profile", []))
        try:
            get_fhir_model_class(kind).model_validate(resource)
        except Exception as error:
            refused.append(f"{kind}: {error}")
    check("every line is a resource of its type", not refused and counts, refused[:2])
    print("      ", dict(counts))
    check.equal("every reference leads to a resource", references - ids, set())
    for profile in ["cancer-patient", "primary-cancer-condition", "tnm-stage-group", "tumor-marker-test", "tumor-size", "cancer-related-medication-request"]:
        check(f"some follow mCODE's {profile}", profiles[MCODE + profile])
    whole = (scratch / "bundle" / "bundle.json").read_text()
    bundle = Bundle.model_validate_json(whole)
    check.equal("the bundle has the same resources", len(bundle.entry), sum(counts.values()))
    check.equal("no date is in it", re.findall(r'"(?:19|20)\d\d-\d\d(?:-\d\d)?', whole)[:3], [])
    check.equal("no id of a patient is in it", re.findall(r"MRN-\d+|TCGA-\w\w-\w+", whole)[:3], [])


def comes_back(given, scratch):
    second = scratch / "second"
    node(given, second)
    report = scratch / "report.json"
    code, out, err = arno(given, "import", "clinical", scratch / "lines", "--source", "back", "--data", second, "--report", report, "--json")
    check("the export is loaded into another node", code == 0, out + err)
    check.equal("nothing of it was left out", json.loads(report.read_text())["left_out"], [])
    export(given, second, "fhir", scratch / "again")
    count = lambda folder: collections.Counter(kind for kind, _ in lines(scratch / folder))
    check.equal("which exports as much of everything", count("again"), count("lines"))


main()
