"""Checks that no line of a crate is longer than 120 characters; prints FILE:LINE for each that is.

rustfmt keeps code to that width and leaves comments as they are. Free are the rows of tables, code in doc comments, and
lines with a URL, which cannot be broken.

Usage: widths.py SRC | widths.py --self-check
"""

import pathlib
import re
import sys
import tempfile

WIDTH = 120
FENCE = re.compile(r"\s*//[/!] ?```")
COMMENT = re.compile(r"\s*//")
FREE = re.compile(r"\s*//[/!] \||.*https?://")


def violations(src):
    for file in sorted(src.rglob("*.rs")):
        in_fence = False
        for number, line in enumerate(file.read_text().splitlines(), 1):
            if FENCE.match(line):
                in_fence = not in_fence
            elif not COMMENT.match(line):
                in_fence = False
            if len(line) > WIDTH and not in_fence and not FREE.match(line):
                yield f"{file}:{number}: {len(line)} characters"


LONG = "word " * 24 + "w"
PLANTED = f"""//! {LONG[4:]}
//! | {LONG} |
//! ```
//! {LONG}
//! ```
/// {LONG}
// {LONG} https://example.com
    // {LONG[8:]}
    // {LONG[7:]}
"""
EXPECTED = ["lib.rs:1: 121 characters", "lib.rs:6: 125 characters", "lib.rs:9: 121 characters"]


def self_check():
    """Plants long lines, and lines that may be long, and compares what is found."""
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "lib.rs").write_text(PLANTED)
        found = [line.removeprefix(f"{folder}/") for line in violations(pathlib.Path(folder))]
    if found != EXPECTED:
        sys.exit("widths.py misses or invents long lines:\n" + "\n".join(found))


def main():
    if sys.argv[1] == "--self-check":
        return self_check()
    found = list(violations(pathlib.Path(sys.argv[1])))
    print("\n".join(found) if found else "no line is too long")
    sys.exit(len(found) > 0)


main()
