"""Times the Python peers on the corpus in a folder and prints the comparison."""

import json
import sys
import time

import bleuscore
import jiwer
import rapidfuzz
import sacrebleu
from rouge_score import rouge_scorer

work = sys.argv[1]
hyps = open(f"{work}/hyp.txt", encoding="utf-8").read().splitlines()
refs = open(f"{work}/ref.txt", encoding="utf-8").read().splitlines()


def timed(run, times):
    best, value = float("inf"), None
    for _ in range(times):
        start = time.perf_counter()
        value = run()
        best = min(best, time.perf_counter() - start)
    return {"seconds": best, "value": value}


def sacre(metric, n=len(hyps)):
    # caches of earlier rounds would make the next one a look-up
    def run():
        for module in list(sys.modules.values()):
            for thing in list(vars(module).values()) if getattr(module, "__name__", "").startswith("sacrebleu.tokenizers") else []:
                call = getattr(thing, "__call__", None)
                if hasattr(call, "cache_clear"):
                    call.cache_clear()
        return metric().corpus_score(hyps[:n], [refs[:n]]).score
    return run


def rouge(stem):
    scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=stem)

    def run():
        total = 0.0
        for h, r in zip(hyps, refs):
            s = scorer.score(r, h)
            total += sum(s[k].fmeasure for k in ("rouge1", "rouge2", "rougeL"))
        return total
    return run


def levenshtein():
    distance = rapidfuzz.distance.Levenshtein.distance
    return sum(distance(h, r) for h, r in zip(hyps, refs))


peers = {
    "bleu": {
        "sacrebleu": timed(sacre(lambda: sacrebleu.BLEU()), 2),
        "bleuscore (Rust)": timed(lambda: 100 * bleuscore.compute([[r] for r in refs], hyps)["bleu"], 5),
    },
    "bleu intl": {"sacrebleu": timed(sacre(lambda: sacrebleu.BLEU(tokenize="intl")), 2)},
    "chrf": {"sacrebleu": timed(sacre(lambda: sacrebleu.CHRF()), 2)},
    "chrf++": {"sacrebleu": timed(sacre(lambda: sacrebleu.CHRF(word_order=2)), 2)},
    "ter": {"sacrebleu": timed(sacre(lambda: sacrebleu.TER(), 1000), 2)},
    "rouge": {"rouge-score": timed(rouge(False), 2)},
    "rouge stem": {"rouge-score": timed(rouge(True), 2)},
    "levenshtein": {"rapidfuzz (C++)": timed(levenshtein, 5)},
    "wer": {"jiwer (C++ core)": timed(lambda: jiwer.wer(refs, hyps), 3)},
}
rust = json.load(open(f"{work}/rust.json"))
for job, timing in rust.items():
    peers[job]["rapidfuzz (Rust)" if job == "levenshtein" else "rougers (Rust)"] = timing

ours = json.load(open(f"{work}/prodai.json"))
print(f"{'work':<12} {'peer':<18} {'peer/s':>10} {'prodai/s':>10} {'ratio':>7}  same value")
different = 0
for job, timings in peers.items():
    mine = ours[job]
    for peer, timing in timings.items():
        same = abs(mine["value"] - timing["value"]) <= 1e-9 * max(1, abs(timing["value"]))
        different += not same
        print(f"{job:<12} {peer:<18} {mine['n'] / timing['seconds']:>10.0f} {mine['n'] / mine['seconds']:>10.0f} "
              f"{timing['seconds'] / mine['seconds']:>6.1f}x  {same or (mine['value'], timing['value'])}")
sys.exit(different > 0)
