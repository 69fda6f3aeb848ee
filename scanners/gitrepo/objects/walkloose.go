package objects

import (
	"context"
	"errors"
)

// looseIDs are the objects of one of the 256 folders of an object directory,
// as bytes one after the other.
type looseIDs struct {
	dir int
	ids []byte
}

// listLoose notes which objects are files now.
func (t *tour) listLoose() {
	for dir, l := range t.s.loose {
		for first := range 256 {
			ids, err := l.ids(byte(first))
			if err != nil {
				t.s.problem(l.dir, ReasonIO, true)
			}
			if len(ids) == 0 {
				continue
			}
			f := looseIDs{dir: dir, ids: make([]byte, 0, len(ids)*l.format.Size())}
			for _, id := range ids {
				f.ids = append(f.ids, id.Bytes()...)
			}
			t.loose = append(t.loose, f)
		}
	}
}

// looseFolder shows the loose objects of one folder that no pack has and no
// directory before.
func (k *walker) looseFolder(ctx context.Context, f looseIDs) error {
	l := k.t.s.loose[f.dir]
	size := l.format.Size()
	for at := 0; at < len(f.ids); at += size {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		id := MakeID(f.ids[at : at+size])
		if k.elsewhere(id, f.dir) {
			continue
		}
		if k.t.w.Want != nil && !k.t.w.Want(id) {
			k.report.Unwanted++
			continue
		}
		if err := k.looseObject(ctx, l, id); err != nil {
			return err
		}
	}
	return nil
}

// elsewhere reports whether an object was shown, or left out, before: from a
// pack of this walk, or from a directory before.
func (k *walker) elsewhere(id ID, dir int) bool {
	for _, p := range k.t.packs {
		if _, has := p.place(id); has {
			return true
		}
	}
	for _, l := range k.t.s.loose[:dir] {
		if l.has(id) {
			return true
		}
	}
	return false
}

func (k *walker) looseObject(ctx context.Context, l looseDir, id ID) error {
	sp := spot{place: place{loose: l, pos: -1}, id: id, shown: true}
	kind, data, err := k.r.looseData(l, id)
	switch {
	case errors.Is(err, ErrTooLarge):
		return k.looseStream(ctx, sp)
	case errors.Is(err, ErrMissing): // packed meanwhile
		if k.t.reloads.Add(1) <= reloadsMost {
			if err := k.t.s.Reload(ctx); err != nil {
				return err
			}
		}
		err = broken(ReasonGone)
	}
	var fr frame
	if err != nil {
		fr, err = k.recover(ctx, sp, err)
	} else {
		fr, err = k.shown(ctx, sp, frame{kind: kind, data: data, owned: true, sure: true, id: id}, nil)
	}
	k.release(&fr)
	return err
}

// reloadsMost is how often a walk looks for new packs.
const reloadsMost = 16

func (k *walker) looseStream(ctx context.Context, sp spot) error {
	st, err := sp.loose.open(sp.id)
	if err != nil {
		_, err = k.recover(ctx, sp, err)
		return err
	}
	if !k.t.wants(st.kind) {
		return st.Close()
	}
	reason, err := k.showStream(ctx, sp.id, st.verified(k.t.s.set.format, sp.id), nil)
	if reason != "" {
		k.lose(sp, reason, ID{})
	}
	return err
}
