"""Checks that the modules of a crate use only modules below them; prints FILE:LINE for each that does not.

The order is the reading order: a module may use itself and what stands before it. lib.rs, which only re-exports, may use
all. What counts is each path that begins with `crate::` or climbs there by `super::`, in code; comments and strings, and
so doc links, do not. A path has to name its module: `crate::Header` hides where it points.

Usage: layers.py SRC | layers.py --self-check
"""

import pathlib
import re
import sys
import tempfile

ORDER = """
    opcode rsv status
    simd mask utf8
    close room error header frame
    config sequence side decoder encoder
    extension message
    connection heartbeat codec socket handshake
""".split()

# Comments (block comments may not nest here), strings and characters; a lifetime is none of them.
NOT_CODE = re.compile(
    r"""//[^\n]* | /\*.*?\*/ | b?r(\#*)".*?"\1 | b?"(?:\\.|[^"\\])*" | b?'(?:\\[^']+|[^'\\])'""", re.DOTALL | re.VERBOSE
)
TOKEN = re.compile(r"mod\s+(?P<inline>\w+)\s*\{|(?P<root>\bcrate|\bsuper(?:\s*::\s*super)*)\s*::\s*|(?P<brace>[{}])")
NAME = re.compile(r"(?:r#)?(\w+)")


def blank(match):
    return re.sub(r"[^\n]", " ", match.group())


def tree_heads(code, at):
    """Returns the first names of the use tree that begins at `at`: one, or those between its outer braces."""
    if code[at] != "{":
        name = NAME.match(code, at)
        return [(name.group(1), at)] if name else []
    heads, depth, expecting = [], 0, True
    for token in re.compile(r"[{},]|::|\w+").finditer(code, at):
        text = token.group()
        if text == "{":
            depth += 1
        elif text == "}":
            depth -= 1
            if depth == 0:
                break
        elif depth == 1 and text == ",":
            expecting = True
        elif depth == 1 and expecting:
            heads.append((text, token.start()))
            expecting = False
    return heads


def uses(code, module_path):
    """Yields (module, position) for each path in `code` that leads to the root of the crate."""
    inline, depth = [], 0
    for token in TOKEN.finditer(code):
        if token["inline"]:
            depth += 1
            inline.append(depth)
        elif token["brace"] == "{":
            depth += 1
        elif token["brace"] == "}":
            if inline and inline[-1] == depth:
                inline.pop()
            depth -= 1
        elif token["root"] == "crate" or token["root"].count("super") == len(module_path) + len(inline):
            yield from tree_heads(code, token.end())


def violations(src):
    for file in sorted(src.rglob("*.rs")):
        path = file.relative_to(src).with_suffix("").parts
        if path == ("lib",):
            continue
        module_path = path[:-1] if path[-1] == "mod" else path
        module = module_path[0]
        if module not in ORDER:
            yield f"{file}:1: {module} has no place in the layers"
            continue
        code = NOT_CODE.sub(blank, file.read_text())
        for used, at in uses(code, module_path):
            place = f"{file}:{code.count(chr(10), 0, at) + 1}"
            if used not in ORDER:
                yield f"{place}: {used} is no module of the layers"
            elif ORDER.index(used) > ORDER.index(module):
                yield f"{place}: {module} uses {used}, which stands above it"


PLANTED = {
    "lib.rs": "pub use crate::encoder::Encoder;",
    "opcode.rs": "//! crate::decoder\nuse crate::header::Header;\nmod tests { use super::*; }",
    "mask/mod.rs": "use crate::{\n    opcode::{Opcode, error},\n    utf8::Validator,\n};",
    "mask/span.rs": "use super::rotate;\nuse super::super::frame::Frame;\nconst A: &str = \"crate::frame\";",
    "status.rs": "fn f() -> crate::config::Limits { let _ = '\"'; mod io { use super::Status; use super::super::simd; } }",
    "frame.rs": "use crate::Header; // crate::header\nuse super::header;",
    "stranger.rs": "",
}
EXPECTED = [
    "frame.rs:1: Header is no module of the layers",
    "mask/mod.rs:3: mask uses utf8, which stands above it",
    "mask/span.rs:2: mask uses frame, which stands above it",
    "opcode.rs:2: opcode uses header, which stands above it",
    "status.rs:1: status uses config, which stands above it",
    "status.rs:1: status uses simd, which stands above it",
    "stranger.rs:1: stranger has no place in the layers",
]


def self_check():
    """Plants violations, and paths that are none, and compares what is found."""
    with tempfile.TemporaryDirectory() as folder:
        for name, code in PLANTED.items():
            file = pathlib.Path(folder, name)
            file.parent.mkdir(exist_ok=True)
            file.write_text(code)
        found = [line.removeprefix(f"{folder}/") for line in violations(pathlib.Path(folder))]
    if found != EXPECTED:
        sys.exit("layers.py misses or invents violations:\n" + "\n".join(found))


def main():
    if sys.argv[1] == "--self-check":
        return self_check()
    found = list(violations(pathlib.Path(sys.argv[1])))
    print("\n".join(found) if found else "all imports point down")
    sys.exit(len(found) > 0)


main()
