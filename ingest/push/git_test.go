package push_test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/ingest/push"
)

// forge is a bare repository that has our hook, and a clone of it.
type forge struct {
	t          *testing.T
	bare, work string
	env        []string
}

func newForge(t *testing.T, shell string) *forge {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	f := &forge{t: t, bare: filepath.Join(dir, "shop.git"), work: filepath.Join(dir, "work")}
	f.env = append(os.Environ(), "HOME="+dir, "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example")
	script, err := os.ReadFile("../../docs/hooks/post-receive")
	if err != nil {
		t.Fatal(err)
	}
	f.git(dir, "init", "-q", "--bare", "-b", "main", f.bare)
	f.git(f.bare, "config", "receive.denyDeleteCurrent", "ignore")
	f.git(dir, "init", "-q", "-b", "main", f.work)
	f.git(f.work, "remote", "add", "origin", f.bare)
	text := strings.Replace(string(script), "#!/bin/sh\n", "#!"+shell+"\n", 1)
	if err := os.WriteFile(filepath.Join(f.bare, "hooks", "post-receive"), []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *forge) git(dir string, args ...string) string {
	f.t.Helper()
	c := exec.CommandContext(f.t.Context(), "git", args...)
	c.Dir, c.Env = dir, f.env
	out, err := c.CombinedOutput()
	if err != nil {
		f.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// secret is a file with a secret that every byte of the script's arithmetic
// meets: 6 and \ become zeros there.
func (f *forge) secret(text string) {
	f.t.Helper()
	file := filepath.Join(f.bare, "secret")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
	f.git(f.bare, "config", "revenant.secretFile", file)
}

// shells are those of servers that are here; sh is everywhere.
func shells(t *testing.T) (out []string) {
	for _, name := range []string{"sh", "dash", "bash"} {
		if at, err := exec.LookPath(name); err == nil {
			out = append(out, at)
		}
	}
	if at, err := exec.LookPath("busybox"); err == nil {
		out = append(out, at+" sh")
	}
	if len(out) == 0 {
		t.Fatal("there is no shell")
	}
	return out
}

// TestPostReceive: git's own push calls the script, and the script us.
func TestPostReceive(t *testing.T) {
	const odd = "refs/heads/a\"b%s$(id)'&"
	key := `66\\%` + generated(20) + `"'$x` + "\xff"
	for _, shell := range shells(t) {
		t.Run(filepath.Base(shell), func(t *testing.T) {
			f := newForge(t, shell)
			o := newOurs(t, func(opts *push.Options) {
				opts.Secrets[push.Git] = []push.Secret{fixed(key)}
				opts.Now = time.Now
			})
			server := httptest.NewServer(o.h)
			defer server.Close()
			f.git(f.bare, "config", "revenant.server", server.URL+"/")
			f.secret(key + "\n")
			f.git(f.work, "commit", "-q", "--allow-empty", "-m", "one")
			one := f.git(f.work, "rev-parse", "HEAD")
			want := func(id, at string, c ...push.Change) {
				t.Helper()
				e := push.Event{Kind: fingerprints.KindGit, Provider: push.Git, Sources: []string{id}, Locations: []string{at}, Changes: c}
				if diff := cmp.Diff([]push.Event{e}, o.took()); diff != "" {
					t.Errorf("events (-want +got):\n%s\n%v %s", diff, o.counted(), o.logged())
				}
			}
			f.git(f.work, "push", "-q", "origin", "main")
			want("git:file:"+f.bare, f.bare, push.Change{Ref: "refs/heads/main", New: one})

			f.git(f.bare, "config", "revenant.repository", "ssh://git@git.example/team/shop.git")
			f.git(f.work, "push", "-q", "origin", "main:"+odd, "main:refs/tags/ü", ":main")
			want("git:git.example/team/shop", "ssh://git@git.example/team/shop.git",
				push.Change{Ref: "refs/heads/main", Old: one, Deleted: true}, push.Change{Ref: odd, New: one}, push.Change{Ref: "refs/tags/ü", New: one})
		})
	}
}

// TestPostReceiveFails: a push goes through whatever becomes of the message, and
// who pushes is told.
func TestPostReceiveFails(t *testing.T) {
	f := newForge(t, "/bin/sh")
	o := newOurs(t, func(opts *push.Options) { opts.Now = time.Now })
	server := httptest.NewServer(o.h)
	n := 0
	pushed := func(says string) {
		t.Helper()
		n++
		f.git(f.work, "commit", "-q", "--allow-empty", "-m", fmt.Sprint(n))
		if out := f.git(f.work, "push", "origin", "main"); !strings.Contains(out, says) || strings.Contains(out, everywhere()) {
			t.Errorf("who pushes is told\n%s\nand not: %s", out, says)
		}
	}
	pushed("revenant.server is not set")
	f.git(f.bare, "config", "revenant.server", server.URL)
	pushed("revenant.secretFile is not set")
	f.secret("short")
	pushed("the secret has not 16 to 64 bytes")
	f.secret(strings.Repeat("x", 65))
	pushed("the secret has not 16 to 64 bytes")
	f.secret(generated(2))
	pushed("the server answers 401")
	f.secret(everywhere())
	o.failWith(push.ErrUnknown)
	pushed("main -> main") // unknown here, and not told
	if err := os.Remove(filepath.Join(f.bare, "secret")); err != nil {
		t.Fatal(err)
	}
	pushed("the secret")
	f.secret(everywhere())
	server.Close()
	pushed("the server does not answer")
}

// A push of very many refs names a thousand of them.
func TestPostReceiveMany(t *testing.T) {
	f := newForge(t, "/bin/sh")
	o := newOurs(t, func(opts *push.Options) { opts.Now = time.Now })
	server := httptest.NewServer(o.h)
	defer server.Close()
	f.git(f.bare, "config", "revenant.server", server.URL)
	f.secret(everywhere())
	var refs strings.Builder
	for i := range 1500 { // as git would write them
		fmt.Fprintf(&refs, "%s %s refs/heads/b%d\n", oid("0"), oid("b"), i)
	}
	c := exec.CommandContext(t.Context(), filepath.Join(f.bare, "hooks", "post-receive"))
	c.Dir, c.Env, c.Stdin = f.bare, f.env, strings.NewReader(refs.String())
	if out, err := c.CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("%v\n%s", err, out)
	}
	if events := o.took(); len(events) != 1 || len(events[0].Changes) != 1000 {
		t.Errorf("%d events", len(events))
	}
}
