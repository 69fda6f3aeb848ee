package importers

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"revenant/fingerprints"
)

// readDocument reads the formats that are documents, not lines. Several JSON
// documents one after the other are read one after the other.
func readDocument(r io.Reader, o *output) error {
	b, err := io.ReadAll(io.LimitReader(r, MaxDocument+1))
	if err != nil {
		return err
	}
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	switch {
	case len(b) > MaxDocument:
		o.problem(1, "the document is longer than 64 MiB: split it, or use jsonl")
		return nil
	case len(bytes.TrimSpace(b)) == 0:
		o.problem(1, "the input is empty")
		return nil
	case !utf8.Valid(b):
		o.problem(1+invalidLine(b), "not UTF-8")
		return nil
	}
	if o.opt.Format == SOPS && bytes.TrimSpace(b)[0] != '{' {
		if dotenvLike(b) {
			return readDotenv(newLines(bytes.NewReader(b)), o)
		}
		readYAML(b, o)
		return nil
	}
	in := newJSONReader(b, 1)
	for !o.done {
		root, reason := in.next()
		if reason != "" {
			if root != nil && o.opt.Format == JSON {
				document(root, o) // the values before the break stay
			}
			o.problem(in.here(), reason)
			return nil
		}
		if root == nil {
			return nil
		}
		document(root, o)
	}
	return nil
}

// invalidLine counts the lines before the first byte that is not UTF-8.
func invalidLine(b []byte) int {
	n := 0
	for line := range bytes.Lines(b) {
		if !utf8.Valid(line) {
			return n
		}
		n++
	}
	return n
}

// dotenvLike looks at the first line that says something.
func dotenvLike(b []byte) bool {
	for line := range bytes.Lines(b) {
		name, _, reason := assignment(line)
		if name != "" || reason != "" {
			return name != ""
		}
	}
	return false
}

func readYAML(b []byte, o *output) {
	dec := yaml.NewDecoder(bytes.NewReader(b))
	for last := 1; !o.done; {
		var y yaml.Node
		err := dec.Decode(&y)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			o.problem(yamlLine(err, last), "not valid YAML")
			return
		}
		root, reason := fromYAML(&y, 0)
		if reason != "" {
			o.problem(y.Line, reason)
			return
		}
		last = root.line
		document(root, o)
	}
}

// yamlLine takes the line, and nothing else, out of the library's error.
func yamlLine(err error, fallback int) int {
	_, after, ok := strings.Cut(err.Error(), "line ")
	if !ok {
		return fallback
	}
	end := strings.IndexFunc(after, func(r rune) bool { return r < '0' || r > '9' })
	if n, err := strconv.Atoi(after[:max(0, end)]); err == nil {
		return n
	}
	return fallback
}

func document(root *node, o *output) {
	if root.kind != object && (root.kind != list || o.opt.Format != JSON) {
		o.problem(root.line, "not an object")
		return
	}
	switch o.opt.Format {
	case Vault:
		vault(root, o)
	case AWS:
		aws(root, o)
	case K8s:
		kubernetes(root, o)
	case JSON, SOPS:
		if o.opt.Format == SOPS {
			drop(root, "sops")
		}
		leaves(root, "", o, 0)
	case JSONL, Dotenv:
	}
}

// drop removes a member.
func drop(n *node, name string) {
	for i := range n.names {
		if n.names[i] == name {
			n.names = append(n.names[:i:i], n.names[i+1:]...)
			n.values = append(n.values[:i:i], n.values[i+1:]...)
			return
		}
	}
}

// leaves yields a record for every sensitive value of a tree, named by its
// path.
func leaves(n *node, path string, o *output, depth int) {
	for i, child := range n.values {
		part := strconv.Itoa(i)
		if n.kind == object {
			part = clean(n.names[i])
		}
		if part == "" {
			o.problem(child.line, "a name without letters and digits")
			continue
		}
		name := strings.TrimPrefix(path+"/"+part, "/")
		switch {
		case o.done:
			return
		case child.kind == object || child.kind == list:
			leaves(child, name, o, depth+1)
		case child.damaged:
			o.problem(child.line, halfPair)
		default:
			if fields := expandNode(keyOf(n, i, path), child, plainText, o.opt.Select); len(fields) > 0 {
				o.record(Record{Line: child.line, Name: name, Fields: fields})
			}
		}
	}
}

// keyOf is the name that says what a value is: for an element of a list, the
// list's.
func keyOf(n *node, i int, path string) string {
	if n.kind == object {
		return n.names[i]
	}
	return path[strings.LastIndexByte(path, '/')+1:]
}

const halfPair = "a value holds half of a surrogate pair"

