#!/usr/bin/env python3
"""A federation of a hub and three nodes over TLS that holds NCI's Imaging Data Commons, asked from Chromium and from a shell.

    cargo build --release -p arno-cli
    pip download idc-index-data==25.0.5 --no-deps && unzip idc_index_data-*.whl
    pip install duckdb
    tests/strangers/federated_search.py --arno target/release/arno --parquet idc_index_data/idc_index.parquet \\
        --tcga TCGA-CDR-SupplementalTableS1.xlsx --out measured.json

The three parts of IDC are loaded by `arno node clinical load` with docs/examples/idc.toml, all collections dealt out, the largest first,
each to the node that has the fewest series yet. Then a panel of facets is asked with three filters in many variants, each a new question:
from the explorer's page in Chromium (from pressing Search to the panel of all sites on the page), and from a shell (HTTP, the same
routes). CPU time of each node and of the hub is read from /proc before and after. DuckDB and SQLite count one such panel on the same
rows as peers, one thread, tables in memory. With the workbook of TCGA's outcomes, they are joined to the series by patient at the node that has
TCGA's collections, and the count of a question about both is compared with DuckDB's on the raw files.

Settings that are not the usual ones: the budgets are raised, so that so many questions can be paid, and with them the noise is small. A bare
run without the workbook says so and leaves that step out. Exit code 1 if a step fails or a count differs.
"""
import argparse, itertools, json, os, pathlib, re, statistics, subprocess, sys, tempfile, time, urllib.request, zipfile
from xml.etree import ElementTree

import duckdb

import index_peers

HERE = pathlib.Path(__file__).resolve().parents[2]
SITES = [("NLST", "Berlin", "DE", 52.5, 13.4), ("Second", "Wien", "AT", 48.2, 16.4), ("Third", "Lyon", "FR", 45.8, 4.8)]
PASSWORD = "correct horse battery staple"
TICKS = os.sysconf("SC_CLK_TCK")
RAISED = {"data_user_microrho": 1_000_000_000_000, "site_microrho": 1_000_000_000_000, "questions": 1000}
FACETS = ["collection", "modality", "body_part", "manufacturer", "model", "sex", "age", "sop_class", "licence", "instances"]
TCGA = "overall_survival_days >= 730 and stage under III"
# What is asked of series, in the cohort language and in SQL.
JOINED = [
    ("collection = tcga_luad and modality = CT", "collection_id = 'tcga_luad' AND Modality = 'CT'"),
    ("modality = SM", "Modality = 'SM'"),
    ("modality in {CT, MR, PT}", "Modality IN ('CT', 'MR', 'PT')"),
]


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--arno", required=True)
    options.add_argument("--parquet", required=True)
    options.add_argument("--tcga", help="TCGA-CDR-SupplementalTableS1.xlsx")
    options.add_argument("--facets", default=",".join(FACETS))
    options.add_argument("--questions", type=int, default=120)
    options.add_argument("--shell-only", action="store_true", help="leaves Chromium out")
    options.add_argument("--picture", help="writes a picture of the explorer's page")
    options.add_argument("--out", help="writes all figures as JSON")
    given = options.parse_args()
    given.facets = given.facets.split(",")
    with tempfile.TemporaryDirectory(prefix="arno-federated-") as folder:
        federation = Federation(given.arno, pathlib.Path(folder))
        try:
            measured = measure(federation, given)
        finally:
            federation.stop()
    if given.out:
        pathlib.Path(given.out).write_text(json.dumps(measured, indent=1))
    sys.exit(0 if measured["right"] else 1)


