// Package store is the contract between the registry's use cases and a
// database. Package storetest is its conformance suite; sqlstore implements it.
//
// A store holds no plaintext, no unkeyed hash of a value and no raw path. What
// it is given is redacted and keyed already; it does not check.
//
// All access is in transactions. View sees one consistent state. Update is
// serialised against every other Update, also of other processes, applies
// wholly or not at all, and has reached the disk when it returns nil. The
// function may be called again when the database asks for a retry, so it must
// have no effect outside the transaction, and must not open another one.
//
// Times are kept in UTC to the microsecond (those of the audit chain to the
// nanosecond, because its MACs cover them); the zero time stays zero.
package store

import (
	"context"
	"errors"
	"time"

	"revenant/fingerprints"
)

// Sentinel errors; implementations wrap them.
var (
	ErrNotFound  = errors.New("not found")
	ErrExists    = errors.New("exists already")
	ErrNewer     = errors.New("the store was written by a newer version of revenant")
	ErrLocked    = errors.New("the store is locked by another process")
	ErrFull      = errors.New("no space left for the store")
	ErrReadOnly  = errors.New("the store cannot be written")
	ErrDamaged   = errors.New("the store is damaged")
	ErrNotAStore = errors.New("the file is not a revenant store")
	// ErrUnreachable: the server of the store is not there, or lets nobody in.
	ErrUnreachable = errors.New("the database of the store cannot be reached")
)

// Away reports whether an error says that the store cannot be used now, and may be
// later: it is unreachable, locked or full.
func Away(err error) bool {
	return errors.Is(err, ErrUnreachable) || errors.Is(err, ErrLocked) || errors.Is(err, ErrFull)
}

// Store is a database that holds a registry.
type Store interface {
	View(ctx context.Context, fn func(Tx) error) error
	Update(ctx context.Context, fn func(Tx) error) error
	Close() error
}

// Tx is one transaction. Methods return ErrNotFound and ErrExists wrapped.
type Tx interface {
	MetaTx
	SecretTx
	FindingTx
	SourceTx
	AuditTx
	WatchTx
	ChangeTx
	OutboxTx
	TokenTx
	RequestTx
	LookUpTx
	PeopleTx
	TrendTx

	// Narrow has what reads see no more than what teams own from here on, until it is
	// called again; none: everything. Secrets and findings are theirs by their owner;
	// versions, fields and homes by their secret; sources by a finding, watches by
	// their source; decisions by their owner or a finding, and messages by all of
	// their findings. A verdict and a status are the same whoever looks; a match with a
	// secret that others own is left out of a finding. What is not seen is not found.
	// It returns the teams of before.
	Narrow(teams []string) (before []string)
}

// Meta is what a store knows of itself.
type Meta struct {
	Installation fingerprints.InstallationID
	Ring         fingerprints.RingID
	CreatedAt    time.Time
	// Revision counts every change of the registry (secrets, versions, states,
	// fields, allowed places); PackRevision is the revision of the last change
	// that a pack must follow: fields added or removed, names, states.
	Revision     uint64
	PackRevision uint64
	// FieldRevision is the revision of the last added or re-keyed field: what a
	// scan's coverage is measured by.
	FieldRevision uint64
}

// MetaTx reads and writes Meta.
type MetaTx interface {
	// Meta returns ErrNotFound before SetMeta was called.
	Meta(ctx context.Context) (Meta, error)
	SetMeta(ctx context.Context, m Meta) error
}

// SecretFilter selects secrets; zero fields select everything.
type SecretFilter struct {
	Prefix string
	Class  fingerprints.Class
	Owner  string
	State  fingerprints.State // secrets with a version in this state
	// Weak selects secrets with a version in use that can be guessed or is too short to
	// be searched for.
	Weak bool
	// Overdue selects secrets with a superseded version whose window was over then.
	Overdue time.Time
	// Issued selects secrets with a version that was issued to one consumer.
	Issued bool
	After  string // names after this one, for paging
	Limit  int    // 0: no limit
}

// Ack is a consumer's word that it uses a version.
type Ack struct {
	Version  fingerprints.VersionID
	Consumer string
	At       time.Time
	Actor    string
}

// FieldCount is how many fields have these properties in common.
type FieldCount struct {
	Format       uint16
	Epoch        uint32
	FilterGen    uint32
	Strength     fingerprints.Strength
	Unsearchable string
	Count        int
}

