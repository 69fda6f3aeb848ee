package registry

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"revenant/fingerprints"
	"revenant/fingerprints/registration"
)

// checkFields names unnamed fields and refuses empty and double ones.
func checkFields(fields []Field) ([]Field, error) {
	if len(fields) == 0 {
		return nil, ErrEmptyValue
	}
	out := slices.Clone(fields)
	seen := map[string]bool{}
	for i := range out {
		f := &out[i]
		if f.Name == "" {
			f.Name = "value"
		}
		if err := checkName("field", f.Name); err != nil {
			return nil, err
		}
		if seen[f.Name] {
			return nil, badInput("field", "%s is given twice", f.Name)
		}
		seen[f.Name] = true
		if f.Sealed != nil {
			continue // the row says it
		}
		switch n := len(registration.Canonical(f.Value.Reveal(), f.trailing())); {
		case n == 0:
			return nil, fmt.Errorf("field %s: %w", f.Name, ErrEmptyValue)
		case n > registration.MaxLength:
			return nil, registerError(f.Name, registration.ErrTooLong)
		}
	}
	return out, nil
}

// minLabelValue is the shortest value that labels are searched for: a shorter
// one stands in many words.
const minLabelValue = 6

// checkLabels refuses labels that hold one of the values: somebody typed the
// value where a name belongs.
func checkLabels(fields []Field, labels ...string) error {
	for _, f := range fields {
		if f.Sealed != nil {
			continue
		}
		v := strings.TrimRight(string(f.Value.Reveal()), "\r\n")
		if len(v) < minLabelValue {
			continue
		}
		for _, l := range labels {
			if strings.Contains(l, v) {
				return ErrValueInName
			}
		}
	}
	return nil
}

// checkAdd fills defaults in and refuses what cannot be stored.
func checkAdd(q AddRequest) (AddRequest, error) {
	var err error
	if q.Fields, err = checkFields(q.Fields); err != nil {
		return q, err
	}
	labels := append([]string{q.Name, q.Owner, q.IssuedTo}, q.Consumers...)
	if err := checkLabels(q.Fields, append(labels, fieldNames(q.Fields)...)...); err != nil {
		return q, err
	}
	q.Class, err = checkSecret(q.Name, q.Class, q.Owner, q.Consumers, q.IssuedTo)
	return q, err
}

func fieldNames(fields []Field) []string {
	var out []string
	for _, f := range fields {
		out = append(out, f.Name)
	}
	return out
}

// checkSecret checks what is stored of a secret; "" is class application.
func checkSecret(name string, class fingerprints.Class, owner string, consumers []string, issuedTo string) (fingerprints.Class, error) {
	if err := checkName("secret", name); err != nil {
		return class, err
	}
	if class == "" {
		class = fingerprints.ClassApplication
	}
	if !slices.Contains(fingerprints.Classes(), class) {
		return class, badInput("class", "use application, third-party, cryptographic or bootstrap")
	}
	if err := checkOwner(owner); err != nil {
		return class, err
	}
	for _, c := range append(nonEmpty(issuedTo), consumers...) {
		if err := checkName("consumer", c); err != nil {
			return class, err
		}
	}
	return class, nil
}

// checkOwner accepts names of teams and people, mail addresses among them.
func checkOwner(s string) error {
	if len(s) > fingerprints.MaxName {
		return badInput("owner", "use at most %d characters", fingerprints.MaxName)
	}
	return checkText("owner", s)
}

// checkText accepts a line of printable text.
func checkText(what, s string) error {
	if len(s) > 1000 || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		return badInput(what, "use one line of at most 1000 characters")
	}
	return nil
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// mergeNames is the sorted union.
func mergeNames(a, b []string) []string {
	out := slices.Concat(a, b)
	slices.Sort(out)
	return slices.Compact(out)
}
