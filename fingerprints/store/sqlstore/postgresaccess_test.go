package sqlstore_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"revenant/fingerprints/store"
	"revenant/fingerprints/store/postgrestest"
	"revenant/fingerprints/store/sqlstore"
)

// certificate writes a certificate for 127.0.0.1 that is its own authority.
func certificate(t *testing.T) (certificate, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "127.0.0.1"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err1 := x509.CreateCertificate(rand.Reader, c, c, k.Public(), k)
	private, err2 := x509.MarshalPKCS8PrivateKey(k)
	dir := t.TempDir()
	certificate, key = filepath.Join(dir, "server.crt"), filepath.Join(dir, "server.key")
	err3 := os.WriteFile(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600)
	err4 := os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE" + " KEY", Bytes: private}), 0o600)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	return certificate, key
}

// TestPostgresAccess connects with passwords and with TLS, right and wrong, and
// wants no password in any error.
func TestPostgresAccess(t *testing.T) {
	const password = "p@ss:w/o%rd" + " canary-77ab"
	ours, key := certificate(t)
	other, _ := certificate(t)
	server := postgrestest.Start(t, postgrestest.Options{Listen: true, Certificate: ours, Key: key, Password: password})
	socket := server.Database(t)
	create(t, socket)
	with := func(password string, query ...string) string {
		q := url.Values{}
		for i := 0; i < len(query); i += 2 {
			q.Set(query[i], query[i+1])
		}
		return server.TCP(t, socket, password, q.Encode())
	}
	t.Setenv("PGSSLMODE", "") // only the URL says
	t.Setenv("PGPASSWORD", "")
	for name, place := range map[string]string{
		"encrypted": with(password, "sslmode", "require"),
		"verified":  with(password, "sslmode", "verify-full", "sslrootcert", ours),
		"preferred": with(password),
	} {
		s, err := sqlstore.Open(t.Context(), place, sqlstore.Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if strings.Contains(s.Name(), "canary") || !strings.HasPrefix(s.Name(), "postgres://"+postgrestest.Role+"@127.0.0.1:") {
			t.Errorf("%s: the store is called %s", name, s.Name())
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	for name, c := range map[string]struct {
		place  string
		want   error
		wayOut string
	}{
		"wrong password":    {with(password+"x", "sslmode", "require"), store.ErrUnreachable, "refuses user or password"},
		"no password":       {with("", "sslmode", "require"), store.ErrUnreachable, "PGPASSWORD"},
		"plain":             {with(password, "sslmode", "disable"), store.ErrUnreachable, "pg_hba.conf"},
		"other authority":   {with(password, "sslmode", "verify-full", "sslrootcert", other), store.ErrUnreachable, "sslmode"},
		"no such authority": {with(password, "sslmode", "verify-full", "sslrootcert", filepath.Join(t.TempDir(), "none")), nil, "sslrootcert"},
		"bad mode":          {with(password, "sslmode", "sometimes"), nil, "sslmode"},
		"not encoded":       {"postgres://u:" + password + "@127.0.0.1/x", nil, "%40 for @"},
		"port of letters":   {"postgres://u:canary-77ab@127.0.0.1:canary-77ab/x", nil, "URL"},
		"password twice":    {with("", "password", password, "sslmode", "sometimes"), nil, "sslmode"},
		"nobody there":      {"postgres://u:" + url.QueryEscape("canary-77ab") + "@127.0.0.1:" + strconv.Itoa(closedPort(t)) + "/x", store.ErrUnreachable, "server runs"},
	} {
		s, err := sqlstore.Open(t.Context(), c.place, sqlstore.Options{})
		switch {
		case err == nil:
			t.Errorf("%s: opened (%v)", name, s.Close())
		case c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.wayOut):
			t.Errorf("%s: %v, want %v and %q", name, err, c.want, c.wayOut)
		case strings.Contains(err.Error(), "canary"):
			t.Errorf("%s: the error has the password: %v", name, err)
		}
	}
}

// closedPort is a port at which nobody listens.
func closedPort(t *testing.T) int {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return port
}

// TestPostgresKilled kills the server with SIGKILL while another process writes.
// What was reported as stored is there, and every transaction is whole or absent.
func TestPostgresKilled(t *testing.T) {
	server := postgrestest.Start(t, postgrestest.Options{Durable: true})
	place := server.Database(t)
	said := 0
	for round := range 3 {
		p := start(t, "write", place)
		for range 3 + round {
			if !p.out.Scan() {
				t.Fatal("the writer ended by itself")
			}
			n, err := strconv.Atoi(p.out.Text())
			if err != nil {
				t.Fatal(err)
			}
			said = n
		}
		server.Kill(t)
		for p.out.Scan() {
			if n, err := strconv.Atoi(p.out.Text()); err == nil {
				said = n
			}
		}
		if err := p.Wait(); err == nil {
			t.Error("the writer did not see that the server is gone")
		}
		refusesURL(t, place, sqlstore.Options{}, store.ErrUnreachable, "the server runs")
		server.Begin(t)
		whole(t, place, said, round)
	}
}
