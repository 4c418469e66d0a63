"""DICOM over TLS (PS3.15 annex B.9) with keys made by openssl: who may talk, who may not; and titles that are not let in.

Not here: what is said over it, which does not depend on it.
"""
import ssl, subprocess

from pynetdicom import AE
from pynetdicom.sop_class import Verification

from parking import parked
from waiting import PATIENCE_S


def check_tls(check, start, work, target):
    keys = make_keys(work / "keys")
    certificate, key, authority = keys["server.pem"], keys["server.key"], keys["ca.pem"]
    options = ["--tls-cert", certificate, "--tls-key", key]
    settings = {"DicomTlsEnabled": True, "DicomTlsCertificate": str(certificate), "DicomTlsPrivateKey": str(key),
                "DicomTlsTrustedCertificates": str(authority)}
    if target == "orthanc":
        check.not_asked("TLS without client certificates", "Debian's Orthanc always wants one")
    else:
        with start("tls", options) as server:
            check("TLS: pynetdicom is answered", echo(server, keys, None))
            check("TLS: echoscu is answered", echoscu(server, "--anonymous-tls", "+cf", authority))
            check("TLS: who does not encrypt is not answered", not echo(server, None, None))
            check("TLS: echoscu that trusts another authority goes away", not echoscu(server, "--anonymous-tls", "+cf", keys["stranger.pem"]))
    with start("mutual-tls", [*options, "--tls-ca", authority], settings) as server:
        check("TLS with client certificates: ours is answered", echo(server, keys, "client"))
        check("TLS with client certificates: echoscu is answered", echoscu(server, "+tls", keys["client.key"], keys["client.pem"], "+cf", authority))
        check("TLS with client certificates: a stranger's is not", not echo(server, keys, "stranger"))
        check("TLS with client certificates: nobody's is not", not echo(server, keys, None))
    if target == "orthanc":
        check.not_asked("titles that may call", "Orthanc's allow-list is per service")
        return
    with start("titles", ["--from", "FRIEND"]) as server:
        check("a title on the list is let in", echo(server, None, None, "FRIEND"))
        check("a title that is not on it is not", not echo(server, None, None, "FOE"))


def make_keys(folder):
    """An authority, a server and a client that it vouches for, and a stranger that vouches for itself."""
    folder.mkdir()
    run = lambda *words: subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)
    new = lambda name, *more: run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", 2, "-subj", f"/CN={name}", "-keyout", folder / f"{name}.key",
                                  "-out", folder / f"{name}.pem", *more)
    new("ca"); new("stranger")
    for name in ("server", "client"):
        new(name, "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-addext", "basicConstraints=critical,CA:FALSE")
    return {path.name: path for path in folder.iterdir()}


def echo(server, keys, client, title="STRANGER"):
    """Whether pynetdicom's C-ECHO is answered, over TLS where keys are given, with a client's certificate where one is named."""
    arguments = None
    if keys:
        context = ssl.create_default_context(cafile=keys["ca.pem"])
        if client:
            context.load_cert_chain(keys[f"{client}.pem"], keys[f"{client}.key"])
        arguments = (context, "localhost")
    ae = AE(ae_title=title); ae.add_requested_context(Verification)
    ae.connection_timeout = ae.acse_timeout = ae.dimse_timeout = PATIENCE_S
    association = parked(ae.associate("127.0.0.1", server.dimse, ae_title=server.aet, tls_args=arguments))
    if not association.is_established:
        return False
    answered = association.send_c_echo()
    association.release()
    return answered.get("Status") == 0


def echoscu(server, *options):
    command = ["/usr/bin/echoscu", "-to", str(PATIENCE_S), "-ta", str(PATIENCE_S), "-aec", server.aet, *map(str, options), "127.0.0.1", str(server.dimse)]
    return subprocess.run(command, capture_output=True).returncode == 0
