"""Turns further collections into BEIR's form for "statictrain eval -only -more". README says
where the files are from.

python fresh.py RAW OUT   # RAW: adi lisa med npl time (folders), WikiQA-test.tsv, financebench.jsonl, qqp.jsonl
"""

import csv
import json
import os
import re
import sys

raw, out = sys.argv[1:]


def read(path):
    return open(raw + "/" + path, encoding="latin-1").read()


def flat(text):
    return " ".join(text.split())


def write(name, documents, queries, relevant):
    """documents and queries: id -> text; relevant: pairs of a query and a document."""
    os.makedirs(f"{out}/{name}", exist_ok=True)
    relevant = sorted((q, d) for q, d in set(relevant) if q in queries and d in documents)
    asked = {q for q, _ in relevant}
    with open(f"{out}/{name}/corpus.jsonl", "w") as f:
        f.writelines(json.dumps({"_id": i, "title": "", "text": t}) + "\n" for i, t in documents.items())
    with open(f"{out}/{name}/queries.jsonl", "w") as f:
        f.writelines(json.dumps({"_id": i, "text": t}) + "\n" for i, t in queries.items() if i in asked)
    with open(f"{out}/{name}/qrels.tsv", "w") as f:
        f.write("query-id\tcorpus-id\tscore\n")
        f.writelines(f"{q}\t{d}\t1\n" for q, d in relevant)
    print(name, len(asked), "questions,", len(documents), "texts,", len(relevant), "judgments")


def smart(path):
    """Titles and texts of a file in SMART's form."""
    found = {}
    for part in re.split(r"(?m)^\.I\s*", read(path))[1:]:
        fields = dict(re.findall(r"(?ms)^\.([TW])\s*?\n(.*?)(?=^\.[A-Z]\s*$|\Z)", part))
        found[part.split()[0]] = flat(fields.get("T", "") + " " + fields.get("W", ""))
    return {i: t for i, t in found.items() if t}


def numbered(path):
    """Lists of numbers, each starting with a query and ending with a slash."""
    for part in read(path).split("/"):
        f = part.split()
        yield from ((f[0], d) for d in f[1:])


def columns(path, document):
    return ((f[0], f[document]) for f in map(str.split, read(path).splitlines()) if len(f) > document)


write("adi", smart("adi/ADI.ALL"), smart("adi/ADI.QRY"), columns("adi/ADI.REL", 1))
write("med", smart("med/MED.ALL"), smart("med/MED.QRY"), columns("med/MED.REL", 2))

npl = [{p.split()[0]: flat(" ".join(p.split()[1:])) for p in read(f).split("/\n") if len(p.split()) > 1}
       for f in ("npl/doc-text", "npl/query-text")]
write("npl", *npl, numbered("npl/rlv-ass"))

lisa = {}
for name in sorted(os.listdir(raw + "/lisa")):
    if re.fullmatch(r"LISA\d\.\d+", name):
        for part in re.split(r"(?m)^Document +", read("lisa/" + name))[1:]:
            number, _, text = part.partition("\n")
            lisa[number.strip()] = flat(text.replace("*", " "))
queries = {p.split()[0]: flat(" ".join(p.split()[1:])) for p in read("lisa/LISA.QUE").split("#") if p.split()}
judged = re.findall(r"Query (\d+)\s+\d+ Relevant Refs:\s+([\d\s]*?)-1", read("lisa/LISA.REL"))
write("lisa", lisa, queries, ((q, d) for q, list in judged for d in list.split()))

time = [flat(p.partition("\n")[2]) for p in read("time/TIME.ALL").split("*TEXT ")[1:]]
queries = {p.split()[0]: flat(" ".join(p.replace("*STOP", "").split()[1:])) for p in read("time/TIME.QUE").split("*FIND")[1:]}
# Of 425 articles two are missing between the judged numbers 370 and 378, and TIME.REL.ALL counts them.
numbers = {str(i + 1 if i < 370 else i + 3): t for i, t in enumerate(time)}
judged = (line.split() for line in read("time/TIME.REL.ALL").splitlines() if line.split())
write("time", numbers, queries, ((f[0], d) for f in judged for d in f[1:]))

rows = list(csv.DictReader(open(raw + "/WikiQA-test.tsv", encoding="utf-8"), delimiter="\t", quoting=csv.QUOTE_NONE))
write("wikiqa", {r["SentenceID"]: r["Sentence"] for r in rows}, {r["QuestionID"]: r["Question"] for r in rows},
      ((r["QuestionID"], r["SentenceID"]) for r in rows if r["Label"].strip() == "1"))

bench = [json.loads(line) for line in open(raw + "/financebench.jsonl", encoding="utf-8")]
pages = {}
for q in bench:
    for e in q["evidence"]:
        pages.setdefault(flat(e["evidence_text"]), "d%d" % len(pages))
write("financebench", {i: t for t, i in pages.items()}, {q["financebench_id"]: q["question"] for q in bench},
      ((q["financebench_id"], pages[flat(e["evidence_text"])]) for q in bench for e in q["evidence"]))

pairs = [json.loads(line) for line in open(raw + "/qqp.jsonl", encoding="utf-8")]
texts = {}
for p in pairs:
    texts.setdefault(p["b"], "d%d" % len(texts))
write("qqp", {i: t for t, i in texts.items()}, {"q%d" % i: p["a"] for i, p in enumerate(pairs)},
      (("q%d" % i, texts[p["b"]]) for i, p in enumerate(pairs) if p["label"] == 1))
