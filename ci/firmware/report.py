"""Makes the tables of docs/firmware.md from what ci/firmware.sh has collected."""

import pathlib
import sys

from elf import Elf

MACHINES = {"thumbv7m-none-eabi": "Cortex-M3", "riscv32imac-unknown-none-elf": "RISC-V (RV32IMAC)"}
FRAMES = ["binary 8", "binary 200", "text 8", "text 200", "not ASCII 12", "not ASCII 200", "mixed"]


class Codec:
    def __init__(self, out, target, name):
        self.name = name.replace("_", "-")
        self.rows = {}
        for line in (out / f"{target}-{name}.tsv").read_text().splitlines():
            if "\t" in line:
                workload, *figures = line.split("\t")
                self.rows[workload] = [int(figure) for figure in figures]
        elf = {part: Elf(out / part / target / name) for part in ("frames", "handshake")}
        none = {part: Elf(out / part / target / "none") for part in elf}
        self.flash = {part: elf[part].flash() - none[part].flash() for part in elf}
        # RISC-V's linker script makes a section of the stack.
        self.ram = elf["handshake"].ram() - none["handshake"].ram()
        self.elf = elf["handshake"]

    def instructions(self, workload):
        """Without those for the close frame at the end."""
        return self.rows[workload][2] - self.rows["close"][2]

    def payload(self, workload):
        return self.rows[workload][1] - self.rows["close"][1]

    def per_byte(self, workload):
        """None where it was not asked for."""
        if workload not in self.rows:
            return None
        return self.instructions(workload) / self.payload(workload)

    def per_frame(self, workload):
        return self.instructions(workload) / (self.rows[workload][0] - self.rows["close"][0])

    def stack(self):
        return max(row[3] for name, row in self.rows.items() if name in FRAMES)


def table(title, codecs, rows):
    print(f"| {title} | " + " | ".join(codec.name for codec in codecs) + " | best other / ours |")
    print("|---|" + "---:|" * (len(codecs) + 1))
    for name, figure, form in rows:
        figures = [figure(codec) for codec in codecs]
        others = [figure for figure in figures[1:] if figure is not None]
        ratio = f"{min(others) / figures[0]:.2f}" if figures[0] else "-"
        cells = ["-" if figure is None else form.format(figure) for figure in figures]
        print(f"| {name} | " + " | ".join(cells) + f" | {ratio} |")
    print()


def machine(out, target, names):
    codecs = [Codec(out, target, name) for name in names]
    rows = [
        ("flash, bytes: frames", lambda c: c.flash["frames"], "{}"),
        ("flash, bytes: handshake and frames", lambda c: c.flash["handshake"], "{}"),
        ("static RAM, bytes", lambda c: c.ram, "{}"),
        ("deepest stack, bytes: frames, with the buffers", lambda c: c.stack(), "{}"),
        ("deepest stack, bytes: handshake, with the buffers", lambda c: c.rows["handshake"][3], "{}"),
        ("instructions: the handshake", lambda c: c.rows["handshake"][2], "{}"),
    ]
    for w in FRAMES:
        if w.endswith((" 8", " 12")):
            rows.append((f"instructions a frame: {w}", lambda c, w=w: c.per_frame(w), "{:.0f}"))
        else:
            rows.append((f"instructions a byte: {w}", lambda c, w=w: c.per_byte(w), "{:.2f}"))
    print(f"### {MACHINES[target]}\n")
    table("", codecs, rows)
    long = codecs[0].per_byte("binary 1000")
    print(f"Frames of 1000 bytes through the buffer of 256, which only {codecs[0].name} is asked for here: {long:.2f} instructions a byte.\n")
    items(codecs[0])


def items(codec):
    print(f"The largest items of {codec.name}, of {codec.elf.flash()} bytes with the harness:\n")
    print("```text")
    for name, size in codec.elf.items()[:24]:
        print(f"{size:6} {name}")
    print("```\n")


if __name__ == "__main__":
    out, targets, names = pathlib.Path(sys.argv[1]), sys.argv[2].split(), sys.argv[3].split()
    for target in targets:
        machine(out, target, names)
