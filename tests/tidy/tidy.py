"""Holds the tree to what a compiler does not check: layers, header comments, words, format.

usage: tidy.py ROOT    exit 1 and a line for each finding
"""

import pathlib
import re
import shutil
import subprocess
import sys

# A folder's files may include, in quotes, only from these.
LAYERS = {
    "src/asio": set(),
    "src/protocol": {"protocol"},
    "src/core": {"core", "protocol"},
    "src/storage": {"storage", "core", "protocol"},
    "src/auth": {"auth", "core", "protocol"},
    "src/cluster": {"cluster", "core", "protocol"},
    "src/transports": {"transports", "core", "protocol"},
    "src/server": {"server", "transports", "auth", "storage", "cluster", "core", "protocol"},
    "loadtest": {"loadtest", "protocol"},
}

# Libraries that only some folders may include.
LIBRARIES = [
    (re.compile(r"boost/beast"), {"src/asio", "src/transports", "loadtest"}),
    (re.compile(r"openssl/(?!evp\.h|sha\.h)"), {"src/auth", "src/transports", "loadtest"}),
    (re.compile(r"openssl/(evp|sha)\.h"),
     {"src/protocol", "src/storage", "src/auth", "src/transports", "loadtest"}),
    (re.compile(r"argon2\.h|jwt\.h|curl/|unicode/"), {"src/auth"}),
    (re.compile(r"sqlite3\.h"), {"src/storage", "src/auth"}),
    (re.compile(r"libpq"), {"src/storage"}),
    (re.compile(r"boost/asio"),
     {"src/asio", "src/core", "src/storage", "src/transports", "src/server"}),
    (re.compile(r"spdlog/"), {"src/transports"}),
    (re.compile(r"prometheus/"), {"src/transports"}),
    (re.compile(r"systemd/"), {"src/server"}),
    (re.compile(r"liburing"), {"src/transports"}),
    (re.compile(r"zlib\.h"), {"src/protocol"}),
    (re.compile(r"toml\+\+/|CLI/"), {"src/server", "loadtest"}),
]

FORBIDDEN = [
    (re.compile(r"\b(TODO|FIXME|XXX|HACK)\b"), "unfinished business"),
    (re.compile(r"\basio::detached\b"), "a coroutine whose failure nobody hears of"),
    (re.compile(r"\bsleep_for\b|\busleep\("), "a thread that sleeps"),
    (re.compile(r"\busing namespace std;"), "using namespace std"),
]

HEADER_LINES = ["// Path: ", "// Runs on: ", "// Owned by: ", "// Bounds: "]
INCLUDE = re.compile(r'^\s*#include\s+(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)


def sources(root, *folders):
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in {".hpp", ".cpp"}:
                yield path


def includes_of(text):
    for match in INCLUDE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield line, match.group(1), match.group(2)


def layer_findings(root):
    for folder, allowed in LAYERS.items():
        for path in sources(root, folder):
            name = path.relative_to(root)
            for line, own, library in includes_of(path.read_text()):
                if own is not None and own.split("/")[0] not in allowed:
                    yield f"{name}:{line}: {folder} must not include {own}"
                for pattern, folders in LIBRARIES:
                    if library is not None and pattern.match(library):
                        if folder not in folders:
                            yield f"{name}:{line}: {folder} must not include {library}"
                        break


def word_findings(root):
    for path in sources(root, "src", "loadtest"):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            for pattern, what in FORBIDDEN:
                if pattern.search(line):
                    yield f"{path.relative_to(root)}:{number}: {what}: {line.strip()}"


def header_findings(root):
    for path in sources(root, "src", "loadtest"):
        if path.suffix != ".hpp":
            continue
        head = path.read_text().split("#pragma once")[0]
        for wanted in HEADER_LINES:
            if f"\n{wanted}" not in head:
                yield f"{path.relative_to(root)}: no line '{wanted.strip()}' above #pragma once"


def format_findings(root):
    program = shutil.which("clang-format")
    if program is None:
        print("clang-format is not installed: the format was not looked at")
        return
    files = [str(path) for path in sources(root, "src", "loadtest", "tests", "bench")]
    result = subprocess.run([program, "--dry-run", *files], capture_output=True, text=True,
                            cwd=root, check=False)
    for line in result.stderr.splitlines():
        if "[-Wclang-format-violations]" in line:
            yield line.removeprefix(f"{root}/")
    if result.returncode != 0:
        yield f"clang-format failed: {result.stderr}"


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    # A search that finds no files would find no fault either.
    if not list(sources(root, "src")) or not list(sources(root, "loadtest")):
        print(f"no sources below {root}")
        return 1
    findings = [
        *layer_findings(root),
        *word_findings(root),
        *header_findings(root),
        *format_findings(root),
    ]
    print("\n".join(findings) or "tidy")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
