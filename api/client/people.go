package client

import (
	"context"
	"net/http"

	"revenant/api/wire"
)

// People are a page of a list.
type People struct {
	People []wire.PersonView `json:"people"`
	Next   string            `json:"next"` // empty: this is the last page
}

// People lists who signs in, in order of name, disabled people too; after is the
// Next of the page before.
func (c *Client) People(ctx context.Context, after string, limit int) (People, error) {
	return ask[People](ctx, c, http.MethodGet, "/people", values("after", after, "limit", number(limit)), nil)
}

// Person is one, by id or name.
func (c *Client) Person(ctx context.Context, idOrName string) (wire.PersonView, error) {
	return ask[wire.PersonView](ctx, c, http.MethodGet, "/people/"+segment(idOrName), nil, nil)
}

// NewPerson is somebody who signs in by a link.
type NewPerson struct {
	Name    string      `json:"name"`
	Display string      `json:"display,omitempty"`
	Roles   []wire.Role `json:"roles"`
	Teams   []string    `json:"teams,omitempty"`
}

// AddPerson adds a person.
func (c *Client) AddPerson(ctx context.Context, p NewPerson) (wire.PersonView, error) {
	return ask[wire.PersonView](ctx, c, http.MethodPost, "/people", nil, p)
}

// PersonChange says what of a person changes; nil stays as it is.
type PersonChange struct {
	Display  *string      `json:"display,omitempty"`
	Roles    *[]wire.Role `json:"roles,omitempty"`
	Teams    *[]string    `json:"teams,omitempty"`
	Disabled *bool        `json:"disabled,omitempty"`
}

// ChangePerson changes a person, by id or name.
func (c *Client) ChangePerson(ctx context.Context, idOrName string, p PersonChange) (wire.PersonView, error) {
	return ask[wire.PersonView](ctx, c, http.MethodPatch, "/people/"+segment(idOrName), nil, p)
}

// LinkPerson makes a link that signs a person in, once; it is shown for once.
func (c *Client) LinkPerson(ctx context.Context, idOrName string) (wire.PersonView, string, error) {
	out, err := ask[struct {
		Person wire.PersonView
		Link   string
	}](ctx, c, http.MethodPost, "/people/"+segment(idOrName)+"/link", nil, nil)
	return out.Person, out.Link, err
}

// SignOutPerson ends every session of a person, and counts them.
func (c *Client) SignOutPerson(ctx context.Context, idOrName string) (int, error) {
	out, err := ask[struct{ Sessions int }](ctx, c, http.MethodDelete, "/people/"+segment(idOrName)+"/sessions", nil, nil)
	return out.Sessions, err
}
