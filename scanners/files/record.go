package files

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"revenant/fingerprints"
	"revenant/scanners"
)

// maxName bounds a record's source, path and URL, in bytes.
const maxName = 4096

// The reasons of a broken record. They never repeat the record.
var (
	errNotObject  = errors.New("not a JSON object")
	errNotUTF8    = errors.New("not UTF-8: put such bytes into base64")
	errNoSource   = errors.New("no source: give the record one, or use --source")
	errNoContent  = errors.New("neither text nor base64")
	errTwoBodies  = errors.New("both text and base64")
	errBadBase64  = errors.New("base64 that does not decode")
	errWrongType  = errors.New("a member that is not a string")
	errLongMember = errors.New("source, path or url over 4096 bytes")
)

// record is one line of an NDJSON source.
type record struct {
	source, path, url string
	at                time.Time
	content           []byte
	extra             []byte // other members, one a line
}

func parseRecord(line []byte, defaultSource string) (record, error) {
	if !utf8.Valid(line) {
		return record{}, errNotUTF8
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(line, &members); err != nil || members == nil {
		return record{}, errNotObject
	}
	text := map[string]*string{}
	for _, name := range []string{"source", "path", "url", "time", "text", "base64"} {
		raw, has := members[name]
		delete(members, name)
		if !has || bytes.Equal(raw, []byte("null")) {
			continue
		}
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return record{}, errWrongType
		}
		text[name] = &s
	}
	r := record{
		source: normalSource(valueOr(text["source"], defaultSource)),
		path:   valueOr(text["path"], stdinPath),
		url:    valueOr(text["url"], ""),
	}
	switch {
	case r.source == "":
		return record{}, errNoSource
	case max(len(r.source), len(r.path), len(r.url)) > maxName:
		return record{}, errLongMember
	}
	r.extra = extraMembers(members)
	r.at = parseTime(valueOr(text["time"], ""))
	if r.at.IsZero() && text["time"] != nil && *text["time"] != "" {
		r.extra = append(r.extra, *text["time"]...) // no time after all: content
	}
	var err error
	r.content, err = body(text["text"], text["base64"])
	return r, err
}

func valueOr(s *string, otherwise string) string {
	if s == nil || *s == "" {
		return otherwise
	}
	return *s
}

func body(text, encoded *string) ([]byte, error) {
	switch {
	case text != nil && encoded != nil:
		return nil, errTwoBodies
	case text != nil:
		return []byte(*text), nil
	case encoded == nil:
		return nil, errNoContent
	}
	clean := strings.Map(func(c rune) rune {
		switch c {
		case ' ', '\t', '\r', '\n':
			return -1
		case '-':
			return '+'
		case '_':
			return '/'
		}
		return c
	}, *encoded)
	out, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(clean, "="))
	if err != nil {
		return nil, errBadBase64
	}
	return out, nil
}

// extraMembers puts members that have no meaning here on lines of their own,
// strings unquoted.
func extraMembers(members map[string]json.RawMessage) []byte {
	names := make([]string, 0, len(members))
	for name := range members {
		names = append(names, name)
	}
	slices.Sort(names)
	var out []byte
	for _, name := range names {
		out = append(out, name...)
		out = append(out, ": "...)
		var s string
		if err := json.Unmarshal(members[name], &s); err == nil {
			out = append(out, s...)
		} else {
			out = append(out, members[name]...)
		}
		out = append(out, '\n')
	}
	return out
}

func parseTime(s string) time.Time {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", time.DateTime} {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	return time.Time{}
}

// normalSource takes user-info out of a source that is a URL: it may be a
// password and is never part of an identity.
func normalSource(s string) string {
	s = strings.TrimSpace(s)
	if !strings.Contains(s, "@") {
		return s
	}
	u, err := url.Parse(s)
	if err != nil || u.User == nil {
		return s
	}
	u.User = nil
	return u.String()
}

// presence says how strongly a record's content is still there: what a
// repository, image or directory holds is taken to be current, and anything
// else lies in somebody's log or archive.
func (r record) presence() fingerprints.Presence {
	switch scanners.KindOf(r.source) {
	case fingerprints.KindDir, fingerprints.KindGit, fingerprints.KindStdin:
		return fingerprints.PresenceTip
	case fingerprints.KindImage:
		return fingerprints.PresenceVisible
	case fingerprints.KindCI, fingerprints.KindKafka, fingerprints.KindOther:
	}
	return fingerprints.PresenceRetained
}
