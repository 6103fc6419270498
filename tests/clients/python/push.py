"""Pushes as a program in Python does: push.py URL STEP [USER PASSWORD]"""

import sys
from urllib.error import HTTPError

from prometheus_client import (
    CollectorRegistry, Counter, Gauge, Histogram, Info, Summary, delete_from_gateway, disable_created_metrics,
    instance_ip_grouping_key, push_to_gateway, pushadd_to_gateway,
)
from prometheus_client.exposition import basic_auth_handler, default_handler

URL, STEP, WHO = sys.argv[1], sys.argv[2], sys.argv[3:]


def handler(url, method, timeout, headers, data):
    if WHO:
        return basic_auth_handler(url, method, timeout, headers, data, *WHO)
    return default_handler(url, method, timeout, headers, data)


def registry():
    registry = CollectorRegistry()
    counter = Counter("c", 'A "counter".', ["x"], registry=registry)
    counter.labels('quote " back \\ line \n').inc(1e6)
    counter.labels("").inc()
    Gauge("g", "A gauge.", registry=registry).set(12345678.9)
    Histogram("h_seconds", "A histogram.", buckets=(0.5, 1, 1e6), registry=registry).observe(0.75)
    Summary("s_seconds", "A summary.", registry=registry).observe(2)
    Info("i", "Some info.", registry=registry).info({"version": "1.2.3"})
    return registry


def one(name, value):
    registry = CollectorRegistry()
    Gauge(name, "A gauge.", registry=registry).set(value)
    return registry


def counted(name):
    registry = CollectorRegistry()
    Counter(name, "A counter.", registry=registry).inc()
    return registry


def report(what, send, **more):
    try:
        send(URL, handler=handler, **more)
        print(what, "ok")
    except HTTPError as error:
        print(what, error.code)


disable_created_metrics()
ODD = {"path": "x/y", "empty": "", "blank": "a b+c", "letters": "é\u2028"}
if STEP == "push":
    report("push", push_to_gateway, job="python", registry=registry())
    report("gzip", push_to_gateway, job="python", registry=one("packed", 1), grouping_key={"is": "gzip"}, compression="gzip")
    report("odd", push_to_gateway, job="a/b", registry=one("g", 1), grouping_key=ODD)
    report("address", push_to_gateway, job="python", registry=one("g", 1), grouping_key=instance_ip_grouping_key())
    report("add", pushadd_to_gateway, job="added", registry=one("first", 1))
    report("add", pushadd_to_gateway, job="added", registry=one("second", 2))
    report("add", pushadd_to_gateway, job="added", registry=one("second", 3))
elif STEP == "replace":
    report("push", push_to_gateway, job="python", registry=one("only_total", 1))
    report("refused", push_to_gateway, job="clash", registry=counted("only_total"))
elif STEP == "delete":
    report("delete", delete_from_gateway, job="python")
    report("delete", delete_from_gateway, job="a/b", grouping_key=ODD)
    report("delete", delete_from_gateway, job="unknown")
