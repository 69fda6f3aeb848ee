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
)

// withAuthority is the system's transport, with one more authority.
func withAuthority(what, file string) (http.RoundTripper, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fileError(what, err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(text) {
		return nil, usagef("%s: there is no certificate in it", what)
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
	var out string
	c := &cobra.Command{
		Use: "pull", Short: "Take the newest edge pack from a server",
		Long: `Asks a server for the edge pack, and writes it where it is another than the one
that is there. What is there stays until the new one is whole. The key file that
opens it comes from 'pack export --key-out' without --group: packs of groups are
handed out as files.`,
		Example: "  revenant pack pull --server https://revenant.example.com --out edge.pack",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if out == "" {
				return usagef("say where to: --out FILE")
			}
			where, err := a.needServer()
			if err != nil {
				return err
			}
			server, err := a.clientOf(c.Context(), where)
			if err != nil {
				return err
			}
			return a.pull(c.Context(), server, out)
		},
	}
	c.Flags().StringVar(&a.remoteCA, "ca-file", "", "PEM file of an authority that vouches for the server, beside the system's")
	c.Flags().StringVar(&out, "out", "", "file of the pack; FILE.etag remembers which one it is")
	return c
}

// pull brings the pack of a file up to date, and shows it.
func (a *app) pull(ctx context.Context, server *client.Client, out string) error {
	newest, err := a.pulled(ctx, server, out)
	if err != nil {
		return err
	}
	if newest {
		a.note(out + " is the newest")
	}
	return a.shownPack(out)
}

// pulled brings the pack of a file up to date, and says whether it was that.
func (a *app) pulled(ctx context.Context, server *client.Client, out string) (newest bool, err error) {
	tag := ""
	if err := openPack(out, func(*os.File, int64) error { return nil }); err == nil {
		b, _ := os.ReadFile(out + ".etag") // without it, the pack is asked for anew
		tag = strings.TrimSpace(string(b))
	}
	p, err := server.EdgePack(ctx, tag)
	if err != nil {
		return false, asked(err)
	}
	if p.Newest {
		return true, nil
	}
	defer p.Body.Close()
	b, err := io.ReadAll(io.LimitReader(p.Body, mostPack))
	if err != nil {
		return false, fmt.Errorf("reading the pack: %w", bare(err))
	}
	h, err := pack.Inspect(bytes.NewReader(b), int64(len(b)))
	if err != nil || h.Audience != fingerprints.AudienceEdge {
		return false, fmt.Errorf("reading the pack: %w", errors.Join(client.ErrNoServer, err))
	}
	if err := a.writeBytes("--out", out, 0o600, b); err != nil {
		return false, err
	}
	return false, a.writeBytes("--out", out+".etag", 0o600, []byte(p.ETag+"\n"))
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
