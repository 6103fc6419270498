#!/usr/bin/env bash
# Client libraries of Pushgateway, each in a small program that pushes what the library can push.
#
#   run.sh fetch                                 get the libraries into the cache, build the programs
#   run.sh list                                  the names of the programs
#   run.sh run NAME ADDRESS STEP [USER PASSWORD] STEP: push, replace, delete; prints what came of each request
#
# Needs: bash, curl, python3 with pip, JDK 17, Go. Env: FLINKBRIDGE_TEST_CACHE (~/.cache/flinkbridge-tests).
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CACHE=${FLINKBRIDGE_TEST_CACHE:-$HOME/.cache/flinkbridge-tests}/clients
JAVA=${JAVA_HOME:+$JAVA_HOME/bin/}java
JAVAC=${JAVA_HOME:+$JAVA_HOME/bin/}javac
MAVEN=https://repo1.maven.org/maven2
CLIENT_1=1.5.1

main() {
  case ${1:-} in
    fetch)
      mkdir -p "$CACHE"
      go_program; python_program
      # 0.8.1 encodes base64 by what Java 8 had
      java_program simpleclient-0.8.1 Simpleclient 0.8.1 simpleclient simpleclient_common simpleclient_pushgateway \
        javax/xml/bind/jaxb-api/2.3.1
      java_program simpleclient-0.16.0 Simpleclient 0.16.0 simpleclient simpleclient_common simpleclient_pushgateway \
        simpleclient_tracer_common simpleclient_tracer_otel simpleclient_tracer_otel_agent
      java_program java-$CLIENT_1 Client1 $CLIENT_1 prometheus-metrics-core prometheus-metrics-model prometheus-metrics-config \
        prometheus-metrics-tracer-initializer prometheus-metrics-tracer-common prometheus-metrics-tracer-otel \
        prometheus-metrics-tracer-otel-agent prometheus-metrics-exporter-common prometheus-metrics-exporter-pushgateway \
        prometheus-metrics-exposition-textformats prometheus-metrics-exposition-formats
      ;;
    list) printf '%s\n' curl go python simpleclient-0.8.1 simpleclient-0.16.0 java-$CLIENT_1 ;;
    run) shift; run "$@" ;;
    *) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2 ;;
  esac
}

run() {
  local name=$1 address=$2 step=$3; shift 3
  case $name in
    curl) exec "$HERE/oneliners.sh" "http://$address" "$step" "$@" ;;
    go) exec "$CACHE/go/push" "http://$address" "$step" "$@" ;;
    python) PYTHONPATH=$CACHE/python exec python3 "$HERE/python/push.py" "http://$address" "$step" "$@" ;;
    simpleclient-*) exec "$JAVA" -Xshare:auto -XX:TieredStopAtLevel=1 -cp "$CACHE/$name/*:$CACHE/$name" Simpleclient "http://$address" "$step" "$@" ;;
    java-*) exec "$JAVA" -Xshare:auto -XX:TieredStopAtLevel=1 -cp "$CACHE/$name/*:$CACHE/$name" Client1 "$address" "$step" "$@" ;;
    *) printf 'no client %s\n' "$name" >&2; exit 2 ;;
  esac
}

# Whether what was made into a folder was made of these very sources.
made_of() { [ -f "$1/made-of" ] && [ "$(cat "$1/made-of")" = "$(sources "${@:2}")" ]; }
sources() { cat "$@" | cksum; }

go_program() {
  made_of "$CACHE/go" "$HERE"/go/* && return
  printf 'go: client_golang, by the module proxy\n' >&2
  mkdir -p "$CACHE/go"
  (cd "$HERE/go" && go build -o "$CACHE/go/push" .)
  sources "$HERE"/go/* >"$CACHE/go/made-of"
}

python_program() {
  made_of "$CACHE/python" "$HERE/python/requirements.txt" && return
  printf 'python: prometheus_client, by pip\n' >&2
  rm -rf "$CACHE/python"
  python3 -m pip -q --disable-pip-version-check install --target "$CACHE/python" -r "$HERE/python/requirements.txt" >&2
  sources "$HERE/python/requirements.txt" >"$CACHE/python/made-of"
}

# A program in Java: NAME CLASS VERSION ARTIFACT..., each of Prometheus' client, or with its group and version.
java_program() {
  local name=$1 class=$2 version=$3 artifact folder path; shift 3
  folder=$CACHE/$name
  made_of "$folder" "$HERE/java/$class.java" "$HERE/run.sh" && return
  printf '%s: %s, from Maven Central\n' "$name" "$*" >&2
  mkdir -p "$folder"
  for artifact; do
    case $artifact in */*) path=$artifact ;; *) path=io/prometheus/$artifact/$version ;; esac
    [ -f "$folder/${path//\//.}.jar" ] && continue
    curl -sSf --retry 3 -m 120 -o "$folder/new" "$MAVEN/$path/$(jar_of "$path")"
    mv "$folder/new" "$folder/${path//\//.}.jar"
  done
  "$JAVAC" -nowarn -encoding UTF-8 -cp "$folder/*" -d "$folder" "$HERE/java/$class.java" >&2
  sources "$HERE/java/$class.java" "$HERE/run.sh" >"$folder/made-of"
}

# The file of GROUP/ARTIFACT/VERSION.
jar_of() { local version=${1##*/} artifact=${1%/*}; printf '%s-%s.jar' "${artifact##*/}" "$version"; }

main "$@"
