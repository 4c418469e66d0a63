#!/usr/bin/env python3
"""Measures an Arno node and Debian's Orthanc with the same scripts, one after the other, on the same machine, in one run.

    cargo build --release -p arno-node
    tests/strangers/yardstick.py --yardsticks ../shared/yardsticks/dicom --node target/release/arno-node --scale full --out table.md

Data made by gen.py are received twice into an empty store (C-STORE with dcmtk's storescu over two associations, STOW-RS by twenties,
two at a time), and what C-STORE left is queried and fetched. Both servers write durably and listen on 127.0.0.1. Each script's
figures are printed as they come; --out gets the table, --json all of it. The memory of a server and its children is sampled ten
times a second: steady is the median of the samples while it receives or serves, peak the greatest. At full scale data are received
three times each way, every time into an empty store, and counted together. Half of the free memory is touched first: the host of a
virtual machine gives memory out when it is first used, at the cost of whoever uses it, and the first server measured would pay.
Needs dcmtk, orthanc, orthanc-dicomweb of Debian, and PyPI's numpy, psutil, pydicom, pydicom-data, pynetdicom, requests.
"""
import argparse, datetime, json, os, pathlib, platform, shutil, statistics, subprocess, sys, tempfile, threading, time

import psutil

from servers import Arno, Orthanc

# studies, instances of each, requests a case of QIDO-RS, of WADO-RS, of C-FIND, studies fetched whole, runs of bench_wado, of receiving
SCALES = {"small": (4, 25, 40, 60, 30, 4, 2, 1), "full": (20, 100, 200, 2000, 100, 20, 3, 3)}
SERIES_OF_A_STUDY = 2
SAMPLE_SECONDS = 0.1
# The clock of processes ticks in hundredths of a second: less than this many is no figure.
LEAST_CPU_SECONDS = 0.05

ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("--yardsticks", required=True, help="folder of the scripts"); ap.add_argument("--node", help="arno-node; without it Orthanc alone")
ap.add_argument("--scale", choices=SCALES, default="small"); ap.add_argument("--out"); ap.add_argument("--json")
ap.add_argument("--only", choices=["orthanc", "arno"]); ap.add_argument("--data", help="data of an earlier run of gen.py")
ap.add_argument("--quiet", type=int, default=240, help="seconds to wait for a quiet machine before each script, 0 to go on at once")
a = ap.parse_args()
scripts = pathlib.Path(a.yardsticks).resolve()
sys.path.insert(0, str(scripts))
import common  # noqa: E402  the yardsticks' own

studies, per_study, qido_n, wado_n, cfind_n, whole, wado_runs, receiving_runs = SCALES[a.scale]
work = pathlib.Path(tempfile.mkdtemp(prefix="arno-yardstick-"))


class Watch:
    """CPU seconds and memory of a process and its children, read while something else runs."""

    def __init__(self, pid):
        self.root, self.samples, self.ended = psutil.Process(pid), [], threading.Event()
        self.thread = threading.Thread(target=self.sample, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set(); self.thread.join()

    def sample(self):
        while not self.ended.wait(SAMPLE_SECONDS):
            self.samples.append((time.monotonic(), family(self.root, lambda p: p.memory_info().rss)))

    def memory(self, since=0.0, until=float("inf")):
        mb = [rss / 1e6 for at, rss in self.samples if since <= at <= until]
        return {"steady_mb": round(statistics.median(mb), 1), "peak_mb": round(max(mb), 1)} if mb else {}


def family(root, of):
    """The sum over a process and its children, all of which may end meanwhile."""
    total = 0
    try:
        for process in [root, *root.children(recursive=True)]:
            try:
                total += of(process)
            except psutil.NoSuchProcess:
                pass
    except psutil.NoSuchProcess:
        pass
    return total


class Meter:
    """CPU seconds since the last reading: of the server, and of whatever is neither it nor the script nor this program."""

    def __init__(self, server, script):
        self.parts = [psutil.Process(server), psutil.Process(script), psutil.Process()]
        self.last = self.totals()

    def totals(self):
        # Children that have ended are counted with the one who waited for them. Ours are the two others, which are alive.
        server, script = (family(root, lambda p: sum(p.cpu_times()[:4])) for root in self.parts[:2])
        return common._busy(), server, script, sum(self.parts[2].cpu_times()[:2])

    def read(self):
        now = self.totals()
        busy, server, script, own = (new - old for new, old in zip(now, self.last))
        self.last = now
        return round(server, 2), round(max(0, busy - server - script - own), 2)


def touch_memory():
    """In a process of its own, so that the memory is free again."""
    half = psutil.virtual_memory().available // 2
    subprocess.run([sys.executable, "-c", f"import numpy; numpy.ones({half}, numpy.uint8)"], check=True)


def run(server, script, *options):
    """The lines of a script, each with the server's CPU seconds and memory since the line before it."""
    if a.quiet:
        quiet = common.wait_quiet(a.quiet)
    lines = []
    with Watch(server.pid) as watch:
        command = [sys.executable, scripts / script, *options, "--pid", server.pid]
        process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1)
        at, meter = time.monotonic(), Meter(server.pid, process.pid)
        for text in process.stdout:
            now, (server_s, others_s) = time.monotonic(), meter.read()
            line = {"server": server.name, "script": script, **json.loads(text), "quiet": bool(a.quiet and quiet), **watch.memory(at, now)}
            # Scripts that measure this themselves know better where a case begins.
            line.setdefault("server_cpu_s", server_s); line.setdefault("others_cpu_s", others_s)
            print(json.dumps(line), flush=True)
            lines.append(line); at = now
        complaint = process.stderr.read()
        if process.wait() != 0:
            raise SystemExit(f"{script} failed against {server.name}: {complaint[-2000:]}\n{server.log.read_text(errors='replace')[-2000:]}")
    return lines


