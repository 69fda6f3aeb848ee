package distribution_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/scanners/image/distribution"
)

// authority signs certificates.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t}
	a.cert, a.key = a.sign(&x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	return a
}

func (a *authority) sign(c *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	c.SerialNumber, c.Subject = big.NewInt(time.Now().UnixNano()), pkix.Name{CommonName: "test"}
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	out, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return out, key
}

func asPEM(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

// TestTrust: authorities come from a file and from folders as docker's, for the
// registry that they are of; certificates of ours, too.
func TestTrust(t *testing.T) {
	a := newAuthority(t)
	cert, key := a.sign(&x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v2/team/locked/manifests/1" && len(r.TLS.PeerCertificates) == 0 {
			http.Error(w, "", http.StatusForbidden)
			return
		}
		good(w)
	}))
	clients := x509.NewCertPool()
	clients.AddCert(a.cert)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{cert.Raw}, PrivateKey: key}}, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: clients, MinVersion: tls.VersionTLS12}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	host := strings.TrimPrefix(s.URL, "https://")
	own, ownKey := a.sign(&x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	der, err := x509.MarshalECPrivateKey(ownKey)
	if err != nil {
		t.Fatal(err)
	}
	folder := func(files map[string]string) []string {
		dir := t.TempDir()
		err := os.Mkdir(filepath.Join(dir, host), 0o700)
		for name, text := range files {
			err = errors.Join(err, os.WriteFile(filepath.Join(dir, host, name), []byte(text), 0o600))
		}
		if err != nil {
			t.Fatal(err)
		}
		return []string{dir}
	}
	ours := map[string]string{"ca.crt": string(asPEM(a.cert)), "client.cert": string(asPEM(own)), "client.key": string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))}
	tests := map[string]struct {
		o      distribution.Options
		repo   string
		opens  error
		errors string
	}{
		"unknown":                  {distribution.Options{}, "team/shop", nil, "--ca-file"},
		"from a file":              {distribution.Options{Authorities: asPEM(a.cert)}, "team/shop", nil, ""},
		"from another":             {distribution.Options{Authorities: asPEM(newAuthority(t).cert)}, "team/shop", nil, "--ca-file"},
		"insecure":                 {distribution.Options{Insecure: true}, "team/shop", nil, ""},
		"from a folder":            {distribution.Options{CertificateFolders: folder(ours)}, "team/shop", nil, ""},
		"without ours":             {distribution.Options{Authorities: asPEM(a.cert)}, "team/locked", nil, "no login"},
		"with ours":                {distribution.Options{CertificateFolders: folder(ours)}, "team/locked", nil, ""},
		"no such folder":           {distribution.Options{Authorities: asPEM(a.cert), CertificateFolders: []string{"/nowhere"}}, "team/shop", nil, ""},
		"no PEM":                   {distribution.Options{Authorities: []byte("x")}, "", distribution.ErrBadAuthorities, ""},
		"no PEM in the folder":     {distribution.Options{CertificateFolders: folder(map[string]string{"a.crt": "x"})}, "", distribution.ErrBadCertificates, ""},
		"no key in the folder":     {distribution.Options{CertificateFolders: folder(map[string]string{"a.cert": "x"})}, "", distribution.ErrBadCertificates, ""},
		"other files of no matter": {distribution.Options{Authorities: asPEM(a.cert), CertificateFolders: folder(map[string]string{"README": "x"})}, "team/shop", nil, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.o.Registry, tt.o.Keychain = host, nobody{}
			tt.o.Sleep = newClock().Sleep
			c, err := distribution.New(tt.o)
			if !errors.Is(err, tt.opens) || (err == nil) != (tt.opens == nil) {
				t.Fatalf("opening: %v", err)
			}
			if tt.opens != nil {
				return
			}
			t.Cleanup(c.Close)
			r, err := c.Repository(tt.repo)
			if err != nil {
				t.Fatal(err)
			}
			_, err = r.Manifest(t.Context(), "1")
			if (err == nil) != (tt.errors == "") || err != nil && !strings.Contains(err.Error(), tt.errors) {
				t.Errorf("error %v, want %q", err, tt.errors)
			}
		})
	}
}

