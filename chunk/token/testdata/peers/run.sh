#!/bin/sh
# Counts the same texts with chunk/token (Go), bpe-openai and tiktoken-rs (Rust)
# and tiktoken (Python), in turns, and prints the best of each in MB/s.
#
#     sh chunk/token/testdata/peers/run.sh [ROUNDS]
#
# Needs go, cargo, and a python3 with tiktoken 0.14 (PYTHON=... names another).
# The builds go to a temporary folder, or to $WORK if that is set.
set -eu
rounds=${1:-3}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../../.." && pwd)
work=${WORK:-$(mktemp -d)}
mkdir -p "$work"

(cd "$root/internal/bench" && go run ./token/texts/write -out "$work/texts" && go build -o "$work/count" ./token/count &&
	go mod download github.com/pkoukk/tiktoken-go-loader && go list -m -f '{{.Dir}}/assets' github.com/pkoukk/tiktoken-go-loader >"$work/ranks")
CARGO_TARGET_DIR="$work/target" cargo build --quiet --release --manifest-path "$here/Cargo.toml"

: >"$work/results"
for _ in $(seq "$rounds"); do
	"$work/count" "$work/texts" >>"$work/results"
	"$work/target/release/peers" "$work/texts" >>"$work/results"
	"${PYTHON:-python3}" "$here/peers.py" "$work/texts" "$(cat "$work/ranks")" >>"$work/results"
done
awk '
	{ k = $2 " " $3; if ($4 > best[$1, k]) best[$1, k] = $4; keys[k]; if (n[k] != "" && n[k] != $5) differ[k] = 1; n[k] = $5 }
	END {
		printf "%-16s %10s %12s %12s %10s %10s\n", "MB/s", "prodai", "bpe-openai", "tiktoken-rs", "tiktoken", "tokens"
		for (k in keys) printf "%-16s %10.2f %12.2f %12.2f %10.2f %10d%s\n", k, best["prodai", k], best["bpe-openai", k], best["tiktoken-rs", k], best["tiktoken", k], n[k], (differ[k] ? "  COUNTS DIFFER" : "") | "sort"
	}' "$work/results"
