// Pushes as a program in Go does: main URL STEP [USER PASSWORD]
package main

import (
	"fmt"
	"os"
	"regexp"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/push"
	"github.com/prometheus/common/expfmt"
)

var status = regexp.MustCompile(`status code \d+`)

func main() {
	url, step := os.Args[1], os.Args[2]
	pusher := func(job string) *push.Pusher {
		p := push.New(url, job)
		if len(os.Args) > 4 {
			p.BasicAuth(os.Args[3], os.Args[4])
		}
		return p
	}
	text := expfmt.NewFormat(expfmt.TypeTextPlain)
	switch step {
	case "push":
		report("push", pusher("go").Gatherer(registry()).Push())
		report("text", pusher("go").Grouping("format", "text").Format(text).Gatherer(registry()).Push())
		report("grouping", pusher("a/b").Grouping("path", "x/y").Grouping("empty", "").Grouping("blank", "a b+c").Collector(gauge("g", 1)).Push())
		report("add", pusher("added").Collector(gauge("first", 1)).Push())
		report("add", pusher("added").Collector(gauge("second", 2)).Add())
		report("add", pusher("added").Collector(gauge("second", 3)).Add())
	case "replace":
		report("push", pusher("go").Collector(gauge("only", 1)).Push())
		report("refused", pusher("clash").Collector(counter("only", 1)).Push())
		report("refused", pusher("clash").Format(text).Collector(counter("only", 1)).Add())
	case "delete":
		report("delete", pusher("go").Delete())
		report("delete", pusher("a/b").Grouping("path", "x/y").Grouping("empty", "").Grouping("blank", "a b+c").Delete())
		report("delete", pusher("unknown").Delete())
	}
}

func report(what string, err error) {
	if err == nil {
		fmt.Println(what, "ok")
	} else {
		fmt.Println(what, status.FindString(err.Error()))
	}
}

func registry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "c_total", Help: "A \"counter\"."}, []string{"x"})
	c.WithLabelValues("quote \" back \\ line \n").Add(1e6)
	c.WithLabelValues("").Inc()
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "h_seconds", Buckets: []float64{.5, 1, 1e6}})
	h.Observe(0.75)
	n := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "n_seconds", NativeHistogramBucketFactor: 1.1})
	n.Observe(0.75)
	n.Observe(-3)
	n.Observe(0)
	s := prometheus.NewSummary(prometheus.SummaryOpts{Name: "s_seconds", Objectives: map[float64]float64{.5: .05}})
	s.Observe(2)
	u := prometheus.NewUntypedFunc(prometheus.UntypedOpts{Name: "u"}, func() float64 { return 1 })
	registry.MustRegister(c, h, n, s, u, gauge("g", 12345678.9))
	return registry
}

func gauge(name string, value float64) prometheus.Gauge {
	g := prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: "A gauge."})
	g.Set(value)
	return g
}

func counter(name string, value float64) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: name})
	c.Add(value)
	return c
}
