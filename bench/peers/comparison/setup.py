"""What must be there before anything is measured: packages of Debian and npm, our own programs."""

import hashlib
import pathlib
import subprocess

from .servers import HERE, ROOT

PROGRAMS = ("parleyd", "parley-load")


def install(modules: pathlib.Path):
    """Debian's packages and npm's, where they are missing. Raises CalledProcessError."""
    subprocess.run([ROOT / "cmake/install_packages", "peers"], check=True)
    modules.mkdir(parents=True, exist_ok=True)
    lock = HERE / "package-lock.json"
    installed = modules / "installed"
    if installed.exists() and installed.read_text() == lock.read_text():
        return
    for file in (HERE / "package.json", lock):
        (modules / file.name).write_text(file.read_text())
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=modules, check=True)
    installed.write_text(lock.read_text())


def build(folder: pathlib.Path):
    """Compiles parleyd and parley-load where they are not. Raises CalledProcessError."""
    if all((folder / name).is_file() for name in PROGRAMS):
        return
    subprocess.run([ROOT / "cmake/install_packages", "run"], check=True)
    subprocess.run(["cmake", "--preset", "release", "-B", folder.resolve()], cwd=ROOT, check=True)
    subprocess.run(["cmake", "--build", folder, "--target", *PROGRAMS], check=True)


def program(folder: pathlib.Path, name: str) -> pathlib.Path:
    """Where it is, so that it can be started from anywhere. Raises FileNotFoundError."""
    path = (folder / name).resolve()
    if not path.is_file():
        raise FileNotFoundError(f"{folder} has no {name}")
    return path


def fingerprint(path: pathlib.Path) -> str:
    """Tells one build of a program from another."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
