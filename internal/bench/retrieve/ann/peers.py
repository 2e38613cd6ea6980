# Usage: peers.py ANN N DIM clustered|independent|FILE [ROUNDS]: see main.go. With the path
# of fox's program (cargo build --release in fox) in the variable FOX, foxstash-core too.
# Each library searches the same 1,000 queries in one thread, in turns; the medians
# over the rounds are printed, in seconds of the processor.
import os, statistics, subprocess, sys, tempfile, time
import faiss, hnswlib, numpy as np
from usearch.index import Index

ann, n, dim, kind = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
rounds = int(sys.argv[5]) if len(sys.argv) > 5 else 7
faiss.omp_set_num_threads(1)
file = os.path.join(tempfile.mkdtemp(), "vectors.f32")
go = subprocess.Popen([ann, str(n), str(dim), kind, file], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
                      env={**os.environ, "GOMAXPROCS": "1"})
assert go.stdout.readline() == "written\n"
print("load average", os.getloadavg(), flush=True)
data = np.fromfile(file, dtype=np.float32).reshape(-1, dim)
data /= np.linalg.norm(data, axis=1, keepdims=True)
base, queries = data[:n], data[n:]
truth = [set(row) for row in np.argsort(-(queries @ base.T), axis=1)[:, :10]]


def recall(ids):
    return sum(len(t & set(row)) for t, row in zip(truth, ids)) / (10 * len(truth))


def ask(command, process=go):
    process.stdin.write(command + "\n")
    process.stdin.flush()
    return process.stdout.readline().split()


h = hnswlib.Index(space="ip", dim=dim)
h.init_index(max_elements=n, M=16, ef_construction=200)
h.set_num_threads(1)
f = faiss.IndexHNSWFlat(dim, 16, faiss.METRIC_INNER_PRODUCT)
f.hnsw.efConstruction = 200
for mode in ["float32", "int8"]:
    print(f"prodai/{mode} build {float(ask('build ' + mode)[0]):.2f} s", flush=True)
for name, build in [("hnswlib", lambda: h.add_items(base, num_threads=1)), ("faiss", lambda: f.add(base))]:
    began = time.process_time()
    build()
    print(f"{name} build {time.process_time() - began:.2f} s", flush=True)


u = {mode: Index(ndim=dim, metric="ip", dtype=mode, connectivity=16, expansion_add=200) for mode in ["f32", "i8"]}
for mode, index in u.items():
    began = time.process_time()
    index.add(np.arange(n), base, threads=1)
    print(f"usearch/{mode} build {time.process_time() - began:.2f} s", flush=True)
fox = None
if os.environ.get("FOX"):
    data.tofile(file)  # of length 1, as the others have them
    fox = subprocess.Popen([os.environ["FOX"], str(n), str(dim), file], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                           env={**os.environ, "RAYON_NUM_THREADS": "1"})
    for mode in ["f32", "sq8"]:
        print(f"foxstash/{mode} build {float(ask('build ' + mode, fox)[0]):.2f} s", flush=True)


def prodai(mode, process=go):
    def search(ef):
        answer = ask(f"search {mode} {ef}", process)
        return float(answer[0]), np.array(answer[1:], dtype=int).reshape(-1, 10)

    return search


def batch_hnswlib(ef):
    h.set_ef(ef)
    began = time.process_time()
    ids = h.knn_query(queries, k=10, num_threads=1)[0]
    return time.process_time() - began, ids


def batch_faiss(ef):
    f.hnsw.efSearch = ef
    began = time.process_time()
    ids = f.search(queries, 10)[1]
    return time.process_time() - began, ids


def batch_usearch(mode):
    def search(ef):
        u[mode].expansion_search = ef
        began = time.process_time()
        ids = u[mode].search(queries, 10, threads=1).keys
        return time.process_time() - began, ids

    return search


searches = [("float32", prodai("float32")), ("int8", prodai("int8")), ("hnswlib", batch_hnswlib), ("faiss", batch_faiss),
            ("usearch", batch_usearch("f32")), ("usearch/i8", batch_usearch("i8"))]
if fox:
    searches += [("foxstash", prodai("f32", fox)), ("foxstash/sq8", prodai("sq8", fox))]
for ef in [16, 32, 64, 128, 256]:
    seconds, found = {}, {}
    for _ in range(rounds):
        for name, search in searches:
            s, ids = search(ef)
            seconds.setdefault(name, []).append(s)
            found[name] = recall(ids)
    qps = {name: len(queries) / statistics.median(s) for name, s in seconds.items()}
    print(f"ef {ef:4}  " + "  ".join(f"{name} {found[name]:.4f} {q:7.0f}/s" for name, q in qps.items()) + f"  of hnswlib: float32 {qps['float32'] / qps['hnswlib']:.2f}, int8 {qps['int8'] / qps['hnswlib']:.2f}", flush=True)
