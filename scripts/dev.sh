#!/usr/bin/env bash
# Sets up .venv and runs one target: demo check soak bench test lint types docs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Without .pyc every start is several times slower, and `query` would miss its limit.
unset PYTHONDONTWRITEBYTECODE
export PIP_DISABLE_PIP_VERSION_CHECK=1

venv=.venv
python="$venv/bin/python"
workers="${WALKAWAY_TEST_WORKERS:-2}"

missing() { # missing PROGRAM-OR-MODULE PACKAGES: install by apt where we may, else say how and exit 2
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "walkaway: installing $2 for $1" >&2
    apt-get update -qq >&2
    # shellcheck disable=SC2086 # several packages
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $2 >/dev/null
  else
    echo "walkaway: $1 is missing. Install it with: sudo apt-get install -y $2" >&2
    exit 2
  fi
}

borrowed_virtualenv() { # make $venv with a virtualenv that pip puts in a scratch folder, never in the system
  local scratch status=0
  scratch="$(mktemp -d)"
  python3 -m pip install --quiet --target "$scratch" virtualenv >/dev/null 2>&1 \
    && PYTHONPATH="$scratch" python3 -m virtualenv -q "$venv" || status=1
  rm -rf "$scratch"
  return "$status"
}

make_venv() {
  rm -rf "$venv" # half of one, where an earlier set-up was interrupted
  python3 -m venv "$venv" >/dev/null 2>&1 && return
  rm -rf "$venv"
  python3 -m virtualenv -q "$venv" 2>/dev/null && return
  borrowed_virtualenv && return
  rm -rf "$venv"
  missing "python3 -m venv" python3-venv
  python3 -m venv "$venv"
}

set_up() {
  command -v git >/dev/null || missing git git
  command -v python3 >/dev/null || missing python3 "python3 python3-venv"
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "walkaway: Python 3.11 or newer is needed; this is $(python3 --version)." >&2
    exit 2
  }
  local wanted
  wanted="$(python3 -c 'import hashlib; print(hashlib.sha256(open("pyproject.toml", "rb").read()).hexdigest())')"
  if [ -x "$python" ] && [ "$(cat "$venv/.walkaway-stamp" 2>/dev/null)" = "$wanted" ]; then return; fi
  "$python" -m pip --version >/dev/null 2>&1 || make_venv
  echo "walkaway: installing into $venv" >&2
  "$python" -m pip install --quiet --editable '.[postgres,dev]'
  "$python" -m compileall -q src
  echo "$wanted" > "$venv/.walkaway-stamp"
}

# The gates below run in conditions, where bash ignores `set -e`: each returns its status itself.

lint() {
  local status=0
  "$venv/bin/ruff" check . || status=$?
  "$venv/bin/ruff" format --check . || status=$?
  return "$status"
}

types() { "$venv/bin/pyrefly" check; }

output="$venv/pytest-output"
measured="src/walkaway/core/*,src/walkaway/units/*,src/walkaway/store/*,src/walkaway/engine/*"

tests() { # tests PYTEST-ARGUMENTS: the suite, measuring every process of it
  rm -f .coverage .coverage.*
  "$venv/bin/coverage" run -m pytest -n "$workers" "$@" | tee "$output"
}

covered() { # lines and branches of the packages that decide
  "$venv/bin/coverage" combine -q && "$venv/bin/coverage" report --include="$measured" --fail-under=95 --skip-covered
}

check() { # every gate, also after one has failed, so that one run tells all; pytest's own closing line comes last
  local failed=()
  rm -f "$output"
  lint || failed+=(lint)
  types || failed+=(types)
  if tests "$@"; then
    covered || failed+=(coverage)
  else
    failed+=(tests)
  fi
  [ ${#failed[@]} -eq 0 ] || echo "walkaway: failed: ${failed[*]}"
  tail -n 1 "$output"
  [ ${#failed[@]} -eq 0 ]
}

target="${1:-check}"
[ $# -gt 0 ] && shift
case "$target" in
  demo | check | soak | bench | test | lint | types | docs) ;;
  *) echo "walkaway: unknown target '$target'; there are: demo check soak bench test lint types docs" >&2; exit 2 ;;
esac
set_up
case "$target" in
  demo) exec "$venv/bin/walkaway" demo "$@" ;;
  lint) lint ;;
  types) types ;;
  test) exec "$venv/bin/pytest" -n "$workers" "$@" ;;
  check) check "$@" ;;
  soak) WALKAWAY_SOAK=1 "$venv/bin/pytest" -n "$workers" --timeout 3600 "$@" && "$python" -m tests.mutations ;;
  bench) exec "$python" -m benchmarks "$@" ;;
  docs) exec "$python" -m tests.docs.generate "$@" ;;
esac
