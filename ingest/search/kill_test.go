package search_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"revenant/fingerprints/registry"
	"revenant/fingerprints/store/sqlstore"
	"revenant/ingest/search"
)

const followerEnv = "REVENANT_TEST_FOLLOW"

func TestMain(m *testing.M) {
	if dir := os.Getenv(followerEnv); dir != "" {
		if err := followUntilKilled(context.Background(), dir); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// followUntilKilled is a process that keeps an index. It needs no key ring: it only
// reads.
func followUntilKilled(ctx context.Context, dir string) error {
	s, err := sqlstore.Open(ctx, filepath.Join(dir, "registry.db"), sqlstore.Options{})
	if err != nil {
		return err
	}
	reg, err := registry.New(registry.Options{Store: s})
	if err != nil {
		return err
	}
	x, err := search.Open(ctx, search.Options{Dir: filepath.Join(dir, "search"), Registry: reg, Actor: me(), Now: time.Now, Lock: lock})
	if err != nil {
		return err
	}
	fmt.Println("open", x.Mode())
	for {
		if _, err := x.Follow(ctx); err != nil {
			return err
		}
	}
}

// A process that keeps the index is killed at random moments, while much happens.
// Whoever comes next goes on, finds everything, and leaves nothing that was
// redacted.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	k := kitOn(t, openStore(t, filepath.Join(dir, "registry.db")), t.Name())
	k.dir = filepath.Join(dir, "search")
	rng := rand.New(rand.NewPCG(5, 6))
	var gone []string
	built := int64(0)
	for round := range 12 {
		cmd := exec.CommandContext(k.ctx, os.Args[0]) //nolint:gosec // the test itself
		cmd.Env = append(os.Environ(), followerEnv+"="+dir)
		out, err := cmd.StdoutPipe()
		k.must(err)
		k.must(cmd.Start())
		lines := bufio.NewScanner(out)
		if !lines.Scan() || lines.Text() != "open index" {
			t.Fatalf("the process that keeps the index says %q", lines.Text())
		}
		for range 1 + rng.IntN(6) {
			k.somethingIsSeen()
			if len(k.hidden) > 0 && rng.IntN(2) == 0 {
				k.add(fmt.Sprint("late/found-", len(k.secrets)), k.hidden[0])
				gone, k.hidden = append(gone, k.hidden[0]), k.hidden[1:]
			}
		}
		time.AfterFunc(time.Duration(rng.IntN(60))*time.Millisecond, func() { _ = cmd.Process.Kill() })
		for lines.Scan() {
			t.Fatalf("it ended by itself: %s", lines.Text())
		}
		_ = cmd.Wait()
		if round%3 > 0 {
			continue
		}
		x := k.open()
		k.follow(x)
		for _, q := range []string{"", "deploy", "is:open -path:docs", "admin"} {
			k.agree(x, k.facts(), q)
		}
		built += x.Stats().Built
		k.must(x.Close())
		for _, v := range gone {
			if where := standsIn(t, k.dir, v); where != "" {
				t.Fatalf("a redacted value is left in the index %s", where)
			}
		}
	}
	if len(gone) == 0 {
		t.Error("nothing was redacted: the test shows less than it says")
	}
	if built > 1 {
		t.Errorf("it was built anew %d times: killing it damages it", built)
	}
	left, err := filepath.Glob(filepath.Join(k.dir, "copy-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("copies are left: %s", strings.Join(left, " "))
	}
}
