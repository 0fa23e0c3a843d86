"""Checks docs/coverage.md: every known row is there once, and every test and example that it names exists.

A row of its tables is `| ID | capability | shown by |`. The last cell names tests as `FILE::FUNCTION`, FILE below tests/ or
the root, and examples as `examples/FILE`, each in backticks; or it begins with "out:" and gives the reason.

Usage: coverage.py ROOT | coverage.py --self-check
"""

import pathlib
import re
import sys
import tempfile

# The capabilities of earlier systems, by the numbers under which they were listed. The letters behind the numbers are
# what has none: E errors, T what a system's own tests pin, D programs.
KNOWN = {
    "NWS": (73, "ETD"),
    "IOF": (5, ""),
    "PWS": (40, "TD"),
    "AEW": (16, "T"),
    "NAW": (8, "T"),
    "MOJ": (17, "T"),
    "NSS": (9, "T"),
    "WSL": (13, "T"),
    "EV": (9, "T"),
    "BLG": (7, ""),
    "PROBE": (20, ""),
}

ROW = re.compile(r"^\|\s*([A-Z]+-\w+)\s*\|(.*)\|(.*)\|\s*$")
NAMED = re.compile(r"`([^`]+)`")
ATTRIBUTES = r"(?:\s*(?:#\[[^\]]*\]|//[^\n]*\n))*\s*"
TEST = re.compile(r"#\[test\]" + ATTRIBUTES + r"fn\s+(\w+)")


def known_ids():
    for system, (count, letters) in KNOWN.items():
        yield from (f"{system}-{number}" for number in range(1, count + 1))
        yield from (f"{system}-{letter}" for letter in letters)


def tests_of(root, file):
    for path in (root / "tests" / file, root / file):
        if path.is_file():
            return TEST.findall(path.read_text())
    return None


def problem_of(root, name):
    """Returns what is wrong with a name in backticks, or None."""
    if name.startswith("examples/") and "::" not in name:
        return None if (root / name).exists() else f"{name} does not exist"
    file, separator, function = name.partition("::")
    if not separator:
        return f"{name} is neither FILE::FUNCTION nor an example"
    tests = tests_of(root, file)
    if tests is None:
        return f"{file} does not exist"
    return None if function in tests else f"{file} has no test {function}"


def problems(root):
    seen = {}
    for number, line in enumerate((root / "docs/coverage.md").read_text().splitlines(), 1):
        row = ROW.match(line)
        if not row:
            continue
        name, what, shown = (cell.strip() for cell in row.groups())
        if name in seen:
            yield f"line {number}: {name} stands in line {seen[name]} too"
        seen[name] = number
        if not what:
            yield f"line {number}: {name} says nothing of the capability"
        if shown.startswith("out:"):
            if len(shown) < 20:
                yield f"line {number}: {name} is out without a reason"
            continue
        names = NAMED.findall(shown)
        if not names:
            yield f"line {number}: {name} names neither a test nor an example"
        yield from (f"line {number}: {problem}" for problem in map(lambda n: problem_of(root, n), names) if problem)
    known = list(known_ids())
    yield from (f"{name} is missing" for name in known if name not in seen)
    yield from (f"line {seen[name]}: {name} is no known row" for name in seen if name not in known)


PLANTED = """\
| id | capability | shown by |
|---|---|---|
| EV-1 | one | `a.rs::first`, `b/main.rs::second` |
| EV-2 | two | `a.rs::third` |
| EV-3 | three | `c.rs::first` |
| EV-4 | four | out: the caller's own affair |
| EV-5 | five | out: |
| EV-6 | | `src/d.rs::fourth` |
| EV-7 | seven | a promise |
| EV-8 | eight | `examples/e.rs`, `examples/f.rs`, `examples/e.rs::second` |
| EV-8 | again | `a.rs::first` |
| EV-10 | ten | `first` |
"""
EXPECTED = """\
line 4: a.rs has no test third
line 5: c.rs does not exist
line 7: EV-5 is out without a reason
line 8: EV-6 says nothing of the capability
line 9: EV-7 names neither a test nor an example
line 10: examples/f.rs does not exist
line 10: examples/e.rs has no test second
line 11: EV-8 stands in line 10 too
line 12: first is neither FILE::FUNCTION nor an example
EV-9 is missing
line 12: EV-10 is no known row"""


def self_check():
    """Plants rows with every fault, and some without, and compares what is found."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        files = {
            "docs/coverage.md": PLANTED,
            "tests/a.rs": "#[test]\nfn first() {}\nfn third() {}",
            "tests/b/main.rs": "proptest! {\n    #[test]\n    #[should_panic]\n    // why\n    fn second(a in 0..3) {}\n}",
            "src/d.rs": "#[test] fn fourth() {}",
            "examples/e.rs": "",
        }
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        KNOWN.clear()
        KNOWN["EV"] = (9, "")
        found = list(problems(root))
    if found != EXPECTED.splitlines():
        sys.exit("coverage.py misses or invents problems:\n" + "\n".join(found))


def main():
    if sys.argv[1] == "--self-check":
        return self_check()
    found = list(problems(pathlib.Path(sys.argv[1])))
    print("\n".join(found) if found else f"all {len(list(known_ids()))} rows name what shows them or why they are out")
    sys.exit(len(found) > 0)


main()
