package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"revenant/fingerprints"
	"revenant/fingerprints/keystore"
)

// maxValueInput bounds what is read as one value; registration refuses long
// values with a better reason, so this only stops endless input.
const maxValueInput = 4 << 20

// fieldFlags are how a command is given values: from standard input or files,
// never from arguments, which other processes and shell histories see.
type fieldFlags struct {
	file   string   // --file: one field, "-" is standard input
	fields []string // --field NAME=FILE
	exact  bool     // --exact: a trailing newline is part of the value
}

// namedValue is one field of a version as it was read.
type namedValue struct {
	Field string
	Value fingerprints.Value
}

// readFields reads the values that the flags name.
func (a *app) readFields(f fieldFlags) ([]namedValue, error) {
	if len(f.fields) == 0 {
		v, err := a.readValue("--file", f.file)
		if err != nil {
			return nil, err
		}
		return []namedValue{{fingerprints.DefaultField, v}}, nil
	}
	if f.file != "" && f.file != "-" {
		return nil, usagef("give --file for a secret of one value or --field NAME=FILE for each of several, not both")
	}
	sources, err := f.named()
	if err != nil {
		return nil, err
	}
	var out []namedValue
	for _, from := range sources {
		v, err := a.readValue("--field "+from.field, from.file)
		if err != nil {
			return nil, err
		}
		out = append(out, namedValue{from.field, v})
	}
	return out, nil
}

// fieldFile is where the value of a field comes from.
type fieldFile struct{ field, file string }

// named reads NAME=FILE, before any value is read.
func (f fieldFlags) named() ([]fieldFile, error) {
	var out []fieldFile
	for i, spec := range f.fields {
		name, file, ok := strings.Cut(spec, "=")
		what := numbered("--field", i, len(f.fields))
		if !ok || file == "" {
			return nil, usagef("%s is not of the form NAME=FILE (FILE may be - for standard input); values are never given as arguments", what)
		}
		if err := fingerprints.CheckName(name); err != nil {
			return nil, usagef("%s: %w", what, err)
		}
		for _, before := range out {
			switch {
			case before.field == name:
				return nil, usagef("%s: %s is given twice", what, name)
			case before.file == "-" && file == "-":
				return nil, usagef("%s: standard input is read once, and %s has it: give a file", what, before.field)
			}
		}
		out = append(out, fieldFile{name, file})
	}
	return out, nil
}

// readValue reads one value from a file, which the errors call what, or from
// standard input; on a terminal it
// asks without showing what is typed.
func (a *app) readValue(what, file string) (fingerprints.Value, error) {
	if file == "" || file == "-" {
		if in, ok := a.stdin.(*os.File); ok && term.IsTerminal(int(in.Fd())) {
			fmt.Fprint(a.stderr, "value (not shown): ")
			b, err := term.ReadPassword(int(in.Fd()))
			fmt.Fprintln(a.stderr)
			if err != nil {
				return fingerprints.Value{}, fmt.Errorf("reading the value from the terminal: %w", err)
			}
			return checkedValue(b, "the terminal")
		}
		b, err := io.ReadAll(io.LimitReader(a.stdin, maxValueInput+1))
		if err != nil {
			return fingerprints.Value{}, fmt.Errorf("reading the value from standard input: %w", err)
		}
		return checkedValue(b, "standard input")
	}
	b, err := readFileLimited(what, file, maxValueInput)
	if err != nil {
		return fingerprints.Value{}, err
	}
	return checkedValue(b, "the file of "+what)
}

func checkedValue(b []byte, from string) (fingerprints.Value, error) {
	defer clear(b)
	switch {
	case len(bytes.TrimRight(b, "\r\n")) == 0:
		way := ""
		if from == "standard input" {
			way = "; pipe it in, as in: printf %s \"$VALUE\" | revenant ..., or give --file FILE"
		}
		return fingerprints.Value{}, usagef("the value from %s is empty%s", from, way)
	case len(b) > maxValueInput:
		return fingerprints.Value{}, usagef("the value from %s is over %d MiB: this is not one secret value", from, maxValueInput>>20)
	}
	return fingerprints.NewValue(b), nil
}

// readFileLimited reads a regular file of at most limit bytes (one more is
// read, so that the caller can tell). Errors call it what.
func readFileLimited(what, file string, limit int64) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, fileError(what, err)
	}
	if !info.Mode().IsRegular() && info.Mode()&os.ModeNamedPipe == 0 && info.Mode()&os.ModeCharDevice == 0 {
		return nil, usagef("%s names a folder, or what is no file: give a regular file", what)
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, fileError(what, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("%s: reading the file: %w", what, bare(err))
	}
	return b, nil
}

// readLimited reads r to its end, and fails when it holds more than limit bytes.
func readLimited(r io.Reader, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("over %d MiB", limit>>20)
	}
	return b, err
}

// protectionOrAsk is what protects keys that are written to a file: the flags,
// the environment, or a passphrase that is asked for on a terminal.
func (a *app) protectionOrAsk(pf protectionFlags) (keystore.Protection, error) {
	p, err := pf.protection(a)
	if err != nil || !p.IsZero() {
		return p, err
	}
	in, ok := a.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return p, usageError{keystore.ErrNoProtector}
	}
	var typed [2][]byte
	for i, prompt := range []string{"passphrase of the backup (not shown): ", "once more: "} {
		fmt.Fprint(a.stderr, prompt)
		b, err := term.ReadPassword(int(in.Fd()))
		fmt.Fprintln(a.stderr)
		if err != nil {
			return p, fmt.Errorf("reading the passphrase from the terminal: %w", err)
		}
		typed[i] = b
	}
	switch {
	case !bytes.Equal(typed[0], typed[1]):
		return p, usagef("the two passphrases differ")
	case len(typed[0]) == 0:
		return p, usageError{keystore.ErrNoProtector}
	}
	return keystore.WithPassphrase(typed[0]), nil
}
