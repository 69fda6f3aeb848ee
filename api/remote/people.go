package remote

import (
	"context"

	"revenant/api/client"
	"revenant/api/wire"
	"revenant/fingerprints/registry"
)

// People lists who signs in, disabled people too.
func (r *Registry) People(ctx context.Context, _ registry.Actor) ([]registry.PersonView, error) {
	return each(ctx, 0, func(after string, limit int) ([]wire.PersonView, string, error) {
		p, err := r.c.People(ctx, after, limit)
		return p.People, p.Next, err
	})
}

// Person is one, by id or name.
func (r *Registry) Person(ctx context.Context, _ registry.Actor, idOrName string) (registry.PersonView, error) {
	return one(r.c.Person(ctx, idOrName))
}

// AddPerson adds a person who signs in by a link.
func (r *Registry) AddPerson(ctx context.Context, _ registry.Actor, q registry.PersonRequest) (registry.PersonView, error) {
	return one(r.c.AddPerson(ctx, client.NewPerson(q)))
}

// ChangePerson changes a person.
func (r *Registry) ChangePerson(ctx context.Context, _ registry.Actor, idOrName string, q registry.PersonChange) (registry.PersonView, error) {
	p := client.PersonChange(q)
	// A list that is null is one that was left out.
	if p.Roles != nil && *p.Roles == nil {
		p.Roles = &[]registry.Role{}
	}
	if p.Teams != nil && *p.Teams == nil {
		p.Teams = &[]string{}
	}
	return one(r.c.ChangePerson(ctx, idOrName, p))
}

// PersonLink is a link that signs a person in, once, at the server's own address; for
// how long it counts is the server's to say.
func (r *Registry) PersonLink(ctx context.Context, idOrName string) (registry.PersonView, string, error) {
	p, link, err := r.c.LinkPerson(ctx, idOrName)
	return p, link, known(err)
}

// SignOutPerson ends every session of a person, and counts them.
func (r *Registry) SignOutPerson(ctx context.Context, _ registry.Actor, idOrName string) (int, error) {
	return one(r.c.SignOutPerson(ctx, idOrName))
}
