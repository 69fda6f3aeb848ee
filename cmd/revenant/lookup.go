package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/keys"
	"revenant/ingest/lookup"
	"revenant/scanners"
)

// How many look-ups a hook and a step of a pipeline ask for, and how long they wait for
// the answers in all.
const (
	hookLookUps, hookLookUpWait = 1, time.Second
	stepLookUps, stepLookUpWait = 8, 10 * time.Second
)

// lookUpHelp describes the flag.
const lookUpHelp = "ask the server about weak values, which no pack holds (default: $REVENANT_LOOK_UP, or what 'revenant login' remembers)"

// looksUp reports whether weak values are asked about.
func (a *app) looksUp(fl *scanFlags, where serverPlace) bool {
	return fl.host != nil && (fl.lookUp || where.kept.LookUp || a.env("REVENANT_LOOK_UP") != "")
}

// openLookUp has the eye ask the server about what its packs do not hold. What keeps it
// from that is said where the scan says what it looked for.
func (a *app) openLookUp(ctx context.Context, e *eye, fl *scanFlags, where serverPlace) error {
	if !a.looksUp(fl, where) {
		return nil
	}
	edge, err := a.edgeKeys(fl.packKeys)
	if err != nil {
		return err
	}
	server, err := a.clientOf(ctx, where)
	if err != nil {
		return err
	}
	o := lookup.Options{Keys: edge, Most: stepLookUps, Within: stepLookUpWait, Rand: a.rand}
	if _, hook := fl.host.(*hookScan); hook {
		o.Most, o.Within = hookLookUps, hookLookUpWait
	}
	o.Ask = func(ctx context.Context, tags [][16]byte) (wire.LookedUp, error) {
		known, err := server.LookUp(ctx, tags)
		return known, asked(err)
	}
	e.lookUp, err = lookup.New(o)
	if errors.Is(err, keys.ErrNoKey) {
		return errors.New("the edge key file is older than look-ups: take it anew with 'revenant pack export --key-out FILE' where the registry is")
	}
	if err != nil {
		return err
	}
	e.labels = e.lookUp.Labels(e.labels)
	return nil
}

// askedAbout is a source whose contents the server is asked about first; contents of
// streams are not.
func (e *eye) askedAbout(p scanPlace, src scanners.Source) scanners.Source {
	if e.lookUp == nil || p.kind != fingerprints.KindGit {
		return src
	}
	return e.lookUp.Source(src)
}

// askedWords say about how many words a server was asked; empty: about none.
func (e *eye) askedWords() string {
	if e == nil || e.lookUp == nil || e.lookUp.Asked() == 0 {
		return ""
	}
	return fmt.Sprintf("; the server was asked about %s", plural(e.lookUp.Asked(), "word", "words"))
}
