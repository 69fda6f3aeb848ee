//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// interrupted runs a command line and sends SIGINT after a time, as often as
// asked for.
func (b *box) interrupted(after time.Duration, times int, args ...string) ran {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
	defer cancel()
	c := b.command(ctx, "", args...)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	if err := c.Start(); err != nil {
		b.t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() {
		for range times {
			_ = c.Process.Signal(os.Interrupt)
			time.Sleep(20 * time.Millisecond)
		}
	})
	_ = c.Wait()
	timer.Stop()
	code := c.ProcessState.ExitCode()
	if s, ok := c.ProcessState.Sys().(syscall.WaitStatus); ok && s.Signaled() {
		code = -int(s.Signal())
	}
	return ran{code, stdout.String(), stderr.String()}
}

// TestGitInterruptedWhileReading interrupts first scans of a repository. Each must report
// what it found until then and say how far it was; nothing is gone; and the next
// scan reports and records what an undisturbed one does, each finding once, at
// its place - also where the first had no time to look for places.
func TestGitInterruptedWhileReading(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 3))
	values := make([]string, 30)
	var jsonl strings.Builder
	for i := range values {
		values[i] = newCanary(rng, "").value
		fmt.Fprintf(&jsonl, `{"name":"svc/%d","value":%q}`+"\n", i, values[i])
	}
	calm := newBox(t)
	dir := calm.historyOf(rng, "repo", values)
	scan := []string{"git", dir, "--only", "registered", "-f", "json", "-r", "-", "-q"}
	report := func(b *box) (out []toldGit) {
		out = b.toldBy(b.must(1, "", scan...))
		slices.SortFunc(out, func(x, y toldGit) int { return strings.Compare(fmt.Sprint(x), fmt.Sprint(y)) })
		return out
	}
	calm.must(0, "", "init")
	calm.must(0, jsonl.String(), "secret", "import", "-")
	began := time.Now()
	want := report(calm)
	whole := time.Since(began)
	for name, placing := range map[string]string{"placed": "", "no time to place": "-1ns"} {
		t.Run(name, func(t *testing.T) {
			found, stoodIn := 0, 0
			early, late := time.Duration(0), 2*whole // too early, and too late, as far as is known
			for try := 0; try < 60 && (found < 2 || placing != "" && stoodIn == 0); try++ {
				if late-early < whole/20 { // the machine has more or less to do than it had
					early, late = 0, 2*whole
				}
				after := early + time.Duration(rng.Int64N(int64(late-early)))
				b := newBox(t)
				b.must(0, "", "init")
				b.must(0, jsonl.String(), "secret", "import", "-")
				if placing != "" {
					b.env = append(b.env, placingWithin+"="+placing)
				}
				r := b.interrupted(after, 1, scan...)
				if r.code < 0 || !json.Valid([]byte(r.stdout)) {
					early = after // before it listened, or before it had begun to scan
					continue
				}
				told := b.toldBy(r)
				if !strings.Contains(r.stdout, `"Interrupted": true`) {
					late = after
					continue
				}
				if want := map[bool]int{true: exitFindings, false: exitFailure}[len(told) > 0]; r.code != want {
					t.Errorf("exit code %d with %d findings", r.code, len(told))
				}
				if len(told) == 0 {
					early = after
					continue
				}
				found++
				for _, f := range told {
					if strings.HasPrefix(f.File, "@blob/") {
						stoodIn++
					}
				}
				known := b.gitEstate()
				if len(known) == 0 {
					t.Error("nothing of it is recorded")
				}
				for _, f := range known {
					if f.Presence == "gone" {
						t.Errorf("%s is gone", f.Path)
					}
				}
				if diff := cmp.Diff(want, report(b)); diff != "" {
					t.Errorf("after an interruption, the report (-calm +interrupted):\n%s", diff)
				}
				if diff := cmp.Diff(calm.gitEstate(), b.gitEstate()); diff != "" {
					t.Errorf("after an interruption, the registry (-calm +interrupted):\n%s", diff)
				}
				b.must(0, "", "audit", "verify")
			}
			t.Logf("%d interrupted scans found something; %d findings had no place", found, stoodIn)
			if found == 0 || placing != "" && stoodIn == 0 { // a busy machine has no time to place
				t.Errorf("%d interrupted scans found something, %d findings had no place", found, stoodIn)
			}
		})
	}
}

// TestSecondInterrupt: a scan that waits for input that does not come is asked to
// end once, and ended by the second Ctrl-C whatever it is stuck in.
func TestSecondInterrupt(t *testing.T) {
	b := newBox(t)
	never, feed, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = never.Close(), feed.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := b.command(ctx, "", "stdin")
	c.Stdin = never
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	for {
		select {
		case <-ended:
			if ctx.Err() != nil {
				t.Error("it did not end")
			}
			return
		case <-time.After(50 * time.Millisecond): // before it listens, one is enough
			_ = c.Process.Signal(os.Interrupt)
		}
	}
}
