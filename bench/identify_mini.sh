#!/usr/bin/env bash
# Precision and recall of the classifiers frequency and model on data/mini, where the generator
# knows which words are unwanted. scripts/demo.sh leaves the two models that `model` needs.
#
#   bench/identify_mini.sh [split ...]      (default: forget01 forget05 forget10)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

program=${TOFU_MPI_PROGRAM:-build/release/tofu_mpi}
tuned=runs/mini/full/checkpoint
base=runs/mini/retain/checkpoint
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
[ $# -gt 0 ] || set -- forget01 forget05 forget10

identify() {
  "$program" identify data_path=data/mini out="$out" "$@" 2>"$out/log" || {
    cat "$out/log"
    exit 1
  }
}

for split in "$@"; do
  identify split="$split" classifier=frequency
  if [ -e "$tuned" ] && [ -e "$base" ]; then
    identify split="$split" classifier=model model_family=mini precision=fp32 \
      model_path="$tuned" base_model_path="$base"
  fi
done
for classifier in frequency model; do
  if compgen -G "$out/*_$classifier.jsonl" >/dev/null; then
    "$program" identify --compare "$out:$classifier" data/mini:truth
    echo
  else
    echo "$classifier: run scripts/demo.sh first, which makes $tuned and $base"
  fi
done
