"""Writes ../classes.txt, the character classes of the pre-tokenizers.

The classes are those of the reference's regular expressions (Unicode 16.0),
read from unicode_classes.json: inclusive ranges of code points per property.

    python classes.py unicode_classes.json
"""
import json
import pathlib
import sys

props = json.load(open(sys.argv[1]))
table = {}
for name, letter in [("Lu", "U"), ("Lt", "U"), ("Ll", "l"), ("Lm", "o"), ("Lo", "o"), ("M", "m"), ("N", "n"), ("s", "s")]:
    for lo, hi in props[name]:
        for c in range(lo, hi + 1):
            assert c not in table
            table[c] = letter
for c in (0x0A, 0x0D):
    table[c] = "r"
letters = {c for c, k in table.items() if k in "Ulo"}
assert letters == {c for lo, hi in props["L"] for c in range(lo, hi + 1)}
lines, run = [], None
for c in sorted(table):
    if run and run[1] == c - 1 and run[2] == table[c]:
        run = (run[0], c, run[2])
        continue
    if run:
        lines.append("%X %X %s" % run)
    run = (c, c, table[c])
lines.append("%X %X %s" % run)
head = ["# Character classes of Unicode 16.0: first last class. Written by testdata/classes.py.",
        "# U Lu Lt, l Ll, o Lm Lo, m M, n N, s white space, r CR LF; code points not listed are other."]
pathlib.Path(__file__).parent.parent.joinpath("classes.txt").write_text("\n".join(head + lines) + "\n")
