// Package importers reads what people keep secrets in, and yields records to
// register: parsing only, no files, no network, no keys.
package importers

import (
	"io"
	"iter"

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
	SOPS   Format = "sops"   // sops -d
)

// Formats lists every format in the order that help texts show.
func Formats() []Format { return []Format{JSONL, Dotenv, JSON, Vault, AWS, K8s, SOPS} }

// Selection says which keys are taken.
type Selection int

// The selections.
const (
	// Sensitive takes what looks like a secret (DECISIONS.md section 3).
	Sensitive Selection = iota
	// All takes every key that has a value.
	All
)

// Options say how to read.
type Options struct {
	Format Format
	Select Selection
	// Prefix is put before every name, with a slash: "billing" makes
	// billing/DB_PASSWORD.
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
	Consumers []string
	State     fingerprints.State // empty: not said
	IssuedTo  string
	Fields    []Field // at least one, in order
}

// Problem is a line that could not be used. Reason never holds content.
type Problem struct {
	Line   int
	Reason string
}

// Item is a record or a problem; one of the two is set.
type Item struct {
	Record  *Record
	Problem *Problem
}

// Read streams the records and problems of r in file order. The error is of
// reading r or of the options; broken content is a Problem, never an error.
func Read(r io.Reader, opt Options) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {}
}
