// Package web is the dashboard: HTML that the server renders over the registry, for
// people who are signed in.
//
// It promises: a page shows what its reader may see, since everything comes from the
// registry with the reader as the actor, and offers what the reader may do. Every
// page reads without JavaScript. Nothing is asked of another host, no script and no
// style stands in a page (see policy), and no answer holds a value of a secret: what
// is looked for and holds a registered value is not repeated.
//
// # Adding a page
//
// A page is a handler, a template and a line of routes:
//
//	{path: "/secrets", scope: registry.ScopeRead, do: s.secrets}
//
//	func (s *server) secrets(r *http.Request, a registry.Actor) (page, error) {
//		list, err := s.o.Registry.List(r.Context(), a, registry.ListFilter{Limit: pageSize + 1})
//		return page{name: "secrets", title: "Secrets", nav: "secrets", data: list}, err
//	}
//
// The handler and its routes (a method as findingRoutes, named in routes) stand in a
// file of their own, beside templates/secrets.html, which defines "main" and whatever
// parts of the page are asked for alone. In a template, . is the view: .Data is the
// handler's, .Who the reader, {{.May "rotate"}} says what they may do. What templates
// can call is in funcs; what pages share is in templates/parts.html.
//
// Errors are returned: fail says what each becomes. Lists are read a page at a time,
// with a row more than is shown, which tells whether there is a next one.
//
// A form posts to a route of its own, whose handler ends with done(where, word): the
// browser is sent on (303), and the word is told there, see said. The route has the
// scope of what it does, and its form is shown to those who have that: requests of
// other sites, and bodies over 1 MiB, do not reach it.
//
// What is live has an id, hx-get with the page's own address, hx-select with that id,
// hx-trigger="changed from:body" and hx-swap="outerHTML": app.js fires changed when
// the registry has moved, while the page is looked at.
//
// Names that come from outside stand in text and attributes alone, which the templates
// escape; addresses are built by at and findingsOf. Colours, spaces and type are the
// variables at the top of static/app.css.
package web
