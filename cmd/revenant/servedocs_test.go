package main

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"revenant/ingest/credential"
	"revenant/ingest/notify"
	"revenant/ingest/settings"
)

// servePage is what docs/serve.md says under a heading.
func servePage(t *testing.T, heading string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(docsRoot, "docs", "serve.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, has := strings.Cut(string(text), "\n## "+heading+"\n")
	if !has {
		t.Fatalf("docs/serve.md has no %q", heading)
	}
	part, _, _ := strings.Cut(rest, "\n## ")
	return part
}

// block are the lines of a page that are set in, from the first that begins so.
func block(page, begin string) (lines []string) {
	_, rest, _ := strings.Cut(page, "\n    "+begin)
	for line := range strings.SplitSeq(begin+rest, "\n") {
		if len(lines) > 0 && line != "" && !strings.HasPrefix(line, "    ") {
			break
		}
		lines = append(lines, strings.TrimPrefix(line, "    "))
	}
	return lines
}

// keysOf are the names that a configuration has for a structure's fields.
func keysOf(of reflect.Type) (keys []string) {
	for _, f := range reflect.VisibleFields(of) {
		keys = append(keys, f.Tag.Get("koanf"))
		inner := f.Type
		if inner.Kind() == reflect.Slice || inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct && inner != reflect.TypeFor[credential.Ref]() && inner != reflect.TypeFor[notify.Config]() {
			keys = append(keys, keysOf(inner)...)
		}
	}
	return keys
}

// TestServeConfiguration: the example has every key, and config check takes it.
func TestServeConfiguration(t *testing.T) {
	page := servePage(t, "Configuration")
	example := strings.Join(block(page, "listen: "), "\n")
	for _, key := range append(keysOf(reflect.TypeFor[settings.Settings]()), settings.Senders()...) {
		if !regexp.MustCompile(`(?m)^(?:  )*(?:- )? *` + regexp.QuoteMeta(key) + `:`).MatchString(example) {
			t.Errorf("the example does not have %q", key)
		}
	}
	for _, name := range settings.Variables() {
		if !strings.Contains(page, "`"+name+"`") {
			t.Errorf("the page does not have %s", name)
		}
	}
	b := newBox(t)
	file := b.write("revenant.yaml", strings.ReplaceAll(example, "/etc/revenant", b.work))
	b.must(0, "", "init")
	if r := b.must(3, "", "config", "check", file); !strings.Contains(r.stdout, "problem: token: ") || !strings.Contains(r.stdout, "SHOP_TOKEN") {
		t.Errorf("what is not there is not told: %s", r.stdout)
	}
	for _, name := range []string{"server.pem", "server.key", "control-token", "gitlab-hook"} {
		b.write(name, generated(40))
	}
	for _, m := range regexp.MustCompile(`env:(\w+)`).FindAllStringSubmatch(example, -1) {
		b.env = append(b.env, m[1]+"="+generated(41))
	}
	if r := b.must(0, "", "config", "check", file); !strings.Contains(r.stdout, "3 watches") || strings.Contains(r.stdout, "problem") {
		t.Error(r.stdout)
	}
}

// TestNotifyConfiguration: so has the page of notifications.
func TestNotifyConfiguration(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(docsRoot, "docs", "notifications.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keysOf(reflect.TypeFor[notify.Config]()) {
		if !regexp.MustCompile("(?m)(`|^ *(?:- )?)" + regexp.QuoteMeta(key) + "(`|:)").Match(text) {
			t.Errorf("the page does not have %q", key)
		}
	}
	_, example, _ := strings.Cut(string(text), "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	b := newBox(t)
	b.write("smtp", generated(44))
	example = strings.NewReplacer("/run/secrets", b.work, "command:pass show revenant/webhook", "env:WEBHOOK").Replace(example)
	b.env = append(b.env, "WEBHOOK="+generated(45), "SLACK_URL=https://hooks.slack.com/services/x", "GITHUB_TOKEN="+generated(46), "GITLAB_TOKEN="+generated(47))
	if r := b.run("", "config", "check", b.write("revenant.yaml", example)); r.code != 0 || !strings.HasPrefix(example, "notify:") {
		t.Errorf("%d: %s%s", r.code, r.stdout, r.stderr)
	}
}

// TestServeAPILines: each line for curl on the page is answered, and the page has
// each metric.
func TestServeAPILines(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.write("a.txt", "nothing\n")
	b.must(0, "", "init")
	b.must(0, generated(42), "secret", "add", "billing/db-password")
	b.must(0, "", "watch", "add", "other", "--", "dir", b.work)
	b.must(0, "", "watch", "add", "events", "--", "kafka", newTopics(t, "app").addr)
	b.env = append(b.env, "HOOK="+generated(43))
	s := b.serve("--config", b.write("../serve.yaml", "push: {git: [\"env:HOOK\"]}\n"))
	if code, _, body := s.ask(http.MethodPost, "/hooks/git", "{}", ""); code != http.StatusUnauthorized {
		t.Errorf("an unsigned push: %d %s", code, body)
	}
	head := []string{"set -eu"}
	asked := 0
	for _, line := range block(servePage(t, "The API"), "SERVER=") {
		line = strings.NewReplacer("http://127.0.0.1:8077", s.url, "/srv/notes", b.work).Replace(line)
		if strings.HasPrefix(line, "SERVER=") || strings.HasPrefix(line, "api()") {
			head = append(head, line)
			continue
		}
		if line == "" {
			continue
		}
		asked++
		c := exec.CommandContext(t.Context(), "bash", "-c", strings.Join(append(slices.Clone(head), line), "\n"))
		c.Env = append(slices.Clone(b.env), "NO_PROXY=*")
		out, err := c.Output()
		if err != nil || len(out) == 0 || strings.Contains(line, "/api/") && !json.Valid(out) {
			t.Errorf("%s: %v\n%s", line, err, out)
		}
		if strings.Contains(line, "/api/v1/watches\"") && strings.Contains(line, "-d") {
			s.until("what was added is scanned", func() bool { return s.watched("notes").Outcome == "complete" })
		}
	}
	if asked < 13 {
		t.Errorf("only %d lines", asked)
	}
	s.until("the stream is told of", func() bool {
		_, _, text := s.ask(http.MethodGet, "/metrics", "")
		return strings.Contains(text, `revenant_stream_messages_total{watch="events"`)
	})
	_, _, text := s.ask(http.MethodGet, "/metrics", "")
	page := servePage(t, "Metrics")
	there := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^# HELP (revenant_\w+) `).FindAllStringSubmatch(text, -1) {
		there[m[1]] = true
		if !regexp.MustCompile("`" + m[1] + "[`{]").MatchString(page) {
			t.Errorf("the page does not have %s", m[1])
		}
	}
	for _, m := range regexp.MustCompile("`(revenant_\\w+)[`{]").FindAllStringSubmatch(page, -1) {
		if !there[m[1]] {
			t.Errorf("%s is on the page alone", m[1])
		}
	}
	if code, _ := s.end(); code != 0 {
		t.Errorf("it ended with code %d", code)
	}
}
