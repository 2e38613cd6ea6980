"""Gives small tokenizers (NAME.json, by golden.py) added tokens with flags and other forms that real files have, and
writes added.jsonl by the reference: for each tokenizer what is changed in its file, and texts with their ids.

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
texts += ["".join(rng.choice(bits) for _ in range(rng.randint(1, 9))) for _ in range(80)]
metaspace = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False}
replace = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
variants = [("gpt2", {}), ("gpt2_prefix", {}), ("qwen2", {}), ("spm", {}), ("gemma", {}), ("unigram", {}), ("precompiled", {}),
            # As Gemma's file has it, where no space is left to split at.
            ("gemma", {"pre_tokenizer": {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False}}),
            # As newer files of Llama 2 and Mistral have it.
            ("spm", {"normalizer": None, "pre_tokenizer": metaspace}), ("spm", {"normalizer": None, "pre_tokenizer": metaspace | {"prepend_scheme": "always"}}),
            ("spm", {"normalizer": None, "pre_tokenizer": metaspace | {"prepend_scheme": "never", "split": True}}),
            ("spm", {"normalizer": None, "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "add_prefix_space": True}}),
            # As newer files of XLM-RoBERTa have it.
            ("precompiled", {"normalizer": {"type": "Sequence", "normalizers": [
                json.loads((here / "precompiled.json").read_text(encoding="utf-8"))["normalizer"]["normalizers"][0],
                {"type": "Strip", "strip_left": False, "strip_right": True}, {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "▁"}]}})]
with open(here / "added.jsonl", "w", encoding="utf-8") as f:
    for name, changed in variants:
        data = json.loads((here / (name + ".json")).read_text(encoding="utf-8")) | changed
        vocab = data["model"]["vocab"]
        data["added_tokens"] += added(max(len(vocab), *(t["id"] + 1 for t in data["added_tokens"])))
        if "Strip" in json.dumps(changed):
            data["added_tokens"].pop()  # of blanks alone, nothing is left to look for
        tok = Tokenizer.from_str(json.dumps(data))
        rows = [{"text": t, "ids": tok.encode(t, add_special_tokens=False).ids} for t in texts]
        f.write(json.dumps({"name": name, "changed": changed | {"added_tokens": data["added_tokens"]}, "rows": rows}, ensure_ascii=False) + "\n")
