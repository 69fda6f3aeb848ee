package query

import (
	"slices"
	"strings"

	"revenant/fingerprints"
)

// Field is what a condition is about, as it is written.
type Field string

// The fields.
const (
	FieldVerdict  Field = "verdict"
	FieldSeverity Field = "severity"
	FieldStatus   Field = "status"
	FieldPresence Field = "presence"
	FieldClass    Field = "class"
	FieldKind     Field = "kind" // what a source's id begins with
	FieldSource   Field = "source"
	FieldOwner    Field = "owner"
	FieldRule     Field = "rule"
	FieldSecret   Field = "secret" // a name, or name@3
	FieldForm     Field = "form"
	FieldPath     Field = "path"
	FieldID       Field = "id"
	FieldIs       Field = "is"
	FieldHas      Field = "has"
	FieldNo       Field = "no"
	FieldAge      Field = "age"   // since it was first seen
	FieldSeen     Field = "seen"  // since it was last seen
	FieldDue      Field = "due"   // until it is due, or the day
	FieldFirst    Field = "first" // the day it was first seen
	FieldLast     Field = "last"  // the day it was last seen
)

// Fields lists every field in the order that help texts show.
func Fields() []Field {
	return []Field{
		FieldVerdict, FieldSeverity, FieldStatus, FieldPresence, FieldClass, FieldKind, FieldSource, FieldOwner, FieldRule, FieldSecret,
		FieldForm, FieldPath, FieldID, FieldIs, FieldHas, FieldNo, FieldAge, FieldSeen, FieldDue, FieldFirst, FieldLast,
	}
}

// Times are the fields that are compared: with durations, with days, or with both.
func Times() []Field { return []Field{FieldAge, FieldSeen, FieldDue, FieldFirst, FieldLast} }

// Facets are the fields whose values findings are counted by.
func Facets() []Field {
	return []Field{FieldVerdict, FieldSeverity, FieldStatus, FieldPresence, FieldClass, FieldKind, FieldSource, FieldOwner, FieldRule, FieldSecret}
}

func wordsOf[W ~string](list []W) []string {
	out := make([]string, len(list))
	for i, w := range list {
		out[i] = string(w)
	}
	return out
}

// Words are the values that a field has; nil: it has names, or is no list.
func (f Field) Words() []string {
	switch f {
	case FieldVerdict:
		return wordsOf(fingerprints.Verdicts())
	case FieldSeverity:
		return wordsOf(fingerprints.Severities())
	case FieldStatus:
		return wordsOf(fingerprints.Statuses())
	case FieldPresence:
		return wordsOf(fingerprints.Presences())
	case FieldClass:
		return wordsOf(fingerprints.Classes())
	case FieldKind:
		return wordsOf(kinds())
	case FieldIs:
		return []string{"open", "accepted", "dismissed", "registered", "unregistered", "live", "present", "late"}
	case FieldHas, FieldNo:
		return wordsOf([]Field{FieldOwner, FieldRule, FieldSecret, FieldDue})
	case FieldSource, FieldOwner, FieldRule, FieldSecret, FieldForm, FieldPath, FieldID, FieldAge, FieldSeen, FieldDue, FieldFirst, FieldLast:
	}
	return nil
}

func kinds() []fingerprints.SourceKind {
	return []fingerprints.SourceKind{
		fingerprints.KindGit, fingerprints.KindImage, fingerprints.KindCI, fingerprints.KindKafka, fingerprints.KindDir, fingerprints.KindStdin, fingerprints.KindOther,
	}
}

// kindOf is what a source's id says of its kind.
func kindOf(source string) string {
	kind, _, _ := strings.Cut(source, ":")
	if slices.Contains(kinds(), fingerprints.SourceKind(kind)) {
		return kind
	}
	return string(fingerprints.KindOther)
}

// hours and days say what a time field is compared with.
func (f Field) hours() bool { return f == FieldAge || f == FieldSeen || f == FieldDue }
func (f Field) days() bool  { return f == FieldFirst || f == FieldLast || f == FieldDue }
