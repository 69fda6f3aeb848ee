package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// killed starts a command line and kills it after a random time; it reports
// whether the process was still running then.
func (b *box) killed(rng *rand.Rand, within time.Duration, stdin string, args ...string) bool {
	b.t.Helper()
	c := b.command(context.Background(), stdin, args...)
	if err := c.Start(); err != nil {
		b.t.Fatal(err)
	}
	timer := time.AfterFunc(time.Duration(rng.Int64N(int64(within))), func() { _ = c.Process.Kill() })
	err := c.Wait()
	timer.Stop()
	return err != nil && !c.ProcessState.Exited()
}

// estate is what must be equal after any number of kills.
type estate struct {
	Secrets  []secretLine
	Findings []findingLine
}

type secretLine struct {
	Name     string         `json:"name"`
	Versions int            `json:"versions"`
	States   map[string]int `json:"states"`
}

type findingLine struct {
	Verdict string `json:"verdict"`
	Path    string `json:"path"`
	Places  int    `json:"places"`
	Matches []struct {
		Secret  string `json:"secret"`
		Version int    `json:"version"`
	} `json:"matches"`
}

func (b *box) estate() estate {
	b.t.Helper()
	var e estate
	for _, q := range []struct {
		into any
		args []string
	}{
		{&e.Secrets, []string{"secret", "list", "--json"}},
		{&e.Findings, []string{"findings", "list", "--json"}},
	} {
		if err := json.Unmarshal([]byte(b.must(0, "", q.args...).stdout), q.into); err != nil {
			b.t.Fatal(err)
		}
	}
	// Findings have ids of their own in each box: order them by what they are.
	sortFindings(e.Findings)
	return e
}

func sortFindings(fs []findingLine) {
	key := func(f findingLine) string { return fmt.Sprint(f.Path, f.Matches, f.Verdict) }
	for i := 1; i < len(fs); i++ {
		for j := i; j > 0 && key(fs[j]) < key(fs[j-1]); j-- {
			fs[j], fs[j-1] = fs[j-1], fs[j]
		}
	}
}

// killPlan is one piece of work, done to its end in spite of kills.
type killPlan struct {
	name   string
	stdin  string
	args   []string
	codes  []int // of a run that was not killed
	within time.Duration
}

func killPlans(rng *rand.Rand, b *box) []killPlan {
	var jsonl strings.Builder
	var values []string
	for i := range 1500 {
		v := newCanary(rng, "").value
		values = append(values, v)
		fmt.Fprintf(&jsonl, `{"name":"svc/%d","value":%q,"owner":"team-%d"}`+"\n", i, v, i%7)
	}
	var again strings.Builder // the same names with new values: rotations
	for i := range 500 {
		fmt.Fprintf(&again, `{"name":"svc/%d","value":%q}`+"\n", i, newCanary(rng, "").value)
	}
	for i := range 400 {
		v := values[i*3]
		b.write(fmt.Sprintf("d%d/f%d.txt", i%20, i), fmt.Sprintf("line\npassword: %s\n%s\n%s\n", v, base64.StdEncoding.EncodeToString([]byte("u:"+v)), strings.Repeat("filler text\n", 50)))
	}
	return []killPlan{
		{"import", jsonl.String(), []string{"secret", "import", "-"}, []int{0}, 900 * time.Millisecond},
		{"import of new values", again.String(), []string{"secret", "import", "-"}, []int{0}, 600 * time.Millisecond},
		{"scan", "", []string{"dir", b.work, "--only", "registered"}, []int{1}, 700 * time.Millisecond},
		{"retire", "", []string{"secret", "retire", "svc/0@1"}, []int{0}, 60 * time.Millisecond},
		{"scan after", "", []string{"dir", b.work, "--only", "registered"}, []int{1}, 700 * time.Millisecond},
	}
}

