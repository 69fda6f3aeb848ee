package main

import (
	"crypto/tls"
	"log/slog"
	"os"
	"sync"
	"time"

	"revenant/ingest/settings"
)

// certificateEvery is how often the files of a certificate are looked at, while somebody
// comes.
const certificateEvery = 5 * time.Second

// certificate is the server's, read anew when its files change: who renews it need
// not start the server again. One that cannot be read leaves the old one in place.
type certificate struct {
	files settings.TLS
	now   func() time.Time
	log   *slog.Logger

	mu     sync.Mutex
	cert   *tls.Certificate
	of     [2]fileState
	looked time.Time
}

// fileState is what tells that a file changed.
type fileState struct {
	at   time.Time
	size int64
}

func openCertificate(files settings.TLS, now func() time.Time, log *slog.Logger) (*certificate, error) {
	c := &certificate{files: files, now: now, log: log, looked: now()}
	c.of = c.states()
	cert, err := tls.LoadX509KeyPair(files.Certificate, files.Key)
	if err != nil {
		return nil, usagef("tls: certificate and key cannot be read, or do not belong together")
	}
	c.cert = &cert
	return c, nil
}

func (c *certificate) states() (out [2]fileState) {
	for i, name := range []string{c.files.Certificate, c.files.Key} {
		if info, err := os.Stat(name); err == nil {
			out[i] = fileState{info.ModTime(), info.Size()}
		}
	}
	return out
}

// get is for tls.Config.GetCertificate.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if d := now.Sub(c.looked); d >= 0 && d < certificateEvery {
		return c.cert, nil
	}
	c.looked = now
	is := c.states()
	if is == c.of {
		return c.cert, nil
	}
	cert, err := tls.LoadX509KeyPair(c.files.Certificate, c.files.Key)
	if err != nil { // perhaps one of both is written already: it is looked at again
		c.log.Warn("the new certificate and its key cannot be read, or do not belong together; the old one stays")
		return c.cert, nil
	}
	c.cert, c.of = &cert, is
	c.log.Info("the certificate was read anew")
	return c.cert, nil
}

func (c *certificate) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get, NextProtos: []string{"h2", "http/1.1"}}
}