// Allow is a legitimate home of a secret's active and superseded values.
type Allow struct {
	ID         int64 // given by the store
	Secret     string
	SourceGlob string
	PathGlob   string
	Until      time.Time // zero: no end
	Reason     string
	CreatedAt  time.Time
	Actor      string
	// Whole: it covers everything in the sources that CoverSources names, and no
	// finding is tied to it.
	Whole bool
}

// SecretTx is secrets, their versions, fields, acknowledgements and homes.
type SecretTx interface {
	// PutSecret inserts or replaces by name.
	PutSecret(ctx context.Context, s fingerprints.Secret) error
	Secret(ctx context.Context, name string) (fingerprints.Secret, error)
	Secrets(ctx context.Context, f SecretFilter) ([]fingerprints.Secret, error)

	// PutVersion inserts or replaces by id; (secret, number) is unique.
	PutVersion(ctx context.Context, v fingerprints.Version) error
	Version(ctx context.Context, ref fingerprints.VersionRef) (fingerprints.Version, error)
	VersionByID(ctx context.Context, id fingerprints.VersionID) (fingerprints.Version, error)
	// Versions are ordered by number.
	Versions(ctx context.Context, secret string) ([]fingerprints.Version, error)
	// VersionsOf are the versions of many secrets, by name.
	VersionsOf(ctx context.Context, secrets []string) (map[string][]fingerprints.Version, error)
	CountSecrets(ctx context.Context) (int, error)
	CountVersions(ctx context.Context) (map[fingerprints.State]int, error)

	// PutField inserts or replaces by id (re-sealing on key rotation).
	PutField(ctx context.Context, f fingerprints.FieldRow) error
	Fields(ctx context.Context, v fingerprints.VersionID) ([]fingerprints.FieldRow, error)
	FieldByID(ctx context.Context, id fingerprints.RowID) (fingerprints.FieldRow, error)
	// EachField streams every field in the order of ids, with its version.
	EachField(ctx context.Context, fn func(fingerprints.FieldRow, fingerprints.Version) error) error

	// CountFields counts fields by what decides whether and how they are found.
	CountFields(ctx context.Context) ([]FieldCount, error)

	PutAck(ctx context.Context, a Ack) error // latest per (version, consumer) wins
	Acks(ctx context.Context, v fingerprints.VersionID) ([]Ack, error)

	AddAllow(ctx context.Context, a Allow) (int64, error)
	Allows(ctx context.Context, secret string) ([]Allow, error) // "" for all
	RemoveAllow(ctx context.Context, id int64) error
	// SetAllowEnd changes when a home ends.
	SetAllowEnd(ctx context.Context, id int64, until time.Time) error
	// CoverSources adds sources to those that a home covers as a whole; SetSourceHomes
	// replaces the homes that cover one. Sources and homes that are not there are
	// ignored.
	CoverSources(ctx context.Context, home int64, sources []string) error
	SetSourceHomes(ctx context.Context, source string, homes []int64) error
	// CountCovered counts the findings of its secret that a home covers.
	CountCovered(ctx context.Context, home int64) (int, error)
}

// Observed is one sighting as a scan reports it, with everything redacted.
type Observed struct {
	FindingID fingerprints.FindingID
	Value     fingerprints.ValueID // zero: too weak to hash
	Rows      []fingerprints.RowID // registered fields that have this value; empty: generic
	SourceID  string
	Path      string // redacted
	PathID    fingerprints.PathID
	Owner     string // first owner, used for a new finding only
	Sighting  fingerprints.Sighting
	// AllowIDs are the allowed homes that match this place, computed by the
	// registry from the raw path, but for those that are Whole.
	AllowIDs []int64
	// DecisionIDs are the decisions that are about this value or this place,
	// whatever their rule and end, computed by the registry as AllowIDs are.
	DecisionIDs []int64
	// Overflow counts further sightings of this finding in the same content
	// that were not listed one by one (beyond 1,000): kept as a run.
	Overflow int64
	// Extent is the extent of the scan that saw it (Scan.Extent; "" the whole
	// source). A complete scan of a part makes only those sightings gone that
	// a scan of the same part was the last to see.
	Extent string
	// Stream is where it was seen in a stream whose contents come in order; nil: in
	// none. Beyond MaxListed sightings of a finding in a stream are counted in runs,
	// each of which has a watermark: what is seen again at or before it, changes
	// nothing.
	Stream *StreamAt
}

