package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints/store/postgrestest"
)

// servedEstate is what killed and calm servers are compared by: repositories that hold
// values, and changes that are made meanwhile.
type servedEstate struct {
	values []string
	repos  []string
}

func newServedEstate(b *box, rng *rand.Rand) servedEstate {
	var e servedEstate
	for i := range 6 + serveKills()/8 { // as many changes as it takes
		e.values = append(e.values, generated(uint64(5000+i)))
	}
	for i := range 3 {
		e.repos = append(e.repos, b.historyOf(rng, fmt.Sprintf("repo%d", i), e.values))
	}
	return e
}

// change is the n-th thing that somebody does while servers run; nil args: nothing.
func (e servedEstate) change(n int) (stdin string, args []string) {
	i := n / 3
	switch {
	case n%3 == 0 && i < len(e.values):
		return e.values[i], []string{"secret", "add", fmt.Sprintf("app/key%d", i)}
	case n%3 == 1 && i < len(e.repos):
		return "", []string{"watch", "add", fmt.Sprintf("repo%d", i), "--every", "never", "--", "git", e.repos[i], "--only", "registered"}
	case n%3 == 2 && i < len(e.values)/2:
		return "", []string{"secret", "retire", fmt.Sprintf("app/key%d@1", i), "--no-successor"}
	}
	return "", nil
}

func (e servedEstate) changes() int { return 3 * len(e.values) }

// insist does a change as people do whose command was killed, or whose database
// was away: again and again until it is done.
func (e servedEstate) insist(b *box, n int, killAfter time.Duration) error {
	stdin, args := e.change(n)
	if args == nil {
		return nil
	}
	said := ""
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		c := b.command(b.t.Context(), stdin, args...)
		var err strings.Builder
		c.Stderr = &err
		if e := c.Start(); e != nil {
			return e
		}
		if killAfter > 0 {
			timer := time.AfterFunc(killAfter, func() { _ = c.Process.Kill() })
			defer timer.Stop()
			killAfter = 0
		}
		if c.Wait() == nil || strings.Contains(err.String(), "is there already") {
			return nil
		}
		said = err.String()
	}
	return fmt.Errorf("%s: not done within a minute: %s", strings.Join(args, " "), said)
}

// settled waits until everything is scanned for everything.
func (e servedEstate) settled(b *box, logs ...*running) {
	b.t.Helper()
	defer func() {
		if b.t.Failed() {
			for _, r := range logs {
				b.t.Logf("it said: %s", r.log())
			}
		}
	}()
	b.within(2*time.Minute, "all is scanned for all", func() string {
		list := b.must(0, "", "watch", "list").stdout
		if strings.Count(list, "complete") != len(e.repos) {
			return list
		}
		for i := range e.values {
			if r := b.run("", "coverage", fmt.Sprintf("app/key%d@1", i)); !strings.Contains(r.stdout, fmt.Sprintf("complete, %d of %d", len(e.repos), len(e.repos))) {
				return r.stdout
			}
		}
		return ""
	})
}

// audited is what the audit log says that people did, in any order.
func (b *box) audited() (out []string) {
	b.t.Helper()
	var list []struct {
		Action, Subject string
		Details         map[string]string
	}
	if err := json.Unmarshal([]byte(b.must(0, "", "audit", "list", "--json").stdout), &list); err != nil {
		b.t.Fatal(err)
	}
	for _, e := range list {
		// Who scans by hand has no watches, another number of scans, and no server whose
		// every start makes a link for the first one to sign in.
		if !strings.HasPrefix(e.Action, "watch.") && !strings.HasPrefix(e.Action, "scan.") && e.Action != "setup.link" {
			out = append(out, fmt.Sprintf("%s %s %v", e.Action, e.Subject, e.Details))
		}
	}
	slices.Sort(out)
	return out
}

