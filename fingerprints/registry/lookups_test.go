package registry_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/fingerprints/keys"
	"revenant/fingerprints/registration"
	"revenant/fingerprints/registry"
)

// asking is somebody who may look values up, with the keys of an edge key file.
func (k *kit) asking(daily int, values ...string) (known map[string][]string, left int, err error) {
	k.t.Helper()
	asking, err := registration.NewAsking(k.ring.EdgeKeys("laptops"))
	if err != nil {
		k.t.Fatal(err)
	}
	var tags []registration.LookupTag
	var of []string
	for _, v := range values {
		for _, tag := range asking.Tags(fingerprints.NewValue([]byte(v))) {
			tags, of = append(tags, tag), append(of, v)
		}
	}
	a := registry.Actor{Name: "token:laptop", Scopes: []registry.Scope{registry.ScopeLookup}}
	list, left, err := k.reg.LookUp(k.ctx, a, tags, daily)
	known = map[string][]string{}
	for i, versions := range list {
		for _, v := range versions {
			known[of[i]] = append(known[of[i]], v.Secret+"@"+string(rune('0'+v.Version))+" "+string(v.State))
		}
	}
	return known, left, err
}

// TestLookUp: a weak value is known by its tag, with every version that has it, also
// when the keys were rotated since; a strong one, which packs have, is not.
func TestLookUp(t *testing.T) {
	k := newKit(t)
	const weak, core, other = "swordfish-77", "Tr0ub4dor&3-x9", "nothing-like-it-1"
	strong := k.text(40)
	k.add("shop/db", weak)
	k.add("shop/copy", weak)
	k.add("shop/strong", strong)
	want := func(what string, want map[string][]string, values ...string) {
		t.Helper()
		got, _, err := k.asking(100, values...)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	both := []string{"shop/db@1 active", "shop/copy@1 active"}
	want("registered", map[string][]string{weak: both}, weak, core, other, strong, weak+"x", weak[1:])
	want("a line's end is no part", map[string][]string{weak + "\n": both}, weak+"\n")
	k.rotate("shop/db", core, time.Hour)
	both[0] = "shop/db@1 superseded"
	want("another value, another state", map[string][]string{weak: both, core: {"shop/db@2 active"}}, weak, core)
	if err := k.ring.Rotate(k.rand, k.now, keys.RotateRoutine); err != nil {
		t.Fatal(err)
	}
	if _, err := k.reg.Rekey(k.ctx, me(), k.ring); err != nil {
		t.Fatal(err)
	}
	k.add("shop/later", other)
	want("of both epochs", map[string][]string{weak: both, other: {"shop/later@1 active"}}, weak, other)
	again := k.open(k.ring) // another process knows the same
	k.reg = again
	want("another process", map[string][]string{weak: both}, weak)
}

// TestLookUpsAreCounted: a token has so many in a day, at every server of the
// registry, and the audit log says how many it took, in a few entries.
func TestLookUpsAreCounted(t *testing.T) {
	k := newKit(t)
	const weak = "swordfish-77"
	k.add("shop/db", weak)
	if _, _, err := k.asking(0, weak); !errors.Is(err, registry.ErrLookUpsOff) {
		t.Errorf("switched off: %v", err)
	}
	const daily = 20
	for i := range daily {
		guess := "guess-number-" + k.text(3)
		if i == 4 {
			guess = weak
		}
		if i == 10 {
			k.reg = k.open(k.ring) // another server
		}
		_, left, err := k.asking(daily, guess)
		if err != nil || left != daily-1-i {
			t.Fatalf("look-up %d: %d left, %v", i, left, err)
		}
	}
	for range 3 {
		if _, _, err := k.asking(daily, weak); !errors.Is(err, registry.ErrLookUpsSpent) {
			t.Errorf("beyond the day's: %v", err)
		}
	}
	var said []string
	if err := k.reg.AuditLog(k.ctx, me(), 0, func(e registry.AuditEntry) error {
		if e.Action == "value.look-up" {
			said = append(said, strings.Join([]string{e.Actor, e.Details["asked"], e.Details["known"], e.Details["refused"]}, " "))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"token:laptop 1 0 0", "token:laptop 2 0 0", "token:laptop 4 0 0", "token:laptop 5 1 0", "token:laptop 8 1 0", "token:laptop 16 1 0",
		"token:laptop 20 1 1", "token:laptop 20 1 2",
	}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Errorf("the audit log (-want +got):\n%s", diff)
	}
	k.wait(12 * time.Hour)
	if _, left, err := k.asking(daily, weak); err != nil || left != daily-1 {
		t.Errorf("the next day: %d left, %v", left, err)
	}
}

// TestWhoLooksUp: it needs its own scope, and is refused to who is bound to teams.
func TestWhoLooksUp(t *testing.T) {
	k := newKit(t)
	k.add("shop/db", "swordfish-77")
	tags := make([]registration.LookupTag, 1)
	for name, c := range map[string]struct {
		scopes []registry.Scope
		teams  []string
		want   error
	}{
		"a pack's":   {scopes: []registry.Scope{registry.ScopePack, registry.ScopeScan, registry.ScopeRead, registry.ScopeRegister}, want: registry.ErrForbidden},
		"a team's":   {scopes: registry.Scopes(), teams: []string{"team-shop"}, want: registry.ErrTeams},
		"its own":    {scopes: []registry.Scope{registry.ScopeLookup}},
		"everything": {scopes: registry.Scopes()},
	} {
		if _, _, err := k.reg.LookUp(k.ctx, registry.Actor{Name: name, Scopes: c.scopes, Teams: c.teams}, tags, 10); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}
