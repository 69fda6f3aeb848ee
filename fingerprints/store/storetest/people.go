package storetest

import (
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	"revenant/fingerprints/store"
)

// person is one with every field set.
func person(id, name, subject string) store.Person {
	return store.Person{
		ID: id, Name: name, Issuer: "https://id.example.org", Subject: subject, Display: "Ärin", Address: name + "@example.org",
		Roles: []string{"viewer", "triager"}, Teams: []string{"payments", "two words"}, ClaimedRoles: []string{"admin"}, ClaimedTeams: []string{"shop"},
		CreatedAt: epoch(), CreatedBy: "me", SeenAt: hour(1), DisabledAt: hour(2), DisabledBy: "you",
	}
}

func testPeople(t *testing.T, f *fixture) {
	a, b := person("pn_2", "ann", "1"), person("pn_1", "bob", "2")
	local := store.Person{ID: "pn_3", Name: "first", CreatedAt: epoch(), CreatedBy: "setup"}
	second := store.Person{ID: "pn_4", Name: "second", CreatedAt: epoch(), CreatedBy: "setup"} // nobody has no subject but once
	f.update(func(tx store.Tx) error {
		return errors.Join(tx.PutPerson(f.ctx, b), tx.PutPerson(f.ctx, second), tx.PutPerson(f.ctx, a), tx.PutPerson(f.ctx, local))
	})
	for what, p := range map[string]store.Person{"their name": person("pn_9", "ann", "9"), "their subject": person("pn_9", "eve", "1")} {
		f.wantErr("PutPerson with "+what, f.store.Update(f.ctx, func(tx store.Tx) error { return tx.PutPerson(f.ctx, p) }), store.ErrExists)
	}
	a.Roles, a.DisabledAt, a.DisabledBy = nil, time.Time{}, ""
	f.update(func(tx store.Tx) error { return tx.PutPerson(f.ctx, a) })
	f.view(func(tx store.Tx) error {
		list, err := tx.People(f.ctx)
		f.diff("People", []store.Person{a, b, local, second}, list)
		byID, ierr := tx.Person(f.ctx, "pn_2")
		f.diff("Person", a, byID)
		bySubject, serr := tx.PersonBySubject(f.ctx, "https://id.example.org", "2")
		f.diff("PersonBySubject", b, bySubject)
		for what, missing := range map[string]func() (store.Person, error){
			"another issuer": func() (store.Person, error) { return tx.PersonBySubject(f.ctx, "https://evil.example.org", "2") },
			"no subject":     func() (store.Person, error) { return tx.PersonBySubject(f.ctx, "", "") },
			"no person":      func() (store.Person, error) { return tx.Person(f.ctx, "pn_9") },
		} {
			_, err := missing()
			f.wantErr(what, err, store.ErrNotFound)
		}
		return errors.Join(err, ierr, serr)
	})
}

