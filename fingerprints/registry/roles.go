package registry

import (
	"slices"
	"strings"

	"revenant/api/wire"
)

// Role is a named set of scopes: what people are given, where tokens have scopes.
type Role = wire.Role

// The roles.
const (
	RoleViewer    Role = "viewer"    // looks at what is stored
	RoleTriager   Role = "triager"   // and says what becomes of findings
	RoleOperator  Role = "operator"  // and scans, builds packs, looks after jobs
	RoleRegistrar Role = "registrar" // looks, registers, rotates
	RoleAdmin     Role = "admin"     // everything
)

// Roles lists every role.
func Roles() []Role { return []Role{RoleViewer, RoleTriager, RoleOperator, RoleRegistrar, RoleAdmin} }

// ScopesOf are what a role allows; none for a role that is not there.
func ScopesOf(r Role) []Scope {
	switch r {
	case RoleViewer:
		return []Scope{ScopeRead}
	case RoleTriager:
		return []Scope{ScopeRead, ScopeTriage}
	case RoleOperator:
		return []Scope{ScopeScan, ScopeRead, ScopeTriage, ScopePack}
	case RoleRegistrar:
		return []Scope{ScopeRegister, ScopeRotate, ScopeRead}
	case RoleAdmin:
		return Scopes()
	}
	return nil
}

// scopesOfRoles are what roles allow together, in the order of Scopes.
func scopesOfRoles(lists ...[]string) []Scope {
	out := []Scope{}
	for _, s := range Scopes() {
		for _, list := range lists {
			if slices.ContainsFunc(list, func(r string) bool { return slices.Contains(ScopesOf(Role(r)), s) }) {
				out = append(out, s)
				break
			}
		}
	}
	return out
}

// together are the words of both lists, in order, each once; nil for none.
func together(a, b []string) []string {
	out := slices.Concat(a, b)
	slices.Sort(out)
	return slices.Compact(out)
}

func roleWords() string {
	words := make([]string, 0, len(Roles()))
	for _, r := range Roles() {
		words = append(words, string(r))
	}
	return strings.Join(words, ", ")
}

// checkRoles returns roles in one order, each once.
func checkRoles(roles []Role) ([]string, error) {
	for _, r := range roles {
		if !slices.Contains(Roles(), r) {
			return nil, badInput("roles", "use %s", roleWords())
		}
	}
	var out []string
	for _, r := range Roles() {
		if slices.Contains(roles, r) {
			out = append(out, string(r))
		}
	}
	return out, nil
}

// maxTeams bounds the teams of one person or token.
const maxTeams = 200

// checkTeams returns teams in order, each once.
func checkTeams(teams []string) ([]string, error) {
	if len(teams) > maxTeams {
		return nil, badInput("teams", "use at most %d", maxTeams)
	}
	for _, t := range teams {
		if t == "" || checkOwner(t) != nil {
			return nil, badInput("teams", "a team is called as findings and secrets have it for their owner, in one line")
		}
	}
	return together(teams, nil), nil
}

// covers reports whether the actor has all that is to be given on: every scope, and
// no sight of rows that are not theirs.
func (a Actor) covers(scopes []Scope, teams []string) bool {
	for _, s := range scopes {
		if !a.May(s) {
			return false
		}
	}
	return a.sees(teams)
}

// sees reports whether who is bound to teams sees no more than the actor.
func (a Actor) sees(teams []string) bool {
	if len(a.Teams) == 0 {
		return true
	}
	return len(teams) > 0 && !slices.ContainsFunc(teams, func(t string) bool { return !slices.Contains(a.Teams, t) })
}
