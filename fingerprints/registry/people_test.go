package registry_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
)

func terms() registry.SessionTerms {
	return registry.SessionTerms{Idle: 2 * time.Hour, Longest: 24 * time.Hour}
}

// signIn signs a person in by a link.
func (k *kit) signIn(name string) registry.SignedIn {
	k.t.Helper()
	_, code, err := k.reg.LinkPerson(k.ctx, me(), name, time.Hour)
	if err != nil {
		k.t.Fatal(err)
	}
	in, err := k.reg.SignInByCode(k.ctx, code, fingerprints.Value{}, "192.0.2.1", terms())
	if err != nil {
		k.t.Fatal(err)
	}
	return in
}

// who is who shows a session.
func (k *kit) who(in registry.SignedIn) (registry.Actor, error) {
	return k.reg.Session(k.ctx, in.Shown, terms())
}

func (k *kit) person(name string, teams []string, roles ...registry.Role) registry.PersonView {
	k.t.Helper()
	p, err := k.reg.AddPerson(k.ctx, me(), registry.PersonRequest{Name: name, Roles: roles, Teams: teams})
	if err != nil {
		k.t.Fatal(err)
	}
	return p
}

// TestRoles writes the table of roles again: what a role allows is a promise.
func TestRoles(t *testing.T) {
	want := map[registry.Role]string{
		"viewer": "read", "triager": "read triage", "operator": "scan read triage pack", "registrar": "register rotate read",
		"admin": "scan register rotate read triage pack lookup admin", "nobody": "",
	}
	for _, r := range append(registry.Roles(), "nobody") {
		var have []string
		for _, s := range registry.ScopesOf(r) {
			have = append(have, string(s))
		}
		if got := strings.Join(have, " "); got != want[r] {
			t.Errorf("%s: %q, want %q", r, got, want[r])
		}
	}
}

func TestSession(t *testing.T) {
	k := newKit(t)
	p := k.person("ann", []string{"payments"}, registry.RoleTriager)
	in := k.signIn("ann")
	a, err := k.who(in)
	want := registry.Actor{
		Name: "person:ann", Scopes: []registry.Scope{registry.ScopeRead, registry.ScopeTriage}, Teams: []string{"payments"}, Person: p.ID, Session: in.Actor.Session,
	}
	if err != nil || !cmp.Equal(want, a) || !cmp.Equal(want, in.Actor) {
		t.Errorf("%+v, %+v, %v", a, in.Actor, err)
	}
	// What is given and taken counts at once.
	change := func(q registry.PersonChange) {
		t.Helper()
		if _, err := k.reg.ChangePerson(k.ctx, me(), p.ID, q); err != nil {
			t.Fatal(err)
		}
	}
	change(registry.PersonChange{Roles: &[]registry.Role{registry.RoleRegistrar}, Teams: &[]string{"b", "a", "b"}})
	if a, err := k.who(in); err != nil || a.May(registry.ScopeTriage) || !a.May(registry.ScopeRotate) || !slices.Equal(a.Teams, []string{"a", "b"}) {
		t.Errorf("%+v, %v", a, err)
	}
	yes, no := true, false
	change(registry.PersonChange{Disabled: &yes})
	if _, err := k.who(in); !errors.Is(err, registry.ErrNoSession) {
		t.Errorf("disabled: %v", err)
	}
	if _, _, err := k.reg.LinkPerson(k.ctx, me(), "ann", time.Hour); !errors.Is(err, registry.ErrDisabled) {
		t.Errorf("a link for who is disabled: %v", err)
	}
	change(registry.PersonChange{Disabled: &no})
	if _, err := k.who(in); !errors.Is(err, registry.ErrNoSession) {
		t.Errorf("the session of before lives again: %v", err)
	}
	if actions := k.actions(0); !slices.Contains(actions, "person.disable") || !slices.Contains(actions, "person.enable") || !slices.Contains(actions, "sign-in") {
		t.Errorf("audited: %v", actions)
	}
}

