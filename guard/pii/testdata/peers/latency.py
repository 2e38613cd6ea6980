"""Latency of presidio-analyzer and detect-secrets beside this module's checks.

    pip install presidio-analyzer detect-secrets
    python guard/pii/testdata/peers/latency.py

Run from the root of the repository. It times both peers on 1,000-character
prompts in this process, then runs the Go benchmarks of internal/bench/guard
(gitleaks among them), so that all numbers come from one run. presidio has its
pattern recognisers on a blank spaCy pipeline: no model for names.
"""
import statistics
import subprocess
import time

import spacy
from detect_secrets.core.scan import scan_line
from detect_secrets.settings import default_settings
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import SpacyNlpEngine

SENTENCES = [
    "Please summarize the report that Ana sent on Monday to the whole team.",
    "What changed in version 1.2.3, and who approved it on 2026-11-23?",
    "Write to ana.k@example.org that order 48213 will be late by 3 days.",
    "The server at 10.0.0.17 answers with status 503 since this morning.",
    "How do I make the build ignore generated files in the docs folder?",
    "Call me on +44 20 7946 0958 if the meeting has to be moved again.",
    "My function returns 0.5 for x = 12, but I expected a whole number.",
    "Translate the last paragraph into German and keep the names as they are.",
]


def prompts():
    for i in range(64):
        text, k = "", 0
        while len(text) < 1000:
            text += SENTENCES[(i * 7 + k * (i % 5 + 1)) % len(SENTENCES)] + " "
            k += 1
        yield text[:1000]


def measure(name, check, rounds):
    texts = list(prompts())
    check(texts[0])
    took = []
    for _ in range(rounds):
        for text in texts:
            start = time.perf_counter()
            check(text)
            took.append((time.perf_counter() - start) * 1e6)
    took.sort()
    print(f"{name:32s} p50 {statistics.median(took):10.1f} us   p99 {took[len(took) * 99 // 100]:10.1f} us")


class Blank(SpacyNlpEngine):
    def __init__(self):
        super().__init__()
        self.nlp = {"en": spacy.blank("en")}


def main():
    # The mail recogniser otherwise fetches a list of suffixes while it is timed.
    import tldextract

    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=())
    analyzer = AnalyzerEngine(nlp_engine=Blank(), supported_languages=["en"])
    measure("presidio-analyzer", lambda t: analyzer.analyze(t, language="en"), 3)
    with default_settings():
        measure("detect-secrets", lambda t: list(scan_line(t)), 6)
    subprocess.run(["go", "test", "-run", "^$", "-bench", ".", "-benchtime", "2000x", "./guard"], cwd="internal/bench", check=True)


if __name__ == "__main__":
    main()
