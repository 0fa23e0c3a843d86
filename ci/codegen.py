"""Finds the hot loops in an assembly listing and compares their instructions with those of a committed listing.

Usage: codegen.py [--update|''] RUST_VERSION ARCHITECTURE LISTING COMMITTED

Of each loop three things have to hold, whatever the committed listing says: it stores as many vectors as its source says,
it calls nothing, and it touches no less than a vector at a time. What is compared is how often each instruction comes; the
order, the registers and the addresses are the compiler's, and the committed listing has them for reading.
"""

import collections
import pathlib
import re
import sys

# Of each loop: what it is, a pattern of the mangled name of its function, the vectors that it handles in a turn.
IN_PLACE, COPYING, ASCII = "mask in place", "mask while copying", "unmask and test for ASCII"
LOOPS = {
    "x86_64": [
        (f"{IN_PLACE}, AVX-512", r"10run_avx512.*4LongKb1_Kb0_", 8),
        (f"{COPYING}, AVX-512", r"10run_avx512.*4LongKb0_K(b0|B\w+?)_", 8),
        (f"{ASCII}, AVX-512", r"10run_avx512.*4LongKb1_K(b1|B\w+?)_K(b1|B\w+?)_.*6Stream", 4),
        (f"{ASCII}, AVX-512 by 32 bytes", r"12run_avx512vl.*4LongKb1_K(b1|B\w+?)_K(b1|B\w+?)_.*6Stream", 8),
        (f"{IN_PLACE}, AVX2", r"run_avx2.*4LongKb1_Kb0_", 8),
        (f"{COPYING}, AVX2", r"run_avx2.*4LongKb0_K(b0|B\w+?)_", 8),
        (f"{ASCII}, AVX2", r"run_avx2.*4LongKb1_K(b1|B\w+?)_K(b1|B\w+?)_.*6Stream", 8),
        (f"{IN_PLACE}, SSE2", r"run_sse2.*4LongKb1_Kb0_", 8),
        (f"{COPYING}, SSE2", r"run_sse2.*4LongKb0_K(b0|B\w+?)_", 8),
        (f"{ASCII}, SSE2", r"run_sse2.*4LongKb1_K(b1|B\w+?)_K(b1|B\w+?)_.*6Stream", 8),
    ],
    "aarch64": [
        (f"{IN_PLACE}, NEON", r"4mask10apply_long$", 8),
        (f"{COPYING}, NEON", r"4mask13apply_long_to$", 8),
        (f"{ASCII}, NEON", r"9unmasking5ascii$", 8),
    ],
    "wasm32": [
        (f"{IN_PLACE}, simd128", r"4mask10apply_long$", 8),
        (f"{COPYING}, simd128", r"4mask13apply_long_to$", 8),
        (f"{ASCII}, simd128", r"9unmasking5ascii$", 8),
    ],
}
# What stores a vector, and how many.
STORES = {
    "x86_64": lambda op, args: int(op.startswith(("vmov", "mov")) and bool(re.match(r"[xyz]mmword ptr", args))),
    "aarch64": lambda op, args: {"stp": 2, "str": 1, "stur": 1}.get(op, 0) if args.startswith("q") else 0,
    "wasm32": lambda op, args: int(op == "v128.store"),
}
# What a loop must not have: calls, and access to less than a vector.
CALL = re.compile(r"call|blr?\b")
SCALAR = {
    "x86_64": re.compile(r".*(?<![xyz]mm)word ptr|.*byte ptr"),
    "aarch64": re.compile(r"(ld|st)\w+\s+[^q]"),
    "wasm32": re.compile(r"[if]\d\d\.(load|store)"),
}


COMMENT = {"x86_64": "#", "aarch64": "//", "wasm32": "#"}