// StreamAt is a place in a stream.
type StreamAt struct {
	Name   string // of the stream, within its source; never content
	Offset int64
	// Since is an offset from which on everything up to Offset was recorded, in order.
	Since int64
}

// MaxListed is how many sightings of a finding in one stream are kept one by one.
const MaxListed = 1000

// Recorded is what Record found before it wrote anything: every observation
// of a finding that was unknown before the call says New.
type Recorded struct {
	FindingID fingerprints.FindingID
	New       bool // the finding was unknown
	Returned  bool // it was gone and is back
	NewPlace  bool // the sighting was unknown
}

// FindingFilter selects findings; zero fields select everything.
type FindingFilter struct {
	IDs        []fingerprints.FindingID // these only; aliases are followed
	IDPrefix   string                   // of an id or an alias
	Value      fingerprints.ValueID
	Secret     string // registered to a version of this secret
	Version    int    // with Secret
	SourceID   string
	PathPrefix string   // of redacted paths
	PathGlob   string   // over redacted paths; * stops at /, ** does not
	Paths      []string // redacted paths, any of these
	Rule       string
	Verdicts   []fingerprints.Verdict
	Statuses   []fingerprints.Status
	Presences  []fingerprints.Presence
	Owner      string
	Decision   int64                  // with their status by this decision
	Home       int64                  // of its secret, where it covers
	After      fingerprints.FindingID // for paging, in order of id
	Limit      int
}

// Decision is what people said of one value wherever it is (Value is set), or of
// what a generic rule finds at the places that globs cover. Whether it holds for
// a finding depends on the verdict, see fingerprints.Decidable.
type Decision struct {
	ID    int64 // given by the store
	Value fingerprints.ValueID
	// Rule is a generic rule, or * for all of them; it is about findings that no
	// other rule matched. Empty in a decision about a value.
	Rule       string
	SourceGlob string
	PathGlob   string
	Status     fingerprints.Status // accepted or false-positive
	Until      time.Time           // zero: no end
	Reason     string
	Owner      string // who answers for it
	CreatedAt  time.Time
	Actor      string
}

// Scope is what the decision is about.
func (d Decision) Scope() fingerprints.DecisionScope {
	if d.Value.IsZero() {
		return fingerprints.DecidedByRule
	}
	return fingerprints.DecidedByValue
}

// Match ties a finding to one version whose field has its value.
type Match struct {
	Row     fingerprints.RowID
	Field   string
	Version fingerprints.Version
	Class   fingerprints.Class
	Owner   string // of the secret
	// Verdict of this version alone; the finding's is the worst of all.
	Verdict fingerprints.Verdict
}

// FindingView is a finding with its computed verdict. Its status is the one
// in force at the time asked for: an acceptance whose date has passed reads
// open, and one that is open has the status that a decision gives it.
type FindingView struct {
	fingerprints.Finding
	Verdict  fingerprints.Verdict
	Severity fingerprints.Severity
	Matches  []Match // empty: unregistered; worst first
	Places   int     // sightings still present, runs counted in full
	// TooCommon: the value is registered as weak and present in more than
	// fingerprints.TooCommonSources sources.
	TooCommon bool
	Allowed   []int64 // allowed homes that cover it, whatever their end
	Decision  int64   // the decision that its status is by; 0: its own
	Decided   []int64 // decisions about it, whether they hold or not
	Aliases   []fingerprints.FindingID
	Forms     []fingerprints.Form
}

// Place is where a finding is.
type Place struct {
	Finding  fingerprints.FindingID
	Value    fingerprints.ValueID
	SourceID string
	Path     string // redacted
}

// VerdictGroup is findings of one value with a copy left and with the same homes:
// they have one verdict, and keep one whatever becomes of versions and fields.
type VerdictGroup struct {
	Group   string // its name, while no finding changes
	Verdict fingerprints.Verdict
	Count   int
}

// HistoryEntry is one change of a finding.
type HistoryEntry struct {
	At     time.Time
	Actor  string
	What   string // "seen", "returned", "gone", "accepted", "merged", ...
	Detail string
}

