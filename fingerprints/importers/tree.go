package importers

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// kind is what a node of a document is.
type kind int

const (
	scalar kind = iota // text, as the document has it
	bare               // a number, a switch or null
	object
	list
)

// node is a value in a JSON or YAML document.
type node struct {
	kind    kind
	line    int
	text    string // of scalar and bare
	names   []string
	values  []*node // members of an object or elements of a list
	damaged bool    // decoding has replaced characters
}

// get returns the member at a path of names, nil when there is none.
func (n *node) get(path ...string) *node {
	for _, name := range path {
		if n == nil || n.kind != object {
			return nil
		}
		var next *node
		for i, have := range n.names {
			if have == name {
				next = n.values[i]
			}
		}
		n = next
	}
	return n
}

// str returns the text of a scalar member, or "".
func (n *node) str(path ...string) string {
	m := n.get(path...)
	if m == nil || m.kind != scalar {
		return ""
	}
	return m.text
}

const (
	notJSON = "not valid JSON"
	tooDeep = "nested too deeply"
)

// jsonReader builds a tree and keeps count of lines.
type jsonReader struct {
	b    []byte
	dec  *json.Decoder
	at   int // bytes that line counts
	line int
	fffd bool // the document itself has U+FFFD
}

func newJSONReader(b []byte, line int) *jsonReader {
	r := &jsonReader{b: b, dec: json.NewDecoder(bytes.NewReader(b)), line: line, fffd: hasReplacement(b)}
	r.dec.UseNumber()
	return r
}

// here is the line of the token that was read last.
func (r *jsonReader) here() int {
	if to := int(r.dec.InputOffset()); to > r.at {
		r.line += bytes.Count(r.b[r.at:to], []byte("\n"))
		r.at = to
	}
	return r.line
}

// next returns the next document; nil at the end; or a reason why it could not
// be read, and what was read of it before.
func (r *jsonReader) next() (*node, string) { return r.value(0) }

func (r *jsonReader) value(depth int) (*node, string) {
	if depth > MaxDepth {
		return nil, tooDeep
	}
	tok, err := r.dec.Token()
	if errors.Is(err, io.EOF) && depth == 0 {
		return nil, ""
	}
	if err != nil {
		return nil, notJSON
	}
	n := &node{line: r.here()}
	switch tok := tok.(type) {
	case string:
		n.kind, n.text = scalar, tok
		n.damaged = !r.fffd && strings.ContainsRune(tok, utf8.RuneError)
	case json.Number:
		n.kind, n.text = bare, tok.String()
	case bool:
		n.kind, n.text = bare, strconv.FormatBool(tok)
	case nil:
		n.kind = bare
	case json.Delim:
		n.kind = list
		if tok == '{' {
			n.kind = object
		}
		if reason := r.members(n, depth); reason != "" {
			return n, reason
		}
	}
	return n, ""
}

func (r *jsonReader) members(n *node, depth int) string {
	for r.dec.More() {
		if n.kind == object {
			tok, err := r.dec.Token()
			name, ok := tok.(string)
			if err != nil || !ok {
				return notJSON
			}
			n.names = append(n.names, name)
		}
		child, reason := r.value(depth + 1)
		if child != nil {
			n.values = append(n.values, child)
		}
		if reason != "" {
			n.names = n.names[:min(len(n.names), len(n.values))]
			return reason
		}
	}
	if _, err := r.dec.Token(); err != nil {
		return notJSON
	}
	return ""
}

// parseJSON reads one document that begins on a line. On failure it says why.
func parseJSON(b []byte, line int) (root *node, reason string) {
	r := newJSONReader(b, line)
	root, reason = r.next()
	if reason == "" && root == nil {
		return nil, "empty"
	}
	if reason != "" {
		return nil, reason
	}
	if rest, more := r.next(); more != "" || rest != nil {
		return nil, notJSON
	}
	return root, ""
}

// objectIn parses text that is a JSON object as a whole.
func objectIn(b []byte, line int) *node {
	t := bytes.TrimSpace(b)
	if len(t) < 2 || t[0] != '{' || t[len(t)-1] != '}' || !utf8.Valid(t) {
		return nil
	}
	root, reason := parseJSON(t, line)
	if reason != "" || root.kind != object || len(root.values) == 0 {
		return nil
	}
	return root
}

// fromYAML converts what the YAML library read. Aliases are left out: what
// they stand for is in the document already.
func fromYAML(y *yaml.Node, depth int) (*node, string) {
	if depth > MaxDepth {
		return nil, tooDeep
	}
	n := &node{line: y.Line, kind: bare}
	switch y.Kind {
	case yaml.DocumentNode:
		if len(y.Content) == 0 {
			return n, ""
		}
		return fromYAML(y.Content[0], depth)
	case yaml.ScalarNode:
		switch y.ShortTag() {
		case "!!str":
			n.kind, n.text = scalar, y.Value
		case "!!binary":
			b, err := fromBase64(y.Value)
			if err != nil {
				return nil, "binary that is not base64"
			}
			n.kind, n.text = scalar, string(b)
		default:
			n.text = y.Value
		}
	case yaml.MappingNode:
		n.kind = object
		for i := 0; i+1 < len(y.Content); i += 2 {
			child, reason := fromYAML(y.Content[i+1], depth+1)
			if reason != "" {
				return nil, reason
			}
			n.names = append(n.names, y.Content[i].Value)
			n.values = append(n.values, child)
		}
	case yaml.SequenceNode:
		n.kind = list
		for _, c := range y.Content {
			child, reason := fromYAML(c, depth+1)
			if reason != "" {
				return nil, reason
			}
			n.values = append(n.values, child)
		}
	case yaml.AliasNode:
	}
	return n, ""
}
