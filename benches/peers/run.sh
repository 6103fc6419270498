#!/usr/bin/env bash
# Measures flinkbridge beside vmagent and Prometheus in agent mode, and prints a table for docs/benchmarks.md.
#
#   benches/peers/run.sh [--samples <n>] [--connections <n>] [--sources <n>] [--rounds <n>]
#
# Builds the peers as tests/run does, into FLINKBRIDGE_TEST_CACHE (~/.cache/flinkbridge-tests).
set -uo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
CACHE=${FLINKBRIDGE_TEST_CACHE:-$HOME/.cache/flinkbridge-tests}
# shellcheck source=tests/setup.sh
. "$ROOT/tests/setup.sh"

mkdir -p "$CACHE"
need_c_compiler && need_rust || exit 1
need_vmagent || die "cannot build vmagent"
VMAGENT=$SERVER
need_prometheus_3 || die "cannot get Prometheus"
PROMETHEUS=$SERVER
cd "$ROOT" || exit 1
exec cargo bench --locked --quiet --bench peers -- --vmagent "$VMAGENT" --prometheus "$PROMETHEUS" "$@"
