#!/usr/bin/env bash
# Everything a person does with this repository. Each step prints what it does; `./run.sh help` lists them.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
venv=$root/.venv
python=$venv/bin/python
cd "$root"

say() { printf '== %s\n' "$*" >&2; }
fail() { printf 'error: %s\n' "$*" >&2; exit 2; }

usage() {
    cat <<'TEXT'
usage: ./run.sh STEP [arguments]

  install     make .venv from requirements.lock (again only when the lock changed)
  up          run the whole service in this terminal; arguments go to `tocsin up`
  demo        the same service on a recorded wire served from loopback; arguments go to `tocsin demo`
  test        run the tests; arguments go to pytest (without any: all of them, on every core)
  lint        ruff
  types       mypy --strict
  imports     import-linter: imports go down only
  bench       run the benchmarks in bench/, or those named
  chaos       kill processes on purpose and count what was lost; arguments go to tests/chaos/run.py
  lock        make requirements.lock and requirements-dev.lock anew from pyproject.toml (needs uv)
  lock --check    say whether the locks still fit pyproject.toml
  tocsin ...  any command of the service: ./run.sh tocsin sources list
TEXT
}

# ---------------------------------------------------------------- the environment

base_python() {
    local name
    for name in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if command -v "$name" >/dev/null && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    name=${PYTHON:-python3}
    fail "no Python >= 3.11 ($name: $(command -v "$name" >/dev/null && "$name" -V 2>&1 || echo "not found")); install one, or name it: PYTHON=python3.12 ./run.sh $step"
}

# pip of the base Python works on .venv from outside, so that neither python3-venv nor root is needed.
base_pip() {
    local base=$1 version
    version=$("$base" -m pip --version 2>/dev/null | awk '{print $2}') || true
    [ -n "$version" ] || fail "$base has no pip; install it (Debian: apt install python3-pip) and run ./run.sh $step again"
    case "$version" in
        [0-9].*|1[0-9].*|20.*|21.*|22.[0-2]|22.[0-2].*) fail "pip $version of $base is too old: 22.3 or newer is needed; $base -m pip install --user --upgrade pip" ;;
    esac
}

# A lock that was installed is kept beside the packages, to compare with.
stamp() { printf '%s/%s' "$venv" "$1"; }
is_installed() {
    [ -x "$python" ] && cmp -s "$1" "$(stamp "$1")" &&
        [ -d "$venv/lib/$("$python" -ISc 'import sys; print("python%d.%d" % sys.version_info[:2])')" ]
}

# The project itself is not copied: a path file points at this tree, and a launcher runs its command.
link_project() {
    local site
    site=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    printf '%s\n' "$root" >"$site/tocsin.pth"
    cat >"$venv/bin/tocsin" <<'SH'
#!/bin/sh
# The command `tocsin` of this working tree; uses ./config where there is one, else the tree's.
here=$(dirname "$(readlink -f "$0")")
[ -n "${TOCSIN_CONFIG_DIR:-}" ] || [ -f config/tocsin.toml ] || export TOCSIN_CONFIG_DIR="$here/../../config"
exec "$here/python" -m alerts.cli "$@"
SH
    chmod 755 "$venv/bin/tocsin"
}

make_venv() {
    local lock=$1 base
    base=$(base_python)
    base_pip "$base"
    if ! is_installed requirements.lock; then
        say "install: a fresh .venv for $("$base" -V)"
        rm -rf "$venv"
        "$base" -m venv --without-pip "$venv"
    fi
    say "install: the packages of $lock, each checked by its hash (a minute or two the first time)"
    PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 "$base" -m pip --python "$python" install -qq --require-hashes -r "$lock" >&2 ||
        fail "the packages could not be installed; the lines above say why. Nothing is half done: run ./run.sh $step again"
    link_project
    cp requirements.lock "$(stamp requirements.lock)"  # the lock for development holds all of it
    cp "$lock" "$(stamp "$lock")"
    say "install: done"
}

# Makes .venv hold the packages of a lock; does nothing when it does. One at a time.
ensure() {
    is_installed "$1" && [ "$(cat "$venv"/lib/python3.*/site-packages/tocsin.pth 2>/dev/null)" = "$root" ] && return
    if command -v flock >/dev/null; then
        (flock 9; is_installed "$1" && link_project || make_venv "$1") 9>"$root/.venv.lock"
    else
        make_venv "$1"
    fi
}

# ---------------------------------------------------------------- the steps

run_lock() {
    if [ "${1:-}" = --check ]; then
        ensure requirements-dev.lock
        say "lock: do requirements.lock and requirements-dev.lock fit pyproject.toml?"
        exec "$python" -m pytest -q tests/test_lock.py
    fi
    command -v uv >/dev/null || fail "making the locks needs uv on PATH; install it with pipx install uv"
    local options=(--quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header "$@")
    say "lock: requirements.lock (what the service needs)"
    uv pip compile "${options[@]}" -o requirements.lock pyproject.toml
    say "lock: requirements-dev.lock (the same, with the tools for tests and checks)"
    uv pip compile "${options[@]}" --extra dev -c requirements.lock -o requirements-dev.lock pyproject.toml
}

run_test() {
    ensure requirements-dev.lock
    [ $# -gt 0 ] || set -- -n auto
    say "test: pytest $*"
    exec "$python" -m pytest "$@"
}

run_bench() {
    ensure requirements-dev.lock
    local script
    [ $# -gt 0 ] || set -- bench/[a-z]*.py
    for script in "$@"; do
        [ -f "$script" ] || fail "no benchmark $script; there are: $(echo bench/[a-z]*.py)"
        say "bench: $script"
        "$python" "$script" </dev/null
    done
}

step=${1:-help}
[ $# -eq 0 ] || shift
case "$step" in
    install)
        if is_installed requirements.lock; then say "install: .venv is as requirements.lock says"; fi
        ensure requirements.lock
        ;;
    up|demo) ensure requirements.lock; say "$step: tocsin $step $*"; exec "$venv/bin/tocsin" "$step" "$@" ;;
    tocsin) ensure requirements.lock; exec "$venv/bin/tocsin" "$@" ;;
    test) run_test "$@" ;;
    lint) ensure requirements-dev.lock; say "lint: ruff check"; exec "$python" -m ruff check "${@:-.}" ;;
    types) ensure requirements-dev.lock; say "types: mypy --strict"; exec "$python" -m mypy "$@" ;;
    imports) ensure requirements-dev.lock; say "imports: import-linter"; exec "$venv/bin/lint-imports" --no-logo "$@" ;;
    bench) run_bench "$@" ;;
    chaos) ensure requirements-dev.lock; say "chaos: tests/chaos/run.py $*"; exec "$python" -m tests.chaos.run "$@" ;;
    lock) run_lock "$@" ;;
    help|-h|--help) usage ;;
    *) usage >&2; fail "no step '$step'" ;;
esac
