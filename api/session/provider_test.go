package session_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"
)

// idp is an identity provider: it signs whoever it is told to be in, at once.
type idp struct {
	t      *testing.T
	srv    *httptest.Server
	key    *rsa.PrivateKey
	now    func() time.Time
	mu     sync.Mutex
	codes  map[string]url.Values // what was asked for, by code
	issued []string              // codes and id tokens
	down   bool
	asked  int // for what it says of itself

	// What a test may change: whom it signs in, and what it does wrong.
	person map[string]any
	wrong  func(claims map[string]any)
	alg    string          // of the header; RS256
	signer *rsa.PrivateKey // another's key
	answer url.Values      // of the way back, instead of what is right
}

const clientSecret = "client-secret-Zq81Lm"

func newIDP(t *testing.T, now func() time.Time) *idp {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &idp{t: t, key: key, now: now, codes: map[string]url.Values{}, alg: "RS256", person: map[string]any{"sub": "1", "email": "ann@example.org", "email_verified": true}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.about)
	mux.HandleFunc("GET /keys", p.keys)
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	p.srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.down {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(p.srv.Close)
	return p
}

func (p *idp) set(fn func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fn()
}

func (p *idp) about(w http.ResponseWriter, _ *http.Request) {
	p.asked++
	p.json(w, map[string]any{
		"issuer": p.srv.URL, "authorization_endpoint": p.srv.URL + "/authorize", "token_endpoint": p.srv.URL + "/token", "jwks_uri": p.srv.URL + "/keys",
		"id_token_signing_alg_values_supported": []string{"RS256", "none", "HS256"}, "response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
	})
}

func (p *idp) keys(w http.ResponseWriter, _ *http.Request) {
	n := base64.RawURLEncoding.EncodeToString(p.key.N.Bytes())
	p.json(w, map[string]any{"keys": []any{map[string]any{"kty": "RSA", "kid": "1", "use": "sig", "alg": "RS256", "n": n, "e": "AQAB"}}})
}

func (p *idp) json(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		p.t.Error(err)
	}
}

// authorize sends the browser back with a code.
func (p *idp) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	for name, want := range map[string]string{"client_id": "revenant", "response_type": "code", "code_challenge_method": "S256"} {
		if q.Get(name) != want {
			p.t.Errorf("%s is %q", name, q.Get(name))
		}
	}
	code := rand.Text()
	p.codes[code] = q
	p.issued = append(p.issued, code)
	back := url.Values{"code": {code}, "state": {q.Get("state")}}
	maps.Copy(back, p.answer)
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
}

// token exchanges a code, once.
func (p *idp) token(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		p.t.Error(err)
	}
	q, is := p.codes[r.PostForm.Get("code")]
	delete(p.codes, r.PostForm.Get("code"))
	id, secret, _ := r.BasicAuth()
	sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	if !is || id != "revenant" || secret != clientSecret || base64.RawURLEncoding.EncodeToString(sum[:]) != q.Get("code_challenge") ||
		r.PostForm.Get("redirect_uri") != q.Get("redirect_uri") {
		w.WriteHeader(http.StatusBadRequest)
		p.json(w, map[string]string{"error": "invalid_grant", "error_description": "the code " + r.PostForm.Get("code")})
		return
	}
	claims := map[string]any{"iss": p.srv.URL, "aud": "revenant", "iat": p.now().Unix(), "exp": p.now().Add(time.Minute).Unix(), "nonce": q.Get("nonce")}
	maps.Copy(claims, p.person)
	if p.wrong != nil {
		p.wrong(claims)
	}
	token := p.sign(claims)
	p.issued = append(p.issued, token)
	p.json(w, map[string]any{"access_token": "at-" + rand.Text(), "token_type": "Bearer", "id_token": token})
}

// sign makes an id token, by hand: what is wrong in it no library would make.
func (p *idp) sign(claims map[string]any) string {
	body, err := json.Marshal(claims)
	if err != nil {
		p.t.Error(err)
	}
	head := fmt.Sprintf(`{"alg":%q,"kid":"1"}`, p.alg)
	text := base64.RawURLEncoding.EncodeToString([]byte(head)) + "." + base64.RawURLEncoding.EncodeToString(body)
	if p.alg == "none" {
		return text + "."
	}
	key := p.key
	if p.signer != nil {
		key = p.signer
	}
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		p.t.Error(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(sig)
}
