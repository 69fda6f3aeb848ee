package kafka

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Position is how far a partition was searched. It holds no content.
type Position struct {
	// Incarnation counts how often the topic was made anew under its name, from 1: a
	// topic that is deleted and made again begins with offset 0.
	Incarnation int `json:"incarnation"`
	// Everything from Start to before Next was searched, what the partition kept of it.
	Start int64 `json:"start"`
	Next  int64 `json:"next"`
	// Kept is the first offset that the partition kept when it was looked at last.
	Kept int64 `json:"kept"`
	// Last is the offset of the last record that was read, LastAt its time in
	// milliseconds and Witness a keyed hash of it: they tell whether the topic is
	// still the same. Witness is empty where nothing was read yet.
	Last    int64  `json:"last"`
	LastAt  int64  `json:"last_at"`
	Witness []byte `json:"witness,omitempty"`
	// Fields is the revision of the newest registered value that was looked for in
	// all of it, and Generic says that generic rules looked, too.
	Fields  uint64 `json:"fields"`
	Generic bool   `json:"generic"`
	// Newer says that the end of it was searched for more; nil: it was not.
	Newer *Newer `json:"newer,omitempty"`
}

// Newer is from where on a partition was searched for values that were registered
// while it was read.
type Newer struct {
	From   int64  `json:"from"`
	Fields uint64 `json:"fields"`
}

// maxIncarnation and the like keep what is read from a store sane.
const maxIncarnation = 1 << 30

// parsePosition reads a position that was stored.
func parsePosition(b []byte) (Position, error) {
	var p Position
	if err := json.Unmarshal(b, &p); err != nil {
		return Position{}, fmt.Errorf("reading a stored position: %w", errDamaged)
	}
	if p.Incarnation < 1 || p.Incarnation > maxIncarnation || p.Start < 0 || p.Next < p.Start || p.Kept < 0 || p.Last < 0 {
		return Position{}, fmt.Errorf("reading a stored position: %w", errDamaged)
	}
	if n := p.Newer; n != nil && (n.From < p.Start || n.From > p.Next || n.Fields <= p.Fields) {
		p.Newer = nil // it claims more than there is
	}
	return p, nil
}

func (p Position) pack() []byte {
	b, err := json.Marshal(p)
	if err != nil {
		panic("a position cannot be written: " + err.Error()) // it has no type that can fail
	}
	return b
}

// Stream names a partition of one incarnation, as sightings keep it.
func Stream(incarnation, part int) string {
	return strconv.Itoa(incarnation) + "/" + strconv.Itoa(part)
}

// IncarnationOf reads the incarnation off a stream's name; 0: it has none.
func IncarnationOf(stream string) int {
	n, _, _ := strings.Cut(stream, "/")
	i, err := strconv.Atoi(n)
	if err != nil {
		return 0
	}
	return i
}

// MergePositions is what is known of a partition when two processes, or two scans,
// tell how far they came: next is the newer word. Positions that cannot be read are
// as good as none.
func MergePositions(old, next []byte) []byte {
	b, err := parsePosition(next)
	if err != nil {
		return old
	}
	a, err := parsePosition(old)
	if err != nil {
		return next
	}
	return a.merge(b).pack()
}

// Cursor is how far some partitions of a topic were searched, by their numbers.
type Cursor map[int]Position

// ParseCursor reads what a batch of a Source has as its cursor.
func ParseCursor(b []byte) (Cursor, error) {
	var raw map[int]json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		return nil, fmt.Errorf("reading a cursor: %w", errDamaged)
	}
	out := Cursor{}
	for part, text := range raw {
		p, err := parsePosition(text)
		if err != nil || part < 0 {
			return nil, fmt.Errorf("reading a cursor: %w", errDamaged)
		}
		out[part] = p
	}
	return out, nil
}

// Rows are the positions by the names that they are stored under.
func (c Cursor) Rows() map[string][]byte {
	out := map[string][]byte{}
	for part, p := range c {
		out[strconv.Itoa(part)] = p.pack()
	}
	return out
}

// CursorOf reads positions as they are stored; those that cannot be read are left
// out, and their partitions are read again.
func CursorOf(rows map[string][]byte) Cursor {
	out := Cursor{}
	for name, row := range rows {
		part, err := strconv.Atoi(name)
		p, bad := parsePosition(row)
		if err == nil && bad == nil && part >= 0 {
			out[part] = p
		}
	}
	return out
}

func (c Cursor) pack() []byte {
	b, err := json.Marshal(c)
	if err != nil {
		panic("a cursor cannot be written: " + err.Error())
	}
	return b
}

// Searched is what a whole topic was searched for: the least of its partitions.
// whole is false where there is a partition that was not searched from the first
// offset that it keeps.
func (c Cursor) searched(parts []int) (fields uint64, generic, whole bool) {
	fields, generic, whole = ^uint64(0), true, len(parts) > 0
	for _, part := range parts {
		p, has := c[part]
		if !has || p.Start > p.Kept {
			return 0, false, false
		}
		fields, generic = min(fields, p.Fields), generic && p.Generic
	}
	return fields, generic, whole
}
