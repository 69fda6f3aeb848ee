package distribution

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// ErrBadAuthorities is returned for certificates of authorities that are none.
var ErrBadAuthorities = errors.New("no certificate is in it: an authority's certificate is PEM text that begins with -----BEGIN CERTIFICATE-----")

// ErrBadCertificates is returned for a folder of certificates with some that
// cannot be used.
var ErrBadCertificates = errors.New("a certificate or key in the registry's folder below certs.d cannot be used")

// transports makes those to the registry and to other hosts: what certs.d says of
// the registry holds for it alone.
func (c *Client) transports() error {
	roots, err := c.roots()
	if err != nil {
		return err
	}
	away, home := c.guard.Transport(), c.guard.Transport()
	away.TLSClientConfig = c.trust(roots)
	home.TLSClientConfig = c.trust(roots)
	if err := c.certificates(home.TLSClientConfig); err != nil {
		return err
	}
	for _, t := range []*http.Transport{home, away} {
		t.DisableCompression = true // digests are of the bytes as they are kept
		t.MaxIdleConnsPerHost = 16
	}
	c.home, c.away = home, away
	return nil
}

// roots are the authorities that count everywhere; nil: the system's.
func (c *Client) roots() (*x509.CertPool, error) {
	if len(c.o.Authorities) == 0 {
		return nil, nil
	}
	pool := systemRoots()
	if !pool.AppendCertsFromPEM(c.o.Authorities) {
		return nil, ErrBadAuthorities
	}
	return pool, nil
}

func systemRoots() *x509.CertPool {
	if pool, err := x509.SystemCertPool(); err == nil {
		return pool
	}
	return x509.NewCertPool()
}

func (c *Client) trust(roots *x509.CertPool) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, RootCAs: roots,
		InsecureSkipVerify: c.o.Insecure, //nolint:gosec // asked for by name
	}
}

// certificates adds what folders as docker's certs.d have for the registry.
func (c *Client) certificates(t *tls.Config) error {
	host := c.at.RegistryStr()
	if host != filepath.Base(host) || host == ".." || host == "." {
		return nil
	}
	for _, folder := range c.o.CertificateFolders {
		at := filepath.Join(folder, host)
		list, err := os.ReadDir(at)
		if err != nil {
			continue // most registries have none
		}
		for _, f := range list {
			file := filepath.Join(at, f.Name())
			switch filepath.Ext(file) {
			case ".crt":
				text, err := os.ReadFile(file)
				if err != nil {
					return ErrBadCertificates
				}
				if t.RootCAs == nil {
					t.RootCAs = systemRoots()
				} else {
					t.RootCAs = t.RootCAs.Clone()
				}
				if !t.RootCAs.AppendCertsFromPEM(text) {
					return ErrBadCertificates
				}
			case ".cert":
				own, err := tls.LoadX509KeyPair(file, strings.TrimSuffix(file, ".cert")+".key")
				if err != nil {
					return ErrBadCertificates
				}
				t.Certificates = append(t.Certificates, own)
			}
		}
	}
	return nil
}
