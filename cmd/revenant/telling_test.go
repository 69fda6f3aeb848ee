package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// withServer is a server that others tell, with the key of its edge packs.
type withServer struct {
	*box
	s   *serving
	key string
}

func newWithServer(t *testing.T) *withServer {
	t.Helper()
	b := newBox(t)
	b.must(0, "", "init")
	b.must(0, generated(101), "secret", "add", "shop/db", "--owner", "payments")
	v := &withServer{box: b, key: b.out("edge.key")}
	b.must(0, "", "pack", "export", "--out", b.out("edge.pack"), "--key-out", v.key)
	v.s = b.serve("--no-workers")
	return v
}

// made is a token with these scopes.
func (v *withServer) made(name string, scopes ...string) string {
	v.t.Helper()
	args := []string{"token", "add", name}
	for _, s := range scopes {
		args = append(args, "--scope", s)
	}
	return strings.TrimSpace(v.must(0, "", args...).stdout)
}

// registryless takes a box its registry.
func registryless(b *box) {
	b.env = slices.DeleteFunc(b.env, func(e string) bool { return strings.HasPrefix(e, "REVENANT_HOME=") })
}

// from has a box ask the server by its environment.
func (v *withServer) from(b *box, token string) {
	registryless(b)
	b.env = append(b.env, "REVENANT_SERVER="+v.s.url, "REVENANT_TOKEN="+token, "REVENANT_PACK_KEY="+v.key)
}

// TestHookTells: a hook looks with the server's pack, and the server hears of what it
// found without the commit waiting for it.
func TestHookTells(t *testing.T) {
	v := newWithServer(t)
	h := newHooked(t)
	registryless(h.box)
	h.must(0, v.made("laptop", "pack", "scan"), "login", v.s.url, "--pack-key", v.key)
	h.file("deploy/db.env", "password = "+generated(101)+"\n")
	h.git(h.dir, "add", "-A")
	h.stopped(h.git(h.dir, "commit", "-q", "-m", "the first commit"), "db.env", "shop/db@1", "checked 1 of 1")
	v.s.until("the server hears of the finding", func() bool {
		return strings.Contains(v.run("", "findings", "list").stdout, "deploy/db.env")
	})
	v.wantWords(v.must(0, "", "source", "list"), "git:file:"+h.dir)
	v.wantWords(v.must(0, "", "audit", "list"), "token:laptop", "scan.finish")
	found := canaries{{"value", generated(101)}}
	if in := found.inTree(t, h.box.dir); len(in) > 0 {
		t.Errorf("the laptop keeps %v", in)
	}
	if in := found.inTree(t, v.registry()); len(in) > 0 {
		t.Errorf("the server keeps %v", in)
	}

	// A new value is looked for as soon as its pack is here.
	v.must(0, generated(102), "secret", "add", "shop/mail")
	h.must(0, "", "hook", "tell")
	h.file("deploy/db.env", "password = "+generated(102)+"\n")
	h.git(h.dir, "add", "-A")
	h.stopped(h.git(h.dir, "commit", "-q", "-m", "the first commit"), "shop/mail@1", "checked 2 of 2")

	// Without a server everything goes on, and what was found waits.
	if code, _ := v.s.end(); code != 0 {
		t.Errorf("the server ended with code %d", code)
	}
	h.file("deploy/db.env", "nothing\n")
	h.git(h.dir, "add", "-A")
	h.must0(h.git(h.dir, "commit", "-q", "-m", "the first commit"))
	if r := h.run("", "hook", "tell"); r.code == 0 || !strings.Contains(r.stderr, "asking the server") {
		t.Errorf("nobody answers: %d %s", r.code, r.stderr)
	}
	waiting := must(filepath.Glob(filepath.Join(h.box.dir, "home", ".local", "state", "revenant", "outbox", "*", "*.json")))
	if len(waiting) == 0 {
		t.Fatal("nothing waits")
	}
	for _, name := range waiting {
		if mode := must(os.Stat(name)).Mode().Perm(); mode != 0o600 {
			t.Errorf("what waits has mode %o", mode)
		}
	}
	h.env = append(h.env, runningLater+"=3h")
	h.file("more.txt", "nothing\n")
	h.git(h.dir, "add", "-A")
	h.says(h.must0(h.git(h.dir, "commit", "-q", "-m", "the second commit")), "pack of 3 hours ago", "has not been told", "asking the server")
}

