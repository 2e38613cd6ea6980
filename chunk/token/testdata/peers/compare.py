"""Measures chunk/token and its peers on the same texts, in turns, and prints for
each encoding and text the medians in MB/s and their ratios.

    python compare.py WORK ROUNDS [PEER...]      (run.sh makes WORK)

A turn is: read the first eighth of the text, then time a pass over the whole of
it, then time a second pass. Nothing is kept from one turn to the next: fastokens
and chunk/token, which remember pieces, get a new tokenizer for each turn. In a
round every implementation has one turn on every text, in random order. One that
was five times as slow as chunk/token in the first two rounds has no more turns on
that text. The machine may be busy: a ratio is the median of the ratios of single
rounds, whose two turns are seconds apart.

fastokens counts one text on several threads, so its first pass is measured once
more with one thread (fastokens-1, by RAYON_NUM_THREADS).
"""
import base64
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import time

WORK = pathlib.Path(sys.argv[1])
ENCODINGS = ("o200k_base", "cl100k_base")
OURS = "prodai"
FAILED = -1  # the number of tokens of a turn that failed


def split_regex(name):
    import tiktoken_ext.openai_public as public
    public.load_tiktoken_bpe = lambda *_, **__: {}
    return getattr(public, name)()["pat_str"]


def ranks_file(name):
    return pathlib.Path((WORK / "ranks").read_text().strip()) / (name + ".tiktoken")


def ranks_of(name):
    lines = (line.split() for line in ranks_file(name).read_bytes().splitlines() if line)
    return {base64.b64decode(token): int(rank) for token, rank in lines}


def parts(ranks, token):
    """The two tokens whose merge makes token."""
    cut = [token[i:i + 1] for i in range(len(token))]
    while len(cut) > 2:
        best = min((ranks.get(a + b, 1 << 30), i) for i, (a, b) in enumerate(zip(cut, cut[1:])))
        i = best[1]
        cut[i:i + 2] = [cut[i] + cut[i + 1]]
    return cut


def tokenizer_json(name):
    """The path of the encoding as a tokenizer.json, the only form that tokie reads."""
    file = WORK / (name + ".json")
    if not file.exists():
        printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
        letters = {b: chr(b) for b in printable}
        letters |= {b: chr(256 + i) for i, b in enumerate(b for b in range(256) if b not in letters)}
        spell = lambda token: "".join(letters[b] for b in token)
        ranks = ranks_of(name)
        merges = [" ".join(map(spell, parts(ranks, t))) for t in sorted(ranks, key=ranks.get) if len(t) > 1]
        file.write_text(json.dumps({
            "version": "1.0", "added_tokens": [], "normalizer": None, "post_processor": None,
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": split_regex(name)}, "behavior": "Isolated", "invert": False},
                {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}]},
            "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
            "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "",
                      "end_of_word_suffix": "", "fuse_unk": False, "byte_fallback": False, "ignore_merges": True,
                      "vocab": {spell(t): i for t, i in ranks.items()}, "merges": merges},
        }))
    return str(file)


def make(peer, name):
    """A function that returns the number of tokens of a text."""
    if peer.startswith("fastokens"):
        from fastokens._native import Tokenizer
        t = Tokenizer.from_tiktoken(str(ranks_file(name)), encoding=name)
        return lambda text: len(t.encode_ordinary(text))
    if peer == "riptoken":
        import riptoken
        t = riptoken.CoreBPE(ranks_of(name), {}, split_regex(name))
        return lambda text: len(t.encode_ordinary(text))
    if peer == "tokie":
        import tokie
        t = tokie.Tokenizer.from_json(tokenizer_json(name))
        return t.count_tokens
    import tiktoken
    t = tiktoken.Encoding(name, pat_str=split_regex(name), mergeable_ranks=ranks_of(name), special_tokens={})
    return lambda text: len(t.encode_ordinary(text))


def serve():
    """The Python peers: the same lines in and out as the Rust program's."""
    known = {}
    for line in sys.stdin:
        peer, name, file = line.split()
        with open(file, newline="", encoding="utf-8") as f:
            text = f.read()
        count = known.get((peer, name)) or make(peer, name)
        if not peer.startswith("fastokens"):
            known[peer, name] = count
        try:
            count(text[:len(text) // 8])
            cpu, start = time.process_time_ns(), time.perf_counter_ns()
            n = count(text)
            first, cpu = time.perf_counter_ns() - start, time.process_time_ns() - cpu
            start = time.perf_counter_ns()
            count(text)
            print(first, time.perf_counter_ns() - start, cpu, n, flush=True)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException:  # a panic of a Rust library is not an Exception
            print(0, 0, 0, FAILED, flush=True)


class Program:
    def __init__(self, *command, **env):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, "RUST_BACKTRACE": "0", **env})

    def ask(self, *words):
        print(*words, file=self.process.stdin, flush=True)
        return [int(n) for n in self.process.stdout.readline().split()]


