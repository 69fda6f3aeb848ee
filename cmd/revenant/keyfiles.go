package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	"revenant/fingerprints/keys"
	"revenant/fingerprints/keystore"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
)

// keyHome is the folder of the keys; a passphrase comes from the environment.
func (a *app) keyHome(dir string) keystore.Home {
	h := keystore.Home{Dir: dir}
	if p := a.env("REVENANT_RING_PASSPHRASE"); p != "" {
		h.Protection = keystore.WithPassphrase([]byte(p))
	}
	return h
}

// edgeKeys reads the keys that open an edge pack: from a file, or from
// REVENANT_PACK_KEY, which holds a file's name or the keys themselves.
func (a *app) edgeKeys(file string) (keys.EdgeKeys, error) {
	env := a.env("REVENANT_PACK_KEY")
	protection := a.keyHome("").Protection
	switch {
	case file != "":
	case env == "":
		return keys.EdgeKeys{}, usagef("a pack opens with its edge key file: give --pack-key FILE or set REVENANT_PACK_KEY")
	case exists(env):
		file = env
	default:
		edge, err := keystore.ParseEdge([]byte(env), protection)
		if errors.Is(err, keystore.ErrDamaged) {
			return edge, errors.New("REVENANT_PACK_KEY is neither the name of an edge key file nor its text: give it what 'revenant pack export --key-out FILE' wrote")
		}
		if err != nil {
			return edge, fmt.Errorf("REVENANT_PACK_KEY is neither the name of an edge key file nor its text: %w", err)
		}
		return edge, nil
	}
	what := "--pack-key"
	if file == env {
		what = "REVENANT_PACK_KEY"
	}
	switch info, err := os.Stat(file); {
	case err != nil:
		return keys.EdgeKeys{}, fileError(what, err)
	case info.IsDir():
		return keys.EdgeKeys{}, usagef("%s names a folder: give the edge key file that 'revenant pack export --key-out FILE' writes", what)
	}
	edge, err := keystore.ReadEdge(file, protection)
	if err != nil {
		return edge, fmt.Errorf("%s: %w", what, err)
	}
	return edge, nil
}

// rememberHead keeps the newest audit record beside the keys.
func (s *session) rememberHead(ctx context.Context) error {
	var last store.AuditRecord
	err := s.store.View(ctx, func(tx store.Tx) (err error) {
		last, err = tx.LastAudit(ctx)
		return err
	})
	if err != nil || last.Sequence == 0 {
		return err
	}
	return s.keys.RememberHead(keystore.Head{
		Installation: s.ring.Installation().String(), Sequence: last.Sequence, MAC: hex.EncodeToString(last.MAC),
	})
}

var errHeadLost = errors.New("the audit log no longer holds the newest record that this machine has seen: it was cut off, rewritten, or an older backup was restored")

// checkHead compares the chain with the newest record that this machine saw.
func (s *session) checkHead(ctx context.Context) error {
	seen, err := s.keys.Head()
	if err != nil || seen.Sequence == 0 || seen.Installation != s.ring.Installation().String() {
		return err
	}
	found := false
	stop := errors.New("enough")
	err = s.store.View(ctx, func(tx store.Tx) error {
		return tx.EachAudit(ctx, seen.Sequence, func(r store.AuditRecord) error {
			found = r.Sequence == seen.Sequence && hex.EncodeToString(r.MAC) == seen.MAC
			return stop
		})
	})
	if err != nil && !errors.Is(err, stop) {
		return err
	}
	if !found {
		return fmt.Errorf("%w (record %d): %w", errHeadLost, seen.Sequence, registry.ErrAuditBroken)
	}
	return nil
}

// protectionFlags say how a file of keys is encrypted or opened.
type protectionFlags struct {
	passphraseFile string
	recipients     []string
	identityFile   string
}

func (p protectionFlags) protection(a *app) (keystore.Protection, error) {
	switch {
	case p.passphraseFile != "":
		b, err := readFileLimited("--passphrase-file", p.passphraseFile, 4096)
		if err != nil {
			return keystore.Protection{}, err
		}
		if w := keystore.WithPassphrase(b); !w.IsZero() {
			return w, nil
		}
		return keystore.Protection{}, usagef("--passphrase-file: the file's first line is empty: it is the passphrase")
	case len(p.recipients) > 0:
		w, err := keystore.ToRecipients(p.recipients)
		if err != nil {
			return w, usagef("--recipient: %w", err)
		}
		return w, nil
	case p.identityFile != "":
		f, err := os.Open(p.identityFile)
		if err != nil {
			return keystore.Protection{}, fileError("--identity", err)
		}
		defer f.Close()
		w, err := keystore.ByIdentities(f)
		if err != nil {
			return w, usagef("--identity: %w", err)
		}
		return w, nil
	}
	return a.keyHome("").Protection, nil
}
