package session_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"revenant/api/session"
	"revenant/fingerprints/registry"
)

func TestOIDC(t *testing.T) {
	k := newKit(t, func(o *session.ProviderOptions) {
		o.Roles["security"], o.Teams = []registry.Role{registry.RoleTriager}, map[string][]string{"payments-dev": {"payments"}}
	})
	k.idp.person["groups"] = []string{"security", "payments-dev", "unknown"}
	b := k.browser()
	if to := b.oidc("/findings?verdict=leaked"); to != "/findings?verdict=leaked" {
		t.Errorf("sent to %s", to)
	}
	if who := b.who(); who != "person:ann@example.org" {
		t.Errorf("who: %q", who)
	}
	p, err := k.reg.Person(t.Context(), me(), "ann@example.org")
	if err != nil || len(p.Scopes) != 2 || len(p.ClaimedTeams) != 1 || p.ClaimedTeams[0] != "payments" {
		t.Errorf("%+v, %v", p, err)
	}
	if who := k.browser().who(); who != "" {
		t.Errorf("another browser is %q", who)
	}
	w, _ := b.do(http.MethodPost, "/auth/sign-out", url.Values{})
	if to := b.goes(w); to != "/sign-in" || b.who() != "" {
		t.Errorf("signed out: %s, %q", to, b.who())
	}
	if len(k.s.Ways()) != 2 || k.s.Ways()[0].Label == "" {
		t.Errorf("%+v", k.s.Ways())
	}
}

// TestOIDCRefuses has the provider, or somebody in its place, say what is wrong.
func TestOIDCRefuses(t *testing.T) {
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	set := func(name string, v any) func(*idp) {
		return func(p *idp) { p.wrong = func(c map[string]any) { c[name] = v } }
	}
	for name, c := range map[string]struct {
		do   func(*idp)
		want string
	}{
		"another issuer":            {set("iss", "https://evil.example.org"), "provider"},
		"another audience":          {set("aud", "somebody-else"), "provider"},
		"another nonce":             {set("nonce", "x"), "provider"},
		"no nonce":                  {set("nonce", ""), "provider"},
		"over already":              {set("exp", 1), "provider"},
		"not yet":                   {set("nbf", 9999999999), "provider"},
		"no subject":                {set("sub", ""), "provider"},
		"not signed":                {func(p *idp) { p.alg = "none" }, "provider"},
		"signed with another's key": {func(p *idp) { p.signer = other }, "provider"},
		"another algorithm":         {func(p *idp) { p.alg = "HS256" }, "provider"},
		"another's answer":          {func(p *idp) { p.answer = url.Values{"iss": {"https://evil.example.org"}} }, "provider"},
		"another's code":            {func(p *idp) { p.answer = url.Values{"code": {"made-up"}} }, "provider"},
		"no code":                   {func(p *idp) { p.answer = url.Values{"code": {""}} }, "malformed"},
		"another state":             {func(p *idp) { p.answer = url.Values{"state": {"x"}} }, "expired"},
		"the person said no":        {func(p *idp) { p.answer = url.Values{"error": {"access_denied"}} }, "denied"},
		"another domain":            {func(p *idp) { p.person["email"] = "ann@evil.org" }, "denied"},
		"a domain below":            {func(p *idp) { p.person["email"] = "ann@evil.org@example.org" }, "denied"},
		"an address not confirmed":  {func(p *idp) { p.person["email_verified"] = false }, "denied"},
		"in no group":               {func(p *idp) { p.person["groups"] = []string{"else"} }, "denied"},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKit(t, func(o *session.ProviderOptions) { o.Domains, o.Groups = []string{"example.org"}, []string{"staff"} })
			k.idp.person["groups"] = "staff"
			b := k.browser()
			if to := b.oidc("/"); to != "/" || b.who() == "" {
				t.Fatalf("when nothing is wrong: %s, %q", to, b.who())
			}
			b = k.browser()
			k.idp.set(func() { c.do(k.idp) })
			if to := b.oidc("/"); to != "/sign-in?error="+c.want || b.who() != "" {
				t.Errorf("sent to %s as %q, want %s", to, b.who(), c.want)
			}
			if !strings.Contains(k.audited(), "nobody sign-in.refused  way=oidc why="+c.want+" address=127.0.0.1") {
				t.Errorf("audited: %s", k.audited())
			}
		})
	}
}

