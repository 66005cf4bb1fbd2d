#!/usr/bin/env bash
# Installs what is missing and builds into build/release.
#
#   scripts/build.sh [TARGET ...]      e.g. scripts/build.sh tofu_mpi; without: everything
#
# TOFU_MPI_BUILD_JOBS  compilers at once (default: a core each, and 2 GB of free memory each)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# A file that includes libtorch takes up to 2 GB to compile.
build_jobs() {
  local cores memory_kb
  cores=$(nproc)
  memory_kb=$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo)
  local fit=$((memory_kb / 2000000))
  [ "$fit" -ge 1 ] || fit=1
  echo $((fit < cores ? fit : cores))
}

scripts/setup.sh
cmake --preset release
targets=()
[ $# = 0 ] || targets=(--target "$@")
cmake --build --preset release -j "${TOFU_MPI_BUILD_JOBS:-$(build_jobs)}" "${targets[@]}"
