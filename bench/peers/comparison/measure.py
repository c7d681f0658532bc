"""One cell of the comparison: a fresh server, one run of parley-load against it, what came out."""

import datetime
import json
import pathlib
import shutil
import subprocess
import tempfile
from dataclasses import dataclass

from . import processes
from .servers import SEARCH_PATH, Place, Server, Start
from .workloads import FRAME, Workload, by_bound, bytes_per_connection

REASON_CHARACTERS_MAX = 200


class CannotMeasure(Exception):
    """Why there is no figure, in words for the table."""


@dataclass(frozen=True)
class Bench:
    """What all cells share."""

    place: Place
    server_processors: set
    generator_processors: set
    certificate: tuple

    @property
    def may_spin(self) -> bool:
        """The generator has its processors for itself."""
        return not self.server_processors & self.generator_processors


def make_certificate(folder: pathlib.Path) -> tuple:
    """(chain, key) of a self-signed ECDSA P-256 certificate for localhost, made once."""
    chain, key = folder / "cert.pem", folder / "key.pem"
    if not chain.exists() or not key.exists():
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "ec"),
                *("-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "365"),
                *("-subj", "/CN=localhost"),
                *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
                *("-keyout", str(key), "-out", str(chain)),
            ],
            check=True,
            stderr=subprocess.DEVNULL,
        )
    return chain, key


def url_of(server: Server, port: int, secure: bool) -> str:
    scheme = "https" if server.transport == "socketio" else "wss"
    if not secure:
        scheme = {"https": "http", "wss": "ws"}[scheme]
    path = server.path if server.target is None else ""
    return f"{scheme}://127.0.0.1:{port}{path}"


def load_command(
    bench: Bench, server: Server, workload: Workload, port: int, pid: int, payload: int
) -> list:
    """parley-load's command line for this cell."""
    return [
        bench.place.parley_load,
        *("--url", url_of(server, port, workload.tls)),
        *(("--tls-insecure",) if workload.tls else ()),
        *(("--target", server.target) if server.target else ()),
        *("--transport", server.transport),
        *workload.arguments(payload),
        *(("--spin",) if bench.may_spin and workload.publishes else ()),
        *("--threads", len(bench.generator_processors), "--server-pid", pid),
        *("--json", "-", "--quiet"),
    ]


def report_of(text: str) -> dict:
    """The JSON that parley-load printed, behind its table. Raises CannotMeasure."""
    start = text.find("\n{")
    start = 0 if text.startswith("{") else start + 1
    try:
        return json.JSONDecoder().raw_decode(text[start:])[0]
    except ValueError:
        raise CannotMeasure("parley-load printed no report") from None


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    if len(line) <= REASON_CHARACTERS_MAX:
        return line
    return line[: REASON_CHARACTERS_MAX - 1] + "…"


def _last_line(path: pathlib.Path) -> str:
    lines = path.read_text(errors="replace").strip().splitlines()
    return _shortened(lines[-1]) if lines else ""


def _generate(bench: Bench, command: list, workload: Workload) -> dict:
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with processes.running(command, bench.generator_processors, **streams) as generator:
        try:
            said, complaint = generator.communicate(timeout=workload.patience_s)
        except subprocess.TimeoutExpired:
            raise CannotMeasure(f"not done after {workload.patience_s} s") from None
    if generator.returncode not in (0, 1, 2):
        told = _shortened(complaint) or f"parley-load ended with {generator.returncode}"
        raise CannotMeasure(told)
    return report_of(said)


def fault_of(report: dict, workload: Workload) -> str:
    """Why the run's figures must not stand for the server; empty: they may."""
    opened = report.get("connections", {})
    if opened.get("failed"):
        return f"{opened['failed']:,} of {opened['asked']:,} connections failed"
    if workload.kind == "handshakes" and report.get("failed"):
        return f"{report['failed']:,} handshakes failed"
    if workload.kind == "highest" and not any(
        bound["rate"] for bound in report.get("highest", {}).values()
    ):
        return "no rate was found that it bears"
    counts = report.get("deliveries", {})
    if any(counts.get(wrong) for wrong in ("duplicate", "out_of_order", "stray")):
        return "deliveries came twice, out of order or astray"
    if not workload.of_kind.delivers:
        return ""
    if counts.get("lost") or counts.get("announced"):
        missing = counts["lost"] + counts["announced"]
        return f"{missing / counts['expected']:.1%} of the deliveries did not arrive"
    if report.get("exit_code") == 1:
        remarks = report.get("remarks") or ["parley-load found a fault"]
        return _shortened(remarks[0])
    return ""


def _serve_and_generate(bench: Bench, server: Server, workload: Workload, payload: int) -> dict:
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"{server.name}-", dir=bench.place.scratch))
    log = folder / "output"
    port = processes.free_port()
    certificate = bench.certificate if workload.tls else None
    command = server.command(Start(bench.place, port, folder, certificate))
    with open(log, "w") as output:
        streams = {
            "stdout": output,
            "stderr": subprocess.STDOUT,
            "cwd": folder,
            "env": environment(bench.place),
        }
        try:
            with processes.running(command, bench.server_processors, **streams) as process:
                processes.await_listening(process, port)
                load = load_command(bench, server, workload, port, process.pid, payload)
                report = _generate(bench, load, workload)
        except FileNotFoundError as error:
            raise CannotMeasure(f"{error.filename} is not installed") from None
        except (ChildProcessError, TimeoutError) as error:
            told = _last_line(log)
            raise CannotMeasure(f"{error}{': ' if told else ''}{told}") from None
    shutil.rmtree(folder, ignore_errors=True)
    return report


def environment(place: Place) -> dict:
    """What a server is told of the world: where programs and npm's packages are."""
    return {
        "PATH": SEARCH_PATH,
        "HOME": str(place.scratch),
        "LANG": "C.UTF-8",
        "NODE_PATH": str(place.modules / "node_modules"),
    }


def measure(bench: Bench, server: Server, workload: Workload, payload: int, number: int) -> dict:
    """One cell, as it is kept: with a report, and with the reason where it does not count."""
    row = {
        "kind": "cell",
        "work": workload.name,
        "server": server.name,
        "round": number,
        "at": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "payload": payload,
    }
    try:
        if workload.tls and not server.secure:
            raise CannotMeasure("not set up for TLS here")
        report = _serve_and_generate(bench, server, workload, payload)
        if workload.kind == "idle":
            report["bytes_per_connection"] = bytes_per_connection(report)
        if workload.kind == "highest":
            report["highest"] = by_bound(report)
        row["report"] = report
        row["fault"] = fault_of(report, workload)
    except CannotMeasure as error:
        row["fault"] = str(error)
    return row


def bytes_of_a_delivery(bench: Bench, server: Server) -> float:
    """What one receiver reads for a message of FRAME's text. Raises CannotMeasure."""
    report = _serve_and_generate(bench, server, FRAME, FRAME.text_bytes)
    told = report.get("bytes_per_delivery")
    if not told:
        raise CannotMeasure("nothing was delivered when its frames were measured")
    return told

