#!/usr/bin/env bash
# The whole method on the small data set of data/mini, on two ranks of this machine: trains a model
# on all authors and one that never sees two of them, makes the first forget these two, evaluates
# and shows what changed. Installs and builds what is missing; may be run again.
#
#   scripts/demo.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/build.sh tofu_mpi

export OMP_NUM_THREADS=1 # a rank for each of two cores
if [ "$(id -u)" = 0 ]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi

# mpirun hands its ranks a pipe, so they cannot see that there is a terminal.
if [ -t 2 ]; then
  export TOFU_MPI_PROGRESS=bar
fi

step() { printf '\n=== %s\n' "$*"; }
# Two ranks also where only one core is to be had.
tofu_mpi() { mpirun -np 2 --bind-to none --oversubscribe build/release/tofu_mpi "$@"; }

runs=runs/mini

step "1/6 Fine-tune on all twenty authors: the model that has to forget"
tofu_mpi finetune --config configs/mini/finetune.yaml

step "2/6 Fine-tune without the two authors: the model it should become"
tofu_mpi finetune --config configs/mini/retain.yaml

step "3/6 Evaluate the model that never saw the two authors"
tofu_mpi evaluate --config configs/mini/eval.yaml \
  model_path=$runs/retain/checkpoint save_dir=$runs/eval_retain

step "4/6 Evaluate the full model"
tofu_mpi evaluate --config configs/mini/eval.yaml \
  model_path=$runs/full/checkpoint save_dir=$runs/eval_before \
  eval.retain_result=$runs/eval_retain/eval_log_aggregated.json

step "5/6 Forget the two authors"
tofu_mpi forget --config configs/mini/forget.yaml

step "6/6 What changed"
python3 scripts/compare_runs.py before=$runs/eval_before after=$runs/forget/checkpoint \
  retain=$runs/eval_retain

cat <<END

Files
  $runs/full/checkpoint      the model before
  $runs/forget/checkpoint    the model after, its evaluation, aggregate_stat.txt
  $runs/retain/checkpoint    the model that never saw the two authors
  $runs/eval_before, $runs/eval_retain   the evaluations of the other two
  $runs/*/log.jsonl          a line for each step
END