def main():
    rounds, peers = int(sys.argv[2]), sys.argv[3:] or [
        "fastokens", "fastokens-1", "riptoken", "tokie", "tiktoken", "bpe-openai", "tiktoken-rs"]
    python = lambda **env: Program(sys.executable, __file__, str(WORK), "serve", **env)
    shared = python()
    programs = {p: shared for p in ("riptoken", "tokie", "tiktoken", "fastokens")}
    programs["fastokens-1"] = python(RAYON_NUM_THREADS="1")
    if {"bpe-openai", "tiktoken-rs"} & set(peers):
        programs["bpe-openai"] = programs["tiktoken-rs"] = Program(str(WORK / "target/release/peers"))
    count = Program(str(WORK / "count"))
    files = [WORK / "texts" / (t + ".txt") for t in ("english", "go", "cjk", "hex", "random", "letter")]

    ways = {OURS: "count", "encode": "encode", "stream": "stream", "range": "range", "chunk": "chunk"}
    turns = {}  # (who, encoding, text): a list of turns
    shuffle = random.Random(1)  # no implementation always follows the same one
    for round in range(rounds):
        for name in ENCODINGS:
            for file in files:
                for who in shuffle.sample(list(ways) + peers, len(ways) + len(peers)):
                    # Where merging is quadratic the one letter takes minutes.
                    if file.stem == "letter" and who not in ways and who != "bpe-openai" and not (
                            who.startswith("fastokens") and round == 0):
                        continue
                    if file.stem == "letter" and who == "chunk":
                        continue  # a part of one piece must be merged for each place that is tried
                    past = turns.get((who, name, file.stem), [])
                    if who not in ways and len(past) >= 2 and all(
                            t[0] > 5 * o[0] for o, t in zip(turns[OURS, name, file.stem], past)):
                        continue
                    if who in ways:
                        turn = count.ask(name, ways[who], file)
                    else:
                        turn = programs[who].ask(who, name, file)
                    turns.setdefault((who, name, file.stem), []).append(turn)
        print("round", round + 1, "load", *os.getloadavg(), file=sys.stderr, flush=True)

    def speed(who, name, file, pass_):
        times = [t[pass_] for t in turns.get((who, name, file.stem), []) if t[pass_]]
        return file.stat().st_size * 1e3 / statistics.median(times) if times else None

    def ratio(who, name, file, pass_):
        ours, theirs = turns[OURS, name, file.stem], turns.get((who, name, file.stem), [])
        rs = [t[pass_] / o[pass_] for o, t in zip(ours, theirs) if o[pass_] and t[pass_]]
        return statistics.median(rs) if rs else None

    show = lambda x: "%9.2f" % x if x else "        -"
    columns = [(OURS, 0), (OURS, 1), ("encode", 0), ("stream", 0), ("range", 0), ("chunk", 0)]
    for p in peers:
        columns += [(p, 0), (p, 1)] if p == "fastokens" else [(p, 0)]
    title = lambda c: c[0] + ("/2nd" if c[1] == 1 else "")
    print("MB/s, medians of %d rounds" % rounds)
    print("%-20s" % "", *("%9s" % title(c)[:14] for c in columns))
    for name in ENCODINGS:
        for file in files:
            print("%-20s" % (name + " " + file.stem), *(show(speed(c[0], name, file, c[1])) for c in columns))
    print("\nhow many times as fast as each peer count is in the same round, medians (cpu: by processor time of all threads)")
    against = [c for c in columns if c[0] not in ways] + [("fastokens", 2)] * ("fastokens" in peers)
    print("%-20s" % "", *("%9s" % (title(c) if c[1] != 2 else c[0] + "/cpu")[:14] for c in against))
    for name in ENCODINGS:
        for file in files:
            print("%-20s" % (name + " " + file.stem), *(show(ratio(c[0], name, file, c[1])) for c in against))
    for (who, name, text), got in sorted(turns.items()):
        want = turns[OURS, name, text][0][3]
        if any(t[3] == FAILED for t in got):
            print("FAILED", who, name, text)
        elif who != "chunk" and any(t[3] != want for t in got):
            print("COUNTS DIFFER", who, name, text, got[0][3], "instead of", want)


serve() if sys.argv[2] == "serve" else main()
