"""The manual page has every option and command of the program, and no other.

usage: manual_test.py PARLEYD PAGE
"""

import pathlib
import re
import subprocess
import sys
import unittest

PARLEYD = ""
PAGE = ""


def help_of(*arguments):
    return subprocess.run([PARLEYD, *arguments, "--help"], capture_output=True, text=True,
                          check=True, timeout=30).stdout


def options_of(text):
    """The long options that begin a line, behind their short forms."""
    return set(re.findall(r"^ {2}(?:-\w,)?(--[a-z-]+)", text, re.MULTILINE))


class Manual(unittest.TestCase):
    def setUp(self):
        page = pathlib.Path(PAGE).read_text().replace("\\-", "-")
        self.entries = re.findall(r"^\.TP\n(.*)", page, re.MULTILINE)

    def test_its_options_are_the_programs(self):
        told = options_of(help_of()) | options_of(help_of("doctor")) | options_of(help_of("token"))
        self.assertGreater(len(told), 10)
        written = set(re.findall(r"\\fB(--[a-z-]+)", "\n".join(self.entries)))
        self.assertEqual(told, written)

    def test_its_commands_are_the_programs(self):
        told = set(re.findall(r"^ {2}([a-z][a-z-]+) ", help_of().split("Subcommands:")[1],
                              re.MULTILINE))
        self.assertIn("doctor", told)
        written = {entry for entry in re.findall(r"^\\fB([a-z-]+)\\fR$", "\n".join(self.entries),
                                                 re.MULTILINE) if not entry.startswith("-")}
        self.assertEqual(told, written)


if __name__ == "__main__":
    PARLEYD, PAGE = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1])