// calm does without servers what e's changes and watches do.
func (e servedEstate) calm(b *box) *box {
	b.t.Helper()
	calm := &box{t: b.t, dir: b.t.TempDir(), work: b.work}
	calm.env = append(calm.env, b.env[:3]...)
	calm.env = append(calm.env, "REVENANT_HOME="+calm.registry())
	calm.must(0, "", "init")
	all := func(kind int) {
		for n := kind; n < e.changes(); n += 3 {
			if stdin, args := e.change(n); args != nil {
				calm.must(0, stdin, args...)
			}
		}
	}
	all(0)
	for _, repo := range e.repos {
		if r := calm.run("", "git", repo, "--only", "registered"); r.code > 1 {
			b.t.Fatalf("%d %s", r.code, r.stderr)
		}
	}
	all(2)
	return calm
}

// serveKills is how often something is killed: few times, or as many as are asked for.
func serveKills() int {
	if n, err := strconv.Atoi(os.Getenv("REVENANT_KILLS")); err == nil {
		return n
	}
	return 3
}

// TestServeKilledAtAnyMoment kills a server, a worker, the commands that people
// give meanwhile and, where there is one, the database, again and again, while
// scans, backfills and changes are under way. What is known in the end is what a
// scan by hand finds, and each change was made once.
func TestServeKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	t.Run("file", func(t *testing.T) { killServed(t, nil) })
	t.Run("postgres", func(t *testing.T) { killServed(t, postgrestest.Start(t, postgrestest.Options{Durable: true})) })
}

func killServed(t *testing.T, db *postgrestest.Server) {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 7))
	b := newBox(t)
	victims := 2
	if db != nil {
		b.env = append(b.env, "REVENANT_STORE="+db.Database(t))
		victims = 3
	}
	b.must(0, "", "init")
	e := newServedEstate(b, rng)
	serve, worker := b.launch("serve"), b.launch("worker")
	kills, n := serveKills(), 0
	killed, order := make([]int, 3), []int(nil)
	for k := range kills {
		from := n
		n = e.changes() * (k + 1) / kills
		var commandDies time.Duration
		if rng.IntN(3) == 0 {
			commandDies = time.Duration(1+rng.IntN(400)) * time.Millisecond
		}
		done := make(chan error, 1)
		go func() {
			for i := from; i < n; i++ {
				if err := e.insist(b, i, commandDies); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
		// Something is under way, or was just now; a watch that is not there yet is none.
		_ = b.command(t.Context(), "", "watch", "scan", fmt.Sprintf("repo%d", rng.IntN(len(e.repos)))).Run()
		time.Sleep(time.Duration(rng.IntN(1500)) * time.Millisecond)
		if len(order) == 0 { // each has its turn
			order = rng.Perm(victims)
		}
		victim := order[0]
		order = order[1:]
		killed[victim]++
		switch victim {
		case 0:
			serve.kill()
			serve = b.launch("serve")
		case 1:
			worker.kill()
			worker = b.launch("worker")
		case 2:
			db.Kill(t)
			time.Sleep(time.Duration(rng.IntN(500)) * time.Millisecond)
			db.Begin(t)
		}
		if err := <-done; err != nil {
			t.Fatalf("%v\n%s\n%s", err, serve.log(), worker.log())
		}
	}
	t.Logf("killed: server %d, worker %d, database %d", killed[0], killed[1], killed[2])
	began := time.Now()
	e.settled(b, serve, worker)
	t.Logf("settled after %s", time.Since(began))
	serve.stop()
	worker.stop()
	b.must(0, "", "audit", "verify")
	b.must(0, "", "doctor")
	calm := e.calm(b)
	want := calm.copies()
	if len(want) < 10 {
		t.Fatalf("only %d copies: the test would prove little", len(want))
	}
	if d := cmp.Diff(want, b.copies()); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(calm.audited(), b.audited()); d != "" {
		t.Errorf("what was done (-by hand +killed):\n%s", d)
	}
	b.nothingOf(e.values...)
	for i, v := range e.values {
		if strings.Contains(serve.log()+worker.log(), v) {
			t.Errorf("value %d is in a log", i)
		}
	}
	if db != nil {
		db.Admin(t, `CHECKPOINT`) // what is in memory is in files
		b.nothingIn(db.Dir(), e.values...)
	}
}
