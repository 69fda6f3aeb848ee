package gitrepo

import (
	"context"
	"fmt"
	"time"

	"revenant/fingerprints"
)

// defaultPlacing is enough for most repositories.
const defaultPlacing = 2 * time.Second

// stopped gives out what was found until the scan was interrupted, at its places
// as far as they can be told quickly. What was read is remembered, so that the
// next scan goes on from there and gives everything its place.
func (v *survey) stopped(ctx context.Context) {
	s := v.s
	s.items, s.skipped = s.items[:min(v.besides, len(s.items))], s.skipped[:min(v.listed, len(s.skipped))]
	if v.placed == nil {
		v.placed = v.roughly(ctx)
	}
	v.texts(ctx)
	v.give(ctx, v.placed)
	s.read = v.read
	s.notes = append(s.notes, v.progress())
}

// progress says how far it was.
func (v *survey) progress() string {
	of := ""
	if v.total >= v.read.Items && v.total > 0 {
		of = fmt.Sprintf(" of %d", v.total)
	}
	text := fmt.Sprintf("interrupted when %d%s objects were read", v.read.Items, of)
	if v.rough {
		text += "; what was found and whose path is not known yet is called @blob"
	}
	if v.s.o.Memory != nil {
		text += "; the next scan goes on from here"
	}
	return text
}

// roughly asks history for the places of what was found, and the tips alone
// where that takes too long.
func (v *survey) roughly(ctx context.Context) *history {
	within := v.s.o.Placing
	if within == 0 {
		within = defaultPlacing
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	h := v.history()
	if err := v.allOver(ctx, h, v.now()); err != nil {
		h, v.ancestry, v.rough = v.history(), nil, true
		for id, m := range v.written {
			m.presence = fingerprints.PresenceHistory
			v.written[id] = m
		}
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(context.WithoutCancel(ctx), within/4)
		defer stop()
	}
	t := &trees{
		store: v.s.store, h: h, known: map[oid]held{}, read: v.known.reader(), past: v.ancestry, told: map[oid]bool{},
		skip: func(oid, string) {}, // for want of time, too: the next scan tells
	}
	newStood(v.known.salt).stand(ctx, t, v.s.refs)
	return h
}
