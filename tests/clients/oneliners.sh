#!/usr/bin/env bash
# The examples of Pushgateway's README, asked of another address: oneliners.sh URL STEP
set -uo pipefail
URL=$1
ask() { printf '%s %s\n' "$1" "$(curl -sS -o /dev/null -w '%{http_code}' "${@:2}")"; }

case $2 in
  push)
    echo "some_metric 3.14" | ask single --data-binary @- "$URL/metrics/job/some_job"
    cat <<EOF | ask several --data-binary @- "$URL/metrics/job/some_job/instance/some_instance"
# TYPE some_metric_total counter
some_metric_total{label="val1"} 42
# TYPE another_metric gauge
# HELP another_metric Just an example.
another_metric 2398.283
EOF
    cat <<EOF | ask clash --data-binary @- "$URL/metrics/job/some_job/instance/some_instance"
# TYPE some_metric counter
some_metric{label="val1"} 42
EOF
    echo "base64_metric 1" | ask slash --data-binary @- "$URL/metrics/job/directory_cleaner/path@base64/L3Zhci90bXA"
    echo "base64_metric 1" | ask padded --data-binary @- "$URL/metrics/job/directory_cleaner/path@base64/L3Zhci90bXA="
    echo "greek_metric 1" | ask plain --data-binary @- "$URL/metrics/job/titan/name/%CE%A0%CF%81%CE%BF%CE%BC%CE%B7%CE%B8%CE%B5%CF%8D%CF%82"
    echo "greek_metric 2" | ask base64 --data-binary @- "$URL/metrics/job/titan/name@base64/zqDPgc6_zrzOt864zrXPjc-C"
    echo "empty_metric 1" | ask empty --data-binary @- "$URL/metrics/job/example/first_label@base64/=/second_label/foobar"
    echo "name_metric 1" | ask utf8 --data-binary @- "$URL/metrics/job/example/U__foo_2e_bar/baz"
    echo "packed_metric 3.14" | gzip | ask gzip -H 'Content-Encoding: gzip' --data-binary @- "$URL/metrics/job/packed"
    printf 'Some_Metric 3.14\n' | ask windows -H 'Content-Type: application/x-www-form-urlencoded' --data-binary @- "$URL/metrics/job/MyJob"
    printf 'no_line_feed 3.14' | ask unended --data-binary @- "$URL/metrics/job/some_job"
    ;;
  replace)
    echo "some_metric 2" | ask put -X PUT --data-binary @- "$URL/metrics/job/some_job/instance/some_instance"
    ask empty_put -X PUT --data-binary '' "$URL/metrics/job/packed"
    ask empty_post -X POST --data-binary '' "$URL/metrics/job/titan/name@base64/zqDPgc6_zrzOt864zrXPjc-C"
    ask status -X GET "$URL/api/v1/status"
    ask metrics -X GET "$URL/api/v1/metrics"
    ask quit -X PUT "$URL/-/quit"
    ;;
  delete)
    ask instance -X DELETE "$URL/metrics/job/some_job/instance/some_instance"
    ask job -X DELETE "$URL/metrics/job/some_job"
    ask wipe -X PUT "$URL/api/v1/admin/wipe"
    ;;
esac