// FindingTx is values, findings and sightings.
type FindingTx interface {
	// Record stores sightings; it is idempotent, and returns the prior state
	// from the same transaction, one result for each input in order. An id
	// that is an alias records under the finding that it became.
	Record(ctx context.Context, at time.Time, obs []Observed) ([]Recorded, error)
	// LinkValue ties a value id that was seen before to a registered field,
	// and reports how many findings it has. Idempotent; nothing when unseen.
	LinkValue(ctx context.Context, v fingerprints.ValueID, row fingerprints.RowID) (findings int, err error)
	// MergeFinding makes old an alias of into: history and sightings move.
	MergeFinding(ctx context.Context, at time.Time, old, into fingerprints.FindingID) error

	Findings(ctx context.Context, now time.Time, f FindingFilter) ([]FindingView, error)
	CountVerdicts(ctx context.Context, now time.Time, f FindingFilter) (map[fingerprints.Verdict]int, error)
	// VerdictsBySource counts the verdicts of sources that have findings: of those whose
	// ids are given, or of all for nil.
	VerdictsBySource(ctx context.Context, now time.Time, ids []string) (map[string]map[fingerprints.Verdict]int, error)
	// EachPlace streams findings with little of each, for what must look at all of
	// them; in no order, and fn must not use the transaction.
	EachPlace(ctx context.Context, now time.Time, f FindingFilter, fn func(Place) error) error
	// VerdictGroups counts the findings of the values of some versions, and of some
	// other values, without looking at each.
	VerdictGroups(ctx context.Context, now time.Time, versions []fingerprints.VersionID, values []fingerprints.ValueID) ([]VerdictGroup, error)
	// TooCommon lists the weak fields whose value is present in more than
	// fingerprints.TooCommonSources sources, in order of id.
	TooCommon(ctx context.Context) ([]fingerprints.RowID, error)
	// Finding follows aliases.
	Finding(ctx context.Context, now time.Time, id fingerprints.FindingID) (FindingView, error)
	Sightings(ctx context.Context, id fingerprints.FindingID, limit int) ([]fingerprints.Sighting, error)
	// FirstSightings are the first sightings of each of many findings, in the order of
	// Sightings. Aliases are not followed.
	FirstSightings(ctx context.Context, ids []fingerprints.FindingID, limit int) (map[fingerprints.FindingID][]fingerprints.Sighting, error)
	History(ctx context.Context, id fingerprints.FindingID) ([]HistoryEntry, error)
	// SetTriage changes status, owner, reason, until and due of a finding and
	// appends to its history.
	SetTriage(ctx context.Context, f fingerprints.Finding, h HistoryEntry) error
	// AddAllowed ties findings to an allowed home, and AddDecided to a decision, that
	// was added after they were recorded. Findings that are gone from the store are
	// ignored.
	AddAllowed(ctx context.Context, home int64, findings []fingerprints.FindingID) error
	AddDecided(ctx context.Context, decision int64, findings []fingerprints.FindingID) error
	// AddDecision stores a decision; it holds for no finding before AddDecided or
	// Record ties it to some.
	AddDecision(ctx context.Context, d Decision) (int64, error)
	Decisions(ctx context.Context) ([]Decision, error) // in order of id
	RemoveDecision(ctx context.Context, id int64) error
	// MarkUnseen makes gone every sighting and finding of the source that was
	// last seen before the scan began; only a complete scan of the same extent
	// may call it. A sighting whose redacted path and locator keep accepts stays as
	// it is: nobody looked there (nil: none). It returns the findings that became
	// gone.
	MarkUnseen(ctx context.Context, sourceID, extent string, before, at time.Time, keep func(path, locator string) bool) ([]fingerprints.FindingID, error)

	// ExpireStreams makes expired what a source's streams do not keep any longer: every
	// sighting before the offset that from returns for its stream. It returns the
	// findings whose presence changed.
	ExpireStreams(ctx context.Context, sourceID string, at time.Time, from func(stream string) int64) ([]fingerprints.FindingID, error)

	// EachProvenance streams every stored text that may hold provenance
	// (paths, contexts, locators, URLs, skip paths), and Rewrite replaces one,
	// for the redaction of values registered later. Rewriting a path merges
	// nothing: identity is the path id. Sightings or skips that only differed
	// in what was rewritten become one; a reference to one that went away so
	// is ignored. Old text is gone from the disk when the Update returns, as
	// far as the database can see to it.
	EachProvenance(ctx context.Context, fn func(ref string, text string) error) error
	RewriteProvenance(ctx context.Context, ref string, text string) error
	// Provenance is the text of a reference; ErrNotFound when it is gone.
	Provenance(ctx context.Context, ref string) (string, error)
}

