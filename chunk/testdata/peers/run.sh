#!/bin/sh
# Cuts the same 2 MB with chunk and langchaingo (Go), text-splitter (Rust, which
# is also Python's semantic-text-splitter) and langchain-text-splitters (Python),
# in turns, with the same sizes, and prints the best of each in MB/s.
#
#     sh chunk/testdata/peers/run.sh [ROUNDS]
#
# Needs go, cargo, and a python3 with langchain-text-splitters 1.1.3 and tiktoken
# 0.14 (PYTHON=... names another). The builds go to a temporary folder, or to
# $WORK if that is set.
set -eu
rounds=${1:-3}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
work=${WORK:-$(mktemp -d)}
mkdir -p "$work"

(cd "$root/internal/bench" && go build -o "$work/run" ./chunk/run && "$work/run" -write "$work/text.md" &&
	go mod download github.com/pkoukk/tiktoken-go-loader && go list -m -f '{{.Dir}}/assets' github.com/pkoukk/tiktoken-go-loader >"$work/ranks")
CARGO_TARGET_DIR="$work/target" cargo build --quiet --release --manifest-path "$here/Cargo.toml"

: >"$work/results"
for _ in $(seq "$rounds"); do
	"$work/run" "$work/text.md" >>"$work/results"
	"$work/target/release/chunk-peers" "$work/text.md" >>"$work/results"
	"${PYTHON:-python3}" "$here/peers.py" "$work/text.md" "$(cat "$work/ranks")" >>"$work/results"
done
awk '
	{ if ($3 > best[$1, $2]) best[$1, $2] = $3; tasks[$2]; n[$1, $2] = $4 }
	END {
		printf "%-22s %16s %16s %16s %16s   MB/s (chunks)\n", "", "prodai", "langchaingo", "text-splitter", "langchain"
		for (t in tasks) {
			printf "%-22s", t
			split("prodai langchaingo text-splitter langchain", names, " ")
			for (i = 1; i <= 4; i++) printf " %9.2f (%5d)", best[names[i], t], n[names[i], t]
			printf "\n"
		}
	}' "$work/results"
