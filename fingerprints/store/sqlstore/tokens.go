package sqlstore

import (
	"context"
	"crypto/sha256"
	"strings"
	"time"

	"revenant/fingerprints/store"
)

const tokenColumns = `id, name, hash, scopes, created_at, created_by, expires_at, used_at, revoked_at, revoked_by, teams`

func (t *tx) PutToken(ctx context.Context, k store.Token) error {
	return t.try(ctx, "storing a token", `INSERT INTO tokens (`+tokenColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, hash = excluded.hash, scopes = excluded.scopes, created_at = excluded.created_at,
		created_by = excluded.created_by, expires_at = excluded.expires_at, used_at = excluded.used_at, revoked_at = excluded.revoked_at,
		revoked_by = excluded.revoked_by, teams = excluded.teams`,
		k.ID, k.Name, k.Hash[:], strings.Join(k.Scopes, " "), stamp(k.CreatedAt), k.CreatedBy, stamp(k.ExpiresAt), stamp(k.UsedAt),
		stamp(k.RevokedAt), k.RevokedBy, joinLines(k.Teams))
}

func (t *tx) Token(ctx context.Context, id string) (store.Token, error) {
	return t.token(ctx, `WHERE id = ?`, id)
}

func (t *tx) TokenByHash(ctx context.Context, hash [sha256.Size]byte) (store.Token, error) {
	return t.token(ctx, `WHERE hash = ?`, hash[:])
}

func (t *tx) token(ctx context.Context, where string, arg any) (store.Token, error) {
	list, err := t.tokens(ctx, where, arg)
	if err == nil && len(list) == 0 {
		err = notFound("token", "")
	}
	if err != nil {
		return store.Token{}, err
	}
	return list[0], nil
}

func (t *tx) Tokens(ctx context.Context) ([]store.Token, error) {
	return t.tokens(ctx, `ORDER BY name, created_at DESC, id`)
}

func (t *tx) tokens(ctx context.Context, rest string, args ...any) ([]store.Token, error) {
	var out []store.Token
	err := t.each(ctx, "reading tokens", `SELECT `+tokenColumns+` FROM tokens `+rest, args, func(scan scanner) error {
		var k store.Token
		var hash []byte
		var scopes, teams string
		err := scan(&k.ID, &k.Name, &hash, &scopes, moment{&k.CreatedAt}, &k.CreatedBy, moment{&k.ExpiresAt}, moment{&k.UsedAt},
			moment{&k.RevokedAt}, &k.RevokedBy, &teams)
		copy(k.Hash[:], hash)
		k.Scopes, k.Teams = strings.Fields(scopes), splitLines(teams)
		out = append(out, k)
		return err
	})
	return out, err
}

func (t *tx) UseToken(ctx context.Context, id string, at time.Time) error {
	_, err := t.exec(ctx, "noting that a token was used", `UPDATE tokens SET used_at = ? WHERE id = ?`, stamp(at), id)
	return err
}
