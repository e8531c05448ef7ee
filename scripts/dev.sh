#!/usr/bin/env bash
# Sets up .venv and runs one target: demo check soak bench test lint types docs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Without .pyc every start is several times slower, and `query` would miss its limit.
unset PYTHONDONTWRITEBYTECODE
export PIP_DISABLE_PIP_VERSION_CHECK=1

venv=.venv
python="$venv/bin/python"

missing() { # missing PROGRAM-OR-MODULE PACKAGES: install by apt where we may, else say how
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

make_venv() {
  python3 -m venv "$venv" 2>/dev/null && return
  rm -rf "$venv"
  if python3 -m virtualenv --version >/dev/null 2>&1; then
    python3 -m virtualenv -q "$venv"
    return
  fi
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
  wanted="$(cat pyproject.toml scripts/dev.sh | python3 -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())')"
  if [ -x "$python" ] && [ "$(cat "$venv/.walkaway-stamp" 2>/dev/null)" = "$wanted" ]; then return; fi
  [ -x "$python" ] || make_venv
  echo "walkaway: installing into $venv" >&2
  "$python" -m pip install --quiet --editable '.[postgres,dev]'
  "$python" -m compileall -q src
  echo "$wanted" > "$venv/.walkaway-stamp"
}

lint() {
  "$venv/bin/ruff" check .
  "$venv/bin/ruff" format --check .
}

types() { "$venv/bin/pyrefly" check; }

measured="src/walkaway/core/*,src/walkaway/units/*,src/walkaway/store/*,src/walkaway/engine/*"

tests() { # tests PYTEST-ARGUMENTS: with coverage of all processes
  rm -f .coverage .coverage.*
  local status=0
  "$venv/bin/coverage" run -m pytest -n "${WALKAWAY_TEST_WORKERS:-2}" "$@" | tee .pytest-output || status=$?
  if [ "$status" = 0 ]; then
    "$venv/bin/coverage" combine -q
    "$venv/bin/coverage" report --include="$measured" --fail-under=95 --skip-covered || status=$?
  fi
  tail -n 1 .pytest-output # pytest's own closing line, last
  return "$status"
}

target="${1:-check}"
[ $# -gt 0 ] && shift
set_up
case "$target" in
  demo) exec "$venv/bin/walkaway" demo "$@" ;;
  lint) lint ;;
  types) types ;;
  test) exec "$venv/bin/pytest" -n "${WALKAWAY_TEST_WORKERS:-2}" "$@" ;;
  check) lint && types && tests "$@" ;;
  soak) WALKAWAY_SOAK=1 "$venv/bin/pytest" -n "${WALKAWAY_TEST_WORKERS:-2}" "$@" && "$python" -m tests.mutations ;;
  bench) exec "$python" -m benchmarks "$@" ;;
  docs) exec "$python" -m tests.docs.generate "$@" ;;
  *) echo "walkaway: unknown target '$target'; there are: demo check soak bench test lint types docs" >&2; exit 2 ;;
esac
