#!/bin/sh
# Counts the same texts with chunk/token (Go), bpe-openai and tiktoken-rs (Rust),
# and fastokens, riptoken, tokie and tiktoken (Python wheels), in turns, and prints
# speeds and ratios: see compare.py.
#
#     sh chunk/token/testdata/peers/run.sh [ROUNDS [PEER...]]
#
# Needs go, and a python3 from 3.10 on with the packages of requirements.txt
# (PYTHON=... names another). It needs cargo for bpe-openai and tiktoken-rs. The
# builds go to a temporary folder, or to $WORK if that is set.
set -eu
rounds=${1:-5}
[ $# -eq 0 ] || shift
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../../.." && pwd)
work=${WORK:-$(mktemp -d)}
mkdir -p "$work"

(cd "$root/internal/bench" && go run ./token/texts/write -out "$work/texts" && go build -o "$work/count" ./token/count &&
	go mod download github.com/pkoukk/tiktoken-go-loader && go list -m -f '{{.Dir}}/assets' github.com/pkoukk/tiktoken-go-loader >"$work/ranks")
case "${*:-bpe-openai}" in
*bpe-openai* | *tiktoken-rs*)
	CARGO_TARGET_DIR="$work/target" cargo build --quiet --release --manifest-path "$here/Cargo.toml" ;;
esac
exec "${PYTHON:-python3}" "$here/compare.py" "$work" "$rounds" "$@"
