package kafka

import (
	"context"
	"maps"
	"slices"
)

// Lag is how far reading is behind.
type Lag struct {
	Partitions int
	Messages   int64  // not read yet
	Failing    int    // partitions that cannot be read now
	Problem    string // of one of them
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
		if p.failures > 0 && p.problem != nil {
			l.Failing++
			l.Problem = p.problem.Error()
		}
		out[at.topic] = l
	}
	return out
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
// reading stands; whole is false where something of it was left out. What other members
// of a group read is known from what they stored.
func (r *Reader) Searched(ctx context.Context, sourceID string) (fields uint64, generic, whole bool) {
	all := Cursor{}
	if r.o.Group != "" {
		if r.o.Load == nil {
			return 0, false, false
		}
		rows, err := r.o.Load(ctx, sourceID)
		if err != nil {
			return 0, false, false
		}
		all = CursorOf(rows)
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
			if p.attached() && p.problem == nil {
				all[at.part] = p.position(p.next)
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
