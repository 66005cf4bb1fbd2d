#!/usr/bin/env bash
# Installs what tofu_mpi is built with: the distribution's packages, and libtorch in a private
# folder. Does nothing where all is there already; two that run at once wait for each other.
#
#   scripts/setup.sh
#
# TOFU_MPI_DEPS        where libtorch goes (default: ${XDG_CACHE_HOME:-~/.cache}/tofu_mpi)
# TOFU_MPI_TORCH_ROOT  a libtorch that is there already (a folder with include/ and lib/)
# PYTHON               the Python that downloads libtorch (default: python3)
set -euo pipefail

readonly torch_version=2.11.0
readonly packages=(libopenmpi-dev openmpi-bin libhdf5-openmpi-dev libyaml-cpp-dev libcli11-dev
                   libgtest-dev libfmt-dev nlohmann-json3-dev libpcre2-dev libutf8proc-dev
                   libcurl4-openssl-dev ninja-build pkg-config)
readonly deps="${TOFU_MPI_DEPS:-${XDG_CACHE_HOME:-$HOME/.cache}/tofu_mpi}"
readonly torch_folder="$deps/torch-$torch_version"

say() { echo "setup: $*"; }
fall() { echo "setup: $*" >&2; exit 1; }

# Runs a command whose output matters only when it fails.
quietly() {
  local log status=0
  log=$(mktemp)
  "$@" >"$log" 2>&1 </dev/null || status=$?
  [ "$status" = 0 ] || tail -n 20 "$log" >&2
  rm -f "$log"
  return "$status"
}

# --- packages of the distribution --------------------------------------------------------------

missing_packages() {
  local package
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
      echo "$package"
  done
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    env DEBIAN_FRONTEND=noninteractive "$@"
  else
    sudo -n env DEBIAN_FRONTEND=noninteractive "$@"
  fi
}

may_install() {
  command -v apt-get >/dev/null || return 1
  [ "$(id -u)" = 0 ] || { command -v sudo >/dev/null && sudo -n true 2>/dev/null; }
}

# apt-get waits for the lock of the package database by itself, but not for that of its lists.
update_package_lists() {
  local attempt
  for attempt in 1 2 3 4 5; do
    quietly as_root apt-get -qq update && return 0
    say "apt-get update failed (attempt $attempt of 5)"
    sleep $((attempt * 3))
  done
  return 1
}

install_packages() {
  say "installing $*"
  update_package_lists || say "going on with the package lists as they are"
  quietly as_root apt-get -qq -o DPkg::Lock::Timeout=600 install --no-install-recommends -y "$@" ||
    fall "apt-get could not install: $*"
}

