"""How parleyd chooses between io_uring and epoll, also where the kernel refuses the first.

usage: io_test.py PARLEYD
"""

import ctypes
import os
import signal
import struct
import subprocess
import sys
import unittest

import program_test
from operation_test import scrape
from program_test import Running, run

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO, EPERM = 0x7FFF0000, 0x00050000, 1
IO_URING_SETUP = 425  # on every architecture


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def refuse_io_uring():
    """From here on io_uring_setup() fails, as a container's filter makes it (seccomp(2))."""
    steps = [(0x20, 0, 0, 0), (0x15, 0, 1, IO_URING_SETUP),
             (0x06, 0, 0, SECCOMP_RET_ERRNO | EPERM), (0x06, 0, 0, SECCOMP_RET_ALLOW)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    program = Program(len(steps), ctypes.cast(code, ctypes.c_void_p))
    libc = ctypes.CDLL(None, use_errno=True)
    if (libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
            or libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program)) != 0):
        raise OSError(ctypes.get_errno(), "no filter")


def refused(*arguments):
    """What parleyd says where io_uring is refused."""
    result = subprocess.run([program_test.PARLEYD, *arguments], capture_output=True, text=True,
                            timeout=program_test.PATIENCE, check=False,
                            preexec_fn=refuse_io_uring,
                            env={**os.environ, "PARLEY_ADMIN__LISTEN": "off"})
    return result.returncode, result.stdout, result.stderr


def end(test, server):
    server.signal(signal.SIGTERM)
    test.assertEqual(server.end(), 0)


class Io(unittest.TestCase):
    def test_epoll_is_taken_where_it_is_asked_for(self):
        with Running("--io", "epoll", admin="127.0.0.1:0") as server:
            self.assertEqual(server.log[-1]["io"], "epoll")
            self.assertEqual(scrape(server.admin)['parley_io_info{io="epoll"}'], 1)
            end(self, server)

    def test_auto_takes_what_there_is_and_says_which(self):
        with Running("--io", "auto", admin="127.0.0.1:0") as server:
            io = server.log[-1]["io"]
            self.assertIn(io, ("epoll", "uring"))
            self.assertEqual(scrape(server.admin)[f'parley_io_info{{io="{io}"}}'], 1)
            end(self, server)
        self.assertIn(f"io: {io}", run("doctor", "--connections", "10")[1])

    def test_auto_falls_back_with_one_line_where_the_kernel_refuses(self):
        with Running("--io", "auto", admin="127.0.0.1:0", preexec=refuse_io_uring) as server:
            self.assertEqual(server.log[-1]["io"], "epoll")
            said = [entry for entry in server.log if "io_uring" in entry["msg"]]
            self.assertEqual(len(said), 1, server.log)
            self.assertIn("Operation not permitted", said[0]["cause"])
            self.assertEqual(scrape(server.admin)['parley_io_info{io="epoll"}'], 1)
            end(self, server)

    def test_uring_asked_for_by_name_is_refused_with_the_reason(self):
        code, _, said = refused("--io", "uring", "--listen", "127.0.0.1:0")
        self.assertEqual(code, 1)
        self.assertIn("io is uring, and this kernel refuses it: io_uring_setup: Operation not", said)
        self.assertIn("io=auto takes epoll then", said)

    def test_doctor_tells_why_it_is_epoll_and_that_nothing_is_in_the_way(self):
        code, said, _ = refused("doctor", "--connections", "10")
        self.assertEqual(code, 0, said)
        self.assertIn("io: epoll; io_uring is refused: io_uring_setup: Operation not", said)

    def test_another_word_is_refused_with_those_there_are(self):
        code, _, said = run("--io", "aio")
        self.assertEqual(code, 1)
        self.assertIn('--io: "aio" is not one of auto, epoll, uring', said)


if __name__ == "__main__":
    program_test.PARLEYD = sys.argv.pop(1)
    unittest.main()