// killsEach is how often each piece of work is killed; `make torture` asks for
// more.
func killsEach(t *testing.T) int {
	t.Helper()
	s := os.Getenv("REVENANT_KILLS")
	if s == "" {
		return 6
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		t.Fatalf("REVENANT_KILLS is a number from 1: %v", err)
	}
	return n
}

// TestKilledAtAnyMoment kills import, scan and retire at random moments. The
// registry must open each time with its chain whole, and once the work was
// repeated to its end it must hold what an undisturbed run holds: nothing lost,
// nothing doubled.
func TestKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	work := newBox(t)
	plans := killPlans(rand.New(rand.NewPCG(seed, 1)), work)
	calm, rough := newBox(t), newBox(t)
	calm.work, rough.work = work.work, work.work
	rng := rand.New(rand.NewPCG(seed, 2))
	kills := 0
	for _, b := range []*box{calm, rough} {
		b.must(0, "", "init")
		for _, p := range plans {
			if b == rough {
				for range killsEach(t) {
					if b.killed(rng, p.within, p.stdin, p.args...) {
						kills++
					}
					b.must(0, "", "audit", "verify")
				}
			}
			b.must(p.codes[0], p.stdin, p.args...)
		}
	}
	t.Logf("%d processes were killed", kills)
	if kills < 5 {
		t.Errorf("only %d processes were killed: the test has become too gentle for this machine", kills)
	}
	if diff := cmp.Diff(calm.estate(), rough.estate()); diff != "" {
		t.Errorf("killed runs differ from an undisturbed one (-calm +rough):\n%s", diff)
	}
	var doc struct {
		Proof struct {
			Outcome string `json:"outcome"`
		} `json:"proof"`
	}
	for _, b := range []*box{calm, rough} {
		if err := json.Unmarshal([]byte(b.must(1, "", "prove", "svc/0@1", "--json").stdout), &doc); err != nil || doc.Proof.Outcome != "live-copy" {
			t.Errorf("proof of a copy that is there: %q, %v", doc.Proof.Outcome, err)
		}
	}
}

// killedAndCalm scans undisturbed in one box, and kills the same scan again and again
// in the other: in the end both find so many, and have the same registry.
func killedAndCalm(calm, rough *box, rng *rand.Rand, findings int, scan []string) {
	t := calm.t
	t.Helper()
	began := time.Now()
	want := calm.toldOfLogs(calm.must(1, "", scan...))
	whole := time.Since(began)
	if len(want) != findings {
		t.Fatalf("%d findings", len(want))
	}
	kills := 0
	for range killsEach(t) {
		if rough.killed(rng, whole, "", scan...) {
			kills++
		}
		rough.must(0, "", "audit", "verify")
	}
	if diff := cmp.Diff(want, rough.toldOfLogs(rough.must(1, "", scan...))); diff != "" {
		t.Errorf("after %d kills (-calm +killed):\n%s", kills, diff)
	}
	if diff := cmp.Diff(calm.estate(), rough.estate()); diff != "" {
		t.Errorf("the registry after %d kills (-calm +killed):\n%s", kills, diff)
	}
}

// TestImagesKilledAtAnyMoment: a scan of a repository that is killed again and again
// finds in the end what an undisturbed one finds, and leaves the same registry.
func TestImagesKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 6))
	calm, rough, value := newBox(t), newBox(t), generated(93)
	for _, b := range []*box{calm, rough} {
		b.must(0, "", "init")
		b.must(0, value, "secret", "add", "billing/db")
		b.must(0, "", "secret", "retire", "billing/db@1", "--no-successor")
	}
	host := newRegistry(t)
	for n := range 25 {
		savedImage(t, fmt.Sprintf("%s/shop:%d", host, n), "", fmt.Sprintf("n=%d db=%s", n, value))
	}
	scan := []string{"image", host + "/shop", "--all-tags", "-q", "-f", "json", "-r", "-"}
	killedAndCalm(calm, rough, rng, 50, scan)
}
