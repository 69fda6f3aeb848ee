package main

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/term"

	"revenant/api/remote"
	"revenant/fingerprints/keystore"
)

// registrarKeys are the registering keys of who registers at a server: of the file
// that 'key registrar' wrote, else of a ring that is on this machine.
func (a *app) registrarKeys(where serverPlace) (remote.Keys, error) {
	file, what := a.env("REVENANT_REGISTRAR"), "REVENANT_REGISTRAR"
	if file == "" {
		file, what = where.kept.Registrar, "the registrar's file of the login"
	}
	if file == "" {
		return a.ringHere()
	}
	b, err := readFileLimited(what, file, 1<<20)
	if err != nil {
		return nil, err
	}
	p, err := a.registrarProtection()
	if err != nil {
		return nil, err
	}
	k, err := keystore.OpenRegistrar(b, p)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return k, nil
}

// ringHere is the ring of this machine, which is all that a registrar has and more.
func (a *app) ringHere() (remote.Keys, error) {
	dir, err := a.homeDir()
	if err != nil {
		return nil, remote.ErrNoRegistrar
	}
	ring, err := a.keyHome(dir).Load()
	if errors.Is(err, keystore.ErrNoRing) {
		return nil, remote.ErrNoRegistrar
	}
	if err != nil {
		return nil, err
	}
	return ring, nil
}

// registrarProtection opens the registrar's file: the environment has its passphrase,
// or it is asked for on a terminal.
func (a *app) registrarProtection() (keystore.Protection, error) {
	p := a.keyHome("").Protection
	in, is := a.stdin.(*os.File)
	if !p.IsZero() || !is || !term.IsTerminal(int(in.Fd())) {
		return p, nil
	}
	fmt.Fprint(a.stderr, "passphrase of the registering keys (not shown): ")
	b, err := term.ReadPassword(int(in.Fd()))
	fmt.Fprintln(a.stderr)
	if err != nil {
		return p, fmt.Errorf("reading the passphrase from the terminal: %w", err)
	}
	return keystore.WithPassphrase(b), nil
}
