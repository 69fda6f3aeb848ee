//go:build schemathesis

package main

import (
	"cmp"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"revenant/fingerprints/store/postgrestest"
)

// TestSchemathesis has Schemathesis ask a server that has something of each kind
// for all that the document allows and does not, on both databases, with its checks
// and ours; then what the server kept and said holds no value and no token.
func TestSchemathesis(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { schemathesis(t, "") })
	t.Run("postgres", func(t *testing.T) { schemathesis(t, postgrestest.Start(t, postgrestest.Options{}).Database(t)) })
}

func schemathesis(t *testing.T, place string) {
	b := newBox(t)
	if place != "" {
		b.env = append(b.env, "REVENANT_STORE="+place)
	}
	b.env = append(b.env, "REVENANT_SERVE_LIMITS__SENDER=0", "REVENANT_SERVE_LIMITS__ADDRESS=0")
	rng := rand.New(rand.NewPCG(uint64(os.Getpid()), 61))
	planted := canaries{newCanary(rng, "superseded"), newCanary(rng, "active"), newCanary(rng, "another")}
	b.must(0, "", "init")
	b.must(0, planted[0].value, "secret", "add", "shop/db")
	b.must(0, planted[1].value, "secret", "rotate", "shop/db", "--window", "24h")
	b.must(0, planted[2].value, "secret", "add", "shop/mail")
	b.write("notes/a.txt", "a="+planted[0].value+"\nb="+planted[1].value+"\n")
	b.write("notes/b.txt", "c="+planted[2].value+"\n")
	b.must(1, "", "dir", filepath.Join(b.work, "notes"))
	b.must(0, "", "watch", "add", "notes", "--every", "never", "--", "dir", filepath.Join(b.work, "notes"))
	s := b.launch("serve")
	token, err := os.ReadFile(tokenFile(b.registry()))
	if err != nil {
		t.Fatal(err)
	}
	shown := strings.TrimSpace(string(token))
	scripts, err := filepath.Abs("../../scripts/schemathesis")
	if err != nil {
		t.Fatal(err)
	}
	seed, seconds := cmp.Or(os.Getenv("REVENANT_API_SEED"), "1"), cmp.Or(os.Getenv("REVENANT_API_SECONDS"), "120")
	c := exec.CommandContext(t.Context(), filepath.Join(scripts, "../../build/schemathesis/venv/bin/schemathesis"), "--config-file", filepath.Join(scripts, "schemathesis.toml"),
		"run", s.at()+"/openapi.json", "--header", "Authorization: Bearer "+shown, "--exclude-operation-id", "listen", "--phases", "coverage,fuzzing,stateful",
		"--max-time", seconds, "--seed", seed, "--suppress-health-check", "all", "--continue-on-failure", "--workers", "1", "--request-timeout", "30", "--warnings", "off")
	c.Dir = t.TempDir() // it leaves its examples there
	c.Env = append(os.Environ(), "PYTHONPATH="+scripts, "SCHEMATHESIS_HOOKS=checks", "PYTHONDONTWRITEBYTECODE=1")
	said, err := c.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, said)
	}
	if !strings.Contains(string(said), "Test cases:") {
		t.Errorf("it asked nothing: %s", said)
	}
	t.Logf("%s", said[max(0, strings.LastIndex(string(said), "SUMMARY")):])
	if log := s.log(); strings.Contains(log, "level=ERROR") || strings.Contains(log, "panic") {
		t.Errorf("logged: %s", log)
	}
	s.stop()
	planted = append(planted, canary{"token", shown})
	if err := os.Remove(tokenFile(b.registry())); err != nil { // its one place
		t.Fatal(err)
	}
	if found := append(planted.in(append(said, s.log()...)), planted.inTree(t, b.dir)...); len(found) > 0 {
		t.Errorf("told or written: %v", found)
	}
}
