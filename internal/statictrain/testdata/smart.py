"""Turns CISI and CACM, in SMART's form, into BEIR's form for "statictrain eval -more".

python smart.py CISI.ALL CISI.QRY CISI.REL cisi
python smart.py cacm.all query.text qrels.text cacm   # only documents that have an abstract
"""

import json
import os
import re
import sys


def parse(path):
    out, field = [], None
    for line in open(path, encoding="latin-1"):
        if line.startswith(".I "):
            out.append({"id": line.split()[1]})
            field = None
        elif re.match(r"^\.[A-Z]\s*$", line):
            field = line[1]
        elif out and field:
            out[-1][field] = out[-1].get(field, "") + line
    return out


def text(document, field):
    return " ".join(document.get(field, "").split())


documents, queries, judgments, folder = sys.argv[1:]
os.makedirs(folder, exist_ok=True)
known = set()
with open(folder + "/corpus.jsonl", "w") as out:
    for d in parse(documents):
        if text(d, "W"):
            known.add(d["id"])
            out.write(json.dumps({"_id": d["id"], "title": text(d, "T"), "text": text(d, "W")}) + "\n")
relevant = {(str(int(f[0])), f[1]) for f in map(str.split, open(judgments)) if len(f) > 1 and f[1] in known}
with open(folder + "/qrels.tsv", "w") as out:
    out.write("query-id\tcorpus-id\tscore\n")
    out.writelines(f"{q}\t{d}\t1\n" for q, d in sorted(relevant))
with open(folder + "/queries.jsonl", "w") as out:
    for q in parse(queries):
        if any(q["id"] == r for r, _ in relevant):
            out.write(json.dumps({"_id": q["id"], "text": text(q, "W")}) + "\n")
