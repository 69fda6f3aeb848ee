package registry

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// PersonView is what is known of somebody who signs in.
type PersonView = wire.PersonView

// PersonRequest says who is to be able to sign in by a link.
type PersonRequest struct {
	Name    string
	Display string
	Roles   []Role
	Teams   []string // none: they see everything
}

// PersonChange says what is to be different; nil: nothing is.
type PersonChange struct {
	Display  *string
	Roles    *[]Role
	Teams    *[]string
	Disabled *bool
}

func personView(p store.Person) PersonView {
	return PersonView{
		ID: p.ID, Name: p.Name, Display: p.Display, Address: p.Address, Issuer: p.Issuer, Roles: rolesOf(p.Roles), Teams: append([]string{}, p.Teams...),
		ClaimedRoles: rolesOf(p.ClaimedRoles), ClaimedTeams: append([]string{}, p.ClaimedTeams...), Scopes: scopesOfRoles(p.Roles, p.ClaimedRoles),
		CreatedAt: p.CreatedAt, CreatedBy: p.CreatedBy, SeenAt: optionalTime(p.SeenAt), DisabledAt: optionalTime(p.DisabledAt), DisabledBy: p.DisabledBy,
	}
}

func rolesOf(words []string) []Role {
	out := make([]Role, len(words))
	for i, w := range words {
		out[i] = Role(w)
	}
	return out
}

// teamsOf are whose rows a person sees; none: everybody's.
func teamsOf(p store.Person) []string { return together(p.Teams, p.ClaimedTeams) }

// newID makes a public id.
func (r *Registry) newID(prefix string) (string, error) {
	var b [6]byte
	if _, err := io.ReadFull(r.rand, b[:]); err != nil {
		return "", fmt.Errorf("making an id: %w", err)
	}
	return prefix + hex.EncodeToString(b[:]), nil
}

// checkPersonName accepts what an identity provider may call people: one line
// without blanks around it.
func checkPersonName(name string) error {
	bad := !utf8.ValidString(name) || strings.TrimSpace(name) != name || name == "" || len(name) > fingerprints.MaxName ||
		strings.ContainsFunc(name, func(c rune) bool { return !unicode.IsPrint(c) })
	if bad || strings.HasPrefix(name, personPrefix) { // one that looks like another's id
		return badInput("name", "use a line of 1 to %d printable characters, as in ann@example.org", fingerprints.MaxName)
	}
	return nil
}

const personPrefix = "pn_"

// People lists people in order of name, disabled ones too.
func (r *Registry) People(ctx context.Context, a Actor) ([]PersonView, error) {
	out := []PersonView{}
	err := r.view(ctx, a, ScopeAdmin, func(v *view) error {
		list, err := v.tx.People(ctx)
		for _, p := range list {
			if a.sees(teamsOf(p)) {
				out = append(out, personView(p))
			}
		}
		return err
	})
	return out, err
}

// Person is one of them, by id or name; ErrUnknownPerson.
func (r *Registry) Person(ctx context.Context, a Actor, idOrName string) (PersonView, error) {
	var out PersonView
	err := r.view(ctx, a, ScopeAdmin, func(v *view) error {
		p, err := personNamed(ctx, v.tx, a, idOrName)
		out = personView(p)
		return err
	})
	return out, err
}

// personNamed is a person whom the actor may know of.
func personNamed(ctx context.Context, tx store.Tx, a Actor, idOrName string) (store.Person, error) {
	list, err := tx.People(ctx)
	if err != nil {
		return store.Person{}, err
	}
	for _, p := range list {
		if (p.ID == idOrName || p.Name == idOrName) && a.sees(teamsOf(p)) {
			return p, nil
		}
	}
	return store.Person{}, ErrUnknownPerson
}

// AddPerson makes a person whom no identity provider knows; LinkPerson signs them
// in. Nobody gives more than they have.
func (r *Registry) AddPerson(ctx context.Context, a Actor, q PersonRequest) (PersonView, error) {
	var out PersonView
	id, err := r.newID(personPrefix)
	if err != nil {
		return out, err
	}
	err = r.updateAny(ctx, a, ScopeAdmin, "adding a person", func(c *change) error {
		p := store.Person{ID: id, Name: q.Name, Display: q.Display, CreatedAt: c.at, CreatedBy: a.Name}
		if err := errors.Join(checkPersonName(q.Name), checkOwner(q.Display)); err != nil {
			return err
		}
		if err := give(a, &p, q.Roles, q.Teams); err != nil {
			return err
		}
		if err := c.putPerson(ctx, p); err != nil {
			return err
		}
		c.note("person.add", p.ID, personDetails(p))
		out = personView(p)
		return nil
	})
	return out, err
}