def measure(federation, given):
    database = duckdb.connect(config={"threads": 1})
    parts = dealt(database, given.parquet)
    measured = {"load": [], "started": []}
    for node, collections in zip(federation.nodes, parts):
        measured["load"].append(node.load(given.parquet, collections))
        print(f"{node.name}: {measured['load'][-1]}", flush=True)
    tcga = None
    if given.tcga and pathlib.Path(given.tcga).exists():
        holder = next(node for node, names in zip(federation.nodes, parts) if "tcga_luad" in names)
        tcga = holder.load_table(given.tcga, HERE / "docs/examples/tcga.toml")
        print(f"TCGA's outcomes at {holder.name}: {tcga}", flush=True)
    else:
        print("TCGA's outcomes are left out: --tcga names no workbook", flush=True)
    for node in federation.nodes:
        measured["started"].append(node.serve())
        print(f"{node.name} serves: {measured['started'][-1]}", flush=True)
    questions = variants(given.questions)
    federation.warm_up()
    if not given.shell_only:
        measured["browser"] = in_browser(federation, given, questions[: len(questions) // 2])
        # The hub takes 120 searches of one person a minute.
        time.sleep(61)
    measured["shell"] = in_shell(federation, given.facets, questions[len(questions) // 2 :])
    hows = [how for how in ("browser", "shell") if how in measured]
    for how in hows:
        print(f"{how}: {json.dumps(measured[how]['summary'])}", flush=True)
    measured["peers"] = [peers(given.parquet, names) for names in parts]
    print(f"peers, CPU ms a panel: {measured['peers']}", flush=True)
    measured["right"] = all(measured[how]["summary"]["failed"] == 0 for how in hows)
    if tcga:
        measured["tcga"] = joined(federation, holder, given, parts[federation.nodes.index(holder)])
        print(f"TCGA: {json.dumps(measured['tcga'])}", flush=True)
        measured["right"] &= all(one["exact"] == one["raw"] for one in measured["tcga"])
    return measured


def dealt(database, parquet):
    """Collections for each node, the largest first, each to the node that has the fewest series yet."""
    rows = database.execute("SELECT collection_id, count(*) FROM read_parquet(?) GROUP BY 1", [parquet]).fetchall()
    parts = [[0, []] for _ in SITES]
    for series, name in sorted(((series, name) for name, series in rows), reverse=True):
        part = min(parts, key=lambda part: part[0])
        part[0] += series
        part[1].append(name)
    return [names for _, names in parts]


def variants(count):
    """Different questions of three filters each: words of three fields of which each has a facet."""
    modalities = [["CT"], ["MR"], ["CT", "MR"], ["CT", "PT"], ["SEG"], ["CT", "SEG"], ["SR"]]
    makers = [["SIEMENS"], ["GE MEDICAL SYSTEMS"], ["SIEMENS", "GE MEDICAL SYSTEMS"], ["Philips"], ["TOSHIBA", "SIEMENS"]]
    licences = [["CC BY 4.0"], ["CC BY 3.0"], ["CC BY 4.0", "CC BY 3.0"], ["CC BY-NC 3.0"]]
    one = lambda field, words: f"{field} in {{{', '.join(json.dumps(word) for word in words)}}}"
    texts = [
        " and ".join([one("modality", modality), one("manufacturer", maker), one("licence", licence)])
        for licence, modality, maker in itertools.product(licences, modalities, makers)
    ]
    return texts[:count]


class Process:
    def __init__(self, arguments, log):
        self.child = subprocess.Popen([str(one) for one in arguments], stdout=subprocess.PIPE, stderr=log, text=True)

    def cpu_s(self):
        fields = pathlib.Path(f"/proc/{self.child.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory_mb(self, what="VmRSS"):
        status = pathlib.Path(f"/proc/{self.child.pid}/status").read_text()
        return round(int(re.search(rf"{what}:\s+(\d+)", status)[1]) / 1000)

    def stop(self):
        self.child.terminate()
        try:
            self.child.wait(20)
        except subprocess.TimeoutExpired:
            self.child.kill()


class Node:
    def __init__(self, arno, folder, site):
        self.arno, self.folder, self.name = arno, folder, site[0]
        self.process, self.log = None, open(f"{folder}.log", "w")
        self.run("init", "--name", site[0], "--city", site[1], "--country", site[2], "--latitude", site[3], "--longitude", site[4])
        settings = pathlib.Path(folder) / "node.toml"
        text = settings.read_text()
        for name, value in RAISED.items():
            text = re.sub(rf"^{name} = .*$", f"{name} = {value}", text, flags=re.M)
        settings.write_text(text)

    def run(self, command, *arguments):
        words = [self.arno, "node", *command.split(), *arguments, "--data", self.folder]
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{command}: {done.stdout}{done.stderr}")
        return done.stdout

    def load(self, parquet, collections):
        values = pathlib.Path(f"{self.folder}.txt")
        values.write_text("\n".join(collections) + "\n")
        return self.load_table(parquet, HERE / "docs/examples/idc.toml", "--column", "collection_id", "--values", values)

    def load_table(self, file, mapping, *more):
        words = [self.arno, "node", "clinical", "load", file, "--mapping", mapping, "--data", self.folder, "--json", *more]
        started = time.monotonic()
        child = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, text=True)
        said = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        if status:
            raise SystemExit(f"{mapping} was not loaded at {self.name}")
        took = {"wall_s": round(time.monotonic() - started, 1), "cpu_s": round(usage.ru_utime + usage.ru_stime, 1), "peak_mb": round(usage.ru_maxrss / 1000)}
        return {**json.loads(said), **took, "load_average": os.getloadavg()[0]}

    def serve(self):
        """Until the index is made: the manifest that the hub is told is counted from it."""
        before = manifests(self.hub)
        words = [self.arno, "node", "serve", "--data", self.folder, "--http", "0"]
        started = time.monotonic()
        self.process = Process(words, self.log)
        while manifests(self.hub) == before:
            if time.monotonic() - started > 300:
                raise SystemExit(f"{self.name} did not declare what it can be asked about")
            time.sleep(0.2)
        took = {"wall_s": round(time.monotonic() - started, 1), "cpu_s": self.process.cpu_s()}
        return {**took, "rss_mb": self.process.memory_mb(), "peak_mb": self.process.memory_mb("VmHWM")}


class Federation:
    def __init__(self, arno, folder):
        self.arno, self.folder, self.nodes = arno, folder, []
        self.log = open(folder / "hub.log", "w")
        hub = folder / "hub"
        self.hub_command("init", "--name", "Measured", "--committee-key", self.committee_key())
        self.hub_command("account", "--name", "researcher", "--role", "data_user")
        self.process = Process([arno, "hub", "serve", "--data", hub, "--http", "0", "--federation", "0", "--json"], self.log)
        self.url = json.loads(self.process.child.stdout.readline())["http_url"].rstrip("/")
        self.cookie = None
        self.sign_in()
        for site in SITES:
            node = Node(arno, folder / site[0], site)
            node.hub = self
            invitation = self.hub_command("invite", "--note", site[0]).split()
            node.run("join", max(invitation, key=len))
            self.nodes.append(node)

    def committee_key(self):
        """Any key that is one: nothing is decided here. The one of RFC 8032, section 7.1, test 1."""
        return "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"

    def hub_command(self, command, *arguments):
        words = [self.arno, "hub", command, "--data", self.folder / "hub", *arguments]
        environment = {**os.environ, "ARNO_PASSWORD": PASSWORD}
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True, env=environment)
        if done.returncode:
            raise SystemExit(f"{command}: {done.stdout}{done.stderr}")
        return done.stdout

    def call(self, path, body=None, method=None):
        request = urllib.request.Request(self.url + path, method=method or ("POST" if body else "GET"))
        request.add_header("Content-Type", "application/json")
        request.add_header("Origin", self.url)
        if self.cookie:
            request.add_header("Cookie", self.cookie)
        data = json.dumps(body).encode() if body else None
        with urllib.request.urlopen(request, data, timeout=30) as answer:
            if answer.headers.get("Set-Cookie"):
                self.cookie = answer.headers["Set-Cookie"].split(";")[0]
            text = answer.read()
        return json.loads(text) if text else None

    def sign_in(self):
        self.call("/v1/session", {"account": "researcher", "password": PASSWORD})

    def search(self, text, facets):
        """Milliseconds to the sites' answers, and the state."""
        started = time.monotonic()
        state = self.call("/v1/searches", {"panel": {"text": text, "facets": facets}} if facets else {"text": text})
        while any(site["answer"] == "waiting" for site in state["sites"]):
            time.sleep(0.01)
            state = self.call(f"/v1/searches/{state['id']}")
        return (time.monotonic() - started) * 1000, state

    def warm_up(self):
        """The first question makes connections and looks at each field once."""
        self.search("modality = XA", [])

    def cpu(self):
        return [process.cpu_s() for process in (*(node.process for node in self.nodes), self.process)]

    def stop(self):
        for process in (*(node.process for node in self.nodes if node.process), self.process):
            process.stop()


def manifests(federation):
    """How many fields are declared, by site."""
    return sum(len(field["sites"]) for field in federation.call("/v1/fields"))


def in_browser(federation, given, questions):
    asked = {"url": federation.url, "account": "researcher", "password": PASSWORD, "by": given.facets, "questions": questions, "picture": given.picture}
    before = federation.cpu()
    done = subprocess.run(["node", "tests/explore.mjs"], input=json.dumps(asked), capture_output=True, text=True, cwd=HERE / "web")
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    found = json.loads(done.stdout)
    rows = found["measured"]
    # Numbers in steps are answered with the panel, and drawn in a card of their own when somebody asks there.
    stepped = {field["field"] for field in federation.call("/v1/fields") if field.get("steps")}
    wanted = len([facet for facet in given.facets if facet not in stepped])
    failed = [row for row in rows if "total_ms" not in row or row["facets"] != wanted]
    summary = {
        **times("panel_ms", rows), **times("total_ms", rows), "failed": len(failed), "bars": rows[0].get("bars"),
        "troubles": found["troubles"], **cpu_a_question(before, federation.cpu(), len(rows)),
    }
    return {"summary": summary, "rows": rows}


def in_shell(federation, facets, questions):
    before, rows = federation.cpu(), []
    for text in questions:
        took, state = federation.search(text, facets)
        answers = [site["answer"] for site in state["sites"]]
        counted = [answer["counted"] if "counted" in answer else {} for answer in answers]
        rows.append({"question": text, "panel_ms": took, "facets": [len(answer.get("facets", [])) for answer in counted]})
        if {} in counted:
            rows[-1]["answers"] = answers
        while not state["complete"]:
            time.sleep(0.02)
            state = federation.call(f"/v1/searches/{state['id']}")
    failed = [row for row in rows if row["facets"] != [len(facets)] * len(SITES)]
    summary = {**times("panel_ms", rows), "failed": len(failed), **cpu_a_question(before, federation.cpu(), len(rows))}
    return {"summary": summary, "rows": rows}


def times(name, rows):
    values = sorted(row[name] for row in rows if name in row)
    if not values:
        return {}
    at = lambda share: round(values[min(len(values) - 1, int(share * len(values)))], 1)
    return {f"{name}_p50": at(0.5), f"{name}_p95": at(0.95), "questions": len(values)}


def cpu_a_question(before, after, questions):
    each = [round((end - start) * 1000 / questions, 1) for start, end in zip(before, after)]
    return {"cpu_ms_nodes": each[:-1], "cpu_ms_hub": each[-1], "load_average": os.getloadavg()[0]}


def peers(parquet, collections):
    """CPU milliseconds of the same panel, the middle of a few turns."""
    question = {
        "filters": {"Modality": ["CT", "MR"], "Manufacturer": ["SIEMENS", "GE MEDICAL SYSTEMS"], "license_short_name": ["CC BY 4.0", "CC BY 3.0"]},
        "facets": {name: {} for name in [*index_peers.WORDS, "instanceCount"]},
        "steps": [2, 10, 50, 100, 200, 500, 1000],
    }
    duck = index_peers.load_duckdb(parquet, collections)
    found = {}
    for name, database in {"DuckDB": duck, "SQLite": index_peers.load_sqlite(duck)}.items():
        turns = []
        for _ in range(index_peers.TURNS[name]):
            started = time.process_time()
            index_peers.ask(database, question)
            turns.append((time.process_time() - started) * 1000)
        found[name] = round(statistics.median(turns))
    return found


def joined(federation, holder, given, collections):
    """Questions about series and outcomes: exact at the node's own shell, with noise at the hub, and by DuckDB on the raw files."""
    barcodes, found = long_survivors(given.tcga), []
    for part, condition in JOINED:
        text = f"{part} and {TCGA}"
        exact = json.loads(holder.run("clinical count", text, "--json"))["patients"]
        _, state = federation.search(text, [])
        site = next(site["answer"] for site in state["sites"] if site["name"] == holder.name)
        sql = (f"SELECT count(DISTINCT PatientID) FROM read_parquet(?) WHERE {condition} AND list_contains(?, PatientID)"
               " AND list_contains(?, collection_id)")
        raw = duckdb.execute(sql, [given.parquet, barcodes, collections]).fetchone()[0]
        found.append({"question": text, "exact": exact, "raw": raw, "at_the_hub": site["counted"]["counts"]["patients"]})
    return found


def long_survivors(workbook):
    """Patients of whom the workbook says stage III and two years: nothing of ours has a hand in it."""
    rows = sheet(workbook)
    of = {name: column for column, name in rows[0].items()}
    stages = ("Stage III", "Stage IIIA", "Stage IIIB", "Stage IIIC")
    fits = lambda row: row.get(of["ajcc_pathologic_tumor_stage"]) in stages and is_long(row.get(of["OS.time"]))
    return [row[of["bcr_patient_barcode"]] for row in rows[1:] if of["bcr_patient_barcode"] in row and fits(row)]


def is_long(days):
    try:
        return float(days) >= 730
    except (TypeError, ValueError):
        return False


def sheet(workbook):
    """The rows of the first sheet of a workbook, each by the letters of its columns."""
    space = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    with zipfile.ZipFile(workbook) as file:
        shared = ElementTree.fromstring(file.read("xl/sharedStrings.xml"))
        words = ["".join(part.text or "" for part in one.iter(space + "t")) for one in shared.iter(space + "si")]
        rows = []
        for row in ElementTree.fromstring(file.read("xl/worksheets/sheet1.xml")).iter(space + "row"):
            cells = {}
            for cell in row.iter(space + "c"):
                value = cell.find(space + "v")
                if value is not None:
                    column = re.match("[A-Z]+", cell.get("r"))[0]
                    cells[column] = words[int(value.text)] if cell.get("t") == "s" else value.text
            rows.append(cells)
    return rows


if __name__ == "__main__":
    main()
