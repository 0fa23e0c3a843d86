"""Judges the reports of a run of the Autobahn|Testsuite and writes the table; fails unless every case has passed.

wstest itself ends with 0 whatever happened, and without a peer it leaves an empty report: so the cases are counted.
"""

import argparse
import collections
import json
import os
import sys

SECTIONS = {
    1: "framing",
    2: "pings and pongs",
    3: "reserved bits",
    4: "opcodes",
    5: "fragmentation",
    6: "UTF-8",
    7: "close handshake",
    9: "limits and performance",
    10: "fragmented echo",
    12: "compression, five kinds of data",
    13: "compression, seven offers",
}
# In these the suite asks for nothing and says what it saw.
INFORMATIONAL = {"7.1.6", "7.13.1", "7.13.2"}


def main():
    args = arguments()
    roles = [(role, cases_of(path)) for role, path in (("server", args.server), ("client", args.client))]
    faults = [fault for role, cases in roles for fault in faults_of(role, cases, args.cases)]
    table = "\n".join(rows(roles))
    print(table)
    if faults:
        sys.exit("\n".join(faults + [f"FAILED: {len(faults)} faults"]))
    with open(args.out, "w", encoding="utf-8") as file:
        file.write(document(args, table))
    print(f"passed: {args.cases} cases as a server, {args.cases} as a client")


def arguments():
    parser = argparse.ArgumentParser()
    for name in ("--date", "--revision", "--command", "--out", "server", "client"):
        parser.add_argument(name)
    parser.add_argument("--cases", type=int)
    return parser.parse_args()


def cases_of(path):
    """Returns the cases of the one agent in a report, by their number; none where the suite came to no report."""
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        agents = json.load(file)
    return next(iter(agents.values()), {})


def faults_of(role, cases, expected):
    if len(cases) != expected:
        yield f"{role}: {len(cases)} of {expected} cases were run"
    for number, case in cases.items():
        wanted = {"OK", "INFORMATIONAL"} if number in INFORMATIONAL else {"OK"}
        for field in ("behavior", "behaviorClose"):
            if case[field] not in wanted:
                yield f"{role}: {number}: {field} is {case[field]}"


def rows(roles):
    yield "| section | | cases | " + " | ".join(f"as a {role}" for role, _ in roles) + " |"
    yield "|---|---|---|" + "---|" * len(roles)
    for section, title in SECTIONS.items():
        of_section = lambda cases: [case for number, case in cases.items() if int(number.split(".")[0]) == section]
        columns = [of_section(cases) for _, cases in roles]
        if any(columns):
            yield f"| {section} | {title} | {len(columns[0])} | " + " | ".join(map(verdicts, columns)) + " |"
    totals = [list(cases.values()) for _, cases in roles]
    yield f"| | all | {len(totals[0])} | " + " | ".join(map(verdicts, totals)) + " |"


def verdicts(cases):
    counts = collections.Counter(case["behavior"] for case in cases)
    counts.update(f"close {case['behaviorClose']}" for case in cases if case["behaviorClose"] not in ("OK", case["behavior"]))
    return ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())


def document(args, table):
    return f"""# Conformance

Written by `{args.command}` on {args.date}, at revision {args.revision}: the Autobahn|Testsuite 25.10.1 against
`examples/echo.rs` over TCP, once as the client of our server and once as the server of our client, both with
permessage-deflate.

{table}

`behavior` and `behaviorClose` are counted as one verdict. NON-STRICT, which the suite gives to a peer that finds invalid
UTF-8 later than it could, does not pass here. INFORMATIONAL are 7.1.6, 7.13.1 and 7.13.2 alone, in which the suite
asks for nothing.

What the suite does not look at, mask bits, lengths that are not minimal, the context of RFC 7692 over control frames and
much else, is in `tests/vectors/`, `tests/rfc6455/` and `tests/rfc7692/`.
"""


main()
