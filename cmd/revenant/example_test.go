package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

// preparing makes what the examples name: a project as the current folder, one
// beside it, a registry with a history, and the files that commands are given.
const preparing = `
git init -q -b main .
printf 'x\n' > a.txt && git add a.txt && git commit -q -m one
git checkout -q -b topic && printf 'y\n' > b.txt && git add b.txt && git commit -q -m two
git checkout -q main
git clone -q . ../shop && mkdir -p ~/src && git clone -q . ~/src/shop && mkdir -p ../app
printf '../shop\n# none\n' > repositories.txt
printf 'built\n' > build.log
printf 'three words of pass\n' > pass.txt
printf 'pw-of-login-%s' 83726115aa > pw.txt
printf 'token-of-login-%s' 9f7716ab55 > token.txt
printf 'tls-key-%s' 4f5a6b7c8d9e0f11 > tls.key
printf 'SHOP_PASSWORD=dotenv-%s\n' 77aa66bb55cc44dd > .env
printf '{"name":"imported","value":"jsonl-%s"}\n' 12fe34dc56ba78 > secrets.jsonl
revenant init -q
printf first-%s 5f4e3d2c1b0a99 | revenant secret add billing/db-password -q
printf second-%s 77ee66dd55cc44bb | revenant secret rotate billing/db-password -q
printf '{"name":"billing/db-password","value":"third-%s","state":"pending"}\n' 6655443322110099aa | revenant secret import - -q
for i in 1 2 3; do revenant secret allow billing/db-password --path "$i/**" --reason r -q; done
printf 'token = "%s"\n' ghp_"$GENERATED" > ../app/app.env
revenant dir ../app -q --exit-code 0 --config ../rules.toml
revenant dir ../shop --source dir:/srv/old -q
revenant dir ../shop --source dir:/srv/app -q
revenant key backup --out ring.age --passphrase-file pass.txt -q
revenant pack export --out edge.pack --key-out edge.key -q
revenant audit checkpoint --out checkpoint.txt
revenant prove billing/db-password@1 --out proof.json -q
`

// before are further steps for one command's examples.
func before() map[string]string {
	return map[string]string{
		"revenant":                  `rm -r "$REVENANT_HOME"`,
		"revenant init":             `rm -r "$REVENANT_HOME"; rm ring.age`,
		"revenant audit checkpoint": `rm checkpoint.txt`,
		"revenant key backup":       `rm ring.age`,
		"revenant key restore":      `rm -r "$REVENANT_HOME/keys"`,
		"revenant pack export":      `rm edge.pack edge.key`,
		"revenant prove":            `rm proof.json`,
		"revenant secret rotate":    `revenant secret issue billing/api-token -q > issued.txt`,
		"revenant secret supersede": `revenant secret activate billing/db-password@1`,
		"revenant store restore":    `revenant store backup --out registry-backup.db -q; rm "$REVENANT_HOME"/registry.db`,
		"revenant secret adopt":     `cp ../rules.toml ../app/.gitleaks.toml`,
		"revenant watch show":       `revenant watch add shop -- dir .`,
		"revenant watch scan":       `revenant watch add shop -- dir .`,
		"revenant watch pause":      `revenant watch add shop -- dir .`,
		"revenant watch resume":     `revenant watch add shop -- dir .`,
		"revenant watch set":        `revenant watch add shop -- dir .`,
		"revenant watch remove":     `revenant watch add shop -- dir .`,
		"revenant login":            `revenant pack export --out edge.pack --key-out edge.key && printf %s "$REVENANT_TOKEN" > token`,
		"revenant serve":            `echo 'listen: "127.0.0.1:0"' > revenant.yaml`,
		"revenant config check":     `echo 'listen: "127.0.0.1:0"' > revenant.yaml`,
		"revenant token revoke":     `revenant token add ci --scope read -q > token.of.ci`,
		"revenant person show":      addAnn,
		"revenant person role":      addAnn,
		"revenant person team":      addAnn,
		"revenant person link":      addAnn,
		"revenant person disable":   addAnn,
		"revenant person enable":    addAnn,
		"revenant person sign-out":  addAnn,
		"revenant findings revoke":  `revenant findings dismiss 3f2a9c --everywhere --reason none`,
		"revenant findings reopen":  `revenant findings dismiss 3f2a9c --reason none`,
	}
}

