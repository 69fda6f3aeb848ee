package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"golang.org/x/crypto/bcrypt"
)

// distributionServer is Debian's docker-registry, with TLS by an authority of its
// own and one user.
type distributionServer struct {
	host, password string
	ca             string // file
	transport      http.RoundTripper
}

func newDistributionServer(t *testing.T) *distributionServer {
	t.Helper()
	program, err := exec.LookPath("docker-registry")
	if err != nil {
		t.Fatalf("docker-registry is missing; make test provides it: %v", err)
	}
	dir := t.TempDir()
	d := &distributionServer{password: generated(501), ca: filepath.Join(dir, "ca.pem")}
	pool := certified(t, dir)
	d.transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	hashed, err := bcrypt.GenerateFromPassword([]byte(d.password), bcrypt.MinCost)
	l, listenErr := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err := errors.Join(err, listenErr); err != nil {
		t.Fatal(err)
	}
	d.host = l.Addr().String()
	config := fmt.Sprintf(`version: 0.1
log: {level: error}
storage: {filesystem: {rootdirectory: %[1]s/blobs}, delete: {enabled: true}}
http: {addr: %[2]s, tls: {certificate: %[1]s/server.pem, key: %[1]s/server.key}}
auth: {htpasswd: {realm: test, path: %[1]s/users}}
`, dir, d.host)
	err = errors.Join(os.WriteFile(filepath.Join(dir, "config.yml"), []byte(config), 0o600),
		os.WriteFile(filepath.Join(dir, "users"), []byte("robot:"+string(hashed)+"\n"), 0o600), l.Close())
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), program, "serve", filepath.Join(dir, "config.yml"))
	c.Dir, c.Env = dir, []string{"OTEL_TRACES_EXPORTER=none"}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	for until := time.Now().Add(30 * time.Second); ; {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+d.host+"/v2/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := d.transport.RoundTrip(req); err == nil {
			_ = resp.Body.Close()
			return d
		} else if time.Now().After(until) {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// certified writes an authority, and a certificate of this machine that it signed.
func certified(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	keyOf := func() *ecdsa.PrivateKey {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	write := func(file, kind string, der []byte) {
		if err := os.WriteFile(filepath.Join(dir, file), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	from, until := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	caKey, key := keyOf(), keyOf()
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: from, NotAfter: until, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	own := &x509.Certificate{SerialNumber: big.NewInt(2), NotBefore: from, NotAfter: until, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	ownDER, ownErr := x509.CreateCertificate(rand.Reader, own, ca, &key.PublicKey, caKey)
	keyDER, keyErr := x509.MarshalECPrivateKey(key)
	parsed, parseErr := x509.ParseCertificate(caDER)
	if err := errors.Join(err, ownErr, keyErr, parseErr); err != nil {
		t.Fatal(err)
	}
	write("ca.pem", "CERTIFICATE", caDER)
	write("server.pem", "CERTIFICATE", ownDER)
	write("server.key", "EC PRIVATE KEY", keyDER)
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return pool
}

// login writes docker's configuration, and returns its folder.
func (d *distributionServer) login(t *testing.T, password string) string {
	t.Helper()
	dir := t.TempDir()
	auth := base64.StdEncoding.EncodeToString([]byte("robot:" + password))
	text := fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, d.host, auth)
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func (d *distributionServer) options() []remote.Option {
	return []remote.Option{remote.WithTransport(d.transport), remote.WithAuth(authn.FromConfig(authn.AuthConfig{Username: "robot", Password: d.password}))}
}

// TestRealRegistry scans what a registry serves that others made.
func TestRealRegistry(t *testing.T) {
	t.Parallel()
	d := newDistributionServer(t)
	b := newBox(t)
	v := generated(77)
	b.must(0, "", "init")
	b.must(0, v, "secret", "add", "shop/db")
	for _, at := range []string{"/shop:1.4", "/shop:1.5", "/team/api:v1"} {
		savedImage(t, d.host+at, "", "db="+v+at, d.options()...)
	}
	plain := b.env
	right := append(slices.Clone(plain), "DOCKER_CONFIG="+d.login(t, d.password))
	wrong := append(slices.Clone(plain), "DOCKER_CONFIG="+d.login(t, "wrong-"+d.password))
	podman := append(slices.Clone(plain), "REGISTRY_AUTH_FILE="+filepath.Join(d.login(t, d.password), "config.json"))
	found := func(args ...string) (out []string) {
		t.Helper()
		var told []struct{ File, Presence, Source string }
		if err := json.Unmarshal([]byte(b.must(1, "", append(args, "-q", "-f", "json", "-r", "-")...).stdout), &told); err != nil {
			t.Fatal(err)
		}
		for _, f := range told {
			out = append(out, strings.TrimPrefix(f.Source, "image:"+d.host+"/")+" "+f.File+" "+f.Presence)
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	shop := []string{"shop @env/NOTE metadata", "shop app/.env shadowed"}
	api := []string{"team/api @env/NOTE metadata", "team/api app/.env shadowed"}
	b.env = right
	for want, args := range map[*[]string][]string{
		{shop[0], shop[1]}:                 {"image", d.host + "/shop:1.4", "--ca-file", d.ca},
		{shop[0] + "", shop[1]}:            {"image", d.host + "/shop", "--all-tags", "--ca-file", d.ca},
		{shop[0], shop[1], api[0], api[1]}: {"image", d.host, "--all-repositories", "--ca-file", d.ca},
		{api[0], api[1]}:                   {"image", d.host, "--repo", "team/*", "--tag", "v*", "--ca-file", d.ca},
		{api[0], api[1] + ""}:              {"image", d.host + "/team/api:v1", "--insecure"},
	} {
		if diff := cmp.Diff(*want, found(args...)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", args, diff)
		}
	}
	certs := filepath.Join(b.dir, "home/.config/docker/certs.d", d.host)
	text, err := os.ReadFile(d.ca)
	if err := errors.Join(err, os.MkdirAll(certs, 0o700), os.WriteFile(filepath.Join(certs, "ca.crt"), text, 0o600)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(shop, found("image", d.host+"/shop:1.4")); diff != "" {
		t.Errorf("the authority in docker's folder (-want +got):\n%s", diff)
	}
	if err := os.RemoveAll(certs); err != nil {
		t.Fatal(err)
	}
	b.env = podman
	if diff := cmp.Diff(shop, found("image", d.host+"/shop:1.4", "--ca-file", d.ca)); diff != "" {
		t.Errorf("podman's login (-want +got):\n%s", diff)
	}
	helped, empty := t.TempDir(), t.TempDir()
	script := "#!/bin/sh\nprintf '{\"ServerURL\":\"%s\",\"Username\":\"robot\",\"Secret\":\"%s\"}' \"$(cat)\" \"" + d.password + "\"\n"
	err = errors.Join(os.WriteFile(filepath.Join(helped, "config.json"), []byte(`{"credHelpers":{"`+d.host+`":"ours"}}`), 0o600),
		os.WriteFile(filepath.Join(helped, "docker-credential-ours"), []byte(script), 0o700))
	if err != nil {
		t.Fatal(err)
	}
	b.env = append(slices.Clone(plain), "DOCKER_CONFIG="+helped, "PATH="+helped+":"+os.Getenv("PATH"))
	if diff := cmp.Diff(shop, found("image", d.host+"/shop:1.4", "--ca-file", d.ca)); diff != "" {
		t.Errorf("a helper's login (-want +got):\n%s", diff)
	}
	unhelped := append(slices.Clone(plain), "DOCKER_CONFIG="+helped, "PATH="+empty)
	refused := func(env []string, code int, says string, args ...string) {
		t.Helper()
		b.env = env
		r := b.must(code, "", append(args, "-r", "-", "-f", "json", "-r", "text:"+b.out("told.txt"))...)
		text, err := os.ReadFile(b.out("told.txt"))
		if all := r.stdout + r.stderr + string(text); err != nil || !strings.Contains(all, says) || strings.Contains(all, d.password) {
			t.Errorf("%v: want %q: %v\n%s", args, says, err, all)
		}
	}
	refused(right, 3, "--ca-file", "image", d.host+"/shop:1.4")
	refused(wrong, 3, "wrong, expired", "image", d.host+"/shop:1.4", "--ca-file", d.ca)
	refused(unhelped, 3, "credential helper is missing", "image", d.host+"/shop:1.4", "--ca-file", d.ca)
	refused(plain, 3, "no login", "image", d.host+"/shop:1.4", "--ca-file", d.ca)
	refused(plain, 3, "no login", "image", d.host, "--all-repositories", "--ca-file", d.ca)
	refused(right, 3, "404", "image", d.host+"/shop:none", "--ca-file", d.ca)
	ref, err := name.NewTag(d.host + "/shop:1.5")
	if err != nil {
		t.Fatal(err)
	}
	at, err := remote.Head(ref, d.options()...)
	if err == nil {
		err = remote.Delete(ref.Context().Digest(at.Digest.String()), d.options()...)
	}
	if err != nil {
		t.Fatal(err)
	}
	refused(right, 3, "404", "image", d.host+"/shop:1.5", "--ca-file", d.ca)
	refused(right, 3, "404", "image", d.host+"/shop@"+at.Digest.String(), "--ca-file", d.ca)
	b.env = right
	if diff := cmp.Diff(shop, found("image", d.host+"/shop", "--all-tags", "--ca-file", d.ca)); diff != "" {
		t.Errorf("after a deletion (-want +got):\n%s", diff)
	}
}

// TestRegistryFlags: what is typed wrong is told.
func TestRegistryFlags(t *testing.T) {
	b := newBox(t)
	bad := b.write("bad.pem", "no certificate")
	for says, args := range map[string][]string{
		"--repo: this is no glob":         {"image", "localhost:1", "--repo", "["},
		"it is a registry alone":          {"image", "localhost:1/shop", "--all-repositories"},
		"--mirror is":                     {"image", "localhost:1/shop", "--mirror", "docker.io"},
		"hosts without https://":          {"image", "localhost:1/shop", "--mirror", "docker.io=https://x"},
		"--ca-file: no certificate is in": {"image", "localhost:1/shop", "--ca-file", bad},
		"--ca-file: it cannot be read":    {"image", "localhost:1/shop", "--ca-file", bad + ".none"},
		"names no registry":               {"image", "a b", "--all-repositories"},
		"PATH: there is no such file":     {"image", "shop.tar"},
		"REFERENCE: this is a registry":   {"image", "registry.example.org"},
		"add --all-repositories":          {"image", "localhost:5000"},
		"docker.io/NAME":                  {"image", "out/shop.tar.gz"},
		"no such file or folder; an":      {"image", "../shop"},
		"there is no such file or folder": {"image", "./shop"},
	} {
		if r := b.must(2, "", args...); !strings.Contains(r.stderr, says) {
			t.Errorf("%v: %s", args, r.stderr)
		}
	}
	host := newRegistry(t)
	savedImage(t, host+"/hub/team/shop:1", "", "token="+generated(3))
	if r := b.must(0, "", "image", "docker.io/team/shop:1", "--mirror", "docker.io="+host+"/hub", "--only", "generic", "--fail-on", "none", "-f", "json", "-r", "-"); strings.Contains(r.stdout, host) {
		t.Errorf("the mirror's name is known: %s", r.stdout)
	}
	if r := b.must(3, "", "image", host+"/hub/team/shop", "--tag", "none*"); !strings.Contains(r.stdout+r.stderr, "no tag that is wanted") {
		t.Errorf("nothing was read: %s%s", r.stdout, r.stderr)
	}
	b.must(0, "", "image", host, "--repo", "hub/**", "--tag", "none*")
	if r := b.must(2, "", "image", host, "--repo", "nothing"); !strings.Contains(r.stderr, "no repository that is wanted") {
		t.Error(r.stderr)
	}
}

// TestRegistryExitCodes: what a registry does not give is exit code 3, beside
// findings 1, and is listed either way.
func TestRegistryExitCodes(t *testing.T) {
	b := newBox(t)
	v := generated(78)
	b.must(0, "", "init")
	b.must(0, v, "secret", "add", "shop/db")
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	cut := false
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		r.Header.Del("Range")
		inner.ServeHTTP(rec, r)
		body := rec.Body.Bytes()
		if cut && strings.Contains(r.URL.Path, "/blobs/") && bytes.HasPrefix(body, []byte{0x1f, 0x8b}) {
			rw.Header().Set("Content-Length", fmt.Sprint(len(body)))
			_, _ = rw.Write(body[:len(body)/2])
			_ = http.NewResponseController(rw).Flush()
			panic(http.ErrAbortHandler)
		}
		for key, values := range rec.Header() {
			rw.Header()[key] = values
		}
		rw.WriteHeader(rec.Code)
		_, _ = rw.Write(body)
	}))
	t.Cleanup(server.Close)
	host := strings.TrimPrefix(server.URL, "http://")
	savedImage(t, host+"/shop:1", "", "db="+v)
	savedImage(t, host+"/plain:1", "", "nothing of note")
	b.must(1, "", "image", host+"/shop:1")
	b.must(0, "", "image", host+"/plain:1")
	cut = true
	for at, code := range map[string]int{"/shop:1": 1, "/plain:1": 3} {
		if r := b.must(code, "", "image", host+at, "--wait", "0", "--no-store"); !strings.Contains(r.stdout, "broke off") {
			t.Errorf("%s: what broke off is not listed: %s", at, r.stdout)
		}
	}
}

// registries drives scans of a registry with a login, names that hold values, and
// a storage that refuses what it is asked with.
func (w *walk) registries(added, rotated string) {
	password, signature := w.plant("password of a registry"), w.plant("signature of an address")
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	login := "Basic " + base64.StdEncoding.EncodeToString([]byte("robot:"+password))
	locked := false
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch {
		case !locked:
			inner.ServeHTTP(rw, r)
		case r.URL.Path == "/storage":
			http.Error(rw, r.URL.String(), http.StatusForbidden)
		case r.Header.Get("Authorization") != login:
			rw.Header().Set("WWW-Authenticate", `Basic realm="`+signature+`"`)
			http.Error(rw, r.URL.String(), http.StatusUnauthorized)
		case r.URL.Path == "/v2/_catalog":
			_, _ = io.WriteString(rw, `{"repositories":["shop","Odd/`+added+`"]}`)
		case strings.HasSuffix(r.URL.Path, "/tags/list"):
			_, _ = io.WriteString(rw, `{"tags":["1","no tag `+rotated+`"]}`)
		case strings.Contains(r.URL.Path, "/blobs/"):
			http.Redirect(rw, r, "/storage?sig="+signature, http.StatusTemporaryRedirect)
		default:
			inner.ServeHTTP(rw, r)
		}
	}))
	w.t.Cleanup(server.Close)
	host := strings.TrimPrefix(server.URL, "http://")
	savedImage(w.t, host+"/shop:1", "", "nothing of note")
	locked = true
	d := &distributionServer{host: host}
	env := w.env
	defer func() { w.env = env }()
	w.try("", "image", host+"/shop:1", "--wait", "0")
	w.env = append(slices.Clone(env), "DOCKER_CONFIG="+d.login(w.t, password))
	w.do("", "image", host, "--all-repositories", "--wait", "0", "-r", w.out("registry.json"), "-r", w.out("registry.sarif"))
	w.try("", "image", host+"/shop:1", "--wait", "0")
	w.try("", "image", host+"/shop:1", "--ca-file", w.write("../images/ca.pem", w.plant("file of an authority")))
	w.try("", "image", host+"/shop:1", "--mirror", w.plant("mirror"))
	w.try("", "image", "user:"+w.plant("password of a reference")+"@"+host+"/shop:1")
	w.try("", "image", "user:"+w.plant("password of a registry's name")+"@"+host, "--all-repositories")
}
