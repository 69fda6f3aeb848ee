package wire

import "time"

// Role is a named set of scopes.
type Role string

// PersonView is what is known of somebody who signs in.
type PersonView struct {
	ID      string `json:"id"`
	Name    string `json:"name" doc:"Unique; what the audit log calls them, after person:."`
	Display string `json:"display,omitempty"`
	Address string `json:"address,omitempty" doc:"Of their mail, as the identity provider says."`
	Issuer  string `json:"issuer,omitempty" doc:"Of the identity provider that says who they are; absent: they come by a link."`
	Roles   []Role `json:"roles" nullable:"false" doc:"Given here."`
	// Teams are whose rows they see; with none at all they see everything.
	Teams        []string   `json:"teams" nullable:"false" doc:"Given here."`
	ClaimedRoles []Role     `json:"claimed_roles" nullable:"false" doc:"As the identity provider said at the newest sign-in."`
	ClaimedTeams []string   `json:"claimed_teams" nullable:"false" doc:"As the identity provider said at the newest sign-in."`
	Scopes       []Scope    `json:"scopes" nullable:"false" doc:"What the roles of both kinds allow."`
	CreatedAt    time.Time  `json:"created_at"`
	CreatedBy    string     `json:"created_by"`
	SeenAt       *time.Time `json:"seen_at,omitempty" doc:"The newest sign-in."`
	DisabledAt   *time.Time `json:"disabled_at,omitempty"`
	DisabledBy   string     `json:"disabled_by,omitempty"`
}

// SessionView is a browser that is signed in; what it shows is not known.
type SessionView struct {
	ID        string    `json:"id"`
	Current   bool      `json:"current,omitempty" doc:"It is the one that asks."`
	Address   string    `json:"address" doc:"Of the network, where it signed in."`
	CreatedAt time.Time `json:"created_at"`
	SeenAt    time.Time `json:"seen_at" doc:"To within five minutes."`
	EndsAt    time.Time `json:"ends_at" doc:"At the latest."`
}

// Me is who asks, as they may know it.
type Me struct {
	Name    string   `json:"name" doc:"What the audit log calls you."`
	Display string   `json:"display,omitempty"`
	Address string   `json:"address,omitempty"`
	Scopes  []Scope  `json:"scopes" nullable:"false"`
	Roles   []Role   `json:"roles" nullable:"false" doc:"Of a person."`
	Teams   []string `json:"teams" nullable:"false" doc:"Whose rows you see; none: all."`
	Session string   `json:"session,omitempty" doc:"The id of the session that asks, where it is no token."`
}
