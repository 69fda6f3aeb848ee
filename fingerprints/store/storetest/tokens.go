package storetest

import (
	"crypto/sha256"
	"errors"
	"testing"

	"revenant/fingerprints/store"
)

// token is one with every field set.
func token(id, name, shown string) store.Token {
	return store.Token{
		ID: id, Name: name, Hash: sha256.Sum256([]byte(shown)), Scopes: []string{"read", "scan"}, Teams: []string{"payments", "a team"}, CreatedAt: epoch(), CreatedBy: "me",
		ExpiresAt: hour(9), UsedAt: hour(1),
	}
}

func testTokens(t *testing.T, f *fixture) {
	a, b := token("tk_2", "ci", "x"), token("tk_1", "laptop", "y")
	b.ExpiresAt, b.UsedAt = b.RevokedAt, b.RevokedAt
	f.update(func(tx store.Tx) error { return errors.Join(tx.PutToken(f.ctx, b), tx.PutToken(f.ctx, a)) })
	list := func() (out []store.Token) {
		f.view(func(tx store.Tx) (err error) {
			out, err = tx.Tokens(f.ctx)
			return err
		})
		return out
	}
	f.diff("Tokens", []store.Token{a, b}, list())
	for what, k := range map[string]store.Token{"its name": token("tk_3", "ci", "z"), "its hash": token("tk_3", "other", "x")} {
		f.wantErr("PutToken with "+what, f.store.Update(f.ctx, func(tx store.Tx) error { return tx.PutToken(f.ctx, k) }), store.ErrExists)
	}
	f.view(func(tx store.Tx) error {
		byID, err := tx.Token(f.ctx, "tk_1")
		f.diff("Token", b, byID)
		byHash, herr := tx.TokenByHash(f.ctx, a.Hash)
		f.diff("TokenByHash", a, byHash)
		_, missing := tx.Token(f.ctx, "tk_9")
		f.wantErr("Token", missing, store.ErrNotFound)
		_, missing = tx.TokenByHash(f.ctx, sha256.Sum256(nil))
		f.wantErr("TokenByHash", missing, store.ErrNotFound)
		return errors.Join(err, herr)
	})
	b.UsedAt = hour(3)
	f.update(func(tx store.Tx) error { return tx.UseToken(f.ctx, b.ID, b.UsedAt) })
	a.RevokedAt, a.RevokedBy = hour(4), "you"
	again := token("tk_3", "ci", "z") // the name is free again
	again.CreatedAt = hour(5)
	f.update(func(tx store.Tx) error { return errors.Join(tx.PutToken(f.ctx, a), tx.PutToken(f.ctx, again)) })
	f.diff("used, revoked and anew", []store.Token{again, a, b}, list())
}
