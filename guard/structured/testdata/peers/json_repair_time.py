"""Times json_repair on the rows of json_repair.jsonl, as BenchmarkRows does.

    python -m venv /tmp/v && /tmp/v/bin/pip install json_repair==0.64.6
    /tmp/v/bin/python json_repair_time.py
"""
import json, pathlib, time
import json_repair

here = pathlib.Path(__file__).parent
texts = [json.loads(line)["text"] for line in open(here.parent / "json_repair.jsonl")]
for t in texts:
    json_repair.loads(t)
began, rounds = time.perf_counter(), 0
while time.perf_counter() - began < 2:
    for t in texts:
        json_repair.loads(t)
    rounds += 1
print(f"json_repair: {(time.perf_counter() - began) / rounds / len(texts) * 1e9:.0f} ns a row, {len(texts)} rows")
