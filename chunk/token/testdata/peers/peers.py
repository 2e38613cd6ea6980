"""Measures tiktoken on the texts in a folder, once each, and prints: implementation, encoding, text, MB/s, tokens.

    python peers.py TEXTS RANKS      (RANKS: a folder with the .tiktoken files)
"""
import pathlib
import sys
import time
import tiktoken
import tiktoken_ext.openai_public as public

texts, ranks = map(pathlib.Path, sys.argv[1:3])


def encoding(name):
    # The file from this machine instead of the network; tiktoken checks its hash.
    public.load_tiktoken_bpe = lambda url, expected_hash=None: tiktoken.load.load_tiktoken_bpe(
        str(ranks / url.rsplit("/", 1)[1]), expected_hash)
    return tiktoken.Encoding(**getattr(public, name)())


for name in ("o200k_base", "cl100k_base"):
    enc = encoding(name)
    for file in sorted(texts.glob("*.txt")):
        text = file.read_bytes().decode()
        enc.encode_ordinary(text[: len(text) // 8])
        start = time.perf_counter()
        n = len(enc.encode_ordinary(text))
        mb = len(text.encode()) / 1e6 / (time.perf_counter() - start)
        print("tiktoken", name.removesuffix("_base"), file.stem, "%.2f" % mb, n)
