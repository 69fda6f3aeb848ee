package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints/store/postgrestest"
)

// storePassword stands in every URL; the server does not ask for it on its
// socket, and nothing may repeat it.
const storePassword = "canary" + "-5e1f"

func (b *box) on(place string) {
	b.env = append(b.env, "REVENANT_STORE="+place)
}

// emptyPlace is an empty schema, by a URL with a password.
func emptyPlace(t *testing.T, server *postgrestest.Server) string {
	t.Helper()
	return strings.Replace(server.Schema(t), "@", ":"+storePassword+"@", 1)
}

// known is what a registry says of itself, by every command that reads.
func (b *box) known() map[string]string {
	b.t.Helper()
	out := map[string]string{}
	for _, line := range []string{"secret list", "findings list", "coverage app/db@1", "source list", "audit list", "audit verify", "status", "findings export", "secret show app/db"} {
		r := b.run("", append(strings.Fields(line), "--json")...)
		if r.code > 1 {
			b.t.Errorf("revenant %s: exit code %d\n%s", line, r.code, r.stderr)
		}
		if strings.Contains(r.stdout+r.stderr, storePassword) {
			b.t.Errorf("revenant %s shows the password", line)
		}
		out[line] = strings.ReplaceAll(r.stdout, b.registry(), "HOME")
	}
	return out
}

// stocked is a box with secrets in several states, findings and a decision.
func stocked(t *testing.T) *box {
	t.Helper()
	b := newBox(t)
	b.must(0, "", "init")
	b.must(0, generated(1), "secret", "add", "app/db")
	b.must(0, generated(2), "secret", "add", "app/api", "--owner", "team-a", "--consumer", "shop")
	b.write("conf/app.env", "password="+generated(1)+"\n")
	b.write("conf/Äpfel.env", "token="+generated(2)+"\nother="+generated(3)+"\n")
	b.must(1, "", "dir", b.work)
	b.must(0, generated(4), "secret", "rotate", "app/db")
	b.must(0, "", "secret", "allow", "app/api", "--source", "**", "--path", "conf/Ä*", "--reason", "a test")
	return b
}