func testSessions(t *testing.T, f *fixture) {
	session := func(id, person, token string, n int) store.Session {
		return store.Session{
			ID: id, Hash: sha256.Sum256([]byte(id)), Person: person, Token: token, Address: "192.0.2.7", CreatedAt: hour(n), SeenAt: hour(n + 1), EndsAt: hour(n + 10),
		}
	}
	a, b, c := session("ss_a", "pn_1", "", 1), session("ss_b", "pn_1", "", 2), session("ss_c", "", "tk_1", 3)
	f.update(func(tx store.Tx) error {
		return errors.Join(
			tx.PutPerson(f.ctx, person("pn_1", "ann", "1")), tx.PutToken(f.ctx, token("tk_1", "ci", "x")),
			tx.PutSession(f.ctx, a), tx.PutSession(f.ctx, b), tx.PutSession(f.ctx, c),
		)
	})
	taken := session("ss_d", "pn_1", "", 1)
	taken.Hash = a.Hash
	for what, k := range map[string]struct {
		s    store.Session
		want error
	}{
		"a hash that is there": {taken, store.ErrExists},
		"nobody there":         {session("ss_d", "pn_9", "", 1), store.ErrNotFound},
		"no token there":       {session("ss_d", "", "tk_9", 1), store.ErrNotFound},
	} {
		f.wantErr("PutSession with "+what, f.store.Update(f.ctx, func(tx store.Tx) error { return tx.PutSession(f.ctx, k.s) }), k.want)
	}
	list := func(q store.SessionFilter) (out []store.Session) {
		f.view(func(tx store.Tx) (err error) {
			out, err = tx.Sessions(f.ctx, q)
			return err
		})
		return out
	}
	f.diff("Sessions", []store.Session{c, b, a}, list(store.SessionFilter{}))
	f.diff("of a person", []store.Session{b, a}, list(store.SessionFilter{Person: "pn_1"}))
	f.diff("of a token", []store.Session{c}, list(store.SessionFilter{Token: "tk_1"}))
	f.diff("all but one of a person", []store.Session{b}, list(store.SessionFilter{Person: "pn_1", But: "ss_a"}))
	f.diff("over", []store.Session{a}, list(store.SessionFilter{Over: hour(11)}))
	f.diff("idle", []store.Session{b, a}, list(store.SessionFilter{Idle: hour(3)}))
	f.diff("over or idle", []store.Session{b, a}, list(store.SessionFilter{Over: hour(11), Idle: hour(3)}))
	f.view(func(tx store.Tx) error {
		got, err := tx.SessionByHash(f.ctx, b.Hash)
		f.diff("SessionByHash", b, got)
		_, missing := tx.SessionByHash(f.ctx, sha256.Sum256(nil))
		f.wantErr("SessionByHash", missing, store.ErrNotFound)
		return err
	})
	b.SeenAt = hour(9)
	f.update(func(tx store.Tx) error { return tx.SeeSession(f.ctx, b.ID, b.SeenAt) })
	drop := func(want int, q store.SessionFilter) {
		f.update(func(tx store.Tx) error {
			n, err := tx.DropSessions(f.ctx, q)
			f.diff("DropSessions", want, n)
			return err
		})
	}
	drop(0, store.SessionFilter{ID: "ss_a", Person: "pn_2"})
	drop(0, store.SessionFilter{ID: "ss_a", But: "ss_a"})
	drop(1, store.SessionFilter{ID: "ss_a"})
	f.diff("what is left", []store.Session{c, b}, list(store.SessionFilter{}))
	drop(1, store.SessionFilter{Person: "pn_1"})
	drop(1, store.SessionFilter{Over: hour(13)})
}

func testCodes(t *testing.T, f *fixture) {
	code := func(shown, purpose string, n int) store.Code {
		return store.Code{Hash: sha256.Sum256([]byte(shown)), Purpose: purpose, Next: "/findings?a=b", EndsAt: hour(n)}
	}
	a, b, c := code("a", "link", 1), code("b", "sign-in", 2), code("c", "sign-in", 3)
	a.Person = "pn_1"
	f.update(func(tx store.Tx) error {
		return errors.Join(tx.PutPerson(f.ctx, person("pn_1", "ann", "1")), tx.PutCode(f.ctx, a), tx.PutCode(f.ctx, b), tx.PutCode(f.ctx, c))
	})
	f.wantErr("PutCode again", f.store.Update(f.ctx, func(tx store.Tx) error { return tx.PutCode(f.ctx, a) }), store.ErrExists)
	f.update(func(tx store.Tx) error {
		got, err := tx.TakeCode(f.ctx, a.Hash)
		f.diff("TakeCode", a, got)
		return err
	})
	f.wantErr("TakeCode again", f.store.Update(f.ctx, func(tx store.Tx) error {
		_, err := tx.TakeCode(f.ctx, a.Hash)
		return err
	}), store.ErrNotFound)
	f.update(func(tx store.Tx) error {
		for _, k := range []struct {
			purpose string
			over    time.Time
			want    int
		}{{"link", hour(9), 0}, {"sign-in", hour(2), 1}, {"", hour(2), 0}} {
			n, err := tx.DropCodes(f.ctx, k.purpose, k.over)
			f.diff("DropCodes", k.want, n)
			if err != nil {
				return err
			}
		}
		n, err := tx.CountCodes(f.ctx, "sign-in")
		f.diff("CountCodes", 1, n)
		return err
	})
}
