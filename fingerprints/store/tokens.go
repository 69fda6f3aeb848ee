package store

import (
	"context"
	"crypto/sha256"
	"time"
)

// Token is what a machine or a person shows to the server. What is shown is not
// stored: its hash is, which is enough for what has 256 bits of randomness.
type Token struct {
	ID        string            // public; what lists and the audit log call it
	Name      string            // unique among those that are not revoked
	Hash      [sha256.Size]byte // SHA-256 of what is shown
	Scopes    []string
	Teams     []string // whose rows it sees alone; none: it sees all
	CreatedAt time.Time
	CreatedBy string
	ExpiresAt time.Time // zero: never
	UsedAt    time.Time // zero: never; to within a few minutes
	RevokedAt time.Time // zero: it is not
	RevokedBy string
}

// TokenTx is the tokens.
type TokenTx interface {
	// PutToken inserts or replaces by id; the hash is unique, and so is the name
	// among tokens that are not revoked: ErrExists.
	PutToken(ctx context.Context, t Token) error
	// Token is by id, TokenByHash by what is shown, revoked ones and those that have
	// expired too; ErrNotFound.
	Token(ctx context.Context, id string) (Token, error)
	TokenByHash(ctx context.Context, hash [sha256.Size]byte) (Token, error)
	// Tokens are in order of name, then the newest first.
	Tokens(ctx context.Context) ([]Token, error)
	// UseToken notes that a token was used.
	UseToken(ctx context.Context, id string, at time.Time) error
}