def measure(start, data):
    """All figures of one server."""
    found, received = {}, {"cstore": [], "stow": []}
    for again in range(receiving_runs):
        with start(f"stow-{again}") as server:
            received["stow"] += run(server, "bench_stow.py", data, "--url", server.url, "--batch", 20, "--conc", 2)
        shutil.rmtree(server.folder)
        with start(f"store-{again}") as server:
            found["start"] = {"s": round(server.started_s, 2)}
            received["cstore"] += run(server, "bench_cstore.py", data, "--port", server.dimse, "--aet", server.aet, "--assoc", 2)
            if again == receiving_runs - 1:
                serve(found, server)
        shutil.rmtree(server.folder)
    for way, lines in received.items():
        found[way] = receive(lines, server)
    return found


def serve(found, server):
    """The figures of a server that has all data."""
    query(found, run(server, "bench_qido.py", "--url", server.url, "-n", qido_n))
    options = ("--url", server.url, "-n", wado_n, "--studies", whole)
    fetch(found, [line for _ in range(wado_runs) for line in run(server, "bench_wado.py", *options)])
    find(found, run(server, "bench_cfind.py", "--port", server.dimse, "--aet", server.aet, "-n", cfind_n, "--get", whole))


def receive(lines, server):
    files = studies * per_study
    if any(line["instances"] != files or line.get("stored", files) != files for line in lines):
        raise SystemExit(f"{server.name} did not take all: {lines}")
    return figure(files * len(lines), lines, per_s=round(files * len(lines) / sum(line["s"] for line in lines), 1), memory=memory(lines))


def figure(items, lines, **more):
    cpu_s = sum(line["server_cpu_s"] for line in lines)
    rate = round(items / cpu_s, 1) if cpu_s >= LEAST_CPU_SECONDS else None
    others_s = round(sum(line["others_cpu_s"] for line in lines), 1)
    return {"items": items, "cpu_s": round(cpu_s, 2), "per_cpu_s": rate, "others_cpu_s": others_s, **more}


def memory(lines):
    steady, peak = ([line[key] for line in lines if key in line] for key in ("steady_mb", "peak_mb"))
    return {"steady_mb": statistics.median(steady), "peak_mb": max(peak)} if steady else None


def p50(lines):
    return {line["case"]: line["p50_ms"] for line in lines}


def query(found, lines):
    cases = [line for line in lines if line["bench"] == "qido"]
    answered(cases)
    found["qido"] = figure(sum(case["n"] * case["rows_last"] for case in cases), cases, p50_ms=p50(cases))


def fetch(found, lines):
    cases = [line for line in lines if line["bench"] == "wado"]
    answered(cases)
    for name in p50(cases):
        of_case = [line for line in cases if line["case"] == name]
        requests, seconds = sum(line["requests"] for line in of_case), sum(line["s"] for line in of_case)
        items = requests * per_study if name == "study" else requests
        found[name] = figure(items, of_case, per_s=round(items / seconds, 1), p50_ms=p50(of_case), memory=memory(of_case))


def answered(cases):
    bad = [case["case"] for case in cases if set(case["http"]) != {"200"}]
    if bad:
        raise SystemExit(f"not all answers were 200 OK: {bad}")


