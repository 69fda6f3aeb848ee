package control

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Gauge registers a number of another part, which is read at each scrape.
func (m *Metrics) Gauge(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read))
}

// Seconds registers how long something of another part takes, and returns what
// notes it.
func (m *Metrics) Seconds(name, help string) func(time.Duration) {
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: []float64{0.01, 0.05, 0.25, 1, 5, 30, 120, 600}})
	m.registry.MustRegister(h)
	return func(d time.Duration) { h.Observe(d.Seconds()) }
}
