package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"revenant/fingerprints/keys"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store/sqlstore"
)

var errNoRing = errors.New("no key ring")

func (a *app) loadRing(dir string) (*keys.Ring, error) {
	b, err := os.ReadFile(filepath.Join(dir, "ring"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, errNoRing
	}
	if err != nil {
		return nil, err
	}
	return keys.ParseRing(b)
}

func (a *app) initCommand() *cobra.Command {
	return &cobra.Command{Use: "init", GroupID: "registry", Args: noArgs, RunE: func(c *cobra.Command, _ []string) error {
		dir, err := a.homeDir()
		if err != nil {
			return err
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		ring, err := a.loadRing(dir)
		if errors.Is(err, errNoRing) {
			if ring, err = keys.NewRing(a.rand, a.now()); err == nil {
				err = os.WriteFile(filepath.Join(dir, "ring"), ring.Marshal(), 0o600)
			}
		}
		if err != nil {
			return err
		}
		st, err := sqlstore.Open(c.Context(), storeFile(dir), sqlstore.Options{Access: sqlstore.CreateIfMissing})
		if err != nil {
			return err
		}
		defer st.Close()
		s, err := a.newSession(dir, ring, st)
		if err != nil {
			return err
		}
		r, err := s.reg.Init(c.Context(), s.actor)
		if err != nil {
			return err
		}
		return a.printJSON(r)
	}}
}

func (a *app) keyCommand() *cobra.Command { return group(&cobra.Command{Use: "key", GroupID: "care"}) }

func (a *app) edgeKeys(file string) (keys.EdgeKeys, error) { return keys.EdgeKeys{}, errNoRing }

func (s *session) rememberHead(context.Context) error { return nil }

func (s *session) checkHead(registry.AuditHead) error { return nil }

func (s *session) writeEdgeKeys(file, group string) error { return errNoRing }
