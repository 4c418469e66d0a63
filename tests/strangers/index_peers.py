#!/usr/bin/env python3
"""Asks DuckDB and SQLite what the column index was asked, on the same series, and compares answers and costs.

    cargo build --release -p arno-engine --example idc
    pip download idc-index-data==25.0.5 --no-deps && unzip idc_index_data-*.whl
    pip install duckdb
    tests/strangers/index_peers.py --example target/release/examples/idc --parquet idc_index_data/idc_index.parquet

Three nodes by collection; ten facets with three filters, each facet without its own filter; distinct patients, studies and series of
every value. A study hangs on a patient: the one study UID that two patients of NLST have is two studies. A peer gets a statement a
facet, one thread, its table in memory and in the order of patients, and numbers in place of their ids and UIDs; SQLite, indexes on the
filtered columns and statistics too. CPU time of the whole process, the middle of several turns. Exit code 1 if any count differs.
"""
import argparse, json, pathlib, sqlite3, subprocess, sys, tempfile, time

import duckdb

NODES = (1, 2, 3)
WORDS = ["collection_id", "Modality", "BodyPartExamined", "Manufacturer", "ManufacturerModelName", "PatientSex", "PatientAge",
         "sop_class_name", "license_short_name"]
COLUMNS = [*WORDS, "instanceCount", "patient", "study"]
TURNS = {"DuckDB": 7, "SQLite": 3}


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--example", required=True)
    options.add_argument("--parquet", required=True)
    given = options.parse_args()
    print(f"DuckDB {duckdb.__version__}, SQLite {sqlite3.sqlite_version}")
    print(f"{'node':>4} {'series':>8} {'patients':>8} {'load CPU s':>10} {'index MB':>8} {'panel ms':>8} {'DuckDB ms':>9} {'SQLite ms':>9}")
    differing = 0
    for node in NODES:
        with tempfile.TemporaryDirectory() as folder:
            out = pathlib.Path(folder) / "answer.json"
            subprocess.run([given.example, given.parquet, str(node), str(out)], check=True, stdout=subprocess.DEVNULL)
            ours = json.loads(out.read_text())
        answer, measured = ours["answer"], ours["measured"]
        duck = load_duckdb(given.parquet, ours["collections"])
        peers = {"DuckDB": duck, "SQLite": load_sqlite(duck)}
        cost = {}
        for name, database in peers.items():
            turns = []
            for _ in range(TURNS[name]):
                started = time.process_time()
                found = ask(database, answer)
                turns.append((time.process_time() - started) * 1000)
            cost[name] = sorted(turns)[len(turns) // 2]
            differing += compare(f"node {node}, {name}", found, answer)
        series, patients = duck.execute("SELECT count(*), count(DISTINCT patient) FROM t").fetchone()
        print(f"{node:4} {series:8} {patients:8} {measured['load_cpu_s']:10.2f} {measured['index_mb']:8.1f} "
              f"{measured['panel_cpu_ms']:8.1f} {cost['DuckDB']:9.0f} {cost['SQLite']:9.0f}")
    print("all counts are equal" if differing == 0 else f"{differing} counts differ")
    sys.exit(differing > 0)


def load_duckdb(parquet, collections):
    database = duckdb.connect(config={"threads": 1})
    database.execute(
        f"CREATE TABLE t AS SELECT {', '.join(WORDS)}, instanceCount, dense_rank() OVER (ORDER BY PatientID) AS patient,"
        " dense_rank() OVER (ORDER BY PatientID, StudyInstanceUID) AS study FROM read_parquet(?)"
        " WHERE list_contains(?, collection_id) ORDER BY patient, study", [parquet, collections])
    return database


def load_sqlite(duck):
    database = sqlite3.connect(":memory:")
    database.execute(f"CREATE TABLE t ({', '.join(COLUMNS)})")
    rows = duck.execute("SELECT * FROM t").fetchall()
    database.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(COLUMNS))})", rows)
    for column in ("Modality", "Manufacturer", "license_short_name"):
        database.execute(f"CREATE INDEX by_{column} ON t ({column})")
    database.execute("ANALYZE")
    return database


def ask(database, answer):
    """Counts and facets, in the form of the answer."""
    filters = answer["filters"]
    counted = "count(DISTINCT patient), count(DISTINCT study), count(*)"
    found = {"counts": list(database.execute(f"SELECT {counted} FROM t WHERE {where(filters)}").fetchone()), "facets": {}}
    for facet in answer["facets"]:
        others = {column: words for column, words in filters.items() if column != facet}
        cell = steps(facet, answer["steps"]) if facet == "instanceCount" else facet
        rows = database.execute(f"SELECT {cell}, {counted} FROM t WHERE {where(others)} GROUP BY 1").fetchall()
        found["facets"][facet] = {"" if value is None else str(value): counts for value, *counts in rows}
    return found


def where(filters):
    quoted = lambda word: "'" + word.replace("'", "''") + "'"
    return " AND ".join(f"{column} IN ({', '.join(map(quoted, words))})" for column, words in filters.items())


def steps(column, limits):
    """The lower limit of a number's group."""
    cases = " ".join(f"WHEN {column} >= {limit} THEN '{limit:g}'" for limit in sorted(limits, reverse=True))
    return f"CASE WHEN {column} IS NULL THEN NULL {cases} ELSE 'below' END"


def compare(what, found, answer):
    differing = [] if found["counts"] == answer["counts"] else ["counts"]
    for facet, cells in answer["facets"].items():
        theirs = found["facets"][facet]
        differing += [f"{facet}: {cell!r}" for cell in sorted({*cells, *theirs}) if cells.get(cell) != theirs.get(cell)]
    for difference in differing[:10]:
        print(f"{what}: {difference} differs")
    return len(differing)


if __name__ == "__main__":
    main()
