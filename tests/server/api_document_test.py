"""docs/api.md, line by line: what it says that curl is answered is what a server answers.

usage: api_document_test.py PARLEYD DOCUMENT OPENAPI

A block of the document that begins with ```console holds commands behind `$ `, each followed by the
status of its last answer and what came. Times, cursors, epochs and the ids of users are as they come;
a `…` stands for anything. Answers that are JSON are also held against the schemas of the description.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import program_test

DOCUMENT = ""
OPENAPI = ""
BASE = "http://localhost:8080"

# curl as the document means it: silent, with the status of the last answer beside its body.
CURL = """#!/bin/sh
exec "$REAL_CURL" -sS -w '%{stderr}%{http_code} %{method} %{url_effective}' "$@" 2>"$STATUS"
"""


def examples(text):
    """(command, status, expected lines) for each command of the document."""
    for block in re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, answer = part.partition("\n")
            status, _, body = answer.strip().partition(" ")
            yield command, status, body


def normalised(text):
    """The same text with everything that no two servers have in common made equal."""
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "TIME", text)
    text = re.sub(r'(?<=[="])[0-9A-Za-z]{5}:(?=\d)', "EPOCH:", text)
    return re.sub(r'(?<="id":")[0-9A-Za-z]{8}(?=")', "ID", text)


def one_line(text):
    """JSON without the line breaks and indents that are for reading."""
    return re.sub(r"\n\s*", "", text.strip())


def matches(expected, actual):
    if "…" not in expected:
        return one_line(expected) == actual.strip()
    pattern = ".*?".join(re.escape(part.strip()) for part in expected.split("…"))
    return re.fullmatch(pattern, actual.strip().replace("\r\n", "\n"), re.DOTALL) is not None


def schema_problems(value, schema, document, path="answer"):
    """What is wrong with a value, by as much of JSON Schema as the description uses."""
    if "$ref" in schema:
        found = document
        for step in schema["$ref"].split("/")[1:]:
            found = found[step]
        yield from schema_problems(value, found, document, path)
        return
    if "oneOf" in schema:
        fits = [not list(schema_problems(value, one, document, path)) for one in schema["oneOf"]]
        if fits.count(True) != 1:
            yield f"{path}: fits {fits.count(True)} of {len(fits)}"
        return
    types = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool,
             "null": type(None)}
    if "type" in schema and type(value) is not types[schema["type"]]:
        yield f"{path}: {value!r} is no {schema['type']}"
        return
    if "const" in schema and value != schema["const"]:
        yield f"{path}: {value!r} is not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value!r} is none of {schema['enum']}"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{path}: {value!r} does not match {schema['pattern']}"
    if "properties" in schema:
        yield from (f"{path}: no {name}" for name in schema["required"] if name not in value)
        for name, inner in value.items():
            if name not in schema["properties"]:
                yield f"{path}: {name} is not described"
            else:
                yield from schema_problems(inner, schema["properties"][name], document,
                                           f"{path}.{name}")
    for index, inner in enumerate(value if "items" in schema else []):
        yield from schema_problems(inner, schema["items"], document, f"{path}[{index}]")


def described_answer(document, method, url, status):
    """The schema that the description has for that answer; None where it is not about JSON."""
    path = re.sub(r"^\w+://[^/]*", "", url).partition("?")[0]
    for pattern, methods in document["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", pattern), path) is None:
            continue
        responses = methods.get(method.lower(), next(iter(methods.values())))["responses"]
        response = responses.get(status, responses["default"])
        if "$ref" in response:
            response = document["components"]["responses"][response["$ref"].split("/")[-1]]
        for kind, content in response.get("content", {}).items():
            if kind.endswith("json"):
                return content["schema"]
    return None


def accounts_in(folder):
    """The settings of the document of accounts, with a secret for its tokens."""
    secret = pathlib.Path(folder) / "secret"
    secret.write_text("a secret of more than 32 bytes, and so it is one")
    settings = {"PARLEY_ACCOUNTS__STORE": f"sqlite:{folder}/accounts.db",
                "PARLEY_ACCOUNTS__HASH_MEMORY": "8KiB", "PARLEY_ACCOUNTS__HASH_PASSES": "1",
                "PARLEY_JWT__SECRET_FILE": str(secret)}
    os.environ.update(settings, PARLEYD=program_test.PARLEYD)  # for `parleyd token` in the shell
    return settings


class Shell:
    """One shell for all commands, so that a variable that one sets is there for the next."""

    def __init__(self, folder, base):
        self.base = base
        self.status = pathlib.Path(folder) / "status"
        curl = pathlib.Path(folder) / "curl"
        curl.write_text(CURL)
        curl.chmod(0o755)
        real = subprocess.run(["which", "curl"], capture_output=True, text=True, check=True)
        self.process = subprocess.Popen(
            ["bash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8",
                 "REAL_CURL": real.stdout.strip(), "STATUS": str(self.status)})

    def run(self, command):
        """(status, method, url, what was printed)."""
        end = "=== end of the answer ==="
        self.process.stdin.write(command.replace(BASE, self.base).replace(" -m 1 ", " -m 5 ") + f"\necho\necho '{end}'\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line.rstrip("\n") == end:
                break
            lines.append(line)
        # What curl complains of stands before it: a stream ends by its time running out.
        status, method, url = self.status.read_text().splitlines()[-1].split(" ", 2)
        return status, method, url, "".join(lines).strip()

    def close(self):
        self.process.communicate(timeout=program_test.PATIENCE)


class Document(unittest.TestCase):
    def test_every_line_is_answered_as_it_says(self):
        found = list(examples(pathlib.Path(DOCUMENT).read_text()))
        of_accounts = pathlib.Path(DOCUMENT).name == "accounts.md"
        self.assertGreater(len(found), 12 if of_accounts else 20)
        description = json.loads(pathlib.Path(OPENAPI).read_text())
        checked = 0
        with tempfile.TemporaryDirectory() as folder, program_test.Running(
                "--shards", "2",
                environment={"PARLEY_FILES__FOLDER": f"{folder}/files"} |
                (accounts_in(folder) if of_accounts else {})) as server:
            shell = Shell(folder, f"http://127.0.0.1:{server.port}")
            self.addCleanup(shell.close)
            for command, expected_status, expected in found:
                with self.subTest(command):
                    status, method, url, answer = shell.run(command)
                    self.assertEqual(status, expected_status, answer)
                    if not matches(normalised(one_line(expected) if "…" not in expected
                                              else expected), normalised(answer)):
                        self.assertEqual(normalised(answer), normalised(one_line(expected)))
                        self.fail(answer)
                    schema = described_answer(description, method, url, status)
                    if schema is not None and answer.startswith("{"):
                        checked += 1
                        self.assertEqual(
                            list(schema_problems(json.loads(answer), schema, description)), [])
        self.assertGreater(checked, 7 if of_accounts else 15)

    def test_a_difference_is_one(self):
        self.assertTrue(matches('{"a":\n   1}', '{"a":1}'))
        self.assertFalse(matches('{"a":1}', '{"a":2}'))
        self.assertTrue(matches("a\n…\nc", "a\r\nb\r\nc\r\n"))
        self.assertFalse(matches("a\n…\nc", "a\nb\nd"))
        self.assertEqual(normalised('"cursor":"8fKz2:1"'), normalised('"cursor":"Ab3dE:1"'))
        self.assertNotEqual(normalised('"cursor":"8fKz2:1"'), normalised('"cursor":"8fKz2:2"'))
        schema = {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}
        self.assertEqual(list(schema_problems({"a": 1}, schema, {})), [])
        for bad in ({}, {"a": "1"}, {"a": 1, "b": 2}, [], {"a": True}):
            self.assertNotEqual(list(schema_problems(bad, schema, {})), [])


if __name__ == "__main__":
    program_test.PARLEYD, DOCUMENT, OPENAPI = sys.argv[1:4]
    del sys.argv[1:4]
    unittest.main()
