package registry_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
)

// torn is a store whose Views fail while it is told so: as for a command that is
// killed after its commit.
type torn struct {
	store.Store
	fails bool
}

var errTorn = errors.New("torn")

type tornTx struct{ store.Tx }

func (tornTx) EachProvenance(context.Context, func(string, string) error) error { return errTorn }

func (s *torn) View(ctx context.Context, fn func(store.Tx) error) error {
	if !s.fails {
		return s.Store.View(ctx, fn)
	}
	return s.Store.View(ctx, func(tx store.Tx) error { return fn(tornTx{tx}) })
}

// TestCutOff: a command that ends between its commit and the search of stored
// provenance leaves a note of that, and the same command again makes up for it.
func TestCutOff(t *testing.T) {
	for way := range register(newKit(t)) {
		t.Run(way, func(t *testing.T) {
			k := newKit(t)
			value := k.text(32)
			o := k.seen("dir:/srv", "p", k.text(32))
			o.Path, o.Sighting.Context = "backup-"+value+".tar", "curl -H '"+value+"'"
			k.scan("dir:/srv", o)
			run := register(k)[way]
			s := &torn{Store: k.store}
			k.store, k.reg = s, nil
			k.reg = k.open(k.ring)
			if way == "rotate" { // it adds a version first
				k.add("s", k.text(32))
				run = func(v string) (int, error) {
					out, err := k.reg.Rotate(k.ctx, me(), registry.RotateRequest{Name: "s", Fields: field(v)})
					return out.Redacted, err
				}
			}
			s.fails = true
			_, err := run(value)
			s.fails = false
			if !errors.Is(err, registry.ErrNotRedacted) || !errors.Is(err, errTorn) || strings.Contains(err.Error(), value) {
				t.Fatalf("cut off: %v", err)
			}
			level := func() registry.CheckLevel {
				t.Helper()
				checks, err := k.reg.Doctor(k.ctx, me(), registry.DoctorOptions{})
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range checks {
					if c.Name == "stored provenance" {
						return c.Level
					}
				}
				return ""
			}
			stands := func() (n int) {
				err := s.View(k.ctx, func(tx store.Tx) error {
					return tx.EachProvenance(k.ctx, func(_, text string) error {
						n += strings.Count(text, value)
						return nil
					})
				})
				if err != nil {
					t.Fatal(err)
				}
				return n
			}
			if level() != registry.CheckWarning || stands() != 2 {
				t.Errorf("cut off: doctor says %s, %d texts", level(), stands())
			}
			k.add("another", k.text(32)) // others owe nothing for it
			if level() != registry.CheckWarning {
				t.Error("another registration took the note away")
			}
			if n, err := run(value); err != nil || n != 2 {
				t.Errorf("again: %d redacted, %v", n, err)
			}
			if level() != registry.CheckOK || stands() != 0 {
				t.Errorf("made up: doctor says %s, %d texts", level(), stands())
			}
			if n, err := run(value); err != nil || n != 0 {
				t.Errorf("once more: %d redacted, %v", n, err)
			}
		})
	}
}

// TestGeneratedIsNotSearched: what was drawn a moment ago stands nowhere, so no
// text is read for it.
func TestGeneratedIsNotSearched(t *testing.T) {
	k := newKit(t)
	k.scan("dir:/srv", k.seen("dir:/srv", "p", k.text(32)))
	s := &torn{Store: k.store, fails: true}
	k.store = s
	k.reg = k.open(k.ring)
	if _, err := k.reg.Issue(k.ctx, me(), registry.IssueRequest{Name: "issued"}); err != nil {
		t.Error(err)
	}
	if _, err := k.reg.Rotate(k.ctx, me(), registry.RotateRequest{Name: "issued", Generate: true}); err != nil {
		t.Error(err)
	}
	_, err := k.reg.Add(k.ctx, me(), registry.AddRequest{Name: "added", Fields: field(k.text(32))})
	if !errors.Is(err, registry.ErrNotRedacted) {
		t.Errorf("added: %v", err)
	}
	if v, err := k.stateOf("added"); err != nil || v != fingerprints.StateActive {
		t.Errorf("it counts: %s, %v", v, err)
	}
}

// stateOf is the state of a secret's first version.
func (k *kit) stateOf(name string) (state fingerprints.State, err error) {
	err = k.store.(*torn).Store.View(k.ctx, func(tx store.Tx) error {
		v, err := tx.Version(k.ctx, ref(name, 1))
		state = v.State
		return err
	})
	return state, err
}
