"""vigil's YARA rules beside this module's injection detector, on the same rows.

    pip install yara-python==4.5.1
    git clone https://github.com/deadbits/vigil-llm
    python guard/injection/testdata/peers/vigil.py vigil-llm/data/yara [ROWS.jsonl[.gz]]

Run from the root of the repository. Of vigil's files those are taken whose name
says that they look for injection; the others look for keys and addresses. Without
ROWS the challenge set is scored. It prints recall, false positives and the time
of a scan, then the same of ours with the lab's scoring command.
"""
import gzip
import json
import pathlib
import subprocess
import sys
import time

import yara

FILES = ["guidance", "instruction_bypass", "mdexfil", "react", "system_instructions"]


def main():
    folder = pathlib.Path(sys.argv[1])
    path = sys.argv[2] if len(sys.argv) > 2 else "guard/injection/testdata/challenge.jsonl"
    found = {n: str(folder / f"{n}.yar") for n in FILES if (folder / f"{n}.yar").exists()}
    if not found:
        sys.exit(f"no rules in {folder}")
    rules = yara.compile(filepaths=found)
    opened = gzip.open if path.endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8") as f:
        rows = [json.loads(line) for line in f if line.strip()]
    hits, of, took = [0, 0], [0, 0], []
    for row in rows:
        data = row["text"].encode("utf-8", "surrogatepass")
        began = time.perf_counter()
        flagged = bool(rules.match(data=data))
        took.append((time.perf_counter() - began) * 1e6)
        hits[row["label"]] += flagged
        of[row["label"]] += 1
    took.sort()
    share = [h / max(1, n) for h, n in zip(hits, of)]
    # Flagged or not is a curve of one point: its area is this.
    print(f"vigil ({len(found)} files)  recall {share[1]:.3f} ({hits[1]}/{of[1]})  FPR {share[0]:.3f} ({hits[0]}/{of[0]})  "
          f"AUC {(1 + share[1] - share[0]) / 2:.3f}  p50 {took[len(took) // 2]:.1f} us  p99 {took[len(took) * 99 // 100]:.1f} us", flush=True)
    subprocess.run(["go", "run", "./examples/lab07-detector", "-score", path], check=True)


if __name__ == "__main__":
    main()