// TestStoreMoves carries an installation from its file to a server, works there,
// and brings it back by a backup and by a copy: every answer stays the same.
func TestStoreMoves(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t, postgrestest.Options{})
	b := stocked(t)
	want := b.known()
	file, err := os.ReadFile(storeFile(b.registry()))
	if err != nil {
		t.Fatal(err)
	}
	place := emptyPlace(t, server)
	said := b.must(0, "", "store", "copy", "--to", place)
	if strings.Contains(said.stdout+said.stderr, storePassword) || !strings.Contains(said.stdout, "the audit chain holds") {
		t.Errorf("copying said %s%s", said.stdout, said.stderr)
	}
	same := func(what string, b *box, want map[string]string) {
		t.Helper()
		if d := cmp.Diff(want, b.known()); d != "" {
			t.Errorf("%s:\n%s", what, d)
		}
	}
	same("the file", b, want)
	if now, err := os.ReadFile(storeFile(b.registry())); err != nil || !bytes.Equal(file, now) {
		t.Errorf("copying changed the file (%v)", err)
	}
	b.must(2, "", "store", "copy", "--to", place) // not empty any more

	b.on(place)
	same("on the server", b, want)
	b.must(0, "", "store", "migrate")
	b.must(0, "", "secret", "retire", "app/db@1")
	b.must(1, "", "dir", b.work)
	if r := b.must(0, "", "findings", "list", "--verdict", "stale"); !strings.Contains(r.stdout, "app/db@1") {
		t.Errorf("the retired version is not stale on the server:\n%s", r.stdout)
	}
	want = b.known()

	backup := b.out("backup.db")
	b.must(0, "", "store", "backup", "--out", backup)
	b.must(2, "", "store", "backup", "--out", backup)
	b.must(0, "", "store", "copy", "--to", b.out("registry.db"))
	b.must(2, "", "store", "restore", backup) // the server has one

	ring, pass := b.out("ring.age"), filepath.Join(b.dir, "pass")
	if err := os.WriteFile(pass, []byte("a long "+"passphrase\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.must(0, "", "key", "backup", "--out", ring, "--passphrase-file", pass)
	drill := func(what, place string) {
		t.Helper()
		d := &box{t: t, dir: t.TempDir(), work: b.work}
		d.env = append(b.env[:len(b.env):len(b.env)], "REVENANT_HOME="+d.registry(), "REVENANT_STORE="+place)
		d.must(3, "", "store", "restore", backup) // without the keys nothing is brought back
		d.must(0, "", "key", "restore", ring, "--passphrase-file", pass)
		d.must(0, "", "store", "restore", backup)
		same(what, d, want)
	}
	drill("restored into a file", "")
	drill("restored into another database", emptyPlace(t, server))
	b.on("")
	if err := os.Rename(b.out("registry.db"), storeFile(b.registry())); err != nil {
		t.Fatal(err)
	}
	same("copied back into the file", b, want)
	strangers(t, b, place, backup, emptyPlace(t, server))
}

// strangers are registries and keys that do not belong together.
func strangers(t *testing.T, b *box, place, backup, empty string) {
	t.Helper()
	other := newBox(t)
	other.on(place)
	if r := other.must(3, "", "init"); !strings.Contains(r.stderr, "holds a registry already") {
		t.Errorf("a new ring for a store that another made: %s", r.stderr)
	}
	other.on(empty)
	other.must(0, "", "init")
	other.must(0, generated(9), "secret", "add", "x")
	other.on(place)
	other.must(3, "", "status")
	other.on("")
	if r := other.must(3, "", "store", "restore", backup); !strings.Contains(r.stderr, "FILE: ") {
		t.Errorf("a backup of another ring: %s", r.stderr)
	}
	if _, err := os.Lstat(storeFile(other.registry())); err == nil {
		t.Error("the backup of another ring was brought back")
	}
	b.on("mysql://x:" + storePassword + "@y")
	if r := b.must(2, "", "status"); strings.Contains(r.stderr, storePassword) {
		t.Errorf("a wrong REVENANT_STORE is repeated: %s", r.stderr)
	}
}

// TestStoreCopyKilled kills copies with SIGKILL at random moments: what is there
// then is no registry and says so, the original is as it was, and the next copy
// goes through.
func TestStoreCopyKilled(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t, postgrestest.Options{})
	b := stocked(t)
	want := b.known()
	rng := rand.New(rand.NewPCG(5, 6))
	killed := 0
	for round := range 6 {
		place := emptyPlace(t, server)
		file := b.out("copy" + string(rune('0'+round)) + ".db")
		to := []string{place, file}[round%2]
		if b.killed(rng, 400*time.Millisecond, "", "store", "copy", "--to", to) {
			killed++
		}
		there := *b
		if to == place {
			there.env = append(b.env[:len(b.env):len(b.env)], "REVENANT_STORE="+place)
		}
		if to == file {
			if r := b.run("", "store", "copy", "--to", file); r.code != 0 && r.code != 2 {
				t.Errorf("copying into a file again: %d\n%s", r.code, r.stderr)
			}
			continue
		}
		switch r := there.run("", "status"); {
		case r.code == 0: // it was done before it was killed
		case !strings.Contains(r.stderr, "revenant init"):
			t.Errorf("half a copy says %s", r.stderr)
		default:
			b.must(0, "", "store", "copy", "--to", place)
		}
		if d := cmp.Diff(want, there.known()); d != "" {
			t.Errorf("after a copy that was killed:\n%s", d)
		}
	}
	if killed == 0 {
		t.Error("no copy was killed")
	}
	if d := cmp.Diff(want, b.known()); d != "" {
		t.Errorf("the original:\n%s", d)
	}
}