// vault reads both versions of the key-value engine. Its output does not name
// the secret: without a prefix every key is a secret of its own.
func vault(root *node, o *output) {
	data := root.get("data")
	var state fingerprints.State
	if inner := data.get("data"); data.get("metadata") != nil && inner != nil {
		meta := data.get("metadata")
		if inner.kind != object {
			o.problem(data.line, "this version is deleted or destroyed: it has no data")
			return
		}
		if d := meta.get("destroyed"); d != nil && d.text == "true" {
			o.problem(data.line, "this version is destroyed")
			return
		}
		data = inner
	}
	if data == nil || data.kind != object {
		o.problem(root.line, "no data: expected the output of vault kv get -format=json")
		return
	}
	if o.opt.Prefix == "" {
		for i, child := range data.values {
			one := &node{kind: object, line: child.line, names: data.names[i : i+1], values: data.values[i : i+1]}
			if fields := fieldsOf(one, store, o.opt.Select); len(fields) > 0 {
				o.record(Record{Line: child.line, Name: clean(data.names[i]), State: state, Fields: fields})
			}
		}
		return
	}
	storeRecord(o, Record{Line: data.line, State: state}, data)
}

// storeRecord yields the sensitive members of an object as one record.
func storeRecord(o *output, rec Record, data *node) {
	if anyDamaged(data) {
		o.problem(rec.Line, halfPair)
		return
	}
	rec.Fields = fieldsOf(data, store, o.opt.Select)
	if len(rec.Fields) == 0 {
		o.problem(rec.Line, noneSensitive)
		return
	}
	o.record(rec)
}

const noneSensitive = "no sensitive field (--all takes every field)"

func anyDamaged(n *node) bool {
	if n.damaged {
		return true
	}
	for _, c := range n.values {
		if anyDamaged(c) {
			return true
		}
	}
	return false
}

// aws reads get-secret-value, and batch-get-secret-value's list of the same.
func aws(root *node, o *output) {
	if many := root.get("SecretValues"); many != nil && many.kind == list {
		for _, one := range many.values {
			aws(one, o)
		}
		return
	}
	rec := Record{Line: root.line, Name: clean(root.str("Name")), State: awsState(root.get("VersionStages"))}
	if rec.Name == "" && o.opt.Prefix == "" {
		o.problem(root.line, "no Name: expected the output of aws secretsmanager get-secret-value")
		return
	}
	plain, binary := root.get("SecretString"), root.get("SecretBinary")
	switch {
	case plain != nil && plain.kind == scalar && plain.text != "":
		rec.Line = plain.line
		if doc := objectIn([]byte(plain.text), plain.line); doc != nil {
			for _, n := range all(doc) {
				n.line = plain.line
			}
			storeRecord(o, rec, doc)
			return
		}
		storeRecord(o, rec, &node{kind: object, line: plain.line, names: []string{"value"}, values: []*node{plain}})
	case binary != nil && binary.kind == scalar && binary.text != "":
		rec.Line = binary.line
		b, err := fromBase64(binary.text)
		if err != nil || len(b) == 0 {
			o.problem(binary.line, "SecretBinary is not base64")
			return
		}
		rec.Fields = []Field{{Name: "value", Value: fingerprints.NewValue(b)}}
		o.record(rec)
	default:
		o.problem(root.line, "neither SecretString nor SecretBinary")
	}
}

func all(n *node) []*node {
	out := []*node{n}
	for _, c := range n.values {
		out = append(out, all(c)...)
	}
	return out
}

// awsState reads staging labels; a version without one is not said to be in
// any state.
func awsState(stages *node) fingerprints.State {
	if stages == nil {
		return ""
	}
	has := map[string]bool{}
	for _, s := range stages.values {
		has[s.text] = true
	}
	switch {
	case has["AWSCURRENT"]:
		return fingerprints.StateActive
	case has["AWSPENDING"]:
		return fingerprints.StatePending
	case has["AWSPREVIOUS"]:
		return fingerprints.StateSuperseded
	}
	return ""
}

// kubernetes reads a Secret or a List of them.
func kubernetes(root *node, o *output) {
	if items := root.get("items"); items != nil && items.kind == list {
		for _, item := range items.values {
			kubernetes(item, o)
		}
		return
	}
	if kind := root.str("kind"); kind != "Secret" {
		o.problem(root.line, "not a Secret or a List of Secrets")
		return
	}
	name := clean(root.str("metadata", "name"))
	if name == "" {
		o.problem(root.line, "a Secret without a name")
		return
	}
	if ns := clean(root.str("metadata", "namespace")); ns != "" {
		name = ns + "/" + name
	}
	data := &node{kind: object, line: root.line}
	for _, member := range []string{"data", "stringData"} {
		from := root.get(member)
		if from == nil || from.kind != object {
			continue
		}
		for i, v := range from.values {
			decoded := *v
			if member == "data" {
				b, err := fromBase64(v.text)
				if err != nil || v.kind != scalar {
					o.problem(v.line, "a value of data is not base64")
					continue
				}
				decoded.text = string(b)
			}
			data.names, data.values = append(data.names, from.names[i]), append(data.values, &decoded)
		}
	}
	if len(data.values) == 0 {
		o.problem(root.line, "a Secret without data")
		return
	}
	storeRecord(o, Record{Line: root.line, Name: name}, data)
}