const addAnn = `revenant person add ann --role viewer -q > ann`

// elsewhere is what examples name that is not in the sandbox.
func elsewhere(line, finding string) string {
	day := time.Now().AddDate(0, 2, 0).Format(time.DateOnly)
	line = regexp.MustCompile(`\b20\d\d-\d\d-\d\d\b`).ReplaceAllString(line, day)
	return strings.NewReplacer(
		"revenant serve", "REVENANT_SERVE_LISTEN=127.0.0.1:0 timeout --foreground --preserve-status -s INT 2 revenant serve", "revenant worker", "timeout --foreground --preserve-status -s INT 2 revenant worker",
		"revenant kafka kafka-1:9092 kafka-2:9092", "timeout --foreground --preserve-status -s INT 2 revenant kafka $KAFKA",
		"revenant kafka kafka-1:9092", "timeout --foreground --preserve-status -s INT 2 revenant kafka $KAFKA",
		"revenant kafka kafka-1:9093", "timeout --foreground --preserve-status -s INT 2 revenant kafka $KAFKA", "--tls ", "", "localhost:9092", "$KAFKA",
		"make test", "echo tested", "3f2a9c", finding, " dir /srv/app", " dir ../app", "/var/log/containers", "../app",
		"https://github.com/acme/shop", "$FORGE/acme/shop --provider github", "github:acme/shop", "github:acme/shop --server $FORGE", "github:acme ", "github:acme --server $FORGE ",
		"https://revenant.example.com", "$PACKS", "registry.example.org/", "$REGISTRY/", "registry.example.org ", "$REGISTRY ",
		"gitlab:platform/billing", "gitlab:platform/billing --server $FORGE", "https://jenkins.example.org/job/shop", "$FORGE/job/shop --provider jenkins",
	).Replace(line)
}

// exampleBox is a machine with what the examples name.
type exampleBox struct {
	*box
	finding string
}