// give sets what a person is given here.
func give(a Actor, p *store.Person, roles []Role, teams []string) error {
	var err error
	if p.Roles, err = checkRoles(roles); err != nil {
		return err
	}
	if p.Teams, err = checkTeams(teams); err != nil {
		return err
	}
	if !a.covers(scopesOfRoles(p.Roles, p.ClaimedRoles), teamsOf(*p)) {
		return fmt.Errorf("%w that the roles hold, or the sight of other teams, so it cannot be given on", ErrForbidden)
	}
	return nil
}

func (c *change) putPerson(ctx context.Context, p store.Person) error {
	err := c.tx.PutPerson(ctx, p)
	if errors.Is(err, store.ErrExists) {
		return &InputError{Input: "name", Kind: ErrPersonExists}
	}
	return err
}

func personDetails(p store.Person) map[string]string {
	return said(map[string]string{
		"name": p.Name, "roles": strings.Join(p.Roles, " "), "teams": strings.Join(p.Teams, ", "),
		"claimed_roles": strings.Join(p.ClaimedRoles, " "), "claimed_teams": strings.Join(p.ClaimedTeams, ", "),
	})
}

// said leaves out what is empty.
func said(details map[string]string) map[string]string {
	maps.DeleteFunc(details, func(_, text string) bool { return text == "" })
	return details
}

// ChangePerson changes a person, by id or name. Roles, teams and being disabled
// count at once, also for who is signed in.
func (r *Registry) ChangePerson(ctx context.Context, a Actor, idOrName string, q PersonChange) (PersonView, error) {
	var out PersonView
	err := r.updateAny(ctx, a, ScopeAdmin, "changing a person", func(c *change) error {
		p, err := personNamed(ctx, c.tx, a, idOrName)
		if err != nil {
			return err
		}
		before := p
		if err := c.applyTo(a, &p, q); err != nil {
			return err
		}
		if out = personView(p); samePerson(before, p) {
			return nil
		}
		if err := c.tx.PutPerson(ctx, p); err != nil {
			return err
		}
		details := personDetails(p)
		action := "person.change"
		switch {
		case before.DisabledAt.IsZero() && !p.DisabledAt.IsZero():
			action = "person.disable"
			if _, err := c.tx.DropSessions(ctx, store.SessionFilter{Person: p.ID}); err != nil {
				return err
			}
		case !before.DisabledAt.IsZero() && p.DisabledAt.IsZero():
			action = "person.enable"
		}
		c.note(action, p.ID, details)
		return nil
	})
	return out, err
}

func (c *change) applyTo(a Actor, p *store.Person, q PersonChange) error {
	if q.Display != nil {
		if err := checkOwner(*q.Display); err != nil {
			return err
		}
		p.Display = *q.Display
	}
	if q.Roles != nil || q.Teams != nil {
		roles, teams := rolesOf(p.Roles), p.Teams
		if q.Roles != nil {
			roles = *q.Roles
		}
		if q.Teams != nil {
			teams = *q.Teams
		}
		if err := give(a, p, roles, teams); err != nil {
			return err
		}
	}
	switch {
	case q.Disabled == nil || *q.Disabled == !p.DisabledAt.IsZero():
	case *q.Disabled:
		p.DisabledAt, p.DisabledBy = c.at, a.Name
	case !a.covers(scopesOfRoles(p.Roles, p.ClaimedRoles), teamsOf(*p)):
		return fmt.Errorf("%w that the person's roles hold", ErrForbidden)
	default:
		p.DisabledAt, p.DisabledBy = time.Time{}, ""
	}
	return nil
}

func samePerson(a, b store.Person) bool {
	return a.Display == b.Display && slices.Equal(a.Roles, b.Roles) && slices.Equal(a.Teams, b.Teams) && a.DisabledAt.Equal(b.DisabledAt)
}

// SignOutPerson ends every session of a person, by id or name, and returns how many.
func (r *Registry) SignOutPerson(ctx context.Context, a Actor, idOrName string) (int, error) {
	n := 0
	err := r.updateAny(ctx, a, ScopeAdmin, "signing a person out", func(c *change) error {
		p, err := personNamed(ctx, c.tx, a, idOrName)
		if err != nil {
			return err
		}
		n, err = c.dropSessions(ctx, "person.sign-out", p.ID, store.SessionFilter{Person: p.ID})
		return err
	})
	return n, err
}
