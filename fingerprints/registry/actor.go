package registry

import (
	"slices"

	"revenant/api/wire"
)

// Scope is one thing an actor may do.
type Scope = wire.Scope

// The scopes.
const (
	ScopeScan     Scope = "scan"     // report scans, read packs' keys
	ScopeRegister Scope = "register" // register and issue secrets
	ScopeRotate   Scope = "rotate"   // move versions through their life
	ScopeRead     Scope = "read"     // look at everything that is stored
	ScopeTriage   Scope = "triage"   // accept, dismiss and assign findings
	ScopePack     Scope = "pack"     // build and export packs
	ScopeLookup   Scope = "lookup"   // ask whether values are registered that no edge pack has
	ScopeAdmin    Scope = "admin"    // sources, keys, audit checkpoints
)

// Scopes lists every scope.
func Scopes() []Scope {
	return []Scope{ScopeScan, ScopeRegister, ScopeRotate, ScopeRead, ScopeTriage, ScopePack, ScopeLookup, ScopeAdmin}
}

// Actor is who asks. Name stands in the audit log.
type Actor struct {
	Name   string
	Scopes []Scope
	// Teams are those whose rows the actor sees, which are those that they own;
	// none: it sees all.
	Teams []string
	// Person, Token and Session are the ids of who was authenticated, and by which
	// session; empty: they are none.
	Person, Token, Session string
}

// Local is the person at the command line of the machine that holds the
// registry; whoever can read the files may do everything.
func Local(name string) Actor { return Actor{Name: name, Scopes: Scopes()} }

// May reports whether the actor has the scope.
func (a Actor) May(s Scope) bool { return slices.Contains(a.Scopes, s) }