func newExampleBox(t *testing.T) exampleBox {
	b := newBox(t)
	bin := filepath.Join(b.dir, "bin")
	scripts := map[string]string{
		"revenant":    `exec "` + os.Args[0] + `" "$@"`,
		"kubectl":     `echo a line of a log`,
		"vault":       `printf '{"data":{"data":{"password":"vault-%s"}}}' 8877665544332211`,
		"docker":      `cp ../shop-image.tar "$4"`,
		"chat-export": `printf '{"source":"chat","path":"general","text":"hello"}\n'`,
	}
	if err := os.MkdirAll(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, script := range scripts {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	b.write("rules.toml", "[[rules]]\nid = \"example\"\nregex = '''ghp_[0-9A-Za-z]{32}'''\n")
	b.write("here/.gitignore", "")
	b.env = append(
		b.env, "PATH="+bin+":"+os.Getenv("PATH"), "GENERATED="+generated(5),
		"DB_PASSWORD="+generated(1), "NEW="+generated(2), "VALUE="+generated(3), "TERM=dumb",
		"GIT_CONFIG_COUNT=3", "GIT_CONFIG_KEY_0=user.name", "GIT_CONFIG_VALUE_0=x",
		"GIT_CONFIG_KEY_1=user.email", "GIT_CONFIG_VALUE_1=x@example.org",
		"GIT_CONFIG_KEY_2=url.file://"+b.work+"/shop.insteadOf", "GIT_CONFIG_VALUE_2=https://git.example.org/acme/shop.git",
	)
	images := newRegistry(t)
	b.env = append(b.env, "REGISTRY="+images)
	savedImage(t, images+"/shop:1.4", filepath.Join(b.work, "shop-image.tar"), "nothing in it")
	savedImage(t, images+"/team/api:v1", "", "nothing in it")
	savedImage(t, images+"/hub/library/shop:1.4", "", "nothing in it")
	b.env = append(b.env, "KAFKA="+newTopics(t, "app-1", "logs", "revenant-findings").addr)
	b.env = append(b.env, "PACKS="+packServer(t, filepath.Join(b.work, "here", "edge.pack"), generated(6)), "REVENANT_TOKEN="+generated(6))
	forge := newActions(t)
	forge.run(1, actionsStep{"Run tests", "PASS"})
	b.env = append(b.env, "FORGE="+forge.api.URL, "REVENANT_GITHUB_TOKEN="+forge.token)
	e := exampleBox{box: b}
	if r := e.shell("set -e\n" + preparing); r.code != 0 {
		t.Fatalf("preparing: %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	list := b.must(0, "", "findings", "list", "--rule", "example", "--json").stdout
	if m := regexp.MustCompile(`rv1:([0-9a-f]{12})`).FindStringSubmatch(list); m != nil {
		e.finding = m[1]
	} else {
		t.Fatalf("there is no finding: %s", list)
	}
	return e
}

// shell runs lines in the project's folder.
func (e exampleBox) shell(lines string) ran {
	c := exec.CommandContext(e.t.Context(), "bash", "-c", lines)
	c.Env, c.Dir = e.env, filepath.Join(e.work, "here")
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	_ = c.Run() // its code is looked at
	return ran{c.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// on returns the same box with its registry and folders put back.
func (e exampleBox) on(t *testing.T, kept string) exampleBox {
	t.Helper()
	for from, to := range map[string]string{"registry": e.registry(), "work": e.work, "home": filepath.Join(e.dir, "home")} {
		if err := os.RemoveAll(to); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), "cp", "-a", filepath.Join(kept, from), to).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	b := *e.box
	b.t = t
	return exampleBox{&b, e.finding}
}

// keep copies what the box holds.
func (e exampleBox) keep(t *testing.T) string {
	t.Helper()
	kept := t.TempDir()
	for from, to := range map[string]string{e.registry(): "registry", e.work: "work", filepath.Join(e.dir, "home"): "home"} {
		if out, err := exec.CommandContext(t.Context(), "cp", "-a", from, filepath.Join(kept, to)).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	return kept
}

// TestExamples runs every line of every command's examples, one after another in
// a place of their own: each does what it says.
func TestExamples(t *testing.T) {
	t.Parallel()
	e := newExampleBox(t)
	kept := e.keep(t)
	lines := 0
	everyCommand(newApp().rootCommand(), func(c *cobra.Command) {
		if c.Example == "" {
			return
		}
		lines += strings.Count(joined(c.Example), "\n") + 1
		t.Run(strings.ReplaceAll(c.CommandPath(), " ", "-"), func(t *testing.T) {
			e := e.on(t, kept)
			if first := before()[c.CommandPath()]; first != "" {
				if r := e.shell("set -e\n" + elsewhere(first, e.finding)); r.code != 0 {
					t.Fatalf("before: %d\n%s%s", r.code, r.stdout, r.stderr)
				}
			}
			for line := range strings.SplitSeq(joined(c.Example), "\n") {
				if !strings.Contains(line, "revenant ") {
					t.Errorf("not an example of revenant: %s", line)
				}
				if r := e.shell("set -o pipefail\n" + elsewhere(line, e.finding)); r.code > 1 {
					t.Errorf("%s: exit code %d\n%s%s", line, r.code, r.stdout, r.stderr)
				}
			}
		})
	})
	if lines < 70 {
		t.Errorf("only %d examples", lines)
	}
}

// joined puts lines together that a backslash or a pipe continues.
func joined(example string) string {
	return regexp.MustCompile(`(\\|(\|))\n\s+`).ReplaceAllString(example, "$2 ")
}