// TestFlightsAreOnes wants a way to the provider and back to count once, and for the
// browser alone that went it.
func TestFlightsAreOnes(t *testing.T) {
	k := newKit(t)
	b := k.browser()
	back := b.flight("/")
	cookies := b.c.Jar.Cookies(must(url.Parse(k.srv.URL)))
	thief := k.browser()
	if w, _ := thief.do(http.MethodGet, back, nil); thief.goes(w) != "/sign-in?error=expired" || thief.who() != "" {
		t.Errorf("another browser with the address: %s", thief.goes(w))
	}
	victim := k.browser() // whose state cookie is of another way
	victim.flight("/")
	if w, _ := victim.do(http.MethodGet, back, nil); victim.goes(w) != "/sign-in?error=expired" || victim.who() != "" {
		t.Errorf("with another's state: %s", victim.goes(w))
	}
	if w, _ := b.do(http.MethodGet, back, nil); b.goes(w) != "/" || b.who() == "" {
		t.Errorf("the browser itself: %s", b.goes(w))
	}
	again := k.browser() // with the cookie of before, too
	again.c.Jar.SetCookies(must(url.Parse(k.srv.URL)), cookies)
	if w, _ := again.do(http.MethodGet, back, nil); again.goes(w) != "/sign-in?error=expired" || again.who() != "" {
		t.Errorf("a second time: %s", again.goes(w))
	}
	late := k.browser()
	back = late.flight("/")
	k.wait(11 * time.Minute)
	if w, _ := late.do(http.MethodGet, back, nil); late.goes(w) != "/sign-in?error=expired" {
		t.Errorf("too late: %s", late.goes(w))
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestProviderDown has a provider that does not answer at first: that stops nobody
// else, and it is asked again.
func TestProviderDown(t *testing.T) {
	k := newKit(t)
	k.idp.set(func() { k.idp.down = true })
	b := k.browser()
	for range 2 {
		if w, _ := b.do(http.MethodGet, "/auth/oidc", nil); b.goes(w) != "/sign-in?error=provider" {
			t.Errorf("down: %s", b.goes(w))
		}
	}
	w, _ := b.do(http.MethodPost, "/auth/token", url.Values{"token": {k.token("ci", registry.ScopeRead)}})
	if b.goes(w) != "/" || b.who() != "token:ci" {
		t.Errorf("with a token: %s", b.goes(w))
	}
	k.idp.set(func() { k.idp.down = false })
	k.wait(6 * time.Second)
	if to := b.oidc("/"); to != "/" || b.who() != "person:ann@example.org" {
		t.Errorf("up again: %s", to)
	}
	if k.idp.asked != 1 {
		t.Errorf("it was asked what it is %d times", k.idp.asked)
	}
}

func TestToken(t *testing.T) {
	k := newKit(t)
	shown := k.token("ci", registry.ScopeRead)
	b := k.browser()
	w, _ := b.do(http.MethodPost, "/auth/token", url.Values{"token": {shown + "\n"}, "next": {"/secrets?x=1"}})
	if w.StatusCode != http.StatusSeeOther || b.goes(w) != "/secrets?x=1" || b.who() != "token:ci" {
		t.Errorf("%d %s %q", w.StatusCode, b.goes(w), b.who())
	}
	if w, _ := b.do(http.MethodPost, "/auth/token", url.Values{"token": {"rvt_wrong"}, "next": {"/secrets"}}); b.goes(w) != "/sign-in?error=token&next=%2Fsecrets" {
		t.Errorf("a wrong one: %s", b.goes(w))
	}
	if b.who() != "token:ci" {
		t.Error("a wrong one ended the session")
	}
	for what, send := range map[string]func() answer{
		"no token": func() answer { w, _ := b.do(http.MethodPost, "/auth/token", url.Values{}); return w },
		"JSON": func() answer {
			w, _ := b.do(http.MethodPost, "/auth/token", nil, "Content-Type", "application/json")
			return w
		},
		"too large": func() answer {
			w, _ := b.do(http.MethodPost, "/auth/token", url.Values{"token": {strings.Repeat("x", 1<<20)}})
			return w
		},
	} {
		if w := send(); b.goes(w) != "/sign-in?error=malformed" {
			t.Errorf("%s: %s", what, b.goes(w))
		}
	}
	if w, _ := b.do(http.MethodGet, "/auth/token?token="+shown, nil); w.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("in an address: %d", w.StatusCode)
	}
	if _, err := k.reg.RevokeToken(t.Context(), me(), "ci"); err != nil || b.who() != "" {
		t.Errorf("revoked: %q, %v", b.who(), err)
	}
}

// TestNext wants only paths of this server to be gone to.
func TestNext(t *testing.T) {
	k := newKit(t)
	shown := k.token("ci", registry.ScopeRead)
	for next, want := range map[string]string{
		"": "/", "/": "/", "/a/b?c=d&e=%20#f": "/a/b?c=d&e=%20#f", "//evil.example.org": "/", "https://evil.example.org/": "/", "/\\evil.example.org": "/",
		"\\\\evil.example.org": "/", "javascript:alert(1)": "/", "/%2f/evil": "/", "/\t/evil.example.org": "/", "evil": "/", "/auth/sign-out": "/", "///evil": "/",
		"/..//evil.example.org": "/evil.example.org", "http:/x": "/", "/\r\nSet-Cookie: a=b": "/", "/x" + strings.Repeat("y", 3000): "/",
	} {
		b := k.browser()
		w, _ := b.do(http.MethodPost, "/auth/token", url.Values{"token": {shown}, "next": {next}})
		if got := b.goes(w); got != want {
			t.Errorf("%q: %q, want %q", next, got, want)
		}
		if at, err := url.Parse(w.Header.Get("Location")); err != nil || at.Host != "" {
			t.Errorf("%q leads to %v", next, at)
		}
	}
}

func TestSetupLink(t *testing.T) {
	k := newKit(t)
	code, err := k.reg.SetupCode(t.Context(), me(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	at := "/auth/setup?code=" + string(code.Reveal())
	b := k.browser()
	w, _ := b.do(http.MethodGet, at, nil)
	if b.goes(w) != "/" || b.who() != "person:administrator" || w.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("%s %q", b.goes(w), b.who())
	}
	again := k.browser()
	for _, at := range []string{at, "/auth/setup", "/auth/setup?code=x"} {
		if w, _ := again.do(http.MethodGet, at, nil); again.goes(w) != "/sign-in?error=link" || again.who() != "" {
			t.Errorf("%s: %s", at, again.goes(w))
		}
	}
}

// TestLocked has one address fail again and again; another is not kept away.
func TestLocked(t *testing.T) {
	k := newKit(t)
	good := k.token("ci", registry.ScopeRead)
	b := k.browser()
	try := func(token string) string {
		w, _ := b.do(http.MethodPost, "/auth/token", url.Values{"token": {token}})
		return b.goes(w)
	}
	for i := range 6 {
		if to := try("rvt_wrong"); to != "/sign-in?error=token" {
			t.Fatalf("try %d: %s", i, to)
		}
	}
	if to := try(good); to != "/sign-in?error=locked" {
		t.Errorf("with the right one while it is locked: %s", to)
	}
	for _, at := range []string{"/auth/oidc", "/auth/callback?code=x&state=y", "/auth/setup?code=x"} {
		if w, _ := b.do(http.MethodGet, at, nil); b.goes(w) != "/sign-in?error=locked" {
			t.Errorf("%s: %s", at, b.goes(w))
		}
	}
	k.wait(11 * time.Second)
	try("rvt_wrong")
	k.wait(11 * time.Second)
	if to := try(good); to != "/sign-in?error=locked" {
		t.Errorf("the second wait is no longer than the first: %s", to)
	}
	k.wait(10 * time.Second)
	if to := try(good); to != "/" {
		t.Errorf("afterwards: %s", to)
	}
	if n := strings.Count(k.audited(), "why=locked"); n != 2 {
		t.Errorf("%d locks audited:\n%s", n, k.audited())
	}
}

// TestCookies looks at what the browser is given.
func TestCookies(t *testing.T) {
	k := newKit(t)
	shown := k.token("ci", registry.ScopeRead)
	for base, name := range map[string]string{"https://revenant.example.org": "__Host-revenant-session", "http://127.0.0.1:8077": "revenant-session"} {
		s := k.server(base, nil)
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, base+"/auth/token", strings.NewReader(url.Values{"token": {shown}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		mount(s).ServeHTTP(w, r)
		list := w.Result().Cookies()
		if len(list) != 1 {
			t.Fatal(list)
		}
		c := list[0]
		secure := strings.HasPrefix(base, "https")
		if c.Name != name || !c.HttpOnly || c.Secure != secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.MaxAge != 24*3600 ||
			len(c.Value) < 43 {
			t.Errorf("%s: %+v", base, c)
		}
		who := func(cookies string) bool {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, base, nil)
			r.Header.Set("Cookie", cookies)
			_, is := s.Who(r)
			return is
		}
		if !who("a=b; "+name+"="+c.Value) || who(name+"="+c.Value+"; "+name+"=planted") || who("x"+name+"="+c.Value) || who(name+"="+c.Value+"x") {
			t.Errorf("%s: cookies are not read as they should be", base)
		}
		if secure && who("revenant-session="+c.Value) {
			t.Error("a cookie without its prefix counts")
		}
	}
}

// TestCrossOrigin sends from pages of other origins, and from none.
func TestCrossOrigin(t *testing.T) {
	k := newKit(t)
	b := k.browser()
	b.do(http.MethodPost, "/auth/token", url.Values{"token": {k.token("ci", registry.ScopeRead)}})
	for name, c := range map[string]struct {
		header []string
		want   int
	}{
		"neither":             {nil, 200},
		"the same origin":     {[]string{"Sec-Fetch-Site", "same-origin"}, 200},
		"typed":               {[]string{"Sec-Fetch-Site", "none"}, 200},
		"another site":        {[]string{"Sec-Fetch-Site", "cross-site"}, 403},
		"a neighbour":         {[]string{"Sec-Fetch-Site", "same-site"}, 403},
		"its own origin":      {[]string{"Origin", k.srv.URL}, 200},
		"another origin":      {[]string{"Origin", "https://evil.example.org"}, 403},
		"no origin to speak":  {[]string{"Origin", "null"}, 403},
		"another, with token": {[]string{"Origin", "https://evil.example.org", "Authorization", "Bearer x"}, 200},
	} {
		w, body := b.do(http.MethodPost, "/who", url.Values{}, c.header...)
		if w.StatusCode != c.want {
			t.Errorf("%s: %d, want %d", name, w.StatusCode, c.want)
		}
		if signed := body == "token:ci"; signed != (c.want == 200 && len(c.header) < 4) {
			t.Errorf("%s: answered as %q", name, body)
		}
		var p struct{ Code string }
		if c.want == 403 && (json.Unmarshal([]byte(body), &p) != nil || p.Code != "cross-origin") {
			t.Errorf("%s: %s", name, body)
		}
		if w, body := b.do(http.MethodGet, "/who", nil, c.header...); w.StatusCode != 200 || len(c.header) < 4 && body != "token:ci" {
			t.Errorf("%s, reading: %d %s", name, w.StatusCode, body)
		}
	}
	evil := k.browser()
	if w, _ := evil.do(http.MethodPost, "/auth/token", url.Values{"token": {"x"}}, "Origin", "https://evil.example.org"); w.StatusCode != 403 {
		t.Errorf("signing somebody in from another's page: %d", w.StatusCode)
	}
}

// TestNothingIsTold has people come in every way, well and badly, and looks for what
// nobody but the browser may have.
func TestNothingIsTold(t *testing.T) {
	k := newKit(t)
	code := string(must(k.reg.SetupCode(t.Context(), me(), time.Hour)).Reveal())
	token := k.token("ci", registry.ScopeRead)
	secrets := []string{code, token, clientSecret}
	b := k.browser()
	b.do(http.MethodGet, "/auth/setup?code="+code, nil)
	b.do(http.MethodPost, "/auth/token", url.Values{"token": {token}})
	b.do(http.MethodPost, "/auth/token", url.Values{"token": {token + "x"}})
	b.oidc("/")
	for _, c := range b.c.Jar.Cookies(must(url.Parse(k.srv.URL))) {
		secrets = append(secrets, c.Value)
	}
	b.flight("/")
	for _, c := range b.c.Jar.Cookies(must(url.Parse(k.srv.URL))) {
		secrets = append(secrets, c.Value)
	}
	for _, wrong := range []func(map[string]any){func(c map[string]any) { c["nonce"] = "x" }, func(c map[string]any) { c["aud"] = "x" }} {
		k.idp.set(func() { k.idp.wrong = wrong })
		b.oidc("/")
	}
	k.idp.set(func() { k.idp.answer = url.Values{"code": {"made-up-code-Zq81Lm"}} })
	b.oidc("/")
	k.idp.set(func() { k.idp.down = true })
	b.flightFails()
	secrets = append(secrets, k.idp.issued...)
	told := k.said.String() + k.logs.String() + k.audited()
	if len(secrets) < 8 || !strings.Contains(k.logs.String(), "provider") {
		t.Errorf("%d secrets, logged: %s", len(secrets), k.logs.String())
	}
	for _, s := range append(secrets, "made-up-code-Zq81Lm") {
		if strings.Contains(told, s) {
			t.Errorf("%.12s... is told", s)
		}
	}
}

func (b *browser) flightFails() { b.do(http.MethodGet, "/auth/oidc", nil) }

func TestNew(t *testing.T) {
	for _, base := range []string{"", "x", "://"} {
		if _, err := session.New(session.Options{BaseURL: base}); err == nil {
			t.Errorf("%q is taken", base)
		}
	}
}
