package registry_test

import (
	"errors"
	"testing"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
)

// Every change of a state moves the pack's revision: packs carry states, and a
// holder of an older one would report the wrong verdict.
func TestPacksFollowStates(t *testing.T) {
	k := newKit(t)
	k.add("s", k.text(24))
	k.rotate("s", k.text(24), 0)
	revision := func() uint64 {
		t.Helper()
		s, err := k.reg.Status(k.ctx, me())
		if err != nil {
			t.Fatal(err)
		}
		return s.PackRevision
	}
	steps := []struct {
		name string
		do   func() (registry.Changed, error)
	}{
		{"roll back", func() (registry.Changed, error) {
			return k.reg.Activate(k.ctx, me(), ref("s", 1), registry.ActivateOptions{})
		}},
		{"supersede", func() (registry.Changed, error) {
			return k.reg.Supersede(k.ctx, me(), ref("s", 1), registry.SupersedeOptions{})
		}},
		{"retire", func() (registry.Changed, error) {
			return k.reg.Retire(k.ctx, me(), ref("s", 1), registry.RetireOptions{NoSuccessor: true})
		}},
		{"compromise", func() (registry.Changed, error) { return k.reg.Compromise(k.ctx, me(), ref("s", 2)) }},
	}
	for _, step := range steps {
		before := revision()
		if _, err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if after := revision(); after <= before {
			t.Errorf("%s: the pack's revision stays at %d", step.name, after)
		}
		before = revision()
		if _, err := step.do(); err != nil {
			t.Fatalf("%s again: %v", step.name, err)
		}
		if after := revision(); after != before {
			t.Errorf("%s again changes nothing, and moves the revision from %d to %d", step.name, before, after)
		}
	}
}

// A value typed where a name belongs is refused also when it is a part of it.
func TestValueInsideName(t *testing.T) {
	k := newKit(t)
	v := k.text(20)
	for name, q := range map[string]registry.AddRequest{
		"name":      {Name: "db-" + v + "-prod"},
		"owner":     {Name: "s1", Owner: "team-" + v},
		"consumer":  {Name: "s2", Consumers: []string{"shop", v + ".example"}},
		"issued to": {Name: "s3", IssuedTo: "x" + v},
	} {
		q.Fields = []registry.Field{{Value: fingerprints.NewValue([]byte(v + "\n"))}}
		if _, err := k.reg.Add(k.ctx, me(), q); !errors.Is(err, registry.ErrValueInName) {
			t.Errorf("%s: %v, want ErrValueInName", name, err)
		}
	}
}
