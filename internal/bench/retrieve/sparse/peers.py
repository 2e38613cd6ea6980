# Usage: peers.py SPARSE N [ROUNDS]: see main.go.
# Each library answers the same 500 queries in one thread, in turns; the medians over
# the rounds are printed, in seconds of the processor.
import os, statistics, subprocess, sys, tempfile, time
import bm25s, numpy as np, tantivy
from rank_bm25 import BM25Okapi

sparse, n = sys.argv[1], int(sys.argv[2])
rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
folder = tempfile.mkdtemp()
file = os.path.join(folder, "texts")
go = subprocess.Popen([sparse, str(n), file], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
                      env={**os.environ, "GOMAXPROCS": "1"})
assert go.stdout.readline() == "written\n"
lines = open(file).read().split("\n")
queries, texts = lines[:500], lines[500:]
words = [t.split() for t in texts]


def ask(command):
    go.stdin.write(command + "\n")
    return go.stdout.readline().split()


def timed(f):
    began = time.process_time()
    out = f()
    return time.process_time() - began, out


print(f"prodai build {float(ask('build')[0]):.2f} s", flush=True)
ask("save")
print(f"prodai file {os.path.getsize(file + '.index') / 1e6:.0f} MB for {os.path.getsize(file) / 1e6:.0f} MB of text", flush=True)
schema = tantivy.SchemaBuilder().add_text_field("text", stored=False, tokenizer_name="whitespace").add_integer_field("id", stored=True).build()
path = os.path.join(folder, "tantivy")
os.mkdir(path)
t = tantivy.Index(schema, path=path)


def build_tantivy():
    w = t.writer(heap_size=400_000_000, num_threads=1)
    for i, text in enumerate(texts):
        w.add_document(tantivy.Document(text=[text], id=[i]))
    w.commit()
    w.wait_merging_threads()
    t.reload()


b = bm25s.BM25(k1=1.2, b=0.75)
print(f"tantivy build {timed(build_tantivy)[0]:.2f} s", flush=True)
print(f"bm25s build {timed(lambda: b.index(words, show_progress=False))[0]:.2f} s", flush=True)
few = 20 if n > 50_000 else 100  # it needs seconds for a query
r = BM25Okapi(words, k1=1.2, b=0.75)
searcher = t.searcher()
print(f"tantivy has {searcher.num_segments} segments")
parsed = [t.parse_query(q, ["text"]) for q in queries]
answers = {}


def tantivy_search():
    answers["tantivy"] = [[searcher.doc(a)["id"][0] for _, a in searcher.search(q, 10, count=False).hits] for q in parsed]


def tantivy_addresses():
    for q in parsed:
        searcher.search(q, 10, count=False)


def bm25s_search():
    ids, _ = b.retrieve([q.split() for q in queries], k=10, show_progress=False, n_threads=1)
    answers["bm25s"] = ids.tolist()


def rank_search():
    for q in queries[:few]:
        np.argpartition(-r.get_scores(q.split()), 10)[:10]


times = {}
for _ in range(rounds):
    out = ask("search")
    times.setdefault("prodai", []).append(float(out[0]) / 500)
    answers["prodai"] = [[int(i) for i in part.split()] for part in " ".join(out[1:]).split("-")][:500]
    for name, f, count in [("tantivy", tantivy_addresses, 500), ("tantivy with ids", tantivy_search, 500), ("bm25s", bm25s_search, 500), ("rank-bm25", rank_search, few)]:
        times.setdefault(name, []).append(timed(f)[0] / count)
for name, all in times.items():
    ms = 1000 * statistics.median(all)
    print(f"{name:18} {ms:8.3f} ms a query, {ms / 1000 / statistics.median(times['prodai']):6.2f} times prodai's time")
for name in ["tantivy", "bm25s"]:
    same = [len(set(x) & set(y)) / max(1, len(y)) for x, y in zip(answers["prodai"], answers[name])]
    print(f"{name}: {100 * statistics.mean(same):.1f} % of its hits are ours")
