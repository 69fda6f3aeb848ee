package baseline

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// Head is the first line of our baselines.
const Head = "# revenant baseline v1"

// maxFile bounds how much of a baseline is read.
const maxFile = 256 << 20

// format is what a file is.
type format int

const (
	ours format = iota
	gitleaksReport
	detectSecrets
	ignoreFile
)

// errFormat says that a file is none of what can be read.
var errFormat = errors.New("it is neither a baseline of revenant's nor a JSON report of gitleaks' nor a baseline of detect-secrets'")

// readFile reads a file as far as its size is bearable.
func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = fmt.Errorf("it has more than %d MiB", maxFile>>20)
	}
	return b, err
}

// formatOf tells the formats of baselines apart.
func formatOf(data []byte) (format, error) {
	switch text := bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\ufeff")), " \t\r\n"); {
	case len(text) == 0, text[0] == '#', bytes.HasPrefix(text, []byte("<<<<<<<")), isID(string(text[:min(len(text), 8)])):
		return ours, nil
	case text[0] == '[':
		return gitleaksReport, nil
	case text[0] == '{' && bytes.Contains(text, []byte(`"results"`)):
		return detectSecrets, nil
	}
	return ours, errFormat
}

// parseOurs reads our format. Lines that a merge left behind are named.
func parseOurs(data []byte) ([]Entry, error) {
	var out []Entry
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		switch {
		case line == "" || line[0] == '#':
			continue
		case strings.HasPrefix(line, "<<<<<<<"), strings.HasPrefix(line, ">>>>>>>"), strings.HasPrefix(line, "======="):
			return nil, fmt.Errorf("line %d is the mark of a merge: keep the lines of both sides, in any order, and remove the marks", n)
		}
		e, err := ParseEntry(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		out = append(out, e)
	}
	return out, lines.Err()
}

// Write writes entries, sorted, each id once.
func Write(w io.Writer, entries []Entry) error {
	b := bufio.NewWriter(w)
	fmt.Fprintln(b, Head)
	fmt.Fprintln(b, "# One finding a line; no values. Branches merge in any order: put '"+DefaultName+" merge=union' into .gitattributes.")
	for _, e := range sortEntries(entries) {
		fmt.Fprintln(b, e)
	}
	return b.Flush()
}

// reported is a finding in a report of gitleaks', or of ours in its format.
type reported struct {
	RuleID, File, Commit, Secret               string
	StartLine, EndLine, StartColumn, EndColumn int
}

func parseReport(data []byte) ([]reported, error) {
	var out []reported
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if err := json.Unmarshal(data, &out); err != nil {
		return nil, fmt.Errorf("%w: %s", errFormat, jsonPlace(data, err))
	}
	for i, r := range out {
		if r.RuleID == "" && r.File == "" {
			return nil, fmt.Errorf("%w: entry %d has neither RuleID nor File", errFormat, i+1)
		}
	}
	return out, nil
}

// hashed is a finding in a baseline of detect-secrets'.
type hashed struct {
	Filename string `json:"filename"`
	SHA1     string `json:"hashed_secret"`
}

func parseHashed(data []byte) ([]hashed, error) {
	var doc struct {
		Results map[string][]hashed `json:"results"`
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("%w: %s", errFormat, jsonPlace(data, err))
	}
	var out []hashed
	for name, list := range doc.Results {
		for _, h := range list {
			if h.Filename == "" {
				h.Filename = name
			}
			out = append(out, h)
		}
	}
	return out, nil
}

// jsonPlace says where JSON is broken, and nothing of what is there.
func jsonPlace(data []byte, err error) string {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return "not valid JSON at " + lineAndColumn(data, syntax.Offset)
	}
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		return "something of another type is expected at " + lineAndColumn(data, kind.Offset)
	}
	return "not valid JSON"
}

// lineAndColumn is where the byte before an offset stands.
func lineAndColumn(data []byte, offset int64) string {
	before := data[:max(0, min(int(offset)-1, len(data)))]
	line := bytes.Count(before, []byte("\n")) + 1
	return fmt.Sprintf("line %d, column %d", line, len(before)-bytes.LastIndexByte(before, '\n'))
}

// ignored is a line of .gitleaksignore.
type ignored struct {
	commit, file, rule string
	line               int
}

// parseIgnore reads .gitleaksignore: commit:file:rule:line or file:rule:line.
// Lines that are neither are counted, as gitleaks goes on after them.
func parseIgnore(data []byte) (list []ignored, broken []int) {
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if line == "" || line[0] == '#' {
			continue
		}
		i, ok := parseIgnored(line)
		if !ok {
			broken = append(broken, n)
			continue
		}
		list = append(list, i)
	}
	return list, broken
}
