package fingerprints

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// VersionID, RowID and the like are 16 random or keyed bytes, printed as hex.
type (
	// VersionID identifies a version for ever; random.
	VersionID [16]byte
	// RowID identifies one registered field of one version; random.
	RowID [16]byte
	// ValueID is the keyed id of a value (package keys).
	ValueID [16]byte
	// PathID is the keyed id of a raw path (package keys).
	PathID [16]byte
	// InstallationID identifies an installation; random.
	InstallationID [16]byte
	// RingID identifies a key ring; derived from it.
	RingID [16]byte
)

func (id VersionID) String() string      { return hex.EncodeToString(id[:]) }
func (id RowID) String() string          { return hex.EncodeToString(id[:]) }
func (id ValueID) String() string        { return hex.EncodeToString(id[:]) }
func (id PathID) String() string         { return hex.EncodeToString(id[:]) }
func (id InstallationID) String() string { return hex.EncodeToString(id[:]) }
func (id RingID) String() string         { return hex.EncodeToString(id[:]) }

// IsZero reports whether the id is unset: no value id was made.
func (id ValueID) IsZero() bool { return id == ValueID{} }

// FindingID is "rv1:" and 32 hex digits; empty where none can be computed.
type FindingID string

// Valid reports whether id can be the id of a finding.
func (id FindingID) Valid() bool {
	digits, named := strings.CutPrefix(string(id), "rv1:")
	return named && len(digits) == 32 && strings.Trim(digits, "0123456789abcdef") == ""
}

// Secret is a logical credential, such as billing/db-password.
type Secret struct {
	Name        string
	Class       Class
	Owner       string   // person or team; empty when unknown
	Consumers   []string // services that hold the secret, sorted
	MultiActive bool     // key-ring secrets (JWT signing) may have two active versions
	CreatedAt   time.Time
}

// Version is one issued value of a secret.
type Version struct {
	ID     VersionID
	Secret string // the secret's name
	Number int    // from 1
	State  State

	IssuedTo string // the consumer this value was made for; empty: for all
	// WindowEnds is when the dual-credential window of a superseded version
	// closes; zero: no deadline.
	WindowEnds    time.Time
	CompromisedAt time.Time // zero: not compromised

	CreatedAt    time.Time
	ActivatedAt  time.Time
	SupersededAt time.Time
	RetiredAt    time.Time
	AbandonedAt  time.Time
}

// Ref is how people write a version: name@3.
func (v Version) Ref() VersionRef { return VersionRef{Name: v.Secret, Number: v.Number} }

// Compromised reports whether the flag is set.
func (v Version) Compromised() bool { return !v.CompromisedAt.IsZero() }

// FieldRow is one registered field of one version as it is stored: what is
// needed to find it is inside Sealed (package registration).
type FieldRow struct {
	ID        RowID
	Version   VersionID
	Field     string // "password", "token", ...; "value" when there is one only
	Format    uint16 // version of the registration format
	Epoch     uint32 // epoch of the MAC keys
	FilterGen uint32 // generation of the filter keys
	Revision  uint64 // registry revision at which the row was sealed
	Strength  Strength
	// Unsearchable says why the field cannot be searched for; empty: it can.
	Unsearchable string
	Sealed       []byte // nil when unsearchable
}

// VersionRef names a version.
type VersionRef struct {
	Name   string
	Number int // 0: the name alone
}

func (r VersionRef) String() string {
	if r.Number == 0 {
		return r.Name
	}
	return r.Name + "@" + strconv.Itoa(r.Number)
}

// ErrBadName is wrapped by the errors of ParseRef and CheckName.
var ErrBadName = errors.New("not a valid name")

// ParseRef reads name or name@3. Its errors never repeat the input: what
// stands before an @ may be a password.
func ParseRef(s string) (VersionRef, error) {
	name, num, has := strings.Cut(s, "@")
	ref := VersionRef{Name: name}
	if err := CheckName(name); err != nil {
		return VersionRef{}, err
	}
	if !has {
		return ref, nil
	}
	n, err := strconv.Atoi(num)
	if err != nil || n < 1 {
		return VersionRef{}, fmt.Errorf("%w: write NAME@N with N from 1, as in billing/db-password@1", ErrBadName)
	}
	ref.Number = n
	return ref, nil
}

// MaxName is the longest name of a secret, consumer or owner, in bytes.
const MaxName = 200

// CheckName accepts 1 to MaxName bytes of letters, digits and ._-/ that start
// with a letter or digit. The error never repeats the input: somebody may have
// typed the value in the name's place.
func CheckName(s string) error {
	if s == "" || len(s) > MaxName {
		return fmt.Errorf("%w: use 1 to %d characters", ErrBadName, MaxName)
	}
	for i := range len(s) {
		c := s[i]
		alnum := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if alnum || i > 0 && (c == '.' || c == '_' || c == '-' || c == '/') {
			continue
		}
		return fmt.Errorf("%w: use letters, digits and . _ - /, as in billing/db-password", ErrBadName)
	}
	return nil
}

// ParseValueID reads a value's id in hex.
func ParseValueID(s string) (ValueID, error) {
	var id ValueID
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(id) {
		return id, errors.New("an id of a value is 32 hex digits")
	}
	copy(id[:], b)
	return id, nil
}
