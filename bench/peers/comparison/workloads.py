"""What is asked of each server, and which figures of a run answer it."""

from dataclasses import dataclass, field, replace
from typing import Optional

LOWER, HIGHER = "lower is better", "higher is better"

# The time that a run may take beyond what was asked of it, before it is stopped.
GRACE_S = 90


@dataclass(frozen=True)
class Figure:
    """One number of a run: where parley-load's JSON has it, how it is shown."""

    label: str
    path: str
    scale: float = 1.0
    unit: str = ""


@dataclass(frozen=True)
class Kind:
    """A kind of workload: the figures that are charted, and those that stand beside them."""

    charted: tuple
    beside: tuple = ()
    better: str = LOWER
    delivers: bool = True  # its runs count deliveries, and must not lose any


_US, _MS = 1.0, 1e-3
LATENCY = (
    Figure("p50, ms", "latency_us.p50", _MS, "ms"),
    Figure("p99, ms", "latency_us.p99", _MS, "ms"),
    Figure("p99.9, ms", "latency_us.p99_9", _MS, "ms"),
)
BYTES = Figure("bytes a delivery", "bytes_per_delivery", 1.0, "B")
COST = Figure("server µs a delivery", "server.cpu_us_per_delivery", _US, "µs")

KINDS = {
    "rate": Kind((COST,), LATENCY + (BYTES,)),
    "latency": Kind((COST, LATENCY[1]), (LATENCY[0], LATENCY[2], BYTES)),
    "highest": Kind(
        (
            Figure("p99 < 200 ms", "highest.200ms.deliveries_per_s", 1e-3, "k/s"),
            Figure("p99 < 25 ms", "highest.25ms.deliveries_per_s", 1e-3, "k/s"),
        ),
        (),
        HIGHER,
        delivers=False,
    ),
    "idle": Kind(
        (Figure("KiB a connection", "bytes_per_connection", 1 / 1024, "KiB"),),
        (Figure("server at rest, MiB", "server.pss_kib_before_ramp", 1 / 1024, "MiB"),),
        delivers=False,
    ),
    "handshakes": Kind(
        (Figure("server µs a handshake", "server.cpu_us_per_handshake", _US, "µs"),),
        (
            Figure("handshakes/s", "handshakes_per_s", 1.0, "/s"),
            Figure("p99, ms", "time_us.p99", _MS, "ms"),
        ),
        delivers=False,
    ),
    "burst": Kind(
        (Figure("last receiver, ms", "last_receiver_us.p50", _MS, "ms"),),
        (
            Figure("slowest message, ms", "last_receiver_us.max", _MS, "ms"),
            Figure("median receiver, ms", "latency_us.p50", _MS, "ms"),
            COST,
            BYTES,
        ),
    ),
}


@dataclass(frozen=True)
class Workload:
    """One workload: its kind, and what parley-load is asked for."""

    name: str
    title: str
    kind: str
    connections: int
    rooms: int = 1
    rate: float = 0
    tls: bool = False
    text_bytes: int = 128
    ramp_s: int = 1
    warmup_s: int = 1
    duration_s: int = 4
    spread: int = 8  # members of a room that take turns publishing
    options: tuple = field(default=())

    @property
    def of_kind(self) -> Kind:
        return KINDS[self.kind]

    @property
    def publishes(self) -> bool:
        return self.kind not in ("idle", "handshakes")

    def arguments(self, payload: int) -> list:
        """What parley-load is told beside the server."""
        if self.kind == "handshakes":
            return [
                *("--handshakes", "max", "--handshake-kind", "upgrade"),
                *("--connections", str(self.connections)),
                *("--warmup", f"{self.warmup_s}s", "--duration", f"{self.duration_s}s"),
                *self.options,
            ]
        return [
            *("--connections", str(self.connections), "--rooms", str(self.rooms)),
            *("--payload", str(payload), "--ramp", f"{self.ramp_s}s", "--settle", "30s"),
            *("--warmup", f"{self.warmup_s}s", "--drain", "5s", "--spread", str(self.spread)),
            *(() if self.kind == "highest" else ("--rate", f"{self.rate:g}")),
            *(() if self.kind == "highest" else ("--duration", f"{self.duration_s}s")),
            *self.options,
        ]

    @property
    def patience_s(self) -> int:
        """After so long a run is stopped and counts as failed."""
        steps = SEARCH_S if self.kind == "highest" else 0
        return self.ramp_s + self.warmup_s + self.duration_s + steps + GRACE_S