func TestSessionEnds(t *testing.T) {
	k := newKit(t)
	k.person("ann", nil, registry.RoleViewer)
	first, idle := k.now, k.signIn("ann")
	for range 13 { // used now and then
		if _, err := k.who(idle); err != nil {
			t.Fatalf("after %s: %v", k.now.Sub(first), err)
		}
		k.wait(110 * time.Minute)
	}
	k.now = first.Add(24*time.Hour - time.Second)
	if _, err := k.who(idle); err != nil {
		t.Errorf("before its end: %v", err)
	}
	k.wait(time.Second)
	if _, err := k.who(idle); !errors.Is(err, registry.ErrNoSession) {
		t.Errorf("at its end: %v", err)
	}
	unused := k.signIn("ann")
	k.wait(2 * time.Hour)
	if _, err := k.who(unused); !errors.Is(err, registry.ErrNoSession) {
		t.Errorf("unused: %v", err)
	}
	for name, v := range map[string]fingerprints.Value{"none": {}, "made up": fingerprints.NewValue([]byte("rvs_x"))} {
		if _, err := k.reg.Session(k.ctx, v, terms()); !errors.Is(err, registry.ErrNoSession) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSignInRotates wants a new session after each sign-in, and the one that the
// browser showed before ended: nobody can have planted it.
func TestSignInRotates(t *testing.T) {
	k := newKit(t)
	k.person("ann", nil, registry.RoleViewer)
	first := k.signIn("ann")
	_, code, err := k.reg.LinkPerson(k.ctx, me(), "ann", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	second, err := k.reg.SignInByCode(k.ctx, code, first.Shown, "192.0.2.1", terms())
	if err != nil || second.Shown.Equal(first.Shown) {
		t.Fatal(err)
	}
	if _, err := k.who(first); !errors.Is(err, registry.ErrNoSession) {
		t.Errorf("the old one: %v", err)
	}
	third := k.signIn("ann")
	a, err := k.who(third)
	if err != nil {
		t.Fatal(err)
	}
	list, err := k.reg.MySessions(k.ctx, a, terms())
	if err != nil || len(list) != 2 || list[0].Current == list[1].Current {
		t.Fatalf("%+v, %v", list, err)
	}
	if _, err := k.reg.EndSessions(k.ctx, a, second.Actor.Session); err != nil {
		t.Error(err)
	}
	if _, err := k.who(second); !errors.Is(err, registry.ErrNoSession) {
		t.Errorf("ended from elsewhere: %v", err)
	}
	k.person("eve", nil, registry.RoleAdmin)
	other, _ := k.who(k.signIn("eve"))
	if _, err := k.reg.EndSessions(k.ctx, other, third.Actor.Session); !errors.Is(err, registry.ErrNoSession) {
		t.Errorf("another's session: %v", err)
	}
	if n, err := k.reg.EndSessions(k.ctx, a, ""); err != nil || n != 1 {
		t.Errorf("everywhere: %d, %v", n, err)
	}
	if _, err := k.who(third); !errors.Is(err, registry.ErrNoSession) {
		t.Errorf("afterwards: %v", err)
	}
}

// TestEndOthers wants whoever signs out elsewhere to stay signed in here, and nobody
// else to notice.
func TestEndOthers(t *testing.T) {
	k := newKit(t)
	k.person("ann", nil, registry.RoleViewer)
	k.person("eve", nil, registry.RoleViewer)
	lost, here, eve := k.signIn("ann"), k.signIn("ann"), k.signIn("eve")
	a, err := k.who(here)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{1, 0} {
		if n, err := k.reg.EndOtherSessions(k.ctx, a); err != nil || n != want {
			t.Errorf("%d ended, %v; want %d", n, err, want)
		}
	}
	if _, err := k.who(lost); !errors.Is(err, registry.ErrNoSession) {
		t.Errorf("the other session: %v", err)
	}
	for who, in := range map[string]registry.SignedIn{"who asked": here, "somebody else": eve} {
		if _, err := k.who(in); err != nil {
			t.Errorf("%s: %v", who, err)
		}
	}
	if _, err := k.reg.EndOtherSessions(k.ctx, me()); !errors.Is(err, registry.ErrNoSession) {
		t.Errorf("who has no sessions: %v", err)
	}
}

func TestSignInWithToken(t *testing.T) {
	k := newKit(t)
	made, shown, err := k.reg.AddToken(k.ctx, me(), registry.TokenRequest{
		Name: "ci", Scopes: []registry.Scope{registry.ScopeRead}, Teams: []string{"payments"}, ExpiresAt: k.now.Add(time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	sign := func() registry.SignedIn {
		t.Helper()
		in, err := k.reg.SignInWithToken(k.ctx, shown, fingerprints.Value{}, "192.0.2.1", terms())
		if err != nil {
			t.Fatal(err)
		}
		return in
	}
	in := sign()
	a, err := k.who(in)
	want := registry.Actor{Name: "token:ci", Scopes: []registry.Scope{registry.ScopeRead}, Teams: []string{"payments"}, Token: made.ID, Session: in.Actor.Session}
	if err != nil || !cmp.Equal(want, a) || !in.Ends.Equal(k.now.Add(time.Hour)) {
		t.Errorf("%+v until %s, %v", a, in.Ends, err)
	}
	first := k.now
	k.wait(time.Hour)
	if _, err := k.who(in); !errors.Is(err, registry.ErrNoSession) {
		t.Errorf("after the token's end: %v", err)
	}
	k.now = first
	if _, err := k.reg.RevokeToken(k.ctx, me(), "ci"); err != nil {
		t.Fatal(err)
	}
	if _, err := k.who(in); !errors.Is(err, registry.ErrNoSession) {
		t.Errorf("of a revoked token: %v", err)
	}
	if _, err := k.reg.SignInWithToken(k.ctx, shown, fingerprints.Value{}, "192.0.2.1", terms()); !errors.Is(err, registry.ErrBadToken) {
		t.Errorf("signing in with it: %v", err)
	}
}

func TestSignInAs(t *testing.T) {
	k := newKit(t)
	claims := registry.Claims{Issuer: "https://id", Subject: "1", Name: "ann@example.org", Display: "Ann\x1b[1m", Address: "ann@example.org"}
	sign := func(q registry.Claims) (registry.SignedIn, error) {
		return k.reg.SignInAs(k.ctx, q, fingerprints.Value{}, "192.0.2.1", terms())
	}
	if _, err := sign(claims); !errors.Is(err, registry.ErrNoRole) {
		t.Errorf("without a role: %v", err)
	}
	p, err := k.reg.Person(k.ctx, me(), "ann@example.org")
	if err != nil || p.Display != "Ann[1m" || p.SeenAt != nil {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := k.reg.ChangePerson(k.ctx, me(), p.ID, registry.PersonChange{Roles: &[]registry.Role{registry.RoleViewer}}); err != nil {
		t.Fatal(err)
	}
	claims.Roles, claims.Teams = []registry.Role{registry.RoleTriager}, []string{"payments"}
	in, err := sign(claims)
	if err != nil || in.Actor.Person != p.ID || !in.Actor.May(registry.ScopeTriage) || !slices.Equal(in.Actor.Teams, claims.Teams) {
		t.Errorf("%+v, %v", in.Actor, err)
	}
	// What the provider takes back counts at the next sign-in, in every session.
	claims.Roles, claims.Name = nil, "root"
	if _, err := sign(claims); err != nil {
		t.Fatal(err)
	}
	if a, err := k.who(in); err != nil || a.May(registry.ScopeTriage) || !a.May(registry.ScopeRead) || a.Name != "person:ann@example.org" {
		t.Errorf("%+v, %v", a, err)
	}
	// Another subject cannot take the name, nor another issuer the subject.
	for _, q := range []registry.Claims{
		{Issuer: "https://id", Subject: "2", Name: "Ann@example.org", Roles: claims.Roles}, {Issuer: "https://evil", Subject: "1", Name: "ann@example.org"},
	} {
		q.Roles = []registry.Role{registry.RoleViewer}
		if in, err := sign(q); err != nil || in.Actor.Person == p.ID || strings.EqualFold(in.Actor.Name, "person:ann@example.org") {
			t.Errorf("%+v, %v", in.Actor, err)
		}
	}
	if _, err := sign(registry.Claims{Issuer: "https://id"}); !errors.Is(err, registry.ErrInput) {
		t.Errorf("without a subject: %v", err)
	}
	yes := true
	if _, err := k.reg.ChangePerson(k.ctx, me(), p.ID, registry.PersonChange{Disabled: &yes}); err != nil {
		t.Fatal(err)
	}
	if _, err := sign(claims); !errors.Is(err, registry.ErrDisabled) {
		t.Errorf("disabled: %v", err)
	}
}

func TestSetup(t *testing.T) {
	k := newKit(t)
	make := func() fingerprints.Value {
		t.Helper()
		v, err := k.reg.SetupCode(k.ctx, me(), time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	use := func(v fingerprints.Value) (registry.SignedIn, error) {
		return k.reg.SignInByCode(k.ctx, v, fingerprints.Value{}, "192.0.2.1", terms())
	}
	late, one, other := make(), make(), make()
	first := k.now
	k.wait(time.Hour)
	if _, err := use(late); !errors.Is(err, registry.ErrBadCode) {
		t.Errorf("when its time is over: %v", err)
	}
	k.now = first
	in, err := use(one)
	if err != nil || !slices.Equal(in.Actor.Scopes, registry.Scopes()) || in.Actor.Name != "person:"+registry.FirstPerson {
		t.Fatalf("%+v, %v", in.Actor, err)
	}
	for what, v := range map[string]fingerprints.Value{"again": one, "a second link": other, "none": {}} {
		if _, err := use(v); !errors.Is(err, registry.ErrBadCode) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if v := make(); !v.IsEmpty() {
		t.Error("a link where somebody can sign in")
	}
	if _, err := k.reg.SetupCode(k.ctx, registry.Actor{Name: "x"}, time.Hour); !errors.Is(err, registry.ErrForbidden) {
		t.Error(err)
	}
	with := newKit(t)
	if _, _, err := with.reg.AddToken(k.ctx, me(), registry.TokenRequest{Name: "ci", Scopes: registry.Scopes()}); err != nil {
		t.Fatal(err)
	}
	if v, err := with.reg.SetupCode(k.ctx, me(), time.Hour); err != nil || !v.IsEmpty() {
		t.Error("a link where there is a token", err)
	}
}

func TestFlight(t *testing.T) {
	k := newKit(t)
	begin := func() fingerprints.Value {
		t.Helper()
		v, err := k.reg.BeginFlight(k.ctx, "/findings", time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	one := begin()
	if next, err := k.reg.EndFlight(k.ctx, one); err != nil || next != "/findings" {
		t.Errorf("%q, %v", next, err)
	}
	late := begin()
	k.wait(time.Minute)
	for what, v := range map[string]fingerprints.Value{"again": one, "too late": late, "none": {}} {
		if next, err := k.reg.EndFlight(k.ctx, v); !errors.Is(err, registry.ErrBadCode) || next != "" {
			t.Errorf("%s: %q, %v", what, next, err)
		}
	}
	k.person("ann", nil, registry.RoleViewer)
	_, link, err := k.reg.LinkPerson(k.ctx, me(), "ann", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.reg.EndFlight(k.ctx, link); !errors.Is(err, registry.ErrBadCode) {
		t.Errorf("a link as a flight: %v", err)
	}
	if _, err := k.reg.SignInByCode(k.ctx, begin(), fingerprints.Value{}, "", terms()); !errors.Is(err, registry.ErrBadCode) {
		t.Errorf("a flight as a link: %v", err)
	}
}

// TestNobodyGivesMore tries to get at more than an administrator of less has.
func TestNobodyGivesMore(t *testing.T) {
	k := newKit(t)
	k.person("root", nil, registry.RoleAdmin)
	k.person("mate", []string{"payments"}, registry.RoleViewer)
	few := registry.Actor{Name: "few", Scopes: []registry.Scope{registry.ScopeAdmin, registry.ScopeRead}}
	bound := registry.Local("bound")
	bound.Teams = []string{"payments", "shop"}
	no := false
	for name, c := range map[string]struct {
		err  error
		want error
	}{
		"a role with more": {second(k.reg.AddPerson(k.ctx, few, registry.PersonRequest{Name: "x", Roles: []registry.Role{registry.RoleTriager}})), registry.ErrForbidden},
		"a link for more":  {third(k.reg.LinkPerson(k.ctx, few, "root", time.Hour)), registry.ErrForbidden},
		"sight of all":     {second(k.reg.AddPerson(k.ctx, bound, registry.PersonRequest{Name: "x", Roles: []registry.Role{registry.RoleViewer}})), registry.ErrForbidden},
		"another team":     {second(k.reg.AddPerson(k.ctx, bound, registry.PersonRequest{Name: "x", Teams: []string{"hr"}})), registry.ErrForbidden},
		"who sees all":     {second(k.reg.ChangePerson(k.ctx, bound, "root", registry.PersonChange{Disabled: &no})), registry.ErrUnknownPerson},
		"no team left":     {second(k.reg.ChangePerson(k.ctx, bound, "mate", registry.PersonChange{Teams: &[]string{}})), registry.ErrForbidden},
		"a token of all":   {third(k.reg.AddToken(k.ctx, bound, registry.TokenRequest{Name: "x", Scopes: registry.Scopes()})), registry.ErrInput},
		"their own":        {second(k.reg.AddPerson(k.ctx, bound, registry.PersonRequest{Name: "y", Teams: []string{"shop"}, Roles: []registry.Role{registry.RoleAdmin}})), nil},
		"a taken name":     {second(k.reg.AddPerson(k.ctx, me(), registry.PersonRequest{Name: "root"})), registry.ErrPersonExists},
		"an unknown role":  {second(k.reg.AddPerson(k.ctx, me(), registry.PersonRequest{Name: "x", Roles: []registry.Role{"king"}})), registry.ErrInput},
		"a name of two":    {second(k.reg.AddPerson(k.ctx, me(), registry.PersonRequest{Name: "a\nb"})), registry.ErrInput},
		"a name as an id":  {second(k.reg.AddPerson(k.ctx, me(), registry.PersonRequest{Name: "pn_0123"})), registry.ErrInput},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: %v, want %v", name, c.err, c.want)
		}
	}
	list, err := k.reg.People(k.ctx, bound)
	if err != nil || len(list) != 2 || list[0].Name != "mate" {
		t.Errorf("%+v, %v", list, err)
	}
}

func second[A any](_ A, err error) error { return err }

func third[A, B any](_ A, _ B, err error) error { return err }
