package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
	"revenant/ingest/notify"
	"revenant/ingest/notify/receivers"
	"revenant/scanners/kafka"
)

// flushWait is how long a command that ends waits for its records to be written.
const flushWait = 10 * time.Second

// results writes what becomes of findings to a topic while a command scans. The methods
// of nil do nothing.
type results struct {
	a        *app
	topic    string
	cfg      kafka.Config
	session  *session
	notifier *notify.Notifier
	stop     context.CancelFunc
	running  sync.WaitGroup
}

// openResults opens what --results asks for; nil where it asks for nothing.
func (a *app) openResults(ctx context.Context, fl *kafkaFlags, cfg kafka.Config) (*results, error) {
	if fl.results == "" {
		return nil, nil
	}
	// A name that is none of the cluster's may be anything: it is not kept.
	if err := kafka.CheckTopic(ctx, cfg, fl.results); errors.Is(err, kafka.ErrNoTopic) {
		return nil, usagef("--results: %w: make it first", err)
	} else if err != nil {
		return nil, kafkaError(err)
	}
	s, err := a.openSession(ctx)
	if err != nil {
		return nil, err
	}
	if err := a.refuseValues(ctx, s, fl.results); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return &results{a: a, topic: fl.results, cfg: cfg, session: s}, nil
}

// begin follows the findings of a cluster's topics. Its position in the feed is its own:
// servers, which may have other receivers, do not move it.
func (r *results) begin(ctx context.Context, cluster string) error {
	if r == nil {
		return nil
	}
	name := "results/" + cluster + "/" + r.topic
	if fingerprints.CheckName(name) != nil { // a cluster's id may be anything
		name = "results/" + r.topic
	}
	sender := receivers.NewTopic(r.topic, func(context.Context) (kafka.Config, error) { return r.cfg, nil })
	var err error
	r.notifier, err = notify.New(notify.Options{
		Config: notify.Config{
			Receivers: []notify.Receiver{{Name: name, Kafka: &notify.Kafka{Brokers: r.cfg.Brokers, Topic: r.topic}}},
			Rules:     []notify.Rule{{Name: "results", Sources: []string{cluster + "/**"}, Receivers: []string{name}}},
		},
		Store: r.session.store, Registry: r.session.reg, Senders: map[string]notify.Sender{name: sender}, Feed: name, Now: r.a.now, Log: r.a.kafkaLog(),
	})
	if err != nil {
		return err
	}
	ctx, r.stop = context.WithCancel(context.WithoutCancel(ctx))
	r.running.Go(func() { _ = r.notifier.Run(ctx) }) // it returns nil
	return nil
}

// flush writes what was found until now. What the topic does not take is written by the
// next command that has it.
func (r *results) flush(ctx context.Context) error {
	if r == nil || r.notifier == nil {
		return nil
	}
	r.end()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushWait)
	defer cancel()
	for {
		if err := r.notifier.Round(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, store.ErrOvertaken) {
			return err
		}
		waiting, err := r.notifier.Pending(ctx)
		switch {
		case err == nil && waiting == 0:
			return nil
		case ctx.Err() != nil:
			r.a.note("the topic does not take the results: they are kept, and written by the next run with --results")
			r.a.code = max(r.a.code, map[bool]int{true: exitFailure}[r.a.code == exitOK])
			return nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// end stops following.
func (r *results) end() {
	if r.stop == nil {
		return
	}
	r.stop()
	r.running.Wait()
	r.stop = nil
}

func (r *results) close() error {
	if r == nil {
		return nil
	}
	r.end()
	return r.session.close()
}

// ownTopic is a topic that a server writes results to.
type ownTopic struct {
	topic  string
	config func(context.Context) (kafka.Config, error)

	mu      sync.Mutex
	cluster string // its id; empty: not known yet
}

// at reports whether the topic is a cluster's. While its own cannot be asked which it
// is, it may be any.
func (o *ownTopic) at(ctx context.Context, cluster string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.cluster == "" {
		ctx, cancel := context.WithTimeout(ctx, flushWait)
		defer cancel()
		cfg, err := o.config(ctx)
		if err == nil {
			o.cluster, err = kafka.ClusterID(ctx, cfg)
		}
		if err != nil {
			return true
		}
	}
	return o.cluster == cluster
}

// writes notes which topics the server writes to.
func (v *shared) writes(c notify.Config) {
	for _, r := range c.Receivers {
		if k := r.Kafka; k != nil {
			v.own = append(v.own, &ownTopic{topic: k.Topic, config: func(ctx context.Context) (kafka.Config, error) {
				return receivers.TopicConfig(ctx, *k, v.a.credentials())
			}})
		}
	}
}

// ownTopics are the topics of a cluster that this process writes to.
func (a *app) ownTopics(results string) func(ctx context.Context, cluster string) []string {
	return func(ctx context.Context, cluster string) []string {
		var out []string
		if results != "" {
			out = append(out, results)
		}
		if a.shared == nil {
			return out
		}
		for _, o := range a.shared.own {
			if !slices.Contains(out, o.topic) && o.at(ctx, cluster) {
				out = append(out, o.topic)
			}
		}
		return out
	}
}
