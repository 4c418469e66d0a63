"""Starts the servers that strangers talk to, on 127.0.0.1, each in a folder of its own: an Arno node, or Debian's Orthanc, which
tells whether a test asks for what the standard says.

Not here: what is asked of them.
"""
import json, os, pathlib, socket, subprocess, time

import requests

from waiting import PATIENCE_S

ORTHANC = "/usr/sbin/Orthanc"
ORTHANC_PLUGINS = ("libOrthancDicomWeb.so", "libOrthancGdcm.so")
# Sockets that keep ports for servers of ours.
kept_free = []


def free_port():
    """A port that stays free for whom we name it to. A socket is bound to it and does not listen: so the system gives it to nobody who
    takes any port, neither to listen nor to call from, and a server that binds to it by its number may (SO_REUSEADDR, as servers do)."""
    keeper = socket.socket()
    keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    keeper.bind(("127.0.0.1", 0))
    kept_free.append(keeper)
    return keeper.getsockname()[1]


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


class Server:
    """A server as a process: `url` of its DICOMweb, `dimse` port, `aet` title, `pid`. Used as a context."""

    def __init__(self, name, aet, folder, program, environment=None):
        self.name, self.aet, self.program = name, aet, program
        self.folder = pathlib.Path(folder); self.folder.mkdir(parents=True)
        self.http, self.dimse = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.http}/dicom-web"
        self.environment = {**os.environ, **(environment or {})}
        self.process = None

    @property
    def pid(self):
        return self.process.pid

    @property
    def log(self):
        return self.folder / "log"

    def __enter__(self):
        began = time.monotonic()
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, env=self.environment, cwd=self.folder)
        while not (self.answers() and self.listens()):
            ended = self.process.poll() is not None
            if ended or time.monotonic() - began > PATIENCE_S:
                self.stop()
                raise SystemExit(f"{self.name} {'ended' if ended else 'does not answer'}:\n{self.log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.02)
        self.started_s = time.monotonic() - began
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                self.process.kill(); self.process.wait()

    def answers(self):
        try:
            return requests.get(self.url + "/studies?limit=1", timeout=PATIENCE_S).status_code < 300
        except requests.RequestException:
            return False

    def listens(self):
        return listens(self.dimse)


class Arno(Server):
    def __init__(self, program, folder, destinations=(), options=()):
        super().__init__("Arno", "ARNO", folder, str(pathlib.Path(program).resolve()))
        self.options = [f"--to={aet}=127.0.0.1:{port}" for aet, port in destinations] + [str(option) for option in options]

    def command(self):
        return [self.program, "serve", "--data", str(self.folder / "data"), "--http", str(self.http), "--dimse", str(self.dimse),
                "--aet", self.aet, "--recipe", "none", *self.options]


class Orthanc(Server):
    """As Debian ships it, with the DICOMweb plugin. Its writes are durable (SyncStorageArea is true unless changed), and
    TCP_NODELAY=1 turns off Nagle's algorithm in dcmtk, which else costs 40 ms an image."""

    def __init__(self, folder, destinations=(), settings=None):
        super().__init__("Orthanc", "ORTHANC", folder, ORTHANC, {"TCP_NODELAY": "1"})
        self.destinations, self.settings = destinations, settings or {}

    def command(self):
        settings = {
            "Name": "strangers", "StorageDirectory": str(self.folder / "storage"), "IndexDirectory": str(self.folder / "storage"),
            "DicomAet": self.aet, "DicomPort": self.dimse, "HttpPort": self.http, "RemoteAccessAllowed": False,
            "AuthenticationEnabled": False, "DicomCheckCalledAet": False, "DicomCheckModalityHost": False, "SyncStorageArea": True,
            "UnknownSopClassAccepted": True, "DefaultEncoding": "Utf8", "Plugins": [f"/usr/share/orthanc/plugins/{p}" for p in ORTHANC_PLUGINS],
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
            "DicomModalities": {aet: [aet, "127.0.0.1", port] for aet, port in self.destinations},
            **{f"DicomAlwaysAllow{act}": True for act in ("Echo", "Store", "Find", "Get", "Move")}, **self.settings}
        path = self.folder / "orthanc.json"
        path.write_text(json.dumps(settings, indent=1))
        return [ORTHANC, str(path)]
