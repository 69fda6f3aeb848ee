package registry_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/registration"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
)

// TestKnownRowsOfOthers: a registrar of a team learns of another team's value that it
// is registered and where it is anchored, and neither whose it is nor which row it is.
func TestKnownRowsOfOthers(t *testing.T) {
	k := newKit(t)
	theirs, ours := k.text(32), k.text(32)
	for name, x := range map[string]struct{ owner, field, value string }{"canary/theirs": {"shop", "canary-field", theirs}, "payments/ours": {"payments", "ours-field", ours}} {
		if _, err := k.reg.Add(k.ctx, me(), registry.AddRequest{Name: name, Owner: x.owner, Fields: []registry.Field{{Name: x.field, Value: fingerprints.NewValue([]byte(x.value))}}}); err != nil {
			t.Fatal(err)
		}
	}
	id := func(value string) fingerprints.ValueID {
		aud, _ := registration.IdentityAudience([]byte(value))
		return k.ring.Identity(aud).ValueID([]byte(value))
	}
	look := func(a registry.Actor) map[string]wire.SealedField {
		got, err := k.reg.KnownRows(k.ctx, a, []fingerprints.ValueID{id(theirs), id(ours), id(k.text(32))}, "canary/theirs")
		if err != nil {
			t.Fatal(err)
		}
		if a.Teams != nil && len(got.Secret) > 0 {
			t.Errorf("rows of another team's secret: %v", got.Secret)
		}
		return got.Values
	}
	bound := registry.Actor{Name: "token:payments", Scopes: []registry.Scope{registry.ScopeRegister, registry.ScopeRead}, Teams: []string{"payments"}}
	all, some := look(me()), look(bound)
	if len(all) != 2 || len(some) != 2 {
		t.Fatalf("%d rows, and %d for a team", len(all), len(some))
	}
	if diff := cmp.Diff(all[id(ours).String()], some[id(ours).String()]); diff != "" {
		t.Errorf("their own is another (-all +team):\n%s", diff)
	}
	real, told := all[id(theirs).String()], some[id(theirs).String()]
	text, _ := json.Marshal(told)
	for _, word := range []string{"canary", real.Row, real.Version} {
		if strings.Contains(string(text), word) {
			t.Errorf("%s stands in %s", word, text)
		}
	}
	if told.Revision != 0 || told.Row == some[id(ours).String()].Row || told.Row == look(bound)[id(theirs).String()].Row {
		t.Errorf("it is the same row each time, or has a revision: %s", text)
	}
	// What is in it opens by the registering keys, and is what the row has.
	entry := func(f wire.SealedField) registration.Entry {
		row, err := registry.Opened(f)
		if err != nil {
			t.Fatal(err)
		}
		e, err := registration.New(k.ring.RegistrarKeys(), k.rand, nil).Open(row)
		if err != nil {
			t.Fatal(err)
		}
		e.Row = fingerprints.RowID{}
		return e
	}
	if diff := cmp.Diff(entry(real), entry(told)); diff != "" {
		t.Errorf("it says something else of the value:\n%s", diff)
	}
	k.registerElsewhere(bound, "payments/shared", theirs)
	if a, b := k.anchors("canary/theirs"), k.anchors("payments/shared"); !cmp.Equal(a, b) {
		t.Errorf("registered by another team, the value has other regions: %v, %v", a, b)
	}
	var subjects []string
	if err := k.reg.AuditLog(k.ctx, bound, 0, func(e registry.AuditEntry) error {
		subjects = append(subjects, e.Action+" "+e.Subject)
		return nil
	}); err != nil || strings.Contains(strings.Join(subjects, "\n"), "canary") || !strings.Contains(strings.Join(subjects, "\n"), "registrar.look") {
		t.Errorf("the audit log that the team sees: %q, %v", subjects, err)
	}
}

// registerElsewhere registers as a registrar with keys of their own does.
func (k *kit) registerElsewhere(a registry.Actor, name, value string) {
	k.t.Helper()
	s := registry.Sealer{Keys: k.ring.RegistrarKeys(), Rand: k.rand, Known: func(ids []fingerprints.ValueID) (map[fingerprints.ValueID]fingerprints.FieldRow, error) {
		got, err := k.reg.KnownRows(k.ctx, a, ids, "")
		out := map[fingerprints.ValueID]fingerprints.FieldRow{}
		for text, f := range got.Values {
			id, perr := fingerprints.ParseValueID(text)
			row, oerr := registry.Opened(f)
			if perr != nil || oerr != nil {
				k.t.Fatal(perr, oerr)
			}
			out[id] = row
		}
		return out, err
	}}
	fields, err := s.Seal([]registry.Field{{Name: "password", Value: fingerprints.NewValue([]byte(value))}})
	if err != nil {
		k.t.Fatal(err)
	}
	if _, err := k.reg.Add(k.ctx, a, registry.AddRequest{Name: name, Owner: a.Teams[0], Fields: fields}); err != nil {
		k.t.Fatal(err)
	}
}

// anchors are the regions' tags of a secret's first version.
func (k *kit) anchors(name string) []uint64 {
	k.t.Helper()
	var out []uint64
	err := k.store.View(k.ctx, func(tx store.Tx) error {
		for _, row := range k.rows(ref(name, 1)) {
			f, err := tx.FieldByID(k.ctx, row)
			if err != nil {
				return err
			}
			e, err := registration.New(k.ring, k.rand, nil).Open(f)
			if err != nil {
				return err
			}
			out = append(out, e.Tags()...)
		}
		return nil
	})
	if err != nil || len(out) == 0 {
		k.t.Fatal(out, err)
	}
	return out
}
