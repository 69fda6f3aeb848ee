package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// findingAt is the id of the finding at a path.
func (b *box) findingAt(path string) string {
	b.t.Helper()
	for _, f := range b.findingFacts() {
		if f.Path == path {
			return f.ID
		}
	}
	b.t.Fatalf("there is no finding at %s", path)
	return ""
}

// A value that was dismissed once alerts at no place, in no source and however
// it is scanned, and is counted; when it is registered it alerts again.
func TestDecideEverywhere(t *testing.T) {
	bothWays(t, func(t *testing.T, b *box) {
		b.must(0, "", "init")
		value := generated(81)
		b.write("one/a.conf", "api_key = \""+value+"\"\n")
		b.write("two/deep/b.conf", "# moved\napi_key = \""+value+"\"\n")
		one, two := b.work+"/one", b.work+"/two"
		b.must(1, "", "dir", one)
		id := b.findingAt("a.conf")
		told := b.must(0, "", "findings", "dismiss", id, "--everywhere", "--reason", "from a manual", "--owner", "payments")
		if !strings.Contains(told.stdout, "one value, everywhere") {
			t.Errorf("the decision is not shown: %s", told.stdout)
		}
		b.must(0, "", "dir", one)
		told = b.must(0, "", "dir", two)
		if !strings.Contains(told.stdout, "1 finding is tolerated by a decision") || strings.Contains(told.stdout, "b.conf") {
			t.Errorf("what is tolerated is not counted, or listed: %s", told.stdout)
		}
		b.must(0, "", "dir", two, "--no-store", "--no-baseline")
		told = b.must(0, "", "dir", two, "--show-tolerated", "-f", "sarif", "-r", "-")
		if !strings.Contains(told.stdout, `"kind": "external"`) || !strings.Contains(told.stdout, "from a manual") {
			t.Errorf("SARIF does not say why: %s", told.stdout)
		}
		if shown := b.must(0, "", "findings", "show", b.findingAt("deep/b.conf")).stdout; !strings.Contains(shown, "false-positive by decision 1 of payments") || !strings.Contains(shown, "from a manual") {
			t.Errorf("the finding does not say why: %s", shown)
		}
		if list := b.must(0, "", "findings", "list", "--status", "false-positive").stdout; strings.Count(list, "decision 1") != 2 {
			t.Errorf("the list does not say why: %s", list)
		}
		var summary struct {
			Summary struct {
				Tolerated, ByDecision int
			}
		}
		lines := strings.Split(strings.TrimSpace(b.must(0, "", "dir", two, "-f", "jsonl", "-r", "-").stdout), "\n")
		if err := json.Unmarshal([]byte(strings.ReplaceAll(lines[len(lines)-1], "tolerated_by_decision", "ByDecision")), &summary); err != nil || summary.Summary.ByDecision != 1 || summary.Summary.Tolerated != 1 {
			t.Errorf("the summary says %+v, %v: %s", summary, err, lines[len(lines)-1])
		}

		b.must(0, value, "secret", "add", "shop/api")
		b.must(1, "", "dir", two)
		b.must(0, "", "findings", "revoke", "1")
		if list := b.must(0, "", "findings", "decisions", "--json").stdout; strings.TrimSpace(list) != "[]" {
			t.Errorf("decisions are left: %s", list)
		}
	})
}

// What a rule finds at some paths is accepted until a date, and counts again then.
func TestDecideRuleAndPath(t *testing.T) {
	bothWays(t, func(t *testing.T, b *box) {
		b.must(0, "", "init")
		b.write("app/test/a.conf", keyed(82))
		b.write("app/src/a.conf", keyed(83))
		app := b.work + "/app"
		until := time.Now().AddDate(0, 1, 0).UTC().Format(time.DateOnly)
		b.must(0, "", "findings", "accept", "--rule", "generic-api-key", "--path", "test/**", "--until", until, "--reason", "made for tests")
		told := b.must(1, "", "dir", app)
		if strings.Contains(told.stdout, "test/a.conf") || !strings.Contains(told.stdout, "src/a.conf") {
			t.Errorf("told: %s", told.stdout)
		}
		b.write("app/test/later/b.conf", keyed(84))
		if told := b.must(1, "", "dir", app); !strings.Contains(told.stdout, "2 findings are tolerated by a decision") {
			t.Errorf("what came later: %s", told.stdout)
		}
		if list := b.must(0, "", "findings", "decisions").stdout; !strings.Contains(list, "generic-api-key in test/**") || strings.Contains(list, "not in use") {
			t.Errorf("listed: %s", list)
		}
		for _, wrong := range [][]string{
			{"findings", "dismiss", "--rule", "x", "--reason", "r"},
			{"findings", "dismiss", "--path", "x", "--reason", "r"},
			{"findings", "dismiss", "3f2a9c", "--rule", "x", "--path", "x", "--reason", "r"},
			{"findings", "dismiss", "3f2a9c", "--owner", "x", "--reason", "r"},
			{"findings", "dismiss", "3f2a9c", "--until", until, "--reason", "r"},
			{"findings", "dismiss", "--rule", "x", "--path", "[", "--reason", "r"},
			{"findings", "accept", "--rule", "x", "--path", "**", "--reason", "r"},
			{"findings", "revoke", "first"},
		} {
			b.must(2, "", wrong...)
		}
		b.sql("UPDATE decisions SET until = 1")
		if told := b.must(1, "", "dir", app); !strings.Contains(told.stdout, "decision 1 has run out") || !strings.Contains(told.stdout, "test/a.conf") {
			t.Errorf("run out: %s", told.stdout)
		}
		if list := b.must(0, "", "findings", "decisions").stdout; !strings.Contains(list, "ran out") {
			t.Errorf("listed: %s", list)
		}
	})
}
