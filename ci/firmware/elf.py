"""What a firmware flashes: sizes of sections and of items, read from its ELF file (32 bits, little-endian)."""

import re
import struct
import sys


class Elf:
    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = file.read()
        if self.data[:6] != b"\x7fELF\x01\x01":
            raise ValueError(f"{path}: not a 32-bit little-endian ELF file")
        start, _, _, _, _, size, count, names = struct.unpack_from("<IIHHHHHH", self.data, 32)
        rows = [struct.unpack_from("<10I", self.data, start + i * size) for i in range(count)]
        self.sections = [Section(self.text(rows[names][4] + row[0]), row) for row in rows]

    def text(self, at):
        return self.data[at : self.data.index(b"\0", at)].decode()

    def flash(self):
        """Bytes of all sections that are loaded and not only zeros: code, constants, initial values."""
        return sum(s.size for s in self.sections if s.is_loaded and not s.is_zeros)

    def ram(self):
        """Bytes of all sections that can be written, without the stack."""
        return sum(s.size for s in self.sections if s.is_loaded and s.is_writable)

    def items(self):
        """Names and sizes of functions and constants, each address once."""
        table = next(s for s in self.sections if s.kind == 2)
        strings = self.sections[table.link].offset
        found = {}
        for at in range(table.offset, table.offset + table.size, 16):
            name, address, size, info, _, section = struct.unpack_from("<IIIBBH", self.data, at)
            if size and info & 15 in (1, 2) and 0 < section < 0xFF00:
                home = self.sections[section]
                if home.is_loaded and not home.is_zeros:
                    found[address] = (short(self.text(strings + name)), size)
        return sorted(found.values(), key=lambda item: (-item[1], item[0]))


class Section:
    def __init__(self, name, row):
        self.name = name
        _, self.kind, flags, _, self.offset, self.size, self.link, *_ = row
        self.is_loaded = bool(flags & 2) and self.size > 0
        self.is_writable = bool(flags & 1)
        self.is_zeros = self.kind == 8


def short(name):
    """Makes a mangled name readable: the path, without the hash."""
    match = re.match(r"_ZN(.*)E$", name)
    if not match:
        return name
    parts, rest = [], match[1]
    while rest:
        length = re.match(r"\d+", rest)[0]
        rest = rest[len(length) :]
        parts.append(rest[: int(length)])
        rest = rest[int(length) :]
    path = "::".join(part for part in parts if not re.fullmatch(r"h[0-9a-f]{16}", part))
    for code, sign in {"$LT$": "<", "$GT$": ">", "$u20$": " ", "$C$": ",", "$RF$": "&", "$u7b$": "{", "$u7d$": "}", "$u5b$": "[", "$u5d$": "]", "$u27$": "'", "..": "::"}.items():
        path = path.replace(code, sign)
    return path


if __name__ == "__main__":
    for path in sys.argv[1:]:
        elf = Elf(path)
        print(f"{path}: flash {elf.flash()}, static RAM {elf.ram()}")
        for name, size in elf.items()[:40]:
            print(f"{size:7} {name}")
