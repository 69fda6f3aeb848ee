package kafka

import (
	"context"
	"maps"
	"slices"
	"time"
)

// Lag is how far reading is behind.
type Lag struct {
	Partitions int
	Messages   int64     // not read yet
	Failing    int       // partitions that cannot be read now
	Since      time.Time // when the first of them failed
	Problem    string    // of that one
	Losses     int64     // how often one of those that are read now failed until now
}

// Lag tells how far reading is behind, by topic.
func (r *Reader) Lag() map[string]Lag {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := map[string]Lag{}
	for at, p := range r.parts {
		if p.revoked {
			continue
		}
		l := out[at.topic]
		l.Partitions++
		l.Messages += p.lag()
		l.Losses += p.losses
		if p.failures > 0 && p.problem != nil {
			l.Failing++
			if l.Since.IsZero() || p.failing.Before(l.Since) {
				l.Since, l.Problem = p.failing, p.problem.Error()
			}
		}
		out[at.topic] = l
	}
	return out
}

// Lost tells since when the cluster does not answer; the zero time: it does.
func (r *Reader) Lost() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lost
}

// Kept returns, for a source, the first offset that each partition keeps: what was
// seen before it is not kept any longer. Streams that are not named are of a topic
// that is not there any more.
func (r *Reader) Kept(sourceID string) map[string]int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := map[string]int64{}
	for at, p := range r.parts {
		if r.SourceID(at.topic) == sourceID && p.attached() {
			out[Stream(p.incarnation, at.part)] = p.kept
		}
	}
	return out
}

// Searched says what all of a source was searched for, from what it keeps on to where
// reading stands; whole is false where something of it was left out, or was there when
// the Source that goes on began and is not stored yet. What other members
// of a group read, and other processes, is known from what they stored.
func (r *Reader) Searched(ctx context.Context, sourceID string) (fields uint64, generic, whole bool) {
	stored := Cursor{}
	if r.o.Load != nil {
		rows, err := r.o.Load(ctx, sourceID)
		if err != nil {
			return 0, false, false
		}
		stored = CursorOf(rows)
	}
	all := Cursor{}
	if r.o.Group != "" {
		all = maps.Clone(stored)
	}
	if r.Gone(sourceID) { // all of nothing
		fields, generic = r.eye()
		return fields, generic, true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var parts []int
	for at, p := range r.parts {
		if r.SourceID(at.topic) == sourceID && !p.revoked {
			delete(all, at.part)
			behind := r.o.Follow && max(r.stored[at], p.since) < p.owed
			if p.attached() && p.problem == nil && !behind {
				all[at.part] = p.position(p.next)
				if q, has := stored[at.part]; has {
					all[at.part] = q.merge(all[at.part])
				}
			}
			parts = append(parts, at.part)
		}
	}
	if r.o.Group != "" {
		parts = parts[:0]
		for topic, n := range r.sizes {
			for part := 0; r.SourceID(topic) == sourceID && part < n; part++ {
				parts = append(parts, part)
			}
		}
	}
	return all.searched(parts)
}

// topics are those that are known now.
func (r *Reader) topics() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	names := map[string]bool{}
	for at := range r.parts {
		names[at.topic] = true
	}
	return slices.Sorted(maps.Keys(names))
}