def find(found, lines):
    # The first case holds the script's own questions before it: all studies once, the series of each.
    cases = [line for line in lines if line["bench"] == "cfind"]
    rows = sum(case["n"] * case["rows_last"] for case in cases) + studies + SERIES_OF_A_STUDY * studies
    found["cfind"] = figure(rows, cases, p50_ms=p50(cases))
    gets = [line for line in lines if line["bench"] == "cget_study"]
    if any(line["received"] != per_study for line in gets):
        raise SystemExit(f"C-GET did not bring all: {gets}")
    received, seconds = sum(line["received"] for line in gets), sum(line["s"] for line in gets)
    found["cget"] = figure(received, gets, per_s=round(received / seconds, 1))


# name in the figures, words, what one item is, the ratio that the issue asks for
ROWS = [("cstore", "Receiving, C-STORE", "instances", 3), ("stow", "Receiving, STOW-RS", "instances", 3), ("qido", "QIDO-RS", "rows", 20),
        ("instance_metadata", "WADO-RS metadata of an instance", "answers", 10), ("study_metadata", "WADO-RS metadata of a study", "answers", 10),
        ("frame_1", "WADO-RS frame", "frames", 2), ("instance", "WADO-RS instance", "instances", 2), ("study", "WADO-RS study", "instances", None),
        ("rendered_jpeg", "WADO-RS rendered, JPEG", "pictures", None), ("cfind", "C-FIND", "rows", None), ("cget", "C-GET", "instances", None)]
MEMORY = [("cstore", "while receiving by C-STORE", 100), ("stow", "while receiving by STOW-RS", 100), ("study", "while serving whole studies", 150)]


def table(figures):
    names = list(figures)
    out = [f"Per second of server CPU; {studies} studies of {per_study} CT instances, {platform.machine()}, {os.cpu_count()} cores, {datetime.date.today()}.", "",
           "| | " + " | ".join(names) + " | ratio | wanted | others' CPU s (" + ", ".join(names) + ") |", "|---|" + "--:|" * (len(names) + 3)]
    for key, words, unit, wanted in ROWS:
        rates = [figures[name][key]["per_cpu_s"] for name in names]
        others = ", ".join(str(figures[name][key]["others_cpu_s"]) for name in names)
        ratio = f"{rates[-1] / rates[0]:.1f}" if len(rates) == 2 and all(rates) else "-"
        shown = [f"{rate:,.1f} {unit}" if rate else f"too fast: {figures[name][key]['cpu_s']} s in all" for name, rate in zip(names, rates)]
        out.append(f"| {words} | " + " | ".join(shown) + f" | {ratio} | {'≥ ' + str(wanted) if wanted else ''} | {others} |")
    out += ["", "| memory, MB: steady (peak) | " + " | ".join(names) + " | wanted |", "|---|" + "--:|" * (len(names) + 1)]
    for key, words, wanted in MEMORY:
        used = [figures[name][key]["memory"] for name in names]
        shown = [f"{mb['steady_mb']:.0f} ({mb['peak_mb']:.0f})" if mb else "too short" for mb in used]
        out.append(f"| {words} | " + " | ".join(shown) + f" | < {wanted} |")
    out += ["", "| by the wall clock | " + " | ".join(names) + " |", "|---|" + "--:|" * len(names)]
    for key, words, unit, _ in ROWS:
        if all("per_s" in figures[name][key] for name in names):
            out.append(f"| {words}, {unit} a second | " + " | ".join(str(figures[name][key]["per_s"]) for name in names) + " |")
    out.append("| ready after, s | " + " | ".join(str(figures[name]["start"]["s"]) for name in names) + " |")
    return "\n".join(out) + "\n"


try:
    data = pathlib.Path(a.data).resolve() if a.data else work / "data"
    if not a.data:
        subprocess.run([sys.executable, str(scripts / "gen.py"), str(data), "--studies", str(studies), "--per-study", str(per_study)], check=True)
    starts = {}
    if a.only != "arno":
        starts["Orthanc"] = lambda kind: Orthanc(work / f"orthanc-{kind}")
    if a.only != "orthanc" and a.node:
        starts["Arno"] = lambda kind: Arno(a.node, work / f"arno-{kind}")
    touch_memory()
    figures = {}
    for name, start in starts.items():
        figures[name] = measure(start, data)
    if a.json:
        pathlib.Path(a.json).write_text(json.dumps({"scale": a.scale, "figures": figures}, indent=1) + "\n")
    text = table(figures)
    print(text)
    if a.out:
        pathlib.Path(a.out).write_text(text)
finally:
    shutil.rmtree(work, ignore_errors=True)
