"""Scores made-up retrievals with Chroma's chunking_evaluation and prints what
TestGoldenChroma reads.

    git clone https://github.com/brandonstarxel/chunking_evaluation   # as of 35440b8
    pip install pandas tqdm
    PYTHONPATH=chunking_evaluation/src python3 chroma.py ../../sample/testdata >../chroma.jsonl

Chunks are windows of code points, some with gaps between them; what is retrieved
is drawn at random, half of it from where the answer is. Only the formulas are
used: chromadb and the other packages that the program imports needn't be there.
"""
import json
import pathlib
import random
import sys
from unittest import mock

for name in ["chromadb", "chromadb.utils", "fuzzywuzzy", "tiktoken"]:
    sys.modules.setdefault(name, mock.MagicMock())

import pandas as pd
from chunking_evaluation.evaluation_framework.base_evaluation import BaseEvaluation

sample = pathlib.Path(sys.argv[1])
questions = [json.loads(line) for line in (sample / "questions.jsonl").read_text(encoding="utf-8").splitlines()]
corpora = {p.stem: p.read_bytes().decode() for p in sorted(sample.glob("*.md"))}

evaluation = BaseEvaluation.__new__(BaseEvaluation)
evaluation.questions_df = pd.DataFrame({
    "question": [q["question"] for q in questions],
    "references": [q["references"] for q in questions],
    "corpus_id": [q["corpus"] for q in questions],
})

draw = random.Random(1)
for size, step in [(200, 200), (400, 200), (300, 350), (100, 100), (1000, 1000)]:
    chunks = [
        {"start_index": at, "end_index": min(at + size, len(text)), "corpus_id": name}
        for name, text in corpora.items()
        for at in range(0, len(text), step)
    ]
    found = []
    for q in questions:
        near = [i for i, c in enumerate(chunks) if c["corpus_id"] == q["corpus"] and any(
            c["start_index"] <= r["end_index"] and r["start_index"] <= c["end_index"] for r in q["references"])]
        found.append([draw.choice(near) if near and draw.random() < 0.5 else draw.randrange(len(chunks)) for _ in range(5)])
    omega, _ = evaluation._full_precision_score(chunks)
    iou, recall, precision = evaluation._scores_from_dataset_and_retrievals(
        [[chunks[i] for i in f] for f in found], [5] * len(questions))
    print(json.dumps({"size": size, "step": step, "found": found, "recall": recall, "precision": precision, "iou": iou, "omega": omega}))
