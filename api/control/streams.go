package control

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
)

// Stream is how a watch goes that is followed, by the last words of its workers.
type Stream struct {
	Watch  string `json:"watch"`
	Paused bool   `json:"paused,omitempty"`
	// Following: a worker that lives follows it. Lag, partitions and topics are of all
	// workers that do.
	Following  bool             `json:"following"`
	Lag        int64            `json:"lag"` // messages that were not read yet
	Partitions int              `json:"partitions"`
	Failing    int              `json:"failing,omitempty"` // partitions that cannot be read
	Since      time.Time        `json:"failing_since,omitzero"`
	Problem    string           `json:"problem,omitempty"`
	Topics     []store.TopicLag `json:"topics,omitempty"` // those furthest behind, a few
	Workers    []StreamWorker   `json:"workers,omitempty"`
}

// StreamWorker is what one worker read of a stream since it first followed it.
type StreamWorker struct {
	Worker     string `json:"worker"`
	Messages   int64  `json:"messages"`
	Bytes      int64  `json:"bytes"`
	Hits       int64  `json:"hits"`
	Skips      int64  `json:"skips"`
	Batches    int64  `json:"batches"`
	Reconnects int64  `json:"reconnects"`
}

// mostTopics bounds the topics of a watch whose lag is told one by one.
const mostTopics = 20

// streamsOf puts together what workers told.
func streamsOf(ctx context.Context, r *registry.Registry, a registry.Actor, workers []store.Worker) ([]Stream, error) {
	list, err := r.Streams(ctx, a)
	if err != nil {
		return nil, err
	}
	at := map[string]*Stream{}
	out := make([]Stream, len(list))
	for i, s := range list {
		out[i] = Stream{Watch: s.Watch.Name, Paused: s.Watch.Paused}
		if s.Watch.Outcome == registry.WatchFailed {
			out[i].Problem = s.Watch.Problem
		}
		at[s.Watch.Name] = &out[i]
	}
	for _, w := range workers {
		for _, sc := range w.Scans {
			if s := at[sc.Watch]; s != nil && sc.Stream != nil {
				s.add(w.ID, sc)
			}
		}
	}
	for i := range out {
		out[i].Topics = furthest(out[i].Topics)
	}
	return out, nil
}

// add takes in what a worker told.
func (s *Stream) add(worker string, sc store.WorkerScan) {
	st := sc.Stream
	s.Following = true
	s.Lag, s.Partitions, s.Failing = s.Lag+st.Lag, s.Partitions+st.Partitions, s.Failing+st.Failing
	if !st.FailingSince.IsZero() && (s.Since.IsZero() || st.FailingSince.Before(s.Since)) {
		s.Since, s.Problem = st.FailingSince, st.Problem
	}
	s.Topics = append(s.Topics, st.Topics...)
	s.Workers = append(s.Workers, StreamWorker{
		Worker: worker, Messages: sc.Items, Bytes: sc.Bytes, Hits: st.Hits, Skips: st.Skips, Batches: st.Batches, Reconnects: st.Reconnects,
	})
}

// furthest are the topics that are furthest behind, each once.
func furthest(list []store.TopicLag) []store.TopicLag {
	slices.SortFunc(list, func(a, b store.TopicLag) int { return cmp.Compare(a.Topic, b.Topic) })
	var out []store.TopicLag
	for _, t := range list {
		if n := len(out); n > 0 && out[n-1].Topic == t.Topic {
			out[n-1].Lag += t.Lag
			continue
		}
		out = append(out, t)
	}
	slices.SortStableFunc(out, func(a, b store.TopicLag) int { return cmp.Compare(b.Lag, a.Lag) })
	return out[:min(len(out), mostTopics)]
}

// collectStreams tells how streams go. Labels are names of watches, which people give,
// and those of a few topics of each, redacted; the lag of the others has no topic.
func collectStreams(list []Stream, ch chan<- prometheus.Metric) {
	tell := func(d *prometheus.Desc, t prometheus.ValueType, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, t, v, labels...)
	}
	up := desc("stream_up", "Whether a watch of topics is followed, and all of it can be read.", "watch")
	lag := desc("stream_lag_messages", "Messages that were not read yet; without a topic those of all topics that are not named.", "watch", "topic")
	failing := desc("stream_failing_partitions", "Partitions that cannot be read.", "watch")
	counters := []struct {
		desc *prometheus.Desc
		of   func(StreamWorker) int64
	}{
		{counter("messages", "Messages that were read."), func(w StreamWorker) int64 { return w.Messages }},
		{counter("bytes", "Bytes of keys, values and headers that were read."), func(w StreamWorker) int64 { return w.Bytes }},
		{counter("hits", "Sightings that were stored, also those that were known."), func(w StreamWorker) int64 { return w.Hits }},
		{counter("skips", "What could not be read and is listed."), func(w StreamWorker) int64 { return w.Skips }},
		{counter("batches", "Batches of messages that were stored, with how far they go."), func(w StreamWorker) int64 { return w.Batches }},
		{counter("reconnects", "How often a partition could not be read any more."), func(w StreamWorker) int64 { return w.Reconnects }},
	}
	for _, s := range list {
		if s.Paused {
			continue
		}
		ok := 0.0
		if s.Following && s.Since.IsZero() {
			ok = 1
		}
		tell(up, prometheus.GaugeValue, ok, s.Watch)
		tell(failing, prometheus.GaugeValue, float64(s.Failing), s.Watch)
		rest := s.Lag
		for _, t := range s.Topics {
			if t.Topic != "" {
				rest -= t.Lag
				tell(lag, prometheus.GaugeValue, float64(t.Lag), s.Watch, t.Topic)
			}
		}
		tell(lag, prometheus.GaugeValue, float64(max(0, rest)), s.Watch, "")
		for _, w := range s.Workers {
			for _, c := range counters {
				tell(c.desc, prometheus.CounterValue, float64(c.of(w)), s.Watch, w.Worker)
			}
		}
	}
}

func counter(what, help string) *prometheus.Desc {
	return desc("stream_"+what+"_total", help+" By watch, and by the worker that did.", "watch", "worker")
}
