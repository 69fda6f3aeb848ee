package registry

import (
	"context"
	"fmt"

	"revenant/api/wire"
	"revenant/fingerprints/store"
)

// Me is who asks, as they may know it.
type Me = wire.Me

// Me says who the actor is. It needs no scope.
func (r *Registry) Me(ctx context.Context, a Actor) (Me, error) {
	out := Me{Name: a.Name, Scopes: append([]Scope{}, a.Scopes...), Teams: append([]string{}, a.Teams...), Roles: []Role{}, Session: a.Session}
	if a.Person == "" {
		return out, nil
	}
	err := r.store.View(ctx, func(tx store.Tx) error {
		p, err := tx.Person(ctx, a.Person)
		out.Display, out.Address, out.Roles = p.Display, p.Address, rolesOf(together(p.Roles, p.ClaimedRoles))
		return err
	})
	if err != nil {
		return Me{}, fmt.Errorf("looking up who asks: %w", err)
	}
	return out, nil
}
