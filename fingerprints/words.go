package fingerprints

// Class says what kind of credential a secret is; policy starts from it.
type Class string

// The classes.
const (
	ClassApplication   Class = "application"
	ClassThirdParty    Class = "third-party"
	ClassCryptographic Class = "cryptographic"
	ClassBootstrap     Class = "bootstrap"
)

// Classes lists every class in the order that help texts show.
func Classes() []Class {
	return []Class{ClassApplication, ClassThirdParty, ClassCryptographic, ClassBootstrap}
}

// State is where a version stands in its life.
type State string

// The states. Compromise is a flag beside the state, not a state.
const (
	StatePending    State = "pending"
	StateActive     State = "active"
	StateSuperseded State = "superseded"
	StateRetired    State = "retired"
	StateAbandoned  State = "abandoned"
)

// States lists every state in the order of a version's life.
func States() []State {
	return []State{StatePending, StateActive, StateSuperseded, StateRetired, StateAbandoned}
}

// DefaultField names the field of a version that has one value only.
const DefaultField = "value"

// Presence says where, in a source, a sighting still is.
type Presence string

// The presences of repositories and files, images, logs and topics.
const (
	PresenceTip         Presence = "tip"
	PresenceHistory     Presence = "history"
	PresenceUnreachable Presence = "unreachable"
	PresenceVisible     Presence = "visible"
	PresenceShadowed    Presence = "shadowed"
	PresenceMetadata    Presence = "metadata"
	PresenceRetained    Presence = "retained"
	PresenceExpired     Presence = "expired"
	PresenceGone        Presence = "gone"
)

// Presences lists every presence, the strongest first. A finding has the
// presence of its strongest sighting.
func Presences() []Presence {
	return []Presence{
		PresenceTip, PresenceVisible, PresenceMetadata, PresenceRetained,
		PresenceHistory, PresenceShadowed, PresenceUnreachable,
		PresenceExpired, PresenceGone,
	}
}

// SkipReasons lists why something may not have been read, failures first.
func SkipReasons() []SkipReason {
	return []SkipReason{
		SkipUnreadable, SkipBadRecord, SkipChanging, SkipInterrupted,
		SkipVanished, SkipMissing, SkipLFS, SkipRepository, SkipExpired, SkipSymlink, SkipLoop, SkipSpecial, SkipExcluded, SkipIgnored, SkipNotAsked,
		SkipTooLarge, SkipArchive, SkipEncoded, SkipLongMatch,
	}
}

// Live reports whether a copy is where a reader meets it without digging:
// what `prove` counts as a live copy by default.
func (p Presence) Live() bool {
	switch p {
	case PresenceTip, PresenceVisible, PresenceMetadata, PresenceRetained:
		return true
	case PresenceHistory, PresenceShadowed, PresenceUnreachable, PresenceExpired, PresenceGone:
		return false
	}
	return true // an unknown presence must not read as clean
}

// Present reports whether a copy can still be fetched at all.
func (p Presence) Present() bool { return p != PresenceExpired && p != PresenceGone }

// Verdict is what correlation says of a finding. It is computed, never stored.
type Verdict string

// The verdicts.
const (
	VerdictPremature    Verdict = "premature"
	VerdictLeaked       Verdict = "leaked"
	VerdictLagging      Verdict = "lagging"
	VerdictOverdue      Verdict = "overdue"
	VerdictStale        Verdict = "stale"
	VerdictCompromised  Verdict = "compromised"
	VerdictUnregistered Verdict = "unregistered"
	VerdictAllowed      Verdict = "allowed"
	VerdictCleared      Verdict = "cleared"
)

// Verdicts lists every verdict, the worst first.
func Verdicts() []Verdict {
	return []Verdict{
		VerdictCompromised, VerdictLeaked, VerdictPremature, VerdictStale, VerdictOverdue,
		VerdictLagging, VerdictUnregistered, VerdictAllowed, VerdictCleared,
	}
}

// Status is what people said of a finding.
type Status string

// The statuses. An accepted finding reopens when its date has passed.
const (
	StatusOpen          Status = "open"
	StatusAccepted      Status = "accepted"
	StatusFalsePositive Status = "false-positive"
)

// Statuses lists the statuses, that of a new finding first.
func Statuses() []Status {
	return []Status{StatusOpen, StatusAccepted, StatusFalsePositive}
}

// Severity ranks a finding for people.
type Severity string

// The severities.
const (
	SeverityCritical Severity = "critical"
	SeverityHigh     Severity = "high"
	SeverityMedium   Severity = "medium"
	SeverityLow      Severity = "low"
	SeverityInfo     Severity = "info"
)

// Severities lists every severity, the worst first.
func Severities() []Severity {
	return []Severity{SeverityCritical, SeverityHigh, SeverityMedium, SeverityLow, SeverityInfo}
}

// Strength is the class of a value's estimated min-entropy; the bits
// themselves are never stored.
type Strength string

// The strength classes. Edge values may go into packs for laptops and CI,
// core values stay on servers, weak values can be guessed from the database
// and the core ring together. Unsearchable values are too short or too common.
const (
	StrengthEdge         Strength = "edge"
	StrengthCore         Strength = "core"
	StrengthWeak         Strength = "weak"
	StrengthUnsearchable Strength = "unsearchable"
)

// Audience says who may hold a key or a pack.
type Audience string

// The audiences: servers, and laptops and pipelines.
const (
	AudienceCore Audience = "core"
	AudienceEdge Audience = "edge"
)

// Form says how a value was encoded where it was found.
type Form string

// The forms that are recognised. A form is an attribute of a sighting and
// never part of an identity. Encodings in each other are joined by a plus sign,
// the outermost first.
const (
	FormRaw        Form = "raw"
	FormBase64     Form = "base64"
	FormHex        Form = "hex"
	FormUTF16      Form = "utf-16"
	FormBackslash  Form = "backslash-escaped"
	FormPercent    Form = "percent-encoded"
	FormHTML       Form = "html-escaped"
	FormQuoted     Form = "quote-doubled"
	FormWrapped    Form = "wrapped"
	FormPrivateKey Form = "private-key"

	FormBase32          Form = "base32"
	FormNumbers         Form = "numbers"    // lists of byte values: 0x41, 0x42; 65, 66; chr(65).chr(66)
	FormDump            Form = "dump"       // xxd, hexdump, od
	FormCompressed      Form = "compressed" // a stream in what was decoded
	FormQuotedPrintable Form = "quoted-printable"
	FormUuencode        Form = "uuencode"
	FormBase85          Form = "base85"   // of git, Adobe and Python
	FormTerminal        Form = "terminal" // broken by control sequences
	FormJoined          Form = "joined"   // string literals put together
	FormPrefixed        Form = "prefixed" // lines behind timestamps and the like
	FormMarkup          Form = "markup"   // broken by tags
)

// Within is the form of a value that has the form inner inside of what has the
// form f: "base64+hex" is hex in base64.
func (f Form) Within(inner Form) Form {
	switch {
	case f == "" || f == FormRaw:
		return inner
	case inner == "" || inner == FormRaw || inner == f:
		return f
	}
	return f + "+" + inner
}

// SourceKind says what kind of place a source is.
type SourceKind string

// The kinds of source.
const (
	KindDir   SourceKind = "dir"
	KindStdin SourceKind = "stdin"
	KindGit   SourceKind = "git"
	KindImage SourceKind = "image"
	KindCI    SourceKind = "ci"
	KindKafka SourceKind = "kafka"
	KindOther SourceKind = "other"
)
