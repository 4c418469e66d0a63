#!/usr/bin/env bash
# Chooses what of a corpus is kept in the repository: as few and small files as reach every line that it reaches, none longer
# than 4 KiB. The corpus must have grown from our own seeds: what grew from other people's files holds parts of them.
#
#     fuzz/keep.sh TARGET CORPUS ...
set -euo pipefail
target=${1:?a target of cargo fuzz list}
shift
longest=4096 most=400
kept=$(dirname "$0")/corpus/$target

chosen=$(mktemp -d)
trap 'rm -rf "$chosen"' EXIT
program=${FUZZ_PROGRAM:-$(dirname "$0")/target/x86_64-unknown-linux-gnu/release/$target}
# Counters off: each line once, not each number of times that it ran.
"$program" -set_cover_merge=1 -use_counters=0 -max_len="$longest" "$chosen" "$@" 2> "$chosen.log" || { tail "$chosen.log"; exit 1; }

count=$(find "$chosen" -type f | wc -l)
echo "$target: $count files, $(du -sb "$chosen" | cut -f1) bytes"
[[ $count -gt 0 && $count -le $most ]] || { echo "not between 1 and $most"; exit 1; }
rm -rf "$kept"
mkdir -p "$kept"
cp "$chosen"/* "$kept"
rm -f "$chosen.log"