# Where nothing can be installed: asks CMake what it finds, which sees loaded modules as well.
require_libraries() {
  local found probe missing=()
  local -A advice=(
    [cmake]="CMake 3.25 or newer: load its module, or install it into a Python environment"
    [ninja]="Ninja: load its module, or install it into a Python environment"
    [MPI]="an MPI library, best Open MPI: 'module load openmpi' or what your site calls it"
    [HDF5]="HDF5 built with MPI: 'module load hdf5-parallel' or the like, or set HDF5_ROOT"
    [pcre2]="PCRE2: make its libpcre2-8.pc visible in PKG_CONFIG_PATH"
    [utf8proc]="utf8proc: make its libutf8proc.pc visible in PKG_CONFIG_PATH"
  )
  for probe in cmake ninja; do
    command -v "$probe" >/dev/null || missing+=("$probe")
  done
  if [ ${#missing[@]} = 0 ]; then
    probe=$(mktemp -d)
    cat >"$probe/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.25)
project(probe LANGUAGES C CXX)
set(HDF5_PREFER_PARALLEL ON)
find_package(MPI QUIET COMPONENTS C)
find_package(HDF5 QUIET COMPONENTS C)
if(HDF5_FOUND AND NOT HDF5_IS_PARALLEL)
  set(HDF5_FOUND OFF)
endif()
foreach(package IN ITEMS yaml-cpp CLI11 CURL fmt nlohmann_json GTest PkgConfig)
  find_package(${package} QUIET)
endforeach()
if(PkgConfig_FOUND)
  pkg_check_modules(pcre2 QUIET libpcre2-8)
  pkg_check_modules(utf8proc QUIET libutf8proc)
endif()
foreach(package IN ITEMS MPI HDF5 yaml-cpp CLI11 CURL fmt nlohmann_json GTest PkgConfig pcre2 utf8proc)
  if(NOT ${package}_FOUND)
    message(STATUS "missing: ${package}")
  endif()
endforeach()
CMAKE
    if ! found=$(cmake -G Ninja -S "$probe" -B "$probe/build" 2>&1); then
      rm -rf "$probe"
      tail -n 15 <<<"$found" >&2
      fall "CMake cannot configure here; is there a C and a C++20 compiler?"
    fi
    rm -rf "$probe"
    mapfile -t missing < <(sed -n 's/^-- missing: //p' <<<"$found")
  fi
  [ ${#missing[@]} = 0 ] && return 0
  {
    echo "setup: packages cannot be installed here (no apt-get, or no right to use it), and these"
    echo "are not found. Load their modules, or put their prefixes into CMAKE_PREFIX_PATH, and run"
    echo "this script again:"
    for probe in "${missing[@]}"; do
      echo "  - ${advice[$probe]:-$probe: a prefix that holds it in CMAKE_PREFIX_PATH}"
    done
    echo "An administrator of a Debian or Ubuntu machine would install: ${packages[*]}"
  } >&2
  exit 1
}

need_packages() {
  local wanted=("${packages[@]}") missing
  command -v cmake >/dev/null || wanted+=(cmake)
  command -v c++ >/dev/null || wanted+=(g++)
  if command -v dpkg-query >/dev/null; then
    mapfile -t missing < <(missing_packages "${wanted[@]}")
    [ ${#missing[@]} = 0 ] && return 0
    if may_install; then
      install_packages "${missing[@]}"
      return 0
    fi
  fi
  require_libraries
}

# --- libtorch ----------------------------------------------------------------------------------

has_torch() { [ -e "$1/include/ATen/ATen.h" ] && [ -e "$1/lib/libtorch_cpu.so" ]; }

# A Python that can make virtual environments; installs Debian's part for that if it may.
find_python() {
  local candidate can_make='import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))'
  for candidate in "${PYTHON:-python3}" /usr/bin/python3; do
    if "$candidate" -c "$can_make" 2>/dev/null; then
      echo "$candidate"
      return 0
    fi
  done
  if may_install; then
    install_packages python3 python3-venv >&2
    if /usr/bin/python3 -c "$can_make" 2>/dev/null; then
      echo /usr/bin/python3
      return 0
    fi
  fi
  return 1
}

download_torch() {
  local python partial="$torch_folder.partial-$$"
  python=$(find_python) ||
    fall "downloading libtorch needs Python 3.10 or newer with venv: set PYTHON to one, or set" \
         "TOFU_MPI_TORCH_ROOT to a libtorch $torch_version (a folder with include/ and lib/)"
  say "downloading libtorch $torch_version into $torch_folder (5 GB, a few minutes)"
  # What an interrupted run left: no other one is at work, this one holds the lock.
  rm -rf "$torch_folder".partial-*
  trap 'rm -rf "$torch_folder.partial-$$"' EXIT
  mkdir -p "$partial/tmp"
  "$python" -m venv "$partial/venv"
  # pip unpacks under TMPDIR before it moves: keep that on the file system of the target.
  TMPDIR="$partial/tmp" quietly "$partial/venv/bin/python" -m pip install --quiet \
    --disable-pip-version-check --no-cache-dir --no-compile --only-binary :all: \
    --target "$partial/site" "torch==$torch_version" ||
    fall "libtorch could not be downloaded. Without a network, copy $torch_folder from a machine" \
         "that has it, or set TOFU_MPI_TORCH_ROOT to a libtorch $torch_version"
  has_torch "$partial/site/torch" || fall "the torch package holds no libtorch: $partial/site/torch"
  rm -rf "$torch_folder"
  mv "$partial/site" "$torch_folder"
}

torch_is_there() {
  has_torch "$torch_folder/torch" ||
    { [ -n "${TOFU_MPI_TORCH_ROOT:-}" ] && has_torch "$TOFU_MPI_TORCH_ROOT"; }
}

need_torch() {
  if [ -n "${TOFU_MPI_TORCH_ROOT:-}" ] && ! has_torch "$TOFU_MPI_TORCH_ROOT"; then
    fall "TOFU_MPI_TORCH_ROOT=$TOFU_MPI_TORCH_ROOT holds no include/ATen/ATen.h and" \
         "lib/libtorch_cpu.so; correct or unset it"
  fi
  torch_is_there && return 0
  download_torch
}

# --- all of it ---------------------------------------------------------------------------------

lock_folder="${TMPDIR:-/tmp}"
if ! torch_is_there; then
  mkdir -p "$deps" || fall "$deps cannot be made: set TOFU_MPI_DEPS to a folder that can"
  lock_folder="$deps"
fi
# Opened for appending: whoever else runs this may own the file.
exec 9>>"$lock_folder/.tofu_mpi-setup-$(id -u).lock"
flock 9

need_packages
need_torch
say "all that the build needs is there"
