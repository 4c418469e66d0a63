#!/usr/bin/env python3
"""Exports a node's clinical records as OMOP and as Parquet, and reads them with programs that nobody here wrote.

    cargo build --release -p arno-node
    pip install -r tests/strangers/requirements.txt
    tests/strangers/clinical_export.py --node target/release/arno-node [--ddl CommonDataModel] [--dicom FOLDER] [--rows 20000]

1. A made-up hospital is imported from OMOP tables (and real images with it: --dicom), exported as OMOP, imported into a second node and
   exported again: both exports must say the same.
2. The export is loaded by DuckDB and SQLite into the tables of OHDSI's own DDL (a clone of github.com/OHDSI/CommonDataModel: --ddl), with its
   primary and foreign keys.
3. The Parquet files are read by pyarrow, DuckDB and pandas, and their sums compared.
4. Import of --rows measurements: seconds and memory.
All data is invented unless --dicom is given. Exit code 1 if anything does not hold.
"""
import argparse, csv, datetime, json, pathlib, random, re, resource, sqlite3, subprocess, tempfile

import duckdb
import pandas
import pyarrow.parquet

from checks import Checks

ENTITIES = ["patient", "diagnosis", "stage", "pathology", "biomarker", "study", "series", "annotation", "measurement", "treatment",
            "outcome", "event"]
# Tables that are loaded: those that point at nothing first.
TABLES = ["domain", "concept_class", "vocabulary", "concept", "cdm_source", "person", "observation_period", "death", "condition_occurrence",
          "drug_exposure", "procedure_occurrence", "measurement", "observation", "episode", "episode_event", "image_occurrence",
          "image_feature"]
# The imaging extension (MI-CDM), which is no part of the DDL.
IMAGING = {
    "image_occurrence": """image_occurrence_id integer NOT NULL PRIMARY KEY, person_id integer NOT NULL REFERENCES person (person_id),
        procedure_occurrence_id integer NOT NULL REFERENCES procedure_occurrence (procedure_occurrence_id), visit_occurrence_id integer,
        anatomic_site_concept_id integer REFERENCES concept (concept_id), wadors_uri varchar(1024), local_path varchar(1024),
        image_occurrence_date date NOT NULL, image_study_uid varchar(250) NOT NULL, image_series_uid varchar(250) NOT NULL,
        modality_concept_id integer NOT NULL REFERENCES concept (concept_id)""",
    "image_feature": """image_feature_id integer NOT NULL PRIMARY KEY, person_id integer NOT NULL REFERENCES person (person_id),
        image_occurrence_id integer NOT NULL REFERENCES image_occurrence (image_occurrence_id),
        image_feature_event_field_concept_id integer REFERENCES concept (concept_id), image_feature_event_id integer,
        image_feature_concept_id integer NOT NULL REFERENCES concept (concept_id),
        image_feature_type_concept_id integer NOT NULL REFERENCES concept (concept_id), image_finding_concept_id integer,
        image_finding_id integer, anatomic_site_concept_id integer REFERENCES concept (concept_id), alg_system varchar(250),
        alg_datetime timestamp""",
}
# What another node calls otherwise: pseudonyms and UIDs, and what stands for them.
NAMES = {"person_source_value", "image_study_uid", "image_series_uid"}
# The day of the export, which may be another one for the second of two.
DAYS = ("source_release_date", "cdm_release_date")

check = Checks()


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--node", required=True, help="arno-node")
    options.add_argument("--ddl", type=pathlib.Path, help="a clone of OHDSI's CommonDataModel")
    options.add_argument("--dicom", type=pathlib.Path, help="a folder of images to take in as well")
    options.add_argument("--rows", type=int, default=20_000)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        check.group(there_and_back, given, scratch)
        check.group(images, given, scratch)
        check.group(standard_tables, given, scratch)
        check.group(parquet, given, scratch)
        check.group(many_measurements, given, scratch)
    check.done()


def run(*command, code=0):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=3600, check=False)
    check(f"{' '.join(str(part) for part in command[1:3])} ends with {code}", done.returncode == code, (done.stdout + done.stderr)[-600:])
    return done.stdout


def made(node, data):
    run(node, "init", "--data", data, "--name", "Made up", "--city", "Graz", "--country", "AT", "--latitude", "47", "--longitude", "15")


