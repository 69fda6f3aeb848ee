// Package query is the language that findings are searched in: words of text,
// conditions on fields, and what joins them.
//
//	verdict:stale owner:payments age>30d
//	deploy "db password" -path:testdata
//	(secret:billing/* OR rule:aws-*) is:open no:owner
//
// A query parses into a structure that three readers share: String writes it as
// text that parses to the same, Match decides about one finding, and Filter is the
// part of it that the store can answer. Package search runs it on the index, and
// is held against Match.
//
// People paste secrets into search boxes: no error repeats what was typed. It says
// where, and what would do.
package query

import (
	"errors"
	"fmt"
	"time"
)

// ErrQuery is what every error of Parse wraps.
var ErrQuery = errors.New("the query cannot be read")

// Error says what is wrong with a query, and where; it never repeats the query.
type Error struct {
	Position int    // of the character, from 1
	Problem  string // and what would do
}

func (e *Error) Error() string {
	return fmt.Sprintf("the query cannot be read at character %d: %s", e.Position, e.Problem)
}

// Unwrap is ErrQuery.
func (e *Error) Unwrap() error { return ErrQuery }

// Query is a parsed query. The zero query selects every finding.
type Query struct{ root Node }

// Root is the query's structure; nil: it selects everything. It is not to be
// changed.
func (q Query) Root() Node { return q.root }

// Of is the query with a structure that Parse could have given.
func Of(n Node) Query { return Query{root: n} }

// Node is a part of a query: And, Or, Not, Text, In or Time.
type Node interface{ appendTo([]byte) []byte }

// And selects what all of its parts do, of which there are at least two, and none
// is another And.
type And []Node

// Or selects what one of its parts does, of which there are at least two, and none
// is another Or.
type Or []Node

// Not selects what its part does not.
type Not struct{ Node Node }

// Text selects findings in a text of which words follow each other.
type Text struct {
	Field  Field   // FieldPath: in the path; empty: in any text
	Typed  Pattern // as it was written
	Tokens []Pattern
}

// In selects findings of which a field has one of some values.
type In struct {
	Field  Field
	Values []Pattern
}

// Time selects findings by a moment: FieldAge and the others of Times.
type Time struct {
	Field Field
	Less  bool          // written <; else >
	Ago   time.Duration // of age, seen and due, in days or hours
	Day   time.Time     // of first, last and due; zero: Ago counts
}

// Moment is which time of a finding a condition is about.
type Moment int

// The moments.
const (
	First Moment = iota // first seen
	Last                // last seen
	Due
)

// Bound is what the condition asks of a finding's moment: before the bound, or at
// it or after it. A finding without the moment never meets it.
func (t Time) Bound(now time.Time) (which Moment, bound time.Time, before bool) {
	which = map[Field]Moment{FieldAge: First, FieldFirst: First, FieldSeen: Last, FieldLast: Last, FieldDue: Due}[t.Field]
	switch {
	case !t.Day.IsZero():
		return which, t.Day, t.Less
	case t.Field == FieldDue:
		return which, now.Add(t.Ago), t.Less
	}
	return which, now.Add(-t.Ago), !t.Less // older is earlier
}
