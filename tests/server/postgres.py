"""A PostgreSQL of the test's own, in a temporary folder, reached by a Unix socket there."""

import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile
import time

PATIENCE = 60


class Postgres:
    """`programs` is the folder of initdb, postgres, psql and pg_dump."""

    def __init__(self, programs):
        self.programs = pathlib.Path(programs)
        self.folder = tempfile.mkdtemp(prefix="parley-pg-")
        # A server does not run as root.
        self.user = {}
        if os.getuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
            self.user = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        self.server = None
        self.databases = 0
        try:
            self.start()
        except BaseException:
            self.remove()
            raise

    def start(self):
        data = f"{self.folder}/data"
        subprocess.run([self.programs / "initdb", "-D", data, "-U", "parley", "-N", "--auth=trust",
                        "--locale=C.UTF-8", "-E", "UTF8"], cwd="/", check=True,
                       stdout=subprocess.DEVNULL, timeout=PATIENCE, **self.user)
        # It ends with this program, however that ends.
        self.server = subprocess.Popen(
            ["setpriv", "--pdeathsig", "SIGQUIT", self.programs / "postgres", "-D", data,
             "-k", self.folder, "-c", "listen_addresses=", "-c", "max_connections=50"],
            cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **self.user)
        end = time.monotonic() + PATIENCE
        while subprocess.run([self.programs / "pg_isready", "-q", "-h", self.folder],
                             check=False).returncode != 0:
            assert self.server.poll() is None and time.monotonic() < end, "it does not start"
            time.sleep(0.02)

    def make_database(self):
        """The name of a new and empty one."""
        self.databases += 1
        name = f"test{self.databases}"
        subprocess.run([self.programs / "psql", "-h", self.folder, "-U", "parley", "-d", "postgres",
                        "-X", "-q", "-c", f"CREATE DATABASE {name}"], check=True, timeout=PATIENCE)
        return name

    def store(self, database):
        """As parleyd's --history takes it."""
        return f"postgres:host={self.folder} user=parley dbname={database}"

    def dump(self, database):
        """All that is in it."""
        command = [self.programs / "pg_dump", "-h", self.folder, "-U", "parley", database]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=PATIENCE).stdout

    def remove(self):
        if self.server:
            self.server.send_signal(3)
            try:
                self.server.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.server.kill()
                self.server.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
