// Command schemacheck holds JSON documents against a JSON Schema, formats too,
// and tells which of them it does not allow. The documents come one a line.
//
//	schemacheck SCHEMA <DOCUMENTS
//
// It is a program of its own because what reads schemas is slow to start: linked
// into tests that start themselves as Revenant, it took a quarter of each start.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

const longestDocument = 64 << 20

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: schemacheck SCHEMA <DOCUMENTS")
		os.Exit(2)
	}
	if err := check(os.Args[1], os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "schemacheck:", err)
		os.Exit(1)
	}
}

// check joins what is wrong with each document; no document at all is wrong, too.
func check(schemaFile string, docs io.Reader) error {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	schema, err := c.Compile(schemaFile)
	if err != nil {
		return err
	}
	var wrong []error
	s := bufio.NewScanner(docs)
	s.Buffer(nil, longestDocument)
	n := 0
	for s.Scan() {
		n++
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(s.Text()))
		if err == nil {
			err = schema.Validate(doc)
		}
		if err != nil {
			wrong = append(wrong, fmt.Errorf("document %d: %w: %s", n, err, s.Text()))
		}
	}
	if n == 0 {
		wrong = append(wrong, errors.New("no document was given"))
	}
	return errors.Join(append(wrong, s.Err())...)
}
