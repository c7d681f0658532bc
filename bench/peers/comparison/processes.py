"""Processes on processors of their own, which are gone when the comparison is."""

import contextlib
import ctypes
import os
import resource
import signal
import socket
import subprocess
import time

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def _settle_in(processors, heeded):
    """Runs in the child: its own group and session, its processors, all the files it may open."""

    def settle():
        signal.pthread_sigmask(signal.SIG_SETMASK, heeded)
        os.setsid()
        # Should the comparison be killed outright, what it has started dies with it.
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        os.sched_setaffinity(0, processors)
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        # A session is a scheduling group; where it may, it weighs more than what else runs here.
        with contextlib.suppress(OSError), open("/proc/self/autogroup", "w") as autogroup:
            autogroup.write("-20")

    return settle


@contextlib.contextmanager
def running(command, processors, **streams):
    """A process for as long as the block runs; it and all of its group are ended then."""
    # An interruption between the start and the `try` would leave a process that nobody ends.
    heeded = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    process = None
    try:
        process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            preexec_fn=_settle_in(processors, heeded),
            **streams,
        )
        signal.pthread_sigmask(signal.SIG_SETMASK, heeded)
        yield process
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, heeded)
        if process is not None:
            end(process)


def end(process, patience_s=5):
    """Ends a process of running(), asked first, and then whatever is left of its group."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience_s)


def free_port():
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def await_listening(process, port, patience_s=20):
    """Waits until the port is connected to; raises ChildProcessError or TimeoutError."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ChildProcessError(f"the server ended with {process.returncode} as it started")
        try:
            socket.create_connection(("127.0.0.1", port), 0.5).close()
            return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(f"the server did not listen within {patience_s} s")


def processors_of(text):
    """'0/1', '0,1/0,1': of the server and of the generator. Raises ValueError."""
    sides = text.split("/")
    if len(sides) != 2:
        raise ValueError(f"'{text}': expected SERVER/GENERATOR, such as 0/1 or 0,1/0,1")
    sets = []
    for side in sides:
        chosen = {int(number) for number in side.split(",")}
        if not chosen <= os.sched_getaffinity(0):
            allowed = ",".join(map(str, sorted(os.sched_getaffinity(0))))
            raise ValueError(f"'{text}': this process may run on {allowed} only")
        sets.append(chosen)
    return sets
