package control

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
	"revenant/ingest/jobs"
)

// Metrics are what Prometheus reads. No label is a name that people gave.
type Metrics struct {
	registry *prometheus.Registry
	scans    *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

// NewMetrics makes them; status is asked at each scrape.
func NewMetrics(version string, status func(context.Context) (Status, error), log *slog.Logger) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	m.scans = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "revenant_scans_total", Help: "Scans of watches that this process did, by why and how they ended.",
	}, []string{"reason", "outcome"})
	m.seconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "revenant_scan_seconds", Help: "How long scans of watches took.", Buckets: []float64{0.1, 0.5, 2, 10, 60, 300, 1800, 7200, 36000},
	}, []string{"reason"})
	build := prometheus.NewGauge(prometheus.GaugeOpts{Name: "revenant_build_info", Help: "The program.", ConstLabels: prometheus.Labels{"version": version}})
	build.Set(1)
	m.registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), m.scans, m.seconds, build,
		&asked{status: status, log: log},
	)
	return m
}

// Handler serves them.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError, Timeout: 10 * time.Second})
}

// Counter registers a counter of another part.
func (m *Metrics) Counter(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	m.registry.MustRegister(c)
	return c
}

// Ended counts a scan.
func (m *Metrics) Ended(_ store.Watch, why jobs.Reason, outcome string, took time.Duration) {
	m.scans.WithLabelValues(string(why), outcome).Inc()
	m.seconds.WithLabelValues(string(why)).Observe(took.Seconds())
}

// asked collects what is in the store.
type asked struct {
	status func(context.Context) (Status, error)
	log    *slog.Logger
}

var _ prometheus.Collector = (*asked)(nil)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("revenant_"+name, help, labels, nil)
}

// Describe implements prometheus.Collector: what there is depends on the store.
func (*asked) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (a *asked) Collect(ch chan<- prometheus.Metric) {
	// A Collector is given no context.
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second) //nolint:forbidigo // see above
	defer cancel()
	up := 1.0
	st, err := a.status(ctx)
	if err != nil {
		a.log.WarnContext(ctx, "metrics without the store", slog.Any("error", err))
		up = 0
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	gauge(desc("store_up", "Whether the store answers."), up)
	if err != nil {
		return
	}
	findings := desc("findings", "Findings by verdict.", "verdict")
	for _, v := range fingerprints.Verdicts() {
		gauge(findings, float64(st.Registry.Findings[v]), string(v))
	}
	versions := desc("versions", "Registered versions by state.", "state")
	for s, n := range st.Registry.Versions {
		gauge(versions, float64(n), string(s))
	}
	watches := desc("watches", "Watches by how their newest scan ended.", "outcome")
	for o, n := range st.Watches {
		gauge(watches, float64(n), o)
	}
	gauge(desc("watches_behind", "Watches that were not searched for the newest values yet."), float64(st.Behind))
	gauge(desc("workers", "Workers that live."), float64(st.Workers))
	gauge(desc("registry_revision", "Revision of the registry."), float64(st.Registry.Revision))
	gauge(desc("audit_sequence", "Newest record of the audit log."), float64(st.Registry.Audit.Sequence))
	job := desc("jobs", "Jobs by why and whether they run.", "reason", "state")
	for r, n := range st.Waiting {
		gauge(job, float64(n), string(r), "waiting")
	}
	for r, n := range st.Running {
		gauge(job, float64(n), string(r), "running")
	}
}