def functions(listing, architecture):
    """Yields the name of each function and its lines: instructions, and labels with a colon."""
    name, lines = None, []
    for line in listing.splitlines():
        line = line.partition(COMMENT[architecture])[0].strip()
        if match := re.match(r"(_R\w+):$", line):
            name, lines = match.group(1), []
        elif name and line.startswith((".Lfunc_end", "end_function")):
            yield name, lines
            name = None
        elif name and (not line.startswith(".") or line.endswith(":")) and line:
            lines.append(line)


def loops(lines, architecture):
    """Yields the lines of each innermost loop: from a label, or `loop`, to the jump back to it."""
    starts = {}
    for i, line in enumerate(lines):
        if architecture == "wasm32":
            if line.startswith("loop"):
                starts = {"": i}
            elif line == "end_loop" and "" in starts:
                yield lines[starts.pop("") + 1 : i]
        elif line.endswith(":"):
            starts[line[:-1]] = i
        else:
            target = line.split()[-1]
            if target in starts and not any(at > starts[target] for at in starts.values()):
                yield lines[starts[target] + 1 : i + 1]


def hottest(lines, architecture):
    """Returns the innermost loop that stores most vectors, and how many it stores."""

    def stores(loop):
        return sum(STORES[architecture](*(line.split(None, 1) + [""])[:2]) for line in loop)

    return max(((stores(loop), loop) for loop in loops(lines, architecture)), key=lambda pair: pair[0], default=(0, []))


def listing_of(architecture, source):
    """Returns for each loop its name, its lines, and what is wrong with it if anything is."""
    by_name = dict(functions(source, architecture))
    found = []
    for title, pattern, vectors in LOOPS[architecture]:
        names = [name for name in by_name if re.search(pattern, name)]
        if len(names) != 1:
            found.append((title, [], f"{len(names)} functions match {pattern}"))
            continue
        stores, loop = hottest(by_name[names[0]], architecture)
        fault = None
        if stores != vectors:
            fault = f"{stores} vectors are stored in a turn instead of {vectors}"
        elif any(CALL.match(line) for line in loop):
            fault = "the loop calls a function"
        elif any(SCALAR[architecture].match(line) for line in loop):
            fault = "the loop reads or writes less than a vector"
        found.append((title, loop, fault))
    return found


def committed(path):
    """Returns the loops of a committed listing by title."""
    found = {}
    for line in path.read_text().splitlines() if path.exists() else []:
        if line.startswith("## "):
            title = line[3:]
            found[title] = []
        elif line.startswith("    "):
            found[title].append(line.strip())
    return found


def counts(loop):
    return collections.Counter(line.split()[0] for line in loop)


def readable(loop):
    """Returns the lines, indented, with names for the places that jumps lead to."""
    back = re.search(r"\.LBB\w+", loop[-1])
    lines = [line.replace(back.group(), "again") if back else line for line in loop]
    return "".join(f"    {' '.join(re.sub(r'[.]LBB.*', 'out', line).split())}\n" for line in lines)


def show(counter):
    return ", ".join(f"{n} {op}" for op, n in sorted(counter.items()))


def main():
    update, version, architecture, listing, path = sys.argv[1:]
    path = pathlib.Path(path)
    found = listing_of(architecture, pathlib.Path(listing).read_text())
    faults = [f"{title}: {fault}" for title, _, fault in found if fault]
    if update and not faults:
        parts = [f"# The hot loops for {architecture}, by Rust {version}; written by ci/codegen.sh --update\n"]
        for title, loop, _ in found:
            parts.append(f"\n## {title}\n\n{show(counts(loop))}\n\n{readable(loop)}")
        path.write_text("".join(parts))
    before = committed(path)
    for title, loop, fault in found:
        if not fault and counts(loop) != counts(before.get(title, [])):
            faults.append(f"{title}\n  committed: {show(counts(before.get(title, [])))}\n  here:      {show(counts(loop))}")
    print(f"{architecture}: {len(found)} loops", *faults, sep="\n")
    sys.exit(bool(faults))


main()
