#!/usr/bin/env python3
"""Times sacreBLEU's significance tests beside this package's, on the same
statistics with the same seed, and checks that the p-values are equal.

    python3 -m venv /tmp/peers && /tmp/peers/bin/pip install sacrebleu==2.6.0
    /tmp/peers/bin/python eval/stats/testdata/peers/compare.py    # from the module's root

Statistics of 10,000 generated segment pairs are extracted once (outside the
timing, TER of them takes a while), then 1,000 resamples or trials are run.
sacreBLEU: the median of three runs, CPU seconds; it uses one core. This
package: the best of five runs, wall seconds, on one core and on two.
"""
import json
import os
import random
import subprocess
import sys
import tempfile
import time

import sacrebleu
import sacrebleu.significance as significance
from sacrebleu.metrics import BLEU, CHRF, TER

SEGMENTS = int(os.environ.get("SEGMENTS", "10000"))
SAMPLES = 1000
SEED = 12345


def corpus():
    r = random.Random(42)
    words = ["".join(r.choice("etaoinshrdlu") for _ in range(r.randint(2, 9))) for _ in range(3000)]

    def damaged(tokens, rate):
        out = []
        for token in tokens:
            x = r.random()
            if x < rate / 2:
                out.append(r.choice(words))
            elif x < rate:
                continue
            else:
                out.append(token)
        return " ".join(out) + "."

    refs, a, b = [], [], []
    for _ in range(SEGMENTS):
        tokens = [r.choice(words) for _ in range(r.randint(8, 34))]
        refs.append(" ".join(tokens) + ".")
        a.append(damaged(tokens, 0.30))
        b.append(damaged(tokens, 0.299))
    return refs, a, b


def given(metric_class):
    """The metric class with the extraction of statistics left out."""

    class Given(metric_class):
        def _extract_corpus_statistics(self, hypotheses, references):
            return hypotheses

    return Given()


def main():
    refs, a, b = corpus()
    folder = tempfile.mkdtemp(prefix="stats-peers-")
    peer = []
    for name, metric_class in [("BLEU", BLEU), ("chrF2", CHRF), ("TER", TER)]:
        full = metric_class()
        stats_a = full._extract_corpus_statistics(a, [refs])
        stats_b = full._extract_corpus_statistics(b, [refs])
        with open(os.path.join(folder, name + ".json"), "w") as f:
            json.dump({"width": len(stats_a[0]), "baseline": sum(stats_a, []), "system": sum(stats_b, [])}, f)
        metric = given(metric_class)
        baseline = {name: (stats_a, significance.Result(metric._aggregate_and_compute(stats_a).score))}
        for test, fn in [("bs", significance._paired_bs_test), ("ar", significance._paired_ar_test)]:
            runs = []
            for _ in range(3):
                start = time.process_time()
                _, results = fn(baseline, "b", stats_b, None, {name: metric}, SAMPLES, -1, SEED)
                runs.append(time.process_time() - start)
            seconds = sorted(runs)[1]
            peer.append({"metric": name, "test": test, "seconds": seconds, "p": results[name].p_value})
            print(f"sacrebleu {sacrebleu.__version__} {name} {test}: {seconds:.3f} s", file=sys.stderr)
    with open(os.path.join(folder, "peer.json"), "w") as f:
        json.dump(peer, f)
    subprocess.run(["go", "test", "./eval/stats", "-run", "TestPeers", "-count=1", "-peers", folder], check=True)
    ours = {(o["metric"], o["test"]): o for o in json.load(open(os.path.join(folder, "go.json")))}
    print(f"{'test':10} {'sacrebleu':>10} {'1 core':>8} {'ratio':>6} {'2 cores':>8} {'gain':>5}  p of both")
    for p in peer:
        o = ours[p["metric"], p["test"]]
        print(f"{p['metric'] + ' ' + p['test']:10} {p['seconds']:9.3f}s {o['one']:7.4f}s {p['seconds'] / o['one']:5.0f}x "
              f"{o['two']:7.4f}s {o['one'] / o['two']:4.2f}x  {p['p']:.6f} {o['p']:.6f}")


if __name__ == "__main__":
    main()
