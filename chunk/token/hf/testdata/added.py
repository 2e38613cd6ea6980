"""Gives small tokenizers (NAME.json, by golden.py) added tokens with flags and writes added.jsonl by the reference: for
each tokenizer the added tokens (and for one another normalizer), and texts with their ids.

    pip install tokenizers==0.23.3
    python added.py
"""
import json
import pathlib
import random
from tokenizers import Tokenizer

here = pathlib.Path(__file__).parent
rng = random.Random(5)


def token(id, content, **flags):
    return {"id": id, "content": content, "special": True, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False} | flags


def added(first):
    # The first four are as in XLM-RoBERTa and RoBERTa; ids follow those of the vocabulary.
    return [token(first, "<mask>", lstrip=True), token(first + 1, "<sep>"), token(first + 2, "<pad>", rstrip=True),
            token(first + 3, "<both>", lstrip=True, rstrip=True), token(first + 4, "mot", single_word=True),
            token(first + 5, "<sep>>", special=False), token(first + 6, "é!", normalized=True), token(first + 7, "<n>", normalized=True, lstrip=True),
            token(first + 8, "two words", normalized=True, single_word=True), token(first + 9, "  ", normalized=True, special=False)]


bits = ["<mask>", "<sep>", "<pad>", "<both>", "mot", "mots", "a mot", "<sep>>", "é!", "e\u0301!", "<n>", "two words", "two wordsy", "  ", " ", "\n", "\u00a0 ",
        "\t", "the", "text", ".", "_", "\u0301", "\u200d", "日本", "▁"]
texts = ["", "a <mask> b", " <mask>", "<mask> ", "x<pad>  \n <mask>y", "mot <sep>>mot", "smots mot", "a  <both>  <both>  b", "re\u0301!"]
texts += ["".join(rng.choice(bits) for _ in range(rng.randint(1, 9))) for _ in range(120)]
with open(here / "added.jsonl", "w", encoding="utf-8") as f:
    for name in ["gpt2", "gpt2_prefix", "qwen2", "spm", "gemma", "unigram", "precompiled", "strip"]:
        strip, name = name == "strip", name.replace("strip", "precompiled")
        data = json.loads((here / (name + ".json")).read_text(encoding="utf-8"))
        vocab = data["model"]["vocab"]
        data["added_tokens"] += added(max(len(vocab), *(t["id"] + 1 for t in data["added_tokens"])) if data["added_tokens"] else len(vocab))
        if strip:  # the newer form for XLM-RoBERTa
            data["added_tokens"].pop()  # of blanks alone, nothing is left to look for
            data["normalizer"]["normalizers"].insert(1, {"type": "Strip", "strip_left": False, "strip_right": True})
        tok = Tokenizer.from_str(json.dumps(data))
        rows = [{"text": t, "ids": tok.encode(t, add_special_tokens=False).ids} for t in texts]
        f.write(json.dumps({"name": name, "added_tokens": data["added_tokens"], "strip": strip, "rows": rows}, ensure_ascii=False) + "\n")