// TestPlain: http is spoken to this machine only, unless asked for; a server that
// speaks nothing else says how.
func TestPlain(t *testing.T) {
	host, seen := serve(t, func(w http.ResponseWriter, _ *http.Request) { good(w) })
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, host)
	}
	for _, name := range []string{"registry.example", "10.0.0.9:5000"} {
		for _, insecure := range []bool{false, true} {
			r, _ := repository(t, distribution.Options{Registry: name, Insecure: insecure, Transport: &http.Transport{DialContext: dial}})
			_, err := r.Manifest(t.Context(), "1")
			if insecure != (err == nil) || err != nil && !strings.Contains(err.Error(), "--insecure") {
				t.Errorf("%s, insecure %t: %v", name, insecure, err)
			}
		}
	}
	for _, r := range seen.list {
		if r.Header.Get("User-Agent") == "" || strings.Contains(r.Header.Get("User-Agent"), "Go-http-client") {
			t.Errorf("agent %q", r.Header.Get("User-Agent"))
		}
	}
	refused, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = refused.Close()
	r, _ := repository(t, distribution.Options{Registry: refused.Addr().String()})
	if _, err := r.Manifest(t.Context(), "1"); !errors.Is(err, distribution.ErrUnreachable) || !strings.Contains(err.Error(), "no connection") {
		t.Errorf("nobody listens: %v", err)
	}
}

// by answers requests in place of a network.
type by func(*http.Request) (*http.Response, error)

func (f by) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestGuarded: where a redirect may not lead is not asked, also by way of a proxy,
// which looks names up itself.
func TestGuarded(t *testing.T) {
	for to, want := range map[string]string{
		"https://169.254.169.254/latest":                 "not followed",
		"https://metadata.google.internal/computeMeta":   "not followed",
		"https://localhost:8443/admin":                   "not followed",
		"https://[::1]/":                                 "not followed",
		"https://2130706433/":                            "not followed",
		"http://storage.example/blob":                    "https to http",
		"ftp://storage.example/blob":                     "not of the web",
		"https://storage.example/blob":                   "",
		"https://registry.example/v2/team/shop/blobs/up": "",
	} {
		var hosts []string
		r, _ := repository(t, distribution.Options{Registry: "registry.example", Transport: by(func(r *http.Request) (*http.Response, error) {
			hosts = append(hosts, r.URL.Host)
			resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: r}
			if strings.Contains(r.URL.Path, "/blobs/sha256:") {
				resp.StatusCode = http.StatusFound
				resp.Header.Set("Location", to)
			}
			return resp, nil
		})})
		rc, err := r.Blob(t.Context(), digest(nil), 0)
		if err == nil {
			_ = rc.Close()
		}
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("to %s: %v", to, err)
		}
		if want != "" && len(hosts) != 2 { // the ping, and the blob
			t.Errorf("to %s: asked %v", to, hosts)
		}
	}
}

// TestMirrors: a mirror is asked in place of the registry, below its prefix.
func TestMirrors(t *testing.T) {
	host, seen := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v2/_catalog" {
			page(w, "application/json", `{"repositories":["hub/team/shop","hubbub","other"]}`)
			return
		}
		good(w)
	})
	c, _ := open(t, distribution.Options{Registry: "docker.io", Mirror: host + "/hub"})
	r, err := c.Repository("team/shop")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Manifest(t.Context(), "1"); err != nil {
		t.Fatal(err)
	}
	var got []string
	if err := c.Catalog(t.Context(), func(path string) error { got = append(got, path); return nil }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"team/shop"}, got); diff != "" {
		t.Error(diff)
	}
	if seen.count("/v2/hub/team/shop/manifests/1") != 1 {
		t.Errorf("asked for %v", seen.paths())
	}
	for _, o := range []distribution.Options{{}, {Registry: "a b"}, {Registry: "x/y"}, {Registry: "user:pass@host"}, {Registry: "h", Mirror: "/x"}, {Registry: "h", Mirror: "m/UPPER"}} {
		if _, err := distribution.New(o); !errors.Is(err, distribution.ErrBadRegistry) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if _, err := c.Repository("UPPER"); !errors.Is(err, distribution.ErrBadRepository) {
		t.Error(err)
	}
}