// TestToldByOneAtATime: what a hook starts leaves it to one that is at it; a person's
// waits for that one, and says what came of it.
func TestToldByOneAtATime(t *testing.T) {
	v := newWithServer(t)
	b := newBox(t)
	v.from(b, v.made("laptop", "pack", "scan"))
	b.must(0, "", "hook", "tell")
	locks := must(filepath.Glob(filepath.Join(b.dir, "home", ".local", "state", "revenant", "outbox", "*", "lock")))
	if len(locks) != 1 {
		t.Fatalf("locks: %v", locks)
	}
	if code, _ := v.s.end(); code != 0 {
		t.Fatalf("the server ended with code %d", code)
	}
	unlock := must(lockFile(locks[0]))
	b.must(0, "", "hook", "tell", "--quiet")
	waits := make(chan ran, 1)
	go func() { waits <- b.run("", "hook", "tell") }()
	select {
	case r := <-waits:
		t.Errorf("it did not wait: %d %s", r.code, r.stderr)
	case <-time.After(500 * time.Millisecond):
		unlock()
		if r := <-waits; r.code == 0 || !strings.Contains(r.stderr, "asking the server") {
			t.Errorf("nobody answers: %d %s", r.code, r.stderr)
		}
	}
}

// TestPipelineTells: a step tells what it found, and is not stopped by a server that
// does not answer.
func TestPipelineTells(t *testing.T) {
	v := newWithServer(t)
	c := newCI(t, "10")
	v.from(c.box, v.made("ci", "pack", "scan"))
	before := c.run("", "ci", "--base", c.base)
	if before.code != 1 || !strings.Contains(before.stdout, "leak.txt") || strings.Contains(before.stderr, "not told") {
		t.Fatalf("%d %s%s", before.code, before.stdout, before.stderr)
	}
	v.wantWords(v.must(0, "", "findings", "list"), "leak.txt", "github-pat")
	once := v.must(0, "", "source", "list").stdout
	c.run("", "ci", "--base", c.base)
	if n := strings.Count(v.must(0, "", "source", "list").stdout, "\n"); n != strings.Count(once, "\n") {
		t.Errorf("another source: %s", once)
	}
	if code, _ := v.s.end(); code != 0 {
		t.Errorf("the server ended with code %d", code)
	}
	after := c.run("", "ci", "--base", c.base)
	if after.code != before.code || !strings.Contains(after.stderr, "was not told") {
		t.Errorf("nobody answers: %d %s", after.code, after.stderr)
	}
}

// TestScanTells: a scan here is a scan of the server's, of strong values.
func TestScanTells(t *testing.T) {
	v := newWithServer(t)
	b := newBox(t)
	v.from(b, v.made("ops", "pack", "scan"))
	b.write("a.env", "password = "+generated(101)+"\n")
	b.write("b.zip", "PK\x03\x04 no archive")
	b.wantWords(b.must(1, "", "dir", b.work), "shop/db@1", "leaked")
	id := "dir:" + b.work
	v.wantWords(v.must(0, "", "findings", "list", "--source", id), "a.env", "leaked")
	v.wantWords(v.must(0, "", "coverage", "shop/db@1"), "not complete", "only strong values")
	if err := os.Remove(filepath.Join(b.work, "a.env")); err != nil {
		t.Fatal(err)
	}
	b.must(0, "", "dir", b.work, "--fail-on", "none")
	v.wantWords(v.must(0, "", "findings", "list", "--source", id), "cleared")
	v.must(3, "", "prove", "shop/db@1", "--accept-skip", "all") // no scan elsewhere proves anything

	// What may not tell says so, and so does who has no key.
	other := newBox(t)
	v.from(other, v.made("reader", "pack", "read"))
	if r := other.run("", "dir", b.work); r.code != 3 || !strings.Contains(r.stderr, "the server refuses") {
		t.Errorf("without the scope: %d %s", r.code, r.stderr)
	}
	other.must(0, "", "dir", b.work, "--no-store")
	other.env = slices.DeleteFunc(other.env, func(e string) bool { return strings.HasPrefix(e, "REVENANT_PACK_KEY=") })
	if r := other.run("", "dir", b.work); r.code != 2 || !strings.Contains(r.stderr, "REVENANT_PACK_KEY") {
		t.Errorf("without the key: %d %s", r.code, r.stderr)
	}
}