HIGHEST = (
    *("--find-max", "--p99-max", "25ms,200ms"),
    *("--step-duration", "1s", "--duration", "2s"),
)
QUICK_HIGHEST = (*HIGHEST[:3], *("--step-duration", "300ms", "--duration", "600ms"))
QUICK = 5
SEARCH_S = 150  # at most, for all of its steps


def _all() -> list:
    thousand = {"connections": 1000, "ramp_s": 1}
    many = {"connections": 15000, "ramp_s": 4}
    small = {"connections": 5000, "rooms": 500, "spread": 10, "ramp_s": 2}
    secure = {"connections": 5000, "ramp_s": 4, "tls": True}
    return [
        Workload("C1", "1,000 in one room, 50 messages/s", "rate", rate=50, **thousand),
        Workload(
            "C1s", "TLS: 1,000 in one room, 50 messages/s", "rate", rate=50, tls=True, **thousand
        ),
        Workload("C2", "5,000 in 500 rooms of 10, 4,000 messages/s", "rate", rate=4000, **small),
        Workload(
            "W1", "1,000 in one room, the highest rate", "highest", options=HIGHEST, **thousand
        ),
        Workload(
            "W1k",
            "1,000 in one room, texts of 1 KiB, the highest rate",
            "highest",
            text_bytes=1024,
            options=HIGHEST,
            **thousand,
        ),
        Workload(
            "W1s",
            "TLS: 1,000 in one room, the highest rate",
            "highest",
            tls=True,
            options=HIGHEST,
            **thousand,
        ),
        Workload(
            "W2", "5,000 in 500 rooms of 10, the highest rate", "highest", options=HIGHEST, **small
        ),
        Workload(
            "W3",
            "15,000 connections, idle in 1,500 rooms",
            "idle",
            rooms=1500,
            duration_s=1,
            **many,
        ),
        Workload(
            "W3s",
            "TLS: 5,000 connections, idle in 500 rooms",
            "idle",
            rooms=500,
            duration_s=1,
            **secure,
        ),
        Workload(
            "W4", "15,000 in one room, 5 messages/s", "latency", rate=5, duration_s=8, **many
        ),
        Workload(
            "W4s", "TLS: 5,000 in one room, 5 messages/s", "latency", rate=5, duration_s=8, **secure
        ),
        Workload("W5", "upgrades, 64 at once", "handshakes", connections=64),
        Workload(
            "W5s", "TLS 1.3 handshakes with their upgrades, 64 at once", "handshakes", 64, tls=True
        ),
        # Slow enough that no message meets the one before it.
        Workload(
            "W6", "one message at a time to 15,000", "burst", rate=1.25, duration_s=10, **many
        ),
    ]


WORKLOADS = {workload.name: workload for workload in _all()}

# How long a delivery is, told by a short run, so that payloads can be chosen.
FRAME = Workload(
    "frame", "bytes of a delivery", "rate", 200, rate=100, ramp_s=0, duration_s=1, spread=1
)


def quick(workload: Workload) -> Workload:
    """A fifth of the connections for about a second: to see that everything works."""
    rooms = max(workload.rooms // QUICK, 1)
    return replace(
        workload,
        connections=max(workload.connections // QUICK, 64),
        rooms=rooms,
        rate=workload.rate * rooms / workload.rooms,
        ramp_s=1,
        duration_s=3 if workload.kind == "burst" else 1,
        options=QUICK_HIGHEST if workload.kind == "highest" else (),
    )


def bytes_per_connection(report: dict) -> Optional[float]:
    """What the server's memory grew by for each connection."""
    server, opened = report.get("server"), report.get("connections", {}).get("opened", 0)
    if not server or not opened:
        return None
    return (server["pss_kib_connected"] - server["pss_kib_before_ramp"]) * 1024 / opened


def by_bound(report: dict) -> dict:
    """What --find-max found, by its bound: {"25ms": {...}, ...}."""
    bounds = (report.get("find_max") or {}).get("bounds", [])
    return {f"{bound['p99_max_ms']:g}ms": bound for bound in bounds}


def figure(report: dict, wanted: Figure) -> Optional[float]:
    """The number, scaled; nothing where the report has none."""
    value = report
    for step in wanted.path.split("."):
        if not isinstance(value, dict) or value.get(step) is None:
            return None
        value = value[step]
    return value * wanted.scale
