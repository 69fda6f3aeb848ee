package wire

import (
	"time"
)

// Scope is one thing an actor may do.
type Scope string

// TokenView is what is known of a token; what is shown to the server is not.
type TokenView struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Scopes    []Scope    `json:"scopes"`
	Teams     []string   `json:"teams,omitempty" doc:"Whose rows it sees alone; absent: it sees all."`
	CreatedAt time.Time  `json:"created_at"`
	CreatedBy string     `json:"created_by"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	Expired   bool       `json:"expired,omitempty"`
	UsedAt    *time.Time `json:"used_at,omitempty"` // to within five minutes
	RevokedAt *time.Time `json:"revoked_at,omitempty"`
	RevokedBy string     `json:"revoked_by,omitempty"`
}
