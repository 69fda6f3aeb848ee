package registry_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
)

// inState registers secret "s" so that version 1 is in a state, with version 2
// active beside it where the state needs a successor.
func inState(k *kit, s fingerprints.State) {
	k.t.Helper()
	must := func(_ registry.Changed, err error) {
		k.t.Helper()
		if err != nil {
			k.t.Fatal(err)
		}
	}
	pending := s == fingerprints.StatePending || s == fingerprints.StateAbandoned
	if _, err := k.reg.Add(k.ctx, me(), registry.AddRequest{Name: "s", Fields: field(k.text(32)), Pending: pending}); err != nil {
		k.t.Fatal(err)
	}
	switch s {
	case fingerprints.StateSuperseded:
		must(k.reg.Supersede(k.ctx, me(), ref("s", 1), registry.SupersedeOptions{}))
	case fingerprints.StateRetired:
		must(k.reg.Retire(k.ctx, me(), ref("s", 1), registry.RetireOptions{NoSuccessor: true}))
	case fingerprints.StateAbandoned:
		must(k.reg.Abandon(k.ctx, me(), ref("s", 1)))
	case fingerprints.StatePending, fingerprints.StateActive:
	}
}

type commandFn func(*kit) (registry.Changed, error)

func commands() map[string]commandFn {
	return map[string]commandFn{
		"supersede": func(k *kit) (registry.Changed, error) {
			return k.reg.Supersede(k.ctx, me(), ref("s", 1), registry.SupersedeOptions{Window: time.Hour})
		},
		"retire": func(k *kit) (registry.Changed, error) {
			return k.reg.Retire(k.ctx, me(), ref("s", 1), registry.RetireOptions{NoSuccessor: true})
		},
		"activate": func(k *kit) (registry.Changed, error) {
			return k.reg.Activate(k.ctx, me(), ref("s", 1), registry.ActivateOptions{})
		},
		"abandon":    func(k *kit) (registry.Changed, error) { return k.reg.Abandon(k.ctx, me(), ref("s", 1)) },
		"compromise": func(k *kit) (registry.Changed, error) { return k.reg.Compromise(k.ctx, me(), ref("s", 1)) },
	}
}

