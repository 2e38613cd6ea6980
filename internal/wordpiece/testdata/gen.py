"""Writes ../uncased.txt: what BERT's uncased normalizer does to each code point.

It asks the reference implementation itself, so the table has the Unicode
versions of the reference and not those of any other library:

    pip install tokenizers==0.23.3
    python gen.py

Hangul syllables are left out: they decompose by arithmetic (Unicode, 3.12).
"""
import pathlib
import tokenizers
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

norm = BertNormalizer(clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=True)
pre = BertPreTokenizer()


def rule(c):
    """Returns (kind, replacement) of a code point between two letters."""
    text = norm.normalize_str("a" + chr(c) + "b")
    pieces = [p for p, _ in pre.pre_tokenize_str(text)]
    body = text[1:-1]
    if pieces == ["ab"]:
        return "drop", ""
    if pieces == ["a", "b"]:
        return "space", ""
    body = body.replace(" ", "")
    if len(pieces) == 1:
        return "keep", body
    assert pieces == ["a", body, "b"], (hex(c), pieces)
    return "alone", body


out, run = [], None  # run: first, last, kind, delta; the same change at every code point


def flush():
    if run:
        out.append("%X %X %s %d" % run)


for c in range(0x110000):
    if 0xD800 <= c < 0xE000 or 0xAC00 <= c <= 0xD7A3:
        continue
    kind, body = rule(c)
    if kind == "keep" and body == chr(c):
        continue
    if len(body) > 1:
        flush()
        run = None
        out.append("%X %X %s =%s" % (c, c, kind, body))
        continue
    delta = ord(body) - c if body else 0
    if run and run[1] == c - 1 and run[2:] == (kind, delta):
        run = (run[0], c, kind, delta)
        continue
    flush()
    run = (c, c, kind, delta)
flush()
head = [
    "# What BERT's uncased normalizer and pre-tokenizer do to code points; those not listed are kept.",
    "# Written by testdata/gen.py from tokenizers %s." % tokenizers.__version__,
    "# first last drop|space|keep|alone (delta to the replacement | =replacement)",
]
pathlib.Path(__file__).parent.parent.joinpath("uncased.txt").write_text("\n".join(head + out) + "\n", encoding="utf-8")
