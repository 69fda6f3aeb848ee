package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"revenant/fingerprints/keystore"
	"revenant/fingerprints/store/sqlstore"
)

// storePlace is where the registry's database is: the server that REVENANT_STORE
// names, or a file in the home folder.
func (a *app) storePlace(dir string) (string, error) {
	place := a.env("REVENANT_STORE")
	switch {
	case place == "":
		return storeFile(dir), nil
	case sqlstore.IsURL(place):
		return place, nil
	}
	return "", usagef("REVENANT_STORE is not the URL of a PostgreSQL database, as in postgres://USER@HOST/DATABASE; without it the registry is registry.db in REVENANT_HOME")
}

// haveStore reports whether there may be a store: a file is looked for, a server
// answers when it is opened.
func haveStore(place string) bool { return sqlstore.IsURL(place) || exists(place) }

// storeWords is how errors call the place; a URL may hold a password.
func storeWords(dir, place string) string {
	if sqlstore.IsURL(place) {
		return "the database of REVENANT_STORE"
	}
	return dir
}

// unkeyed refuses to make a new key ring where a store is that another ring made.
func (a *app) unkeyed(ctx context.Context, dir, place string) error {
	held := exists(place)
	if sqlstore.IsURL(place) {
		st, err := sqlstore.Open(ctx, place, sqlstore.Options{})
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			held, err = hasMeta(ctx, st)
			err = errors.Join(err, st.Close())
		}
		if err != nil {
			return err
		}
	}
	if held {
		return fmt.Errorf("%s holds a registry already, and a new key ring could not open it: %w", storeWords(dir, place), keystore.ErrNoRing)
	}
	return nil
}