// TestStateMachine runs every command in every state. See docs/adr/0006-states.md.
func TestStateMachine(t *testing.T) {
	const no = fingerprints.State("refused")
	const (
		pending, active, superseded = fingerprints.StatePending, fingerprints.StateActive, fingerprints.StateSuperseded
		retired, abandoned          = fingerprints.StateRetired, fingerprints.StateAbandoned
	)
	want := map[string]map[fingerprints.State]fingerprints.State{
		"supersede":  {pending: no, active: superseded, superseded: superseded, retired: no, abandoned: no},
		"retire":     {pending: no, active: retired, superseded: retired, retired: retired, abandoned: no},
		"activate":   {pending: active, active: active, superseded: active, retired: no, abandoned: no},
		"abandon":    {pending: abandoned, active: no, superseded: no, retired: no, abandoned: abandoned},
		"compromise": {pending: pending, active: active, superseded: superseded, retired: retired, abandoned: abandoned},
	}
	for name, run := range commands() {
		for _, from := range fingerprints.States() {
			t.Run(name+" "+string(from), func(t *testing.T) {
				k := newKit(t)
				inState(k, from)
				head := k.head()
				got, err := run(k)
				to := want[name][from]
				if to == no {
					var refused *registry.TransitionError
					if !errors.Is(err, registry.ErrTransition) || !errors.As(err, &refused) || refused.State != from {
						t.Fatalf("error %v, want a refusal because of state %s", err, from)
					}
					if diff := cmp.Diff([]string(nil), k.actions(head)); diff != "" {
						t.Errorf("a refusal left a trace in the audit log:\n%s", diff)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				same := from == to && name != "compromise"
				if got.From != from || got.To != to || got.Unchanged != same {
					t.Errorf("got %s -> %s, unchanged %v; want %s -> %s, unchanged %v", got.From, got.To, got.Unchanged, from, to, same)
				}
				if entries := len(k.actions(head)); (entries == 0) != same {
					t.Errorf("%d audit entries, unchanged %v", entries, same)
				}
				again(t, k, run, to)
			})
		}
	}
}

// again repeats a command: nothing may change, nothing may be audited.
func again(t *testing.T, k *kit, run commandFn, to fingerprints.State) {
	t.Helper()
	head, before := k.head(), k.meta()
	k.wait(time.Hour)
	got, err := run(k)
	if err != nil {
		t.Fatal(err)
	}
	if !got.Unchanged || got.From != to || got.To != to {
		t.Errorf("repeated: %+v, want unchanged in %s", got, to)
	}
	if diff := cmp.Diff(before, k.meta()); diff != "" || len(k.actions(head)) != 0 {
		t.Errorf("repeating changed something:\n%s%v", diff, k.actions(head))
	}
}

func TestRetireNeedsSuccessor(t *testing.T) {
	k := newKit(t)
	k.add("s", k.text(32))
	if _, err := k.reg.Retire(k.ctx, me(), ref("s", 1), registry.RetireOptions{}); !errors.Is(err, registry.ErrNoSuccessor) {
		t.Fatalf("error %v, want ErrNoSuccessor", err)
	}
	// A pending version is no successor: nobody uses it yet.
	imported(t, k, registry.ImportRecord{Name: "s", Fields: field(k.text(32)), State: fingerprints.StatePending})
	if _, err := k.reg.Retire(k.ctx, me(), ref("s", 1), registry.RetireOptions{}); !errors.Is(err, registry.ErrNoSuccessor) {
		t.Fatalf("with a pending version: error %v, want ErrNoSuccessor", err)
	}
	if _, err := k.reg.Activate(k.ctx, me(), ref("s", 2), registry.ActivateOptions{Window: time.Hour}); err != nil {
		t.Fatal(err)
	}
	got, err := k.reg.Retire(k.ctx, me(), ref("s", 1), registry.RetireOptions{})
	if err != nil || got.To != fingerprints.StateRetired {
		t.Fatalf("%+v, %v", got, err)
	}
}

func TestRotateAndRollBack(t *testing.T) {
	k := newKit(t)
	first := k.text(32)
	k.add("s", first)
	out := k.rotate("s", k.text(32), 24*time.Hour)
	ends := k.now.Add(24 * time.Hour)
	want := []registry.Transition{{
		Secret: "s", Version: 1, From: fingerprints.StateActive, To: fingerprints.StateSuperseded, WindowEnds: &ends,
	}}
	if diff := cmp.Diff(want, out.Superseded); diff != "" || out.Version != 2 {
		t.Fatalf("version %d:\n%s", out.Version, diff)
	}
	_, err := k.reg.Rotate(k.ctx, me(), registry.RotateRequest{Name: "s", Fields: field(first)})
	if !errors.Is(err, registry.ErrRollback) {
		t.Fatalf("rotating to a superseded value: error %v, want ErrRollback", err)
	}
	back, err := k.reg.Activate(k.ctx, me(), ref("s", 1), registry.ActivateOptions{Window: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if len(back.Also) != 1 || back.Also[0].Version != 2 || back.Also[0].To != fingerprints.StateSuperseded {
		t.Errorf("roll-back left version 2 active: %+v", back.Also)
	}
	if _, err := k.reg.Retire(k.ctx, me(), ref("s", 2), registry.RetireOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := k.reg.Activate(k.ctx, me(), ref("s", 2), registry.ActivateOptions{}); !errors.Is(err, registry.ErrTransition) {
		t.Errorf("activating a retired version: error %v, want ErrTransition", err)
	}
}

func TestRotateToKnownValues(t *testing.T) {
	k := newKit(t)
	value := k.text(32)
	k.add("s", value)
	if out := k.rotate("s", value+"\n", 0); !out.Unchanged || out.Version != 1 {
		t.Errorf("rotating to the active value: %+v, want unchanged", out)
	}
	waiting := k.text(32)
	imported(t, k, registry.ImportRecord{Name: "s", Fields: field(waiting), State: fingerprints.StatePending})
	out := k.rotate("s", waiting, time.Hour)
	if out.Version != 2 || out.State != fingerprints.StateActive || out.Unchanged || len(out.Superseded) != 1 {
		t.Errorf("rotating to the pending value: %+v, want version 2 active", out)
	}
	if _, err := k.reg.Retire(k.ctx, me(), ref("s", 1), registry.RetireOptions{}); err != nil {
		t.Fatal(err)
	}
	q := registry.RotateRequest{Name: "s", Fields: field(value)}
	if _, err := k.reg.Rotate(k.ctx, me(), q); !errors.Is(err, registry.ErrReused) {
		t.Errorf("rotating to a retired value: error %v, want ErrReused", err)
	}
	q.Force = true
	if out, err := k.reg.Rotate(k.ctx, me(), q); err != nil || out.Version != 3 {
		t.Errorf("with force: %+v, %v", out, err)
	}
}

func TestContainsOlderValue(t *testing.T) {
	k := newKit(t)
	value := k.text(40)
	k.add("s", value)
	for _, near := range []string{"prefix-" + value, value + "-suffix", "a" + value + "b"} {
		q := registry.RotateRequest{Name: "s", Fields: field(near)}
		if _, err := k.reg.Rotate(k.ctx, me(), q); !errors.Is(err, registry.ErrContainsOld) {
			t.Errorf("error %v, want ErrContainsOld", err)
		}
	}
	if out := k.rotate("s", "x"+value[:39], 0); out.Version != 2 {
		t.Errorf("a value that contains only a part was refused: %+v", out)
	}
	q := registry.RotateRequest{Name: "s", Fields: field("prefix-" + value), Force: true}
	if _, err := k.reg.Rotate(k.ctx, me(), q); err != nil {
		t.Errorf("with force: %v", err)
	}
}

func TestMultiActive(t *testing.T) {
	k := newKit(t)
	q := registry.AddRequest{Name: "jwt", Fields: field(k.text(40)), MultiActive: true, Class: fingerprints.ClassCryptographic}
	if _, err := k.reg.Add(k.ctx, me(), q); err != nil {
		t.Fatal(err)
	}
	k.wait(time.Hour)
	if out := k.rotate("jwt", k.text(40), time.Hour); len(out.Superseded) != 0 {
		t.Errorf("the second key superseded %+v, want two active", out.Superseded)
	}
	k.wait(time.Hour)
	out := k.rotate("jwt", k.text(40), time.Hour)
	if len(out.Superseded) != 1 || out.Superseded[0].Version != 1 {
		t.Errorf("the third key superseded %+v, want version 1", out.Superseded)
	}
}

func TestSameValueInTwoSecrets(t *testing.T) {
	k := newKit(t)
	shared := k.text(32)
	k.add("a", shared)
	k.add("b", shared)
	rows := append(k.rows(ref("a", 1)), k.rows(ref("b", 1))...)
	k.scan("dir:/srv", k.seen("dir:/srv", "app.env", shared, rows...))
	got, err := k.reg.Compromise(k.ctx, me(), ref("b", 1))
	if err != nil {
		t.Fatal(err)
	}
	want := []registry.VerdictChange{{From: fingerprints.VerdictLeaked, To: fingerprints.VerdictCompromised, Count: 1}}
	if diff := cmp.Diff(want, got.Verdicts); diff != "" {
		t.Error(diff)
	}
}

func TestNamesAreNotEchoed(t *testing.T) {
	k := newKit(t)
	value := k.text(24)
	k.add("s", k.text(32))
	errs := map[string]error{}
	_, errs["show"] = k.reg.Show(k.ctx, me(), value)
	_, errs["history"] = k.reg.History(k.ctx, me(), value)
	_, errs["retire"] = k.reg.Retire(k.ctx, me(), ref(value, 1), registry.RetireOptions{})
	_, errs["ack"] = k.reg.Ack(k.ctx, me(), ref("s", 1), value+" ?")
	_, errs["allow"] = k.reg.Allow(k.ctx, me(), registry.AllowRequest{Name: value, Reason: "r"})
	_, errs["finding"] = k.reg.Finding(k.ctx, me(), value)
	_, errs["source"] = k.reg.Source(k.ctx, me(), value)
	_, errs["move"] = k.reg.MoveSource(k.ctx, me(), value, value)
	_, errs["name is the value"] = k.reg.Add(k.ctx, me(), registry.AddRequest{Name: value, Fields: field(value)})
	_, errs["owner is the value"] = k.reg.Add(k.ctx, me(), registry.AddRequest{Name: "n", Owner: value, Fields: field(value)})
	_, errs["class is the value"] = k.reg.Add(k.ctx, me(), registry.AddRequest{Name: "n", Class: fingerprints.Class(value), Fields: field(k.text(20))})
	_, errs["prefix is the value"] = k.reg.Issue(k.ctx, me(), registry.IssueRequest{Name: "n", Prefix: value})
	_, errs["accepted skip"] = k.reg.Prove(k.ctx, me(), ref("s", 1), registry.ProveOptions{AcceptSkip: []string{value}})
	for what, err := range errs {
		if err == nil {
			t.Errorf("%s: no error", what)
		} else if contains(err.Error(), value) {
			t.Errorf("%s: the error repeats what was typed", what)
		}
	}
}

// A registered value is refused in every text that is stored in the clear.
func TestRegisteredValueInTexts(t *testing.T) {
	k := newKit(t)
	value := k.text(24)
	k.add("s", value)
	o := k.seen(src, "a.env", value, k.rows(ref("s", 1))...)
	k.scan(src, o)
	id, later := string(o.FindingID), k.now.Add(time.Hour)
	errs := map[string]error{}
	_, errs["consumer"] = k.reg.Ack(k.ctx, me(), ref("s", 1), value)
	_, errs["allow reason"] = k.reg.Allow(k.ctx, me(), registry.AllowRequest{Name: "s", Path: "x", Reason: "it is " + value + " here"})
	_, errs["allow path"] = k.reg.Allow(k.ctx, me(), registry.AllowRequest{Name: "s", Path: value + "/**", Reason: "r"})
	_, errs["accept"] = k.reg.Accept(k.ctx, me(), id, later, "still "+value)
	_, errs["assign"] = k.reg.Assign(k.ctx, me(), id, value)
	for what, err := range errs {
		if !errors.Is(err, registry.ErrValueInName) {
			t.Errorf("%s: error %v, want ErrValueInName", what, err)
		}
	}
	if _, err := k.reg.Accept(k.ctx, me(), id, later, "still "+value[1:]); err != nil {
		t.Errorf("a text with a part of it: %v", err)
	}
}
