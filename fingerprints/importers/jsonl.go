package importers

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"revenant/fingerprints"
)

// entry is a line of jsonl.
type entry struct {
	Name      string          `json:"name"`
	Value     json.RawMessage `json:"value"`
	Base64    *string         `json:"value_base64"`
	Class     string          `json:"class"`
	Owner     string          `json:"owner"`
	Consumers json.RawMessage `json:"consumers"`
	State     string          `json:"state"`
	IssuedTo  string          `json:"issued_to"`
}

func readJSONL(r io.Reader, o *output) error {
	in := newLines(r)
	for !o.done {
		t, err := in.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if t.long {
			o.problem(t.line, tooLong)
			continue
		}
		if len(bytes.TrimSpace(t.b)) == 0 {
			continue
		}
		rec, reason := readEntry(t.b, o.opt.Select)
		if reason != "" {
			o.problem(t.line, reason)
			continue
		}
		rec.Line = t.line
		o.record(rec)
	}
	return nil
}

// readEntry returns the record, or the reason why there is none.
func readEntry(b []byte, sel Selection) (Record, string) {
	if !utf8.Valid(b) {
		return Record{}, "not UTF-8: write binary values as value_base64"
	}
	var e entry
	if err := json.Unmarshal(b, &e); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) && wrong.Field != "" {
			return Record{}, wrong.Field + " is not a string"
		}
		if errors.As(err, &wrong) {
			return Record{}, "not a JSON object"
		}
		return Record{}, "not valid JSON"
	}
	if e.Name == "" {
		return Record{}, "no name"
	}
	rec := Record{Name: e.Name, Owner: e.Owner, Class: fingerprints.Class(e.Class), State: fingerprints.State(e.State), IssuedTo: e.IssuedTo}
	if e.Class != "" && !slices.Contains(fingerprints.Classes(), rec.Class) {
		return Record{}, fmt.Sprintf("class: use one of %v", fingerprints.Classes())
	}
	if e.State != "" && !slices.Contains(fingerprints.States(), rec.State) {
		return Record{}, fmt.Sprintf("state: use one of %v", fingerprints.States())
	}
	if e.IssuedTo != "" {
		if err := fingerprints.CheckName(e.IssuedTo); err != nil {
			return Record{}, "issued_to: " + err.Error()
		}
	}
	consumers, reason := consumersOf(e.Consumers)
	if reason != "" {
		return Record{}, reason
	}
	rec.Consumers = consumers
	rec.Fields, reason = e.fields(b, sel)
	return rec, reason
}

func consumersOf(raw json.RawMessage) ([]string, string) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, ""
	}
	var list []string
	if err := json.Unmarshal(raw, &list); err != nil {
		var one string
		if err := json.Unmarshal(raw, &one); err != nil {
			return nil, "consumers is not a list of strings"
		}
		list = strings.FieldsFunc(one, func(r rune) bool { return r == ',' || r == ' ' })
	}
	for _, c := range list {
		if err := fingerprints.CheckName(c); err != nil {
			return nil, "consumers: " + err.Error()
		}
	}
	slices.Sort(list)
	return slices.Compact(list), ""
}

// fields reads value or value_base64. A line's value is a secret because the
// line says so: only objects are classified.
func (e entry) fields(line []byte, sel Selection) ([]Field, string) {
	none := len(e.Value) == 0 || string(e.Value) == "null"
	switch {
	case none && e.Base64 == nil:
		return nil, "no value: give value or value_base64"
	case !none && e.Base64 != nil:
		return nil, "both value and value_base64"
	case e.Base64 != nil:
		b, err := fromBase64(*e.Base64)
		if err != nil {
			return nil, "value_base64 is not base64"
		}
		if len(b) == 0 {
			return nil, "the value is empty"
		}
		return []Field{{Name: "value", Value: fingerprints.NewValue(b)}}, ""
	}
	switch e.Value[0] {
	case '"':
		var v string
		if err := json.Unmarshal(e.Value, &v); err != nil {
			return nil, "not valid JSON"
		}
		if strings.ContainsRune(v, utf8.RuneError) && !hasReplacement(line) {
			return nil, "the value holds half of a surrogate pair: write it as value_base64"
		}
		if v == "" {
			return nil, "the value is empty"
		}
		if f := embedded([]byte(v)); len(f) > 0 {
			return f, ""
		}
		return []Field{{Name: "value", Value: fingerprints.NewValue([]byte(v))}}, ""
	case '{':
		root, reason := parseJSON(e.Value, 1)
		if reason != "" {
			return nil, reason
		}
		if f := fieldsOf(root, store, sel); len(f) > 0 {
			return f, ""
		}
		return nil, "no sensitive field in the value (--all takes every field)"
	}
	return nil, "value is not a string"
}

// hasReplacement reports whether the text itself has U+FFFD. Where it has not,
// decoding puts it in place of half a surrogate pair.
func hasReplacement(text []byte) bool {
	return bytes.Contains(text, []byte("\xef\xbf\xbd")) || bytes.Contains(text, []byte(`\ufffd`)) || bytes.Contains(text, []byte(`\uFFFD`))
}

// fromBase64 accepts both alphabets, with and without padding, over line
// breaks.
func fromBase64(s string) ([]byte, error) {
	clean := strings.Map(func(r rune) rune {
		switch r {
		case '\n', '\r', ' ', '\t':
			return -1
		case '-':
			return '+'
		case '_':
			return '/'
		}
		return r
	}, s)
	return base64.RawStdEncoding.DecodeString(strings.TrimRight(clean, "="))
}
