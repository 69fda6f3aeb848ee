// Package importers reads what people keep secrets in, and yields records to
// register: JSON lines, dotenv, nested JSON, and what Vault, AWS Secrets
// Manager, Kubernetes and SOPS print.
//
// It promises: records in the order of the input, with their lines; a line that
// cannot be used is a Problem with its number and a reason, and the lines around
// it stay; memory bounded by one line, or by one document of at most MaxDocument
// bytes. Input is never in a reason or an error.
//
// It refuses: files, network, keys and stores of its own; to guess a value that
// the input does not hold (references such as ${NAME} are no values); to take
// user names, hosts, addresses without a password, switches, numbers and common
// words, unless Options.Select is All.
//
// Which keys are taken is decided by their names; classify.go has the words. A value that is an address or a connection string with a password
// registers the password as a field of its own, percent-decoded. A value that is
// a JSON object registers its secret members, not the document.
package importers

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"revenant/fingerprints"
)

// Format is the format of an import.
type Format string

// The formats.
const (
	JSONL  Format = "jsonl"  // one JSON object a line: name, value or value_base64 ...
	Dotenv Format = "dotenv" // NAME=value
	JSON   Format = "json"   // nested objects, names by path
	Vault  Format = "vault"  // vault kv get -format=json
	AWS    Format = "aws"    // aws secretsmanager get-secret-value
	K8s    Format = "k8s"    // kubectl get secret -o json
	SOPS   Format = "sops"   // sops -d, of YAML, JSON and dotenv files
)

// Formats lists every format in the order that help texts show.
func Formats() []Format { return []Format{JSONL, Dotenv, JSON, Vault, AWS, K8s, SOPS} }

// Selection says which keys are taken.
type Selection int

// The selections.
const (
	// Sensitive takes what looks like a secret.
	Sensitive Selection = iota
	// All takes every key that has a value.
	All
)

// The bounds.
const (
	MaxLine     = 2 << 20  // bytes of one line, or of one quoted value in dotenv
	MaxDocument = 64 << 20 // bytes of a document that is not read by lines
	MaxDepth    = 64       // of nested objects
)

// ErrFormat is wrapped by the error for a format that is not in Formats.
var ErrFormat = errors.New("unknown import format")

// Options say how to read.
type Options struct {
	Format Format
	Select Selection
	// Prefix is put before every name, with a slash: "billing" makes
	// billing/DB_PASSWORD. It is the whole name where the format does not name
	// the secret (vault).
	Prefix string
}

// Field is one sensitive field of a version.
type Field struct {
	Name  string // "password", "token" ...; "value" when there is one only
	Value fingerprints.Value
}

// Record is one version of one secret, as imported.
type Record struct {
	Line      int // from 1, where the record begins
	Name      string
	Class     fingerprints.Class // empty: not said
	Owner     string
	Consumers []string           // sorted
	State     fingerprints.State // empty: not said
	IssuedTo  string
	Fields    []Field // at least one, in order, names distinct
}

// Problem is a line that could not be used. Reason never holds content.
type Problem struct {
	Line   int
	Reason string
}

// Item is a record or a problem; exactly one of the two is set.
type Item struct {
	Record  *Record
	Problem *Problem
}

// Read streams the records and problems of r in the order of the input. The
// error is of reading r or of the options, and ends the sequence; broken content
// is a Problem, never an error.
func Read(r io.Reader, opt Options) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		o := &output{opt: opt, yield: yield}
		if !slices.Contains(Formats(), opt.Format) {
			o.fail(fmt.Errorf("%w: use one of %v", ErrFormat, Formats()))
			return
		}
		var err error
		switch opt.Format {
		case JSONL:
			err = readJSONL(r, o)
		case Dotenv:
			err = readDotenv(newLines(r), o)
		case JSON, Vault, AWS, K8s, SOPS:
			err = readDocument(r, o)
		}
		if err != nil {
			o.fail(fmt.Errorf("reading the import: %w", err))
		}
	}
}

// output hands items to the caller until it has enough.
type output struct {
	opt   Options
	yield func(Item, error) bool
	done  bool
}

func (o *output) fail(err error) {
	if !o.done {
		o.done = true
		o.yield(Item{}, err)
	}
}

func (o *output) problem(line int, reason string) {
	if !o.done {
		o.done = !o.yield(Item{Problem: &Problem{Line: line, Reason: reason}}, nil)
	}
}

// record checks what all formats have in common.
func (o *output) record(r Record) {
	if o.done {
		return
	}
	if o.opt.Prefix != "" && r.Name != "" {
		r.Name = o.opt.Prefix + "/" + r.Name
	} else if r.Name == "" {
		r.Name = o.opt.Prefix
	}
	if err := fingerprints.CheckName(r.Name); err != nil {
		o.problem(r.Line, "name: "+err.Error())
		return
	}
	r.Fields = distinct(r.Fields)
	o.done = !o.yield(Item{Record: &r}, nil)
}

// distinct numbers field names that repeat, and drops values that repeat.
func distinct(in []Field) []Field {
	var out []Field
	for _, f := range in {
		if slices.ContainsFunc(out, func(g Field) bool { return g.Value.Equal(f.Value) }) {
			continue
		}
		name := f.Name
		for n := 2; slices.ContainsFunc(out, func(g Field) bool { return g.Name == name }); n++ {
			name = fmt.Sprintf("%s-%d", f.Name, n)
		}
		out = append(out, Field{Name: name, Value: f.Value})
	}
	return out
}
