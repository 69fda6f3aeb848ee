package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// Count is how many tests of a package ran to their end, passed or failed.
// Skipped tests do not count.
type Count struct{ Tests, Subtests int }

// Counts is what one run of go test did.
type Counts struct {
	packages map[string]Count
	skipped  []string
	failed   []string
	// output is what each test that has not passed yet has printed.
	output map[string]*strings.Builder
}

// maxFailedOutput bounds what is kept of one test's output, in bytes: its last
// lines say why it failed.
const maxFailedOutput = 16 << 10

// event is a line of go test -json, as `go doc test2json` describes it.
type event struct {
	Action, Package, Test, Output string
}

// goTest runs the tests of the packages and copies their verbose output. It
// returns nil counts when go test could not be started.
func goTest(packages []string, out io.Writer) (*Counts, error) {
	cmd := exec.Command("go", append([]string{"test", "-json", "-timeout", "20m"}, packages...)...)
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	counts, readErr := Read(pipe, out)
	return counts, errors.Join(readErr, cmd.Wait())
}

// Read counts the events in r and copies the tests' output to out. Lines that
// are no events (of the compiler, say) are copied too.
func Read(r io.Reader, out io.Writer) (*Counts, error) {
	c := &Counts{packages: map[string]Count{}, output: map[string]*strings.Builder{}}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			fmt.Fprintln(out, lines.Text())
			continue
		}
		fmt.Fprint(out, e.Output)
		c.add(e)
	}
	return c, lines.Err()
}

func (c *Counts) add(e event) {
	if e.Test == "" {
		if e.Action == "fail" {
			c.failed = append(c.failed, e.Package)
		}
		return
	}
	name := e.Package + " " + e.Test
	switch e.Action {
	case "output":
		c.keep(name, e.Output)
		return
	case "skip":
		c.skipped = append(c.skipped, name)
		return
	case "fail":
		c.failed = append(c.failed, name)
	case "pass":
		delete(c.output, name)
	default:
		return
	}
	n := c.packages[e.Package]
	if strings.Contains(e.Test, "/") {
		n.Subtests++
	} else {
		n.Tests++
	}
	c.packages[e.Package] = n
}

func (c *Counts) keep(name, text string) {
	b := c.output[name]
	if b == nil {
		b = &strings.Builder{}
		c.output[name] = b
	}
	if b.Len()+len(text) > maxFailedOutput {
		tail := b.String()[b.Len()/2:]
		b.Reset()
		b.WriteString(tail)
	}
	b.WriteString(text)
}

// WriteFailed writes the name of each test and package that failed, and below
// it what the test printed last.
func (c *Counts) WriteFailed(w io.Writer) error {
	for _, name := range c.failed {
		text := ""
		if b := c.output[name]; b != nil {
			text = b.String()
		}
		if _, err := fmt.Fprintf(w, "failed: %s\n%s", name, text); err != nil {
			return err
		}
	}
	return nil
}

// Total is the sum over all packages.
func (c *Counts) Total() Count {
	var sum Count
	for _, n := range c.packages {
		sum.Tests += n.Tests
		sum.Subtests += n.Subtests
	}
	return sum
}

// WriteSummary writes a line per package, in order.
func (c *Counts) WriteSummary(w io.Writer) error {
	for _, p := range slices.Sorted(maps.Keys(c.packages)) {
		if _, err := fmt.Fprintf(w, "%s %d %d\n", p, c.packages[p].Tests, c.packages[p].Subtests); err != nil {
			return err
		}
	}
	return nil
}

// WriteSkipped writes a line per skipped test.
func (c *Counts) WriteSkipped(w io.Writer) error {
	for _, name := range c.skipped {
		if _, err := fmt.Fprintln(w, name); err != nil {
			return err
		}
	}
	return nil
}

// ParseSummary reads what WriteSummary wrote. Blank lines and lines that begin
// with # are left out.
func ParseSummary(r io.Reader) (map[string]Count, error) {
	out := map[string]Count{}
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		var name string
		var c Count
		if _, err := fmt.Sscanf(line, "%s %d %d", &name, &c.Tests, &c.Subtests); err != nil {
			return nil, fmt.Errorf("line %d of the summary: %w", n, err)
		}
		out[name] = c
	}
	return out, lines.Err()
}

// ErrBelowFloor is returned by Compare.
var ErrBelowFloor = errors.New("fewer tests than the floor: bring them back, or write the floor anew with make golden and say why")

// Compare prints both counts of every package and fails when one lies below
// its floor, or has none.
func Compare(floor, got map[string]Count, out io.Writer) error {
	all := maps.Clone(floor)
	maps.Copy(all, got)
	below := false
	for _, p := range slices.Sorted(maps.Keys(all)) {
		f, has := floor[p]
		g := got[p]
		note := ""
		switch {
		case !has:
			note = "  NOT IN THE FLOOR FILE"
			below = true
		case g.Tests < f.Tests || g.Subtests < f.Subtests:
			note = "  BELOW THE FLOOR"
			below = true
		}
		fmt.Fprintf(out, "%-45s %4d tests %5d subtests (floor %d, %d)%s\n", p, g.Tests, g.Subtests, f.Tests, f.Subtests, note)
	}
	if below {
		return ErrBelowFloor
	}
	return nil
}
