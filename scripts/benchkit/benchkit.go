// Package benchkit measures whole processes and writes tables between the marks of a
// document, for the programs that measure.
package benchkit

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Sample is one run of a process.
type Sample struct {
	Wall, CPU time.Duration // CPU is user and system
	Peak      int64         // bytes resident at the most; 0: not known
}

// Run runs a process to its end.
func Run(cmd *exec.Cmd) (s Sample, err error) {
	began := time.Now()
	if err := cmd.Run(); err != nil {
		return s, fmt.Errorf("%s: %w", filepath.Base(cmd.Path), err)
	}
	return Took(cmd.ProcessState, time.Since(began)), nil
}

// Took is what a process took that has ended.
func Took(p *os.ProcessState, wall time.Duration) Sample {
	return Sample{Wall: wall, CPU: p.UserTime() + p.SystemTime(), Peak: peak(p)}
}

// Median takes each measure by itself. The list is not empty.
func Median(list []Sample) Sample { return nth(list, len(list)/2) }

// Least is Median for the least of each measure: what others do on the machine can only add
// to it.
func Least(list []Sample) Sample { return nth(list, 0) }

func nth(list []Sample, n int) Sample {
	wall, cpu, peaks := make([]time.Duration, 0, len(list)), make([]time.Duration, 0, len(list)), make([]int64, 0, len(list))
	for _, s := range list {
		wall, cpu, peaks = append(wall, s.Wall), append(cpu, s.CPU), append(peaks, s.Peak)
	}
	slices.Sort(wall)
	slices.Sort(cpu)
	slices.Sort(peaks)
	return Sample{wall[n], cpu[n], peaks[n]}
}

// Register makes a registry of so many generated values; more are registered too. env
// says where it is.
func Register(revenant string, env []string, versions int, more ...string) error {
	r := rand.New(rand.NewPCG(2026, 11))
	var values strings.Builder
	for i := range versions {
		fmt.Fprintf(&values, "{\"name\":\"bench/%06d\",\"value\":%q}\n", i, Word(r, 32))
	}
	for i, v := range more {
		fmt.Fprintf(&values, "{\"name\":\"planted/%06d\",\"value\":%q}\n", i, v)
	}
	for _, args := range [][]string{{"init", "-q"}, {"secret", "import", "-", "-q"}} {
		cmd := exec.Command(revenant, args...)
		cmd.Env, cmd.Stdin = env, strings.NewReader(values.String())
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("revenant %s: %w: %s", args[0], err, out)
		}
	}
	return nil
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// Word makes n letters and digits.
func Word(r *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = letters[r.IntN(len(letters))]
	}
	return string(b)
}

// errNoMarks: the document does not say where the table goes.
var errNoMarks = errors.New("the document has no marks for the table")

// ReplaceBetween writes a table between two marks of a document, each a whole line.
func ReplaceBetween(doc, begin, end, table string) error {
	text, err := os.ReadFile(doc)
	if err != nil {
		return err
	}
	before, rest, begun := strings.Cut(string(text), begin)
	_, after, ended := strings.Cut(rest, end)
	if !begun || !ended {
		return fmt.Errorf("writing to %s: %w", doc, errNoMarks)
	}
	return os.WriteFile(doc, []byte(before+begin+"\n"+table+end+after), 0o644)
}
