package registry_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
)

func TestTokens(t *testing.T) {
	k := newKit(t)
	made, shown, err := k.reg.AddToken(k.ctx, me(), registry.TokenRequest{
		Name: "ci", Scopes: []registry.Scope{registry.ScopeRead, registry.ScopeScan, registry.ScopeRead}, ExpiresAt: k.now.Add(time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	if text := string(shown.Reveal()); !strings.HasPrefix(text, registry.TokenPrefix) || len(text) < 40 {
		t.Errorf("a token of %d bytes", len(text))
	}
	a, err := k.reg.Authenticate(k.ctx, shown)
	if want := (registry.Actor{Name: "token:ci", Scopes: []registry.Scope{registry.ScopeScan, registry.ScopeRead}, Token: made.ID}); err != nil || !cmp.Equal(want, a) {
		t.Errorf("%+v, %v", a, err)
	}
	listed := func() registry.TokenView {
		t.Helper()
		list, err := k.reg.Tokens(k.ctx, me())
		if err != nil || len(list) != 1 || list[0].ID != made.ID {
			t.Fatal(list, err)
		}
		return list[0]
	}
	if used := listed().UsedAt; used == nil || !used.Equal(k.now) {
		t.Errorf("used at %v", used)
	}
	first := k.now
	k.now = first.Add(time.Minute)
	if _, err := k.reg.Authenticate(k.ctx, shown); err != nil || !listed().UsedAt.Equal(first) {
		t.Errorf("a use a minute later is noted at %v, %v", listed().UsedAt, err)
	}
	refused := func(what, because string, v fingerprints.Value) {
		t.Helper()
		a, err := k.reg.Authenticate(k.ctx, v)
		if !errors.Is(err, registry.ErrBadToken) || !strings.Contains(err.Error(), because) || len(a.Scopes) > 0 {
			t.Errorf("%s: %+v, %v", what, a, err)
		}
	}
	refused("another", "", fingerprints.NewValue(append(slices.Clone(shown.Reveal()), 'x')))
	refused("none", "", fingerprints.Value{})
	k.now = first.Add(time.Hour)
	refused("at its end", "expired", shown)
	k.now = first
	for range 2 {
		if v, err := k.reg.RevokeToken(k.ctx, me(), "ci"); err != nil || v.RevokedBy != me().Name {
			t.Errorf("%+v, %v", v, err)
		}
	}
	refused("revoked", "revoked", shown)
	if _, err := k.reg.RevokeToken(k.ctx, me(), "never"); !errors.Is(err, registry.ErrUnknownToken) {
		t.Error(err)
	}
	// Nothing that is stored of it can be shown.
	var stored bytes.Buffer
	if err := k.reg.AuditLog(k.ctx, me(), 0, func(e registry.AuditEntry) error {
		for _, d := range e.Details {
			stored.WriteString(d)
		}
		return nil
	}); err != nil || bytes.Contains(stored.Bytes(), shown.Reveal()) {
		t.Error("the audit log has it", err)
	}
}

func TestTokenInput(t *testing.T) {
	k := newKit(t)
	read := []registry.Scope{registry.ScopeRead}
	if _, _, err := k.reg.AddToken(k.ctx, me(), registry.TokenRequest{Name: "ci", Scopes: read}); err != nil {
		t.Fatal(err)
	}
	admin := registry.Actor{Name: "a", Scopes: []registry.Scope{registry.ScopeAdmin}}
	for name, c := range map[string]struct {
		by   registry.Actor
		q    registry.TokenRequest
		want error
	}{
		"no name":           {me(), registry.TokenRequest{Scopes: read}, fingerprints.ErrBadName},
		"a name taken":      {me(), registry.TokenRequest{Name: "ci", Scopes: read}, registry.ErrTokenExists},
		"no scope":          {me(), registry.TokenRequest{Name: "x"}, registry.ErrInput},
		"unknown scope":     {me(), registry.TokenRequest{Name: "x", Scopes: []registry.Scope{"root"}}, registry.ErrInput},
		"over already":      {me(), registry.TokenRequest{Name: "x", Scopes: read, ExpiresAt: k.now}, registry.ErrInput},
		"more than one has": {admin, registry.TokenRequest{Name: "x", Scopes: read}, registry.ErrForbidden},
	} {
		if _, v, err := k.reg.AddToken(k.ctx, c.by, c.q); !errors.Is(err, c.want) || v.Len() > 0 {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}
