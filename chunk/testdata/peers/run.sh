#!/bin/sh
# Cuts the same 2 MB with chunk and langchaingo (Go), text-splitter (Rust, which
# is also Python's semantic-text-splitter) and langchain-text-splitters (Python),
# in turns, with the same sizes, and prints the median speed of each and how many
# times as fast chunk is. Code points are counted in each one's default way. Tokens
# are those of o200k_base, by the counter that comes with each: tiktoken-go,
# tiktoken-rs, and tiktoken through from_tiktoken_encoder.
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
awk -v rounds="$rounds" '
	{ speed[$1, $2, ++seen[$1, $2]] = $3; n[$1, $2] = $4; tasks[$2] }
	# median of the rounds
	function median(by, task,   i, j, k, a, x) {
		k = seen[by, task]
		for (i = 1; i <= k; i++) a[i] = speed[by, task, i] + 0
		for (i = 2; i <= k; i++) for (j = i; j > 1 && a[j] < a[j-1]; j--) { x = a[j]; a[j] = a[j-1]; a[j-1] = x }
		return a[int((k + 1) / 2)]
	}
	END {
		count = split("prodai langchaingo langchaingo-our-counter text-splitter langchain", names, " ")
		printf "%-22s", "MB/s (chunks)"
		for (i = 1; i <= count; i++) printf " %24s", names[i]
		printf "\n"
		for (t in tasks) {
			printf "%-22s", t
			for (i = 1; i <= count; i++) {
				if (!((names[i], t) in n)) { printf " %24s", "-"; continue }
				m = median(names[i], t)
				printf " %8.2f %6s (%6d)", m, (i > 1 ? sprintf("x%.1f", median("prodai", t) / m) : ""), n[names[i], t]
			}
			printf "\n"
		}
	}' "$work/results"
