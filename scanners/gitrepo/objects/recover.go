package objects

import (
	"context"
	"io"
)

// lose tells of an object that could not be read.
func (k *walker) lose(sp spot, reason Reason, base ID) {
	k.report.Damaged++
	d := Damage{ID: sp.id, Reason: reason, Base: base}
	if sp.pack != nil {
		d.Pack = sp.pack.name
	}
	k.t.damaged(d)
}

// recoverBase is recover for what stands on something that could not be read.
func (k *walker) recoverBase(ctx context.Context, sp spot, base *frame) (frame, error) {
	fr, err := k.recoverAs(ctx, sp, broken(ReasonBase), base.id)
	fr.kind = max(fr.kind, base.kind)
	return fr, err
}

func (k *walker) recover(ctx context.Context, sp spot, why error) (frame, error) {
	return k.recoverAs(ctx, sp, why, ID{})
}

// recoverAs looks for another copy of an object that could not be read: first
// in the store, then by the fallback. Both are bounded for the walk as a whole.
func (k *walker) recoverAs(ctx context.Context, sp spot, why error, base ID) (frame, error) {
	gone := frame{gone: true, id: sp.id}
	if sp.id.IsZero() {
		return gone, nil
	}
	if fr, ok := k.otherCopy(sp); ok {
		if sp.shown && k.t.wants(fr.kind) {
			k.report.Recovered++
		}
		return k.shown(ctx, sp, fr, nil)
	}
	fr, done, err := k.viaFallback(ctx, sp, why)
	if done || err != nil {
		return fr, err
	}
	if sp.shown {
		k.lose(sp, ReasonOf(why), base)
	}
	return gone, nil
}

func (k *walker) otherCopy(sp spot) (frame, bool) {
	limits := k.t.s.opts.Limits
	for pl := range k.t.s.places(sp.id) {
		if pl.pack == sp.pack && pl.off == sp.off && pl.loose == sp.loose {
			continue
		}
		if k.t.retries.Load() >= limits.Retries {
			return frame{}, false
		}
		before := k.r.steps
		kind, data, err := k.r.get(sp.id, pl)
		k.t.retries.Add(1 + k.r.steps - before)
		if err == nil {
			return frame{kind: kind, data: data, sure: true, id: sp.id}, true
		}
	}
	return frame{}, false
}

// viaFallback shows what the fallback reads. done: it could read it.
func (k *walker) viaFallback(ctx context.Context, sp spot, why error) (fr frame, done bool, err error) {
	limits := k.t.s.opts.Limits
	if k.t.s.opts.Fallback == nil || k.t.fallbacks.Add(1) > limits.Fallbacks {
		return frame{}, false, ctx.Err()
	}
	st, err := k.t.s.fallback(ctx, sp.id, why)
	if err != nil {
		return frame{}, false, ctx.Err()
	}
	if st.size > limits.Whole {
		fr = frame{gone: true, id: sp.id, kind: st.kind}
		if !sp.shown || !k.t.wants(st.kind) {
			return fr, true, st.Close()
		}
		reason, err := k.showStream(ctx, sp.id, st, nil)
		if reason == "" && err == nil {
			k.report.Fallback++
		}
		return fr, reason == "", err
	}
	data, err := io.ReadAll(st)
	st.Close()
	if err != nil {
		return frame{}, false, ctx.Err()
	}
	fr = frame{kind: st.kind, data: data, sure: true, id: sp.id}
	if sp.shown && k.t.wants(st.kind) {
		k.report.Fallback++
	}
	fr, err = k.shown(ctx, sp, fr, nil)
	return fr, true, err
}

// lostPack looks elsewhere for what only an unreadable pack has.
func (k *walker) lostPack(ctx context.Context, pk pick) error {
	reason := ReasonPack
	if pk.gone() {
		reason = ReasonGone
	}
	for i := range pk.p.index.n {
		if !pk.wanted.has(i) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		sp := spot{place: place{pack: pk.p, pos: i, off: -1}, id: MakeID(pk.p.index.id(i)), shown: true}
		fr, err := k.recover(ctx, sp, broken(reason))
		k.release(&fr)
		if err != nil {
			return err
		}
	}
	return nil
}
