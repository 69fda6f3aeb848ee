package registry

import (
	"context"
	"time"

	"revenant/fingerprints"
)

// Field is one sensitive value of a new version.
type Field struct {
	Name  string // "" is "value"
	Value fingerprints.Value
	// KeepNewline registers a trailing newline as part of the value (--exact).
	KeepNewline bool
}

// AddRequest registers a new secret with its first version.
type AddRequest struct {
	Name        string
	Class       fingerprints.Class // "" is application
	Owner       string
	Consumers   []string
	MultiActive bool
	Fields      []Field
	Pending     bool // register as pending, not active
	IssuedTo    string
}

// FieldResult says what became of one field.
type FieldResult struct {
	Name     string                `json:"name"`
	Strength fingerprints.Strength `json:"strength"`
	// Unsearchable is why the field cannot be searched for; empty: it can.
	Unsearchable string `json:"unsearchable,omitempty"`
	// Weak: the value can be guessed; a policy violation.
	Weak bool `json:"weak,omitempty"`
}

// Registered is what registering one version did.
type Registered struct {
	Secret   string             `json:"secret"`
	Version  int                `json:"version"`
	State    fingerprints.State `json:"state"`
	IssuedTo string             `json:"issued_to,omitempty"`
	Fields   []FieldResult      `json:"fields"`
	// Recognised counts findings that were known as generic ones before.
	Recognised int `json:"recognised"`
	// Redacted counts stored texts in which the new value stood.
	Redacted int `json:"redacted"`
	// Unchanged: this was registered before; nothing was written.
	Unchanged bool `json:"unchanged,omitempty"`
	// Superseded are the versions that this one replaced.
	Superseded []Transition `json:"superseded,omitempty"`
	// Value is the generated value; empty unless it was generated here. It is
	// shown once.
	Value fingerprints.Value `json:"-"`
	// Verdicts that changed, in counts.
	Verdicts []VerdictChange `json:"verdicts,omitempty"`
}

// Add registers version 1 of a new secret. ErrExists when the name is taken,
// except by this very value: then nothing changes.
func (r *Registry) Add(ctx context.Context, a Actor, q AddRequest) (Registered, error) { panic("x") }

// AdoptRequest makes a registered secret of a generic finding. Value is what
// the caller re-read at the finding's place.
type AdoptRequest struct {
	Finding string // id or unique beginning of one
	Value   fingerprints.Value
	AddRequest
}

// Adopt registers the value of a generic finding. The finding keeps its id.
func (r *Registry) Adopt(ctx context.Context, a Actor, q AdoptRequest) (Registered, error) {
	panic("x")
}

// SecretSummary is a line of a list.
type SecretSummary struct {
	Name      string                     `json:"name"`
	Class     fingerprints.Class         `json:"class"`
	Owner     string                     `json:"owner,omitempty"`
	Consumers []string                   `json:"consumers,omitempty"`
	Versions  int                        `json:"versions"`
	States    map[fingerprints.State]int `json:"states"`
	Active    []int                      `json:"active,omitempty"`
	// Compromised counts versions with the flag.
	Compromised int       `json:"compromised,omitempty"`
	CreatedAt   time.Time `json:"created_at"`
}

// ListFilter selects secrets; zero fields select everything.
type ListFilter struct {
	Prefix string
	Class  fingerprints.Class
	Owner  string
	State  fingerprints.State
	After  string
	Limit  int
}

// List lists secrets in order of name.
func (r *Registry) List(ctx context.Context, a Actor, f ListFilter) ([]SecretSummary, error) {
	panic("x")
}

// SecretView is all that is known of a secret.
type SecretView struct {
	Name        string             `json:"name"`
	Class       fingerprints.Class `json:"class"`
	Owner       string             `json:"owner,omitempty"`
	Consumers   []string           `json:"consumers,omitempty"`
	MultiActive bool               `json:"multi_active,omitempty"`
	CreatedAt   time.Time          `json:"created_at"`
	Versions    []VersionView      `json:"versions"`
	Allowed     []AllowView        `json:"allowed,omitempty"`
}

// VersionView is all that is known of a version.
type VersionView struct {
	Version       int                          `json:"version"`
	State         fingerprints.State           `json:"state"`
	IssuedTo      string                       `json:"issued_to,omitempty"`
	WindowEnds    *time.Time                   `json:"window_ends,omitempty"`
	CompromisedAt *time.Time                   `json:"compromised_at,omitempty"`
	CreatedAt     time.Time                    `json:"created_at"`
	ActivatedAt   *time.Time                   `json:"activated_at,omitempty"`
	SupersededAt  *time.Time                   `json:"superseded_at,omitempty"`
	RetiredAt     *time.Time                   `json:"retired_at,omitempty"`
	AbandonedAt   *time.Time                   `json:"abandoned_at,omitempty"`
	Fields        []FieldResult                `json:"fields"`
	Acks          []AckView                    `json:"acks,omitempty"`
	Missing       []string                     `json:"missing_acks,omitempty"` // consumers that did not report this version
	Findings      map[fingerprints.Verdict]int `json:"findings,omitempty"`
}

// AckView is a consumer's word that it uses a version.
type AckView struct {
	Consumer string    `json:"consumer"`
	At       time.Time `json:"at"`
	Actor    string    `json:"actor"`
}

// AllowView is a legitimate home of a secret.
type AllowView struct {
	ID     int64      `json:"id"`
	Secret string     `json:"secret"`
	Source string     `json:"source"`
	Path   string     `json:"path"`
	Until  *time.Time `json:"until,omitempty"`
	Over   bool       `json:"over,omitempty"` // its date has passed
	Reason string     `json:"reason"`
	Actor  string     `json:"actor"`
	At     time.Time  `json:"at"`
}

// Show returns everything known of a secret.
func (r *Registry) Show(ctx context.Context, a Actor, name string) (SecretView, error) { panic("x") }

// History returns the audit entries that concern a secret, oldest first.
func (r *Registry) History(ctx context.Context, a Actor, name string) ([]AuditEntry, error) {
	panic("x")
}
