"""Counts what holds and what does not, one line each.

Not here: what is checked.
"""
import sys
import traceback


class Checks:
    def __init__(self):
        self.passed = self.failed = 0

    def __call__(self, name, holds, seen=""):
        print("ok    " if holds else "FAILED", name, "" if holds else f"({seen})" if seen != "" else "", flush=True)
        self.passed, self.failed = self.passed + bool(holds), self.failed + (not holds)
        return bool(holds)

    def equal(self, name, found, expected):
        return self(name, found == expected, f"{shown(found)} instead of {shown(expected)}")

    def not_asked(self, name, reason):
        print("-     ", name, f"(not asked: {reason})", flush=True)

    def group(self, what, *arguments):
        """A function with checks; one that breaks off is a failure, and the others go on."""
        print(f"      {what.__name__.replace('_', ' ')}", flush=True)
        try:
            what(*arguments)
        except Exception:
            self(what.__name__.replace("_", " "), False, traceback.format_exc().strip())

    def done(self):
        print(f"{self.passed} passed, {self.failed} failed")
        sys.exit(1 if self.failed or not self.passed else 0)


def shown(value, most=300):
    text = repr(value)
    return text if len(text) <= most else text[:most] + " ..."