// Source is a place that was scanned.
type Source struct {
	ID        string
	Kind      fingerprints.SourceKind
	AddedAt   time.Time
	Forgotten bool
}

// ExtentStream is the extent of what was piped in: it was read to its end, and
// says nothing of what was piped in at another time.
const ExtentStream = "piped in"

// ExtentNamed is the extent of a scan of some images of a repository.
const ExtentNamed = "some images"

// Scan is one run over a source.
type Scan struct {
	ID       int64 // given by the store
	SourceID string
	// Extent is what the scan set out to read ("" the whole source; otherwise
	// a canonical description of a part).
	Extent     string
	StartedAt  time.Time
	FinishedAt time.Time // zero: running or died
	// Complete: every object of the extent was read; no failure, not partial.
	Complete bool
	// FieldRevision is the newest registered field that the scan's pack held.
	FieldRevision uint64
	PackRevision  uint64
	Generic       bool   // generic rules ran too
	Through       string // how far, in people's words: "2,311 files", a commit ...
	Cursor        []byte
	Items         int64
	Bytes         int64
	Skips         int64
}

// SourceTx is sources, scans, cursors and skips.
type SourceTx interface {
	PutSource(ctx context.Context, s Source) error // insert or replace
	Source(ctx context.Context, id string) (Source, error)
	Sources(ctx context.Context) ([]Source, error) // in order of id, forgotten ones left out
	// MoveSource gives a source a new id; findings follow. The rekey function
	// computes a finding's new id from its value and path ids.
	MoveSource(ctx context.Context, from, to string, rekey func(fingerprints.Finding) fingerprints.FindingID) error
	// ForgetSource removes a source with its scans, findings and sightings.
	ForgetSource(ctx context.Context, id string) error

	// PutPositions inserts or replaces, by name, how far parts of a source were read;
	// opaque, never content. Positions are all of a source's; they go with it.
	PutPositions(ctx context.Context, sourceID string, rows map[string][]byte) error
	Positions(ctx context.Context, sourceID string) (map[string][]byte, error)

	StartScan(ctx context.Context, s Scan) (int64, error)
	// SaveScan updates progress, cursor and outcome of a started scan.
	SaveScan(ctx context.Context, s Scan) error
	// Scans lists a source's scans, newest first.
	Scans(ctx context.Context, sourceID string, limit int) ([]Scan, error)
	// ForgetScans removes finished scans of a source with their skips, but for the
	// newest, so many, and those that coverage may rest on: for each extent and kind
	// (generic or not) the newest complete one, the newest complete one of those that
	// searched for most, and all of ExtentStream. It returns how many it removed.
	ForgetScans(ctx context.Context, sourceID string, keep int) (int, error)
	// NewestScans are the newest scan of every source, by source.
	NewestScans(ctx context.Context) (map[string]Scan, error)
	// ScanByID is one scan.
	ScanByID(ctx context.Context, id int64) (Scan, error)
	// CompleteScans lists, for every source, extent and kind (generic or not),
	// the newest complete scan, ordered by source: what coverage is computed
	// from.
	CompleteScans(ctx context.Context) ([]Scan, error)
	// AddSkips is idempotent: a skip is known by path, locator and reason.
	AddSkips(ctx context.Context, scan int64, skips []fingerprints.Skip) error
	Skips(ctx context.Context, scan int64, limit int) ([]fingerprints.Skip, error)
}

// AuditRecord is one link of the audit chain (package audit makes MAC).
type AuditRecord struct {
	Sequence uint64 // from 1, without gaps
	At       time.Time
	Actor    string
	Content  []byte // canonical JSON
	MAC      []byte
}

// AuditTx is the audit chain; append-only.
type AuditTx interface {
	// LastAudit returns the zero record when the chain is empty.
	LastAudit(ctx context.Context) (AuditRecord, error)
	AppendAudit(ctx context.Context, r AuditRecord) error // ErrExists on a taken sequence
	EachAudit(ctx context.Context, from uint64, fn func(AuditRecord) error) error
	PutCheckpoint(ctx context.Context, sequence uint64, signed []byte) error
	Checkpoints(ctx context.Context) ([][]byte, error)
}
