package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	kafka "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/metadata"

	"revenant/fingerprints"
)

// absences are what a Reader knows of topics that it cannot see. The Reader's lock guards
// all of it.
type absences struct {
	ever     map[string]bool   // topics that were there once, as far as is known
	asked    bool              // the store was asked for them
	unsure   map[string]int    // how often all brokers said that a topic is not there
	sure     bool              // nothing is left to be asked
	gone     map[string]bool   // topics that were deleted; true: it was told
	newest   map[string]int    // incarnation that is next of a topic that was deleted
	forsaken map[string]Cursor // where reading begins when it is made anew
}

func newAbsences() absences {
	return absences{
		ever: map[string]bool{}, unsure: map[string]int{}, gone: map[string]bool{}, newest: map[string]int{}, forsaken: map[string]Cursor{},
	}
}

// Brokers may answer before they know every topic, so that they are asked again.
const (
	goneAnswers = 2
	goneWait    = time.Second
)

// metadataVersion is the oldest request that makes no topic; it came with Kafka 0.11.
const metadataVersion = 4

// missing finds out what became of topics that were there and cannot be seen: they were
// deleted, or this login may not see them any more. Only brokers that are asked for them
// by name tell that apart.
func (r *Reader) missing(ctx context.Context, t topology) {
	r.recall(ctx)
	names := r.unseen(t)
	if len(names) == 0 || ctx.Err() != nil {
		r.mu.Lock()
		r.absent.sure = true
		r.mu.Unlock()
		return
	}
	codes, err := r.cluster.fate(ctx, t, names)
	r.mu.Lock()
	again := false
	var gone []string
	for _, topic := range names {
		code, known := codes[topic]
		switch {
		case err != nil || !known:
			delete(r.absent.unsure, topic)
		case errors.Is(code, errAbsent):
			if r.absent.unsure[topic]++; r.absent.unsure[topic] >= goneAnswers {
				gone = append(gone, topic)
			}
			again = true
		default:
			delete(r.absent.unsure, topic)
			r.refuse(topic, code)
		}
	}
	r.absent.sure = !again
	r.mu.Unlock()
	for _, topic := range gone {
		r.bury(ctx, topic)
	}
}

// recall learns once which topics the store knows.
func (r *Reader) recall(ctx context.Context) {
	r.mu.Lock()
	asked := r.absent.asked
	r.mu.Unlock()
	if asked || r.o.Known == nil {
		return
	}
	known, err := r.known(ctx)
	if err != nil {
		r.o.Log.WarnContext(ctx, "it is not known which topics were there before", slog.Any("error", err))
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.absent.asked = true
	for _, topic := range known {
		r.absent.ever[topic] = true
	}
}

// known are the topics that the store has of the cluster and that are to be read.
func (r *Reader) known(ctx context.Context) ([]string, error) {
	ids, err := r.o.Known(ctx)
	var out []string
	for _, id := range ids {
		if topic, ours := strings.CutPrefix(id, r.SourceID("")); ours && r.wants(topic, false) {
			out = append(out, topic)
		}
	}
	return out, err
}

// unseen are the topics that were there and are not told of.
func (r *Reader) unseen(t topology) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for _, topic := range slices.Sorted(maps.Keys(r.absent.ever)) {
		_, there := t.topics[topic]
		_, denied := t.denied[topic]
		if _, gone := r.absent.gone[topic]; there {
			delete(r.absent.unsure, topic)
			delete(r.absent.gone, topic)
			delete(r.absent.forsaken, topic)
		} else if !denied && !gone {
			out = append(out, topic)
		}
	}
	return out
}

// refuse notes that a topic may not be read any more. The lock is held.
func (r *Reader) refuse(topic string, err error) {
	r.denied[topic] = err
	for at, p := range r.parts {
		if at.topic == topic && !p.finished {
			p.failed(err, r.o.Now())
		}
	}
}

// bury gives up a topic that was deleted. What was not read of it is listed.
func (r *Reader) bury(ctx context.Context, topic string) {
	stored, err := r.loaded(ctx, topic)
	if err != nil { // it is asked again
		return
	}
	r.mu.Lock()
	c, newest := Cursor{}, stored.incarnation()
	for part := range stored {
		c[part] = Position{}
	}
	var lost []*chunk
	for at, p := range r.parts {
		if at.topic != topic {
			continue
		}
		newest = max(newest, abs(p.incarnation))
		c[at.part] = Position{}
		if p.incarnation != 0 && p.lag() > 0 {
			b := r.chunk(p)
			b.pos = Position{}
			b.skip(fingerprints.SkipExpired, fmt.Sprintf("%s: the topic was deleted, and offsets %d to %d with it before they were read", b.where(), max(p.next, p.kept), p.end-1), -1)
			lost = append(lost, b)
		}
		delete(r.parts, at)
	}
	fields, generic := r.eye()
	for part := range c { // made anew it begins with offset 0
		c[part] = Position{Incarnation: newest + 1, Fields: fields, Generic: generic}
	}
	delete(r.absent.unsure, topic)
	r.absent.gone[topic], r.absent.newest[topic], r.absent.forsaken[topic] = false, newest+1, c
	r.absent.sure = len(r.absent.unsure) == 0
	delete(r.denied, topic)
	r.mu.Unlock()
	for _, b := range lost {
		b.pos = c[b.part]
		r.push(b)
	}
}

// Gone reports whether a source is a topic that was deleted: nothing of it is kept.
func (r *Reader) Gone(sourceID string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for topic := range r.absent.gone {
		if r.SourceID(topic) == sourceID {
			return true
		}
	}
	return false
}

// buried are topics that were deleted since they were asked for last, with where
// reading begins when they are made anew.
func (r *Reader) buried() map[string]Cursor {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := map[string]Cursor{}
	for topic, told := range r.absent.gone {
		if !told {
			out[topic], r.absent.gone[topic] = r.absent.forsaken[topic], true
		}
	}
	return out
}

// fate asks every broker for topics by name: of which all say that they are not there,
// and which one refuses.
func (c *cluster) fate(ctx context.Context, t topology, names []string) (map[string]error, error) {
	out, absent := map[string]error{}, map[string]int{}
	for _, addr := range t.brokers {
		l, err := c.dial(ctx, addr)
		if err != nil {
			return nil, err
		}
		codes, err := l.fate(ctx, names)
		l.close()
		if err != nil {
			return nil, err
		}
		for topic, code := range codes {
			switch {
			case errors.Is(code, ErrDenied):
				out[topic] = code
			case errors.Is(code, errAbsent):
				absent[topic]++
			}
		}
	}
	for topic, n := range absent {
		if n == len(t.brokers) {
			out[topic] = errAbsent
		}
	}
	return out, nil
}

// fate asks one broker for topics by name.
func (l *link) fate(ctx context.Context, names []string) (map[string]error, error) {
	if err := l.raw.SetDeadline(time.Now().Add(l.timeout)); err != nil {
		return nil, plain(err)
	}
	stop := context.AfterFunc(ctx, func() { _ = l.raw.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	l.last++
	m, err := protocol.RoundTrip(l.raw, metadataVersion, l.last, l.clientID, &metadata.Request{TopicNames: names})
	if err != nil {
		return nil, fmt.Errorf("asking for topics: %w", plain(err))
	}
	res, ok := m.(*metadata.Response)
	if !ok {
		return nil, errAnswer
	}
	out := map[string]error{}
	for _, topic := range res.Topics {
		if topic.ErrorCode != 0 {
			out[topic.Name] = plainCode(kafka.Error(topic.ErrorCode))
		}
	}
	return out, nil
}
