package store

import (
	"context"
	"crypto/sha256"
	"time"
)

// Person is somebody who signs in.
type Person struct {
	ID   string // public; what lists and the audit log's subjects call them
	Name string // unique; what the audit log calls them as an actor
	// Issuer and Subject are who an identity provider says that they are; both empty:
	// none does, and they come by a link. Unique together.
	Issuer, Subject string
	Display         string // what they are called on pages; may be empty
	Address         string // of their mail, as the provider says; may be empty
	// Roles and Teams were given here; those that are Claimed are what the provider
	// said at the newest sign-in. Both count.
	Roles, Teams               []string
	ClaimedRoles, ClaimedTeams []string
	CreatedAt                  time.Time
	CreatedBy                  string
	SeenAt                     time.Time // of the newest sign-in; zero: never
	DisabledAt                 time.Time // zero: they are not
	DisabledBy                 string
}

// Session is a browser that is signed in, as a person or with a token: exactly one
// of them is set. What the browser shows is not stored: its hash is.
type Session struct {
	ID        string // public
	Hash      [sha256.Size]byte
	Person    string // an id
	Token     string // an id
	Address   string // of the network, where it signed in
	CreatedAt time.Time
	SeenAt    time.Time // to within a few minutes
	EndsAt    time.Time // whatever is done with it until then
}

// SessionFilter selects sessions; zero fields select everything.
type SessionFilter struct {
	ID     string
	But    string // an id: not this one
	Person string
	Token  string
	// Over selects those that end at this time or before; Idle those that were last
	// seen at it or before. Both: either.
	Over, Idle time.Time
}

// Code is what counts once: a link that signs in, or the way to an identity provider
// and back. What is shown is not stored: its hash is.
type Code struct {
	Hash    [sha256.Size]byte
	Purpose string
	Person  string // an id; empty: nobody yet
	Next    string // the page that it leads to
	EndsAt  time.Time
}

// PeopleTx is people, their sessions, and codes.
type PeopleTx interface {
	// PutPerson inserts or replaces by id; the name is unique, and so is the subject
	// of an issuer: ErrExists.
	PutPerson(ctx context.Context, p Person) error
	// Person is by id, PersonBySubject by what a provider says; ErrNotFound.
	Person(ctx context.Context, id string) (Person, error)
	PersonBySubject(ctx context.Context, issuer, subject string) (Person, error)
	People(ctx context.Context) ([]Person, error) // in order of name

	// PutSession inserts or replaces by id; the hash is unique: ErrExists. Person or
	// token must be there: ErrNotFound.
	PutSession(ctx context.Context, s Session) error
	SessionByHash(ctx context.Context, hash [sha256.Size]byte) (Session, error)
	Sessions(ctx context.Context, f SessionFilter) ([]Session, error) // the newest first
	SeeSession(ctx context.Context, id string, at time.Time) error
	// DropSessions ends sessions, and returns how many.
	DropSessions(ctx context.Context, f SessionFilter) (int, error)

	// PutCode stores a code; ErrExists when its hash is there. TakeCode removes one and
	// returns it, whether its time is over or not; ErrNotFound for any further call.
	PutCode(ctx context.Context, c Code) error
	TakeCode(ctx context.Context, hash [sha256.Size]byte) (Code, error)
	// DropCodes removes those of a purpose ("" any) that end at this time or before.
	DropCodes(ctx context.Context, purpose string, over time.Time) (int, error)
	// CountCodes counts those of a purpose.
	CountCodes(ctx context.Context, purpose string) (int, error)
}