def load(node, data, folder, mapping):
    path = folder.parent / f"{folder.name}.toml"
    path.write_text(mapping)
    return json.loads(run(node, "clinical", "load", folder, "--mapping", path, "--data", data, "--json"))


def export(node, data, form, to):
    return json.loads(run(node, "clinical", "export", "--data", data, "--format", form, "--to", to, "--json"))


def today():
    return datetime.datetime.now(datetime.timezone.utc).date()


def write(folder, name, header, rows):
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / name, "w", newline="") as file:
        out = csv.writer(file)
        out.writerow(header.split())
        out.writerows(rows)


def hospital(folder, people=60, seed=1):
    """Invented people with tumours, as another program would write them."""
    chance = random.Random(seed)
    day = lambda: f"20{chance.randint(10, 22)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
    concepts = [(10, "ICD10", "C34.1"), (11, "ICD10", "C50.9"), (12, "LOINC", "2857-1"), (13, "LOINC", "718-7"), (14, "LOINC", "21908-9"),
                (15, "ICDO3", "C61.9"), (16, "SNOMED", "392021009"), (17, "ATC", "L01XA01"), (18, "Cancer Modifier", "p-8th_AJCC/UICC-T2a"),
                (19, "UCUM", "ng/mL"), (20, "SNOMED", "2640006"), (21, "PPI", "Something else")]
    write(folder, "CONCEPT.csv", "concept_id concept_name domain_id vocabulary_id concept_class_id standard_concept concept_code",
          [(number, code, "x", vocabulary, "x", "", code) for number, vocabulary, code in concepts])
    write(folder, "person.csv", "person_id gender_concept_id year_of_birth month_of_birth day_of_birth person_source_value",
          [(n, chance.choice([8507, 8532]), chance.randint(1930, 1980), 5, 17, f"HOSP-{n:04}") for n in range(people)])
    conditions = [(n, n % people, 0, day(), "C34.1, left", chance.choice([10, 11, 15])) for n in range(people * 2)]
    write(folder, "condition_occurrence.csv", "condition_occurrence_id person_id condition_concept_id condition_start_date "
          "condition_source_value condition_source_concept_id", conditions)
    measured = []
    for number, condition in enumerate(conditions):
        kind = chance.choice([12, 13, 14, 18, 21])
        measured.append((number, condition[1], kind, condition[3], round(chance.uniform(1, 20), 3) if kind in (12, 13) else "",
                         20 if kind == 14 else "", 19 if kind == 12 else "", "says \"IIA\"" if kind == 14 else "", condition[0], 1147127))
    write(folder, "measurement.csv", "measurement_id person_id measurement_concept_id measurement_date value_as_number value_as_concept_id "
          "unit_concept_id value_source_value measurement_event_id meas_event_field_concept_id", measured)
    write(folder, "procedure_occurrence.csv", "procedure_occurrence_id person_id procedure_concept_id procedure_date procedure_source_value",
          [(n, n, 16, day(), "lobectomy") for n in range(people // 2)])
    write(folder, "drug_exposure.csv", "drug_exposure_id person_id drug_concept_id drug_exposure_start_date drug_exposure_end_date",
          [(n, n, 17, day(), day()) for n in range(people // 3)])
    write(folder, "death.csv", "person_id death_date", [(n, "2024-01-01") for n in range(people // 4)])
    write(folder, "observation_period.csv", "observation_period_id person_id observation_period_start_date observation_period_end_date "
          "period_type_concept_id", [(n, n, "2010-01-01", "2023-12-31", 0) for n in range(people)])


def there_and_back(given, scratch):
    began = str(today())
    hospital(scratch / "hospital")
    made(given.node, scratch / "one")
    outcome = load(given.node, scratch / "one", scratch / "hospital", 'source = "hospital"\n[omop]\n')
    check("the hospital is loaded", outcome["state"] == "loaded" and outcome["records"] > 300, outcome)
    again = load(given.node, scratch / "one", scratch / "hospital", 'source = "hospital"\n[omop]\n')
    check.equal("the same again changes nothing", again["state"], "unchanged")
    first = export(given.node, scratch / "one", "omop", scratch / "first")
    check.equal("nothing had to be cut", first["told"], [])
    made(given.node, scratch / "two")
    load(given.node, scratch / "two", scratch / "first", 'source = "first"\n[omop]\n')
    second = export(given.node, scratch / "two", "omop", scratch / "second")
    for name in ("first", "second"):
        [source] = read(scratch / name, "cdm_source")
        told = {source[day] for day in DAYS}
        check(f"the {name} export says when it was made", began <= min(told) == max(told) <= str(today()), told)
    check.equal("as many patients come back", second["patients"], first["patients"])
    for table in TABLES:
        check.equal(f"{table} says the same", rows_of(scratch / "second", table), rows_of(scratch / "first", table))


def images(given, scratch):
    """Series come out with what their headers say."""
    if not given.dicom:
        check.not_asked("images among the records", "--dicom names none")
        return
    run(given.node, "ingest", "--data", scratch / "one", given.dicom)
    export(given.node, scratch / "one", "omop", scratch / "imaged")
    series, features = (len(read(scratch / "imaged", table)) for table in ("image_occurrence", "image_feature"))
    check("each series has features", series > 0 and features > 3 * series, (series, features))


def rows_of(folder, table):
    """Rows without names and numbers, which differ from node to node, sorted; concepts by what they stand for."""
    concepts = {row["concept_id"]: (row["vocabulary_id"], row["concept_code"]) for row in read(folder, "concept")}
    rows = []
    for row in read(folder, table):
        told = {}
        if table == "cdm_source":
            row = {column: value for column, value in row.items() if column not in DAYS}
        for column, value in row.items():
            if column in NAMES or (column.endswith("_id") and not column.endswith("concept_id")):
                continue
            told[column] = concepts.get(value, value) if column.endswith("concept_id") and table != "concept" else value
        if table == "concept":
            told.pop("concept_id")
        if table == "procedure_occurrence":
            told.pop("procedure_source_value") if told["procedure_source_value"].startswith("2.25.") else None
        rows.append(json.dumps(told, sort_keys=True))
    return sorted(rows)


def read(folder, table):
    with open(folder / f"{table}.csv", newline="") as file:
        return list(csv.DictReader(file))


def standard_tables(given, scratch):
    if not given.ddl:
        check.not_asked("OHDSI's own tables", "--ddl names no clone of github.com/OHDSI/CommonDataModel")
        return
    ddl = given.ddl / "inst" / "ddl" / "5.4"
    text = lambda kind, part: (ddl / kind / f"OMOPCDM_{kind}_5.4_{part}.sql").read_text().replace("@cdmDatabaseSchema.", "")
    folder = scratch / ("imaged" if given.dicom else "first")
    with_keys(folder, text)
    base = duckdb.connect()
    for statement in text("duckdb", "ddl").split(";"):
        if statement.strip():
            base.execute(statement)
    for table, columns in IMAGING.items():
        base.execute(f"CREATE TABLE {table} ({re.sub(r'REFERENCES [a-z_]+ [(][a-z_]+[)]|PRIMARY KEY', '', columns)})")
    for table in TABLES:
        path = folder / f"{table}.csv"
        base.execute(f"INSERT INTO {table} BY NAME SELECT * FROM read_csv('{path}', header = true, all_varchar = true)")
        held = base.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        check.equal(f"DuckDB takes all rows of {table} with the types of the DDL", held, len(read(folder, table)))
    widths = re.findall(r"CREATE TABLE (\w+) \((.*?)\);", text("duckdb", "ddl"), re.S)
    for table, columns in widths:
        if table in TABLES:
            for column, width in re.findall(r"(\w+) varchar\((\d+)\)", columns):
                longest = base.execute(f"SELECT max(length({column})) FROM {table}").fetchone()[0] or 0
                if longest > int(width):
                    check(f"{table}.{column} fits {width} letters", False, longest)
    check("no text is longer than its column", True)
    tumours = base.execute("""SELECT count(*) FROM condition_occurrence c JOIN concept s ON s.concept_id = c.condition_source_concept_id
        WHERE s.vocabulary_id IN ('ICD10', 'ICDO3')""").fetchone()[0]
    check.equal("diagnoses are found by vocabulary", tumours, 120)


def with_keys(folder, text):
    """SQLite with the primary and foreign keys of the DDL written into its tables, and checked."""
    base = sqlite3.connect(":memory:")
    primary = dict(re.findall(r"ALTER TABLE (\w+) ADD CONSTRAINT \w+ PRIMARY KEY \((\w+)\)", text("sqlite", "primary_keys")))
    foreign = re.findall(r"ALTER TABLE (\w+) ADD CONSTRAINT \w+ FOREIGN KEY \((\w+)\) REFERENCES (\w+) \((\w+)\)", text("sqlite", "constraints"))
    check("the DDL has keys", len(primary) > 20 and len(foreign) > 100, (len(primary), len(foreign)))
    for table, columns in re.findall(r"CREATE TABLE (\w+) \((.*?)\);", text("sqlite", "ddl"), re.S):
        keys = [f"FOREIGN KEY ({own}) REFERENCES {other} ({key})" for of, own, other, key in foreign if of.lower() == table.lower()]
        if table in primary:
            keys.insert(0, f"PRIMARY KEY ({primary[table]})")
        base.execute(f"CREATE TABLE {table} ({', '.join([columns, *keys])})")
    for table, columns in IMAGING.items():
        base.execute(f"CREATE TABLE {table} ({columns})")
    for table in TABLES:
        rows = read(folder, table)
        for row in rows:
            marks = ", ".join("?" for _ in row)
            base.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", [value if value != "" else None for value in row.values()])
    broken = base.execute("PRAGMA foreign_key_check").fetchall()
    check.equal("SQLite finds no broken foreign key", broken[:5], [])


def parquet(given, scratch):
    export(given.node, scratch / "one", "parquet", scratch / "parquet")
    counts = json.loads(run(given.node, "clinical", "list", "--data", scratch / "one", "--json"))["entities"]
    for entity in ENTITIES:
        path = scratch / "parquet" / f"{entity}.parquet"
        arrow = pyarrow.parquet.read_table(path)
        frame = pandas.read_parquet(path)
        duck = duckdb.sql(f"SELECT * FROM '{path}'").df()
        check(f"{entity}: pyarrow, pandas and DuckDB see the same rows", len(arrow) == len(frame) == len(duck), (len(arrow), len(frame), len(duck)))
        same = frame.astype(object).where(frame.notna(), None).equals(duck.astype(object).where(duck.notna(), None))
        check(f"{entity}: pandas and DuckDB see the same values", same)
        check(f"{entity}: no more things than records", len(arrow) <= counts.get(entity, {"records": 0})["records"], len(arrow))
    joined = duckdb.connect().execute(f"""SELECT count(*) FROM '{scratch}/parquet/stage.parquet' s
        JOIN '{scratch}/parquet/diagnosis.parquet' d ON d.key = s.parent""").fetchone()[0]
    check("stages are joined to their diagnoses by key", joined > 10, joined)


def many_measurements(given, scratch):
    folder, rows = scratch / "many", given.rows
    hospital(folder, people=1000, seed=2)
    with open(folder / "measurement.csv", "w", newline="") as file:
        file.write("measurement_id,person_id,measurement_concept_id,measurement_date,value_as_number\n")
        file.writelines(f"{n},{n % 1000},13,20{10 + n % 12}-0{1 + n % 9}-1{n % 9},{n % 977 / 7}\n" for n in range(rows))
    made(given.node, scratch / "three")
    outcome = load(given.node, scratch / "three", folder, 'source = "many"\n[omop]\n')
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    check("all measurements are loaded", outcome["records"] >= rows, outcome)
    print(f"        {rows} measurements: largest program so far {used.ru_maxrss / 1024:.0f} MB")
    with open(folder / "measurement.csv", "a") as file:
        file.write("x,5,13,2010-01-01,1\n")
    path = scratch / "many.toml"
    done = subprocess.run([given.node, "clinical", "load", str(folder), "--mapping", str(path), "--data", str(scratch / "three")],
                          capture_output=True, text=True, check=False)
    told = done.stdout + done.stderr
    check("one bad row among them is named, and nothing is loaded", done.returncode != 0 and
          f"measurement.csv, row {rows + 2}, column measurement_id" in told, told[-300:])


if __name__ == "__main__":
    main()
