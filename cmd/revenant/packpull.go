package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"revenant/api/client"
	"revenant/fingerprints"
	"revenant/fingerprints/pack"
	"revenant/ingest/credential"
)

// serverFlags say which server is asked, and what is shown to it.
type serverFlags struct{ server, token, caFile string }

func (fl *serverFlags) register(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&fl.server, "server", "", "the server (default: $REVENANT_SERVER)")
	f.StringVar(&fl.token, "token", "", "where its token lies (default: in $REVENANT_TOKEN)")
	f.StringVar(&fl.caFile, "ca-file", "", "PEM file of an authority that vouches for it, beside the system's")
}

// client is the server that flags and environment name.
func (a *app) client(ctx context.Context, fl serverFlags) (*client.Client, error) {
	server, what := fl.server, "--server"
	if server == "" {
		server, what = a.env("REVENANT_SERVER"), "REVENANT_SERVER"
	}
	if server == "" {
		return nil, usagef("name the server: --server https://HOST, or REVENANT_SERVER")
	}
	token, err := a.serverToken(ctx, fl.token)
	if err != nil {
		return nil, err
	}
	transport, err := fl.transport()
	if err != nil {
		return nil, err
	}
	c, err := client.New(server, token, transport)
	if err != nil {
		return nil, usagef("%s: %w", what, err)
	}
	return c, nil
}

// serverToken is what is shown to the server: what a reference leads to, or what
// the environment has.
func (a *app) serverToken(ctx context.Context, reference string) (fingerprints.Value, error) {
	if reference == "" {
		token := fingerprints.NewValue([]byte(strings.TrimSpace(a.env("REVENANT_TOKEN"))))
		if token.IsEmpty() {
			return token, usagef("give the token: REVENANT_TOKEN, or --token; 'revenant token add' at the server makes one")
		}
		return token, nil
	}
	ref, err := credential.Parse(reference)
	if err != nil {
		return fingerprints.Value{}, usagef("--token: %w", err)
	}
	token, err := a.credentials().Resolve(ctx, ref)
	if err != nil {
		return token, usagef("--token: %w", err)
	}
	return token, nil
}

// transport is the system's, with one more authority where the flags name one.
func (fl serverFlags) transport() (http.RoundTripper, error) {
	if fl.caFile == "" {
		return nil, nil //nolint:nilnil // the system's
	}
	text, err := os.ReadFile(fl.caFile)
	if err != nil {
		return nil, fileError("--ca-file", err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(text) {
		return nil, usagef("--ca-file: there is no certificate in it")
	}
	t, is := http.DefaultTransport.(*http.Transport)
	if !is {
		return nil, errors.New("the system's transport is another's")
	}
	t = t.Clone()
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
	return t, nil
}

// mostPack bounds a pack that a server sends, in bytes: ten million values.
const mostPack = 2 << 30

func (a *app) packPull() *cobra.Command {
	var fl serverFlags
	var out string
	c := &cobra.Command{
		Use: "pull", Short: "Take the newest edge pack from a server",
		Long: `Asks a server for the edge pack, and writes it where it is another than the one
that is there. What is there stays until the new one is whole. The key file that
opens it comes from 'pack export --key-out', once for each group of holders.`,
		Example: "  revenant pack pull --server https://revenant.example.com --out edge.pack",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if out == "" {
				return usagef("say where to: --out FILE")
			}
			server, err := a.client(c.Context(), fl)
			if err != nil {
				return err
			}
			return a.pull(c.Context(), server, out)
		},
	}
	fl.register(c)
	c.Flags().StringVar(&out, "out", "", "file of the pack; FILE.etag remembers which one it is")
	return c
}

// pull brings the pack of a file up to date.
func (a *app) pull(ctx context.Context, server *client.Client, out string) error {
	tag := ""
	if err := openPack(out, func(*os.File, int64) error { return nil }); err == nil {
		b, _ := os.ReadFile(out + ".etag") // without it, the pack is asked for anew
		tag = strings.TrimSpace(string(b))
	}
	p, err := server.EdgePack(ctx, tag)
	if err != nil {
		return asked(err)
	}
	if p.Newest {
		a.note(out + " is the newest")
		return a.shownPack(out)
	}
	defer p.Body.Close()
	b, err := io.ReadAll(io.LimitReader(p.Body, mostPack))
	if err != nil {
		return fmt.Errorf("reading the pack: %w", bare(err))
	}
	h, err := pack.Inspect(bytes.NewReader(b), int64(len(b)))
	if err != nil || h.Audience != fingerprints.AudienceEdge {
		return fmt.Errorf("reading the pack: %w", errors.Join(client.ErrNoServer, err))
	}
	if err := a.writeBytes("--out", out, 0o600, b); err != nil {
		return err
	}
	if err := a.writeBytes("--out", out+".etag", 0o600, []byte(p.ETag+"\n")); err != nil {
		return err
	}
	return a.shownPack(out)
}

// shownPack prints the header of the pack of a file.
func (a *app) shownPack(name string) error {
	return openPack(name, func(f *os.File, size int64) error {
		h, err := pack.Inspect(f, size)
		if err != nil {
			return fmt.Errorf("inspecting the pack: %w", err)
		}
		return a.printPack(h, size, false)
	})
}

// asked says what an error of a server means to who asked from a command line.
func asked(err error) error {
	switch {
	case client.IsStatus(err, http.StatusUnauthorized):
		return fmt.Errorf("the server does not take the token: %w", err)
	case client.IsStatus(err, http.StatusForbidden):
		return fmt.Errorf("the server refuses: %w", err)
	}
	return err
}
