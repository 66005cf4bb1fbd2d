#!/usr/bin/env bash
# Installs what is missing, builds, and runs the tests. Arguments go to ctest.
#
#   scripts/test.sh                    every test
#   scripts/test.sh -L unit            those of a label: unit, golden, ranks, ...
#   scripts/test.sh -R text_test       those whose names match
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/build.sh
if [ "$(id -u)" = 0 ]; then # as in a container: Open MPI wants that said
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
exec ctest --preset release -j "$(nproc)" "$@"
