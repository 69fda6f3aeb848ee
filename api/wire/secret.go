package wire

import (
	"time"

	"revenant/fingerprints"
)

// SecretSummary is a line of a list.
type SecretSummary struct {
	Name      string                     `json:"name"`
	Class     fingerprints.Class         `json:"class"`
	Owner     string                     `json:"owner,omitempty"`
	Consumers []string                   `json:"consumers,omitempty"`
	Versions  int                        `json:"versions"`
	States    map[fingerprints.State]int `json:"states"`
	Active    []int                      `json:"active,omitempty"`
	// ActiveSince is when its newest active version became that: how old the value is.
	ActiveSince *time.Time `json:"active_since,omitempty"`
	// Overdue counts superseded versions whose window is over.
	Overdue int `json:"overdue,omitempty"`
	// Compromised counts versions with the flag.
	Compromised int       `json:"compromised,omitempty"`
	CreatedAt   time.Time `json:"created_at"`
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

// FieldResult says what became of one field.
type FieldResult struct {
	Name     string                `json:"name"`
	Strength fingerprints.Strength `json:"strength"`
	// Unsearchable is why the field cannot be searched for; empty: it can.
	Unsearchable string `json:"unsearchable,omitempty"`
	// Weak: the value can be guessed; a policy violation.
	Weak bool `json:"weak,omitempty"`
}

// AckView is a consumer's word that it uses a version.
type AckView struct {
	Consumer string    `json:"consumer"`
	At       time.Time `json:"at"`
	Actor    string    `json:"actor"`
}

// Acknowledged is what Ack did.
type Acknowledged struct {
	Secret   string             `json:"secret"`
	Version  int                `json:"version"`
	State    fingerprints.State `json:"state"`
	Consumer string             `json:"consumer"`
	// NewConsumer: it was not among the secret's consumers and now is.
	NewConsumer bool     `json:"new_consumer,omitempty"`
	Unchanged   bool     `json:"unchanged,omitempty"`
	Missing     []string `json:"missing,omitempty"` // consumers that did not report this version yet
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

// AllowResult is what Allow or Unallow did.
type AllowResult struct {
	Home      AllowView       `json:"home"`
	Unchanged bool            `json:"unchanged,omitempty"`
	Findings  int             `json:"findings"` // known findings that the home covers
	Verdicts  []VerdictChange `json:"verdicts"`
}

// VerdictChange counts findings whose verdict changed.
type VerdictChange struct {
	From  fingerprints.Verdict `json:"from"`
	To    fingerprints.Verdict `json:"to"`
	Count int                  `json:"count"`
}

// Transition is one version's step from one state to another.
type Transition struct {
	Secret      string             `json:"secret"`
	Version     int                `json:"version"`
	From        fingerprints.State `json:"from"`
	To          fingerprints.State `json:"to"`
	Compromised bool               `json:"compromised,omitempty"`
	WindowEnds  *time.Time         `json:"window_ends,omitempty"`
}

// Changed is what a command on a version did.
type Changed struct {
	Transition
	// Unchanged: the version was like that already; nothing was written.
	Unchanged bool `json:"unchanged,omitempty"`
	// Also are other versions that moved with it (activate supersedes).
	Also     []Transition    `json:"also,omitempty"`
	Verdicts []VerdictChange `json:"verdicts"`
}
