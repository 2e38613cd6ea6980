#!/bin/sh
# Compares this package's throughput with its Python and Rust peers: the same
# 10,000 pairs, one core, the same values. Needs go, python3 and cargo, and
# about five minutes, most of it for building and for the Python peers.
#
#   sh eval/testdata/peers/run.sh [WORKDIR]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=${1:-$(mktemp -d)}
mkdir -p "$work"
if [ ! -x "$work/venv/bin/python" ]; then
	python3 -m venv "$work/venv"
	"$work/venv/bin/pip" -q install sacrebleu==2.6.0 rouge-score==0.1.2 rapidfuzz==3.14.6 jiwer==4.0.0 bleuscore==0.2.0
fi
CARGO_TARGET_DIR="$work/target" cargo build -q --release --manifest-path "$here/rust/Cargo.toml"
(cd "$here/../.." && GOMAXPROCS=1 go test -count=1 -run TestPeers . -args -peers "$work")
RAYON_NUM_THREADS=1 "$work/target/release/peers" "$work" > "$work/rust.json"
RAYON_NUM_THREADS=1 "$work/venv/bin/python" "$here/peers.py" "$work"
