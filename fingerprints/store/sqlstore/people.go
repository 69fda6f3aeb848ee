package sqlstore

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"strings"
	"time"

	"revenant/fingerprints/store"
)

const personColumns = `id, name, issuer, subject, display, address, roles, teams, claimed_roles, claimed_teams, created_at, created_by, seen_at,
	disabled_at, disabled_by`

func (t *tx) PutPerson(ctx context.Context, p store.Person) error {
	return t.try(ctx, "storing a person", `INSERT INTO people (`+personColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, issuer = excluded.issuer, subject = excluded.subject, display = excluded.display,
		address = excluded.address, roles = excluded.roles, teams = excluded.teams, claimed_roles = excluded.claimed_roles,
		claimed_teams = excluded.claimed_teams, created_at = excluded.created_at, created_by = excluded.created_by, seen_at = excluded.seen_at,
		disabled_at = excluded.disabled_at, disabled_by = excluded.disabled_by`,
		p.ID, text(p.Name), text(p.Issuer), text(p.Subject), text(p.Display), text(p.Address), strings.Join(p.Roles, " "), joinLines(p.Teams),
		strings.Join(p.ClaimedRoles, " "), joinLines(p.ClaimedTeams), stamp(p.CreatedAt), p.CreatedBy, stamp(p.SeenAt), stamp(p.DisabledAt), p.DisabledBy)
}

func (t *tx) Person(ctx context.Context, id string) (store.Person, error) {
	return onlyPerson(t.people(ctx, `WHERE id = ?`, id))
}

func (t *tx) PersonBySubject(ctx context.Context, issuer, subject string) (store.Person, error) {
	return onlyPerson(t.people(ctx, `WHERE issuer = ? AND subject = ? AND subject <> ''`, text(issuer), text(subject)))
}

func onlyPerson(list []store.Person, err error) (store.Person, error) {
	if err == nil && len(list) == 0 {
		err = notFound("person", "")
	}
	if err != nil {
		return store.Person{}, err
	}
	return list[0], nil
}

func (t *tx) People(ctx context.Context) ([]store.Person, error) {
	return t.people(ctx, `ORDER BY name, id`)
}

func (t *tx) people(ctx context.Context, rest string, args ...any) ([]store.Person, error) {
	var out []store.Person
	err := t.each(ctx, "reading people", `SELECT `+personColumns+` FROM people `+rest, args, func(scan scanner) error {
		var p store.Person
		var roles, teams, claimedRoles, claimedTeams string
		err := scan(&p.ID, &p.Name, &p.Issuer, &p.Subject, &p.Display, &p.Address, &roles, &teams, &claimedRoles, &claimedTeams,
			moment{&p.CreatedAt}, &p.CreatedBy, moment{&p.SeenAt}, moment{&p.DisabledAt}, &p.DisabledBy)
		p.Roles, p.Teams = wordsIn(roles), splitLines(teams)
		p.ClaimedRoles, p.ClaimedTeams = wordsIn(claimedRoles), splitLines(claimedTeams)
		out = append(out, p)
		return err
	})
	return out, err
}

// wordsIn are those of a list; nil for none.
func wordsIn(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Fields(list)
}

const sessionColumns = `id, hash, person, token, address, created_at, seen_at, ends_at`

func (t *tx) PutSession(ctx context.Context, s store.Session) error {
	return t.try(ctx, "storing a session", `INSERT INTO sessions (`+sessionColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET hash = excluded.hash, person = excluded.person, token = excluded.token, address = excluded.address,
		created_at = excluded.created_at, seen_at = excluded.seen_at, ends_at = excluded.ends_at`,
		s.ID, s.Hash[:], unset(s.Person), unset(s.Token), text(s.Address), stamp(s.CreatedAt), stamp(s.SeenAt), stamp(s.EndsAt))
}

// unset is NULL for what is not said.
func unset(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func (t *tx) SessionByHash(ctx context.Context, hash [sha256.Size]byte) (store.Session, error) {
	list, err := t.sessions(ctx, `WHERE hash = ?`, hash[:])
	if err == nil && len(list) == 0 {
		err = notFound("session", "")
	}
	if err != nil {
		return store.Session{}, err
	}
	return list[0], nil
}

func (t *tx) Sessions(ctx context.Context, f store.SessionFilter) ([]store.Session, error) {
	c := sessionsOf(f)
	return t.sessions(ctx, `WHERE `+strings.Join(c.where, " AND ")+` ORDER BY created_at DESC, id`, c.args...)
}

func sessionsOf(f store.SessionFilter) *condition {
	c := &condition{where: []string{"1 = 1"}}
	for _, one := range []struct{ column, value string }{{"id", f.ID}, {"person", f.Person}, {"token", f.Token}} {
		if one.value != "" {
			c.add(one.column+" = ?", one.value)
		}
	}
	if f.But != "" {
		c.add("id <> ?", f.But)
	}
	switch {
	case !f.Over.IsZero() && !f.Idle.IsZero():
		c.add("(ends_at <= ? OR seen_at <= ?)", stamp(f.Over), stamp(f.Idle))
	case !f.Over.IsZero():
		c.add("ends_at <= ?", stamp(f.Over))
	case !f.Idle.IsZero():
		c.add("seen_at <= ?", stamp(f.Idle))
	}
	return c
}

func (t *tx) sessions(ctx context.Context, rest string, args ...any) ([]store.Session, error) {
	var out []store.Session
	err := t.each(ctx, "reading sessions", `SELECT `+sessionColumns+` FROM sessions `+rest, args, func(scan scanner) error {
		var s store.Session
		var hash []byte
		var person, token sql.NullString
		err := scan(&s.ID, &hash, &person, &token, &s.Address, moment{&s.CreatedAt}, moment{&s.SeenAt}, moment{&s.EndsAt})
		copy(s.Hash[:], hash)
		s.Person, s.Token = person.String, token.String
		out = append(out, s)
		return err
	})
	return out, err
}

func (t *tx) SeeSession(ctx context.Context, id string, at time.Time) error {
	_, err := t.exec(ctx, "noting that a session is used", `UPDATE sessions SET seen_at = ? WHERE id = ?`, stamp(at), id)
	return err
}

func (t *tx) DropSessions(ctx context.Context, f store.SessionFilter) (int, error) {
	c := sessionsOf(f)
	n, err := t.exec(ctx, "ending sessions", `DELETE FROM sessions WHERE `+strings.Join(c.where, " AND "), c.args...)
	return int(n), err
}

func (t *tx) PutCode(ctx context.Context, c store.Code) error {
	return t.try(ctx, "storing a code", `INSERT INTO codes (hash, purpose, person, next, ends_at) VALUES (?, ?, ?, ?, ?)`,
		c.Hash[:], c.Purpose, unset(c.Person), text(c.Next), stamp(c.EndsAt))
}

func (t *tx) TakeCode(ctx context.Context, hash [sha256.Size]byte) (store.Code, error) {
	c := store.Code{Hash: hash}
	var person sql.NullString
	err := t.one(ctx, "taking a code", `DELETE FROM codes WHERE hash = ? RETURNING purpose, person, next, ends_at`, []any{hash[:]},
		&c.Purpose, &person, &c.Next, moment{&c.EndsAt})
	c.Person = person.String
	if err != nil {
		return store.Code{}, err
	}
	return c, nil
}

func (t *tx) DropCodes(ctx context.Context, purpose string, over time.Time) (int, error) {
	n, err := t.exec(ctx, "removing codes", `DELETE FROM codes WHERE ends_at <= ? AND (purpose = ? OR ? = '')`, stamp(over), purpose, purpose)
	return int(n), err
}

func (t *tx) CountCodes(ctx context.Context, purpose string) (int, error) {
	var n int
	err := t.one(ctx, "counting codes", `SELECT COUNT(*) FROM codes WHERE purpose = ?`, []any{purpose}, &n)
	return n, err
}
