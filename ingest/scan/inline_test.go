package scan_test

import (
	"strings"
	"testing"

	"revenant/ingest/scan"
	"revenant/scanners"
)

// Marks in a line let generic findings be, and no registered ones.
func TestInlineMarks(t *testing.T) {
	generic, registered := random(1, 24), random(2, 24)
	m := &literal{generic: []planted{{value: generic}}, values: []planted{{value: registered, row: row(1)}}}
	for text, want := range map[string]string{
		"GEN":                                            "",
		"GEN # gitleaks:allow":                           "gitleaks:allow",
		"// betterleaks:allow GEN":                       "betterleaks:allow",
		"GEN // trufflehog:ignore":                       "trufflehog:ignore",
		"GEN # ggignore":                                 "ggignore",
		"GEN # ggignoreme":                               "",
		"GEN # pragma: allowlist secret":                 "pragma: allowlist secret",
		"GEN # revenant:allow test account":              "revenant:allow",
		"GEN /* revenant: allow */":                      "revenant: allow",
		"# pragma: allowlist nextline secret\nGEN":       "pragma: allowlist nextline secret",
		"# revenant:allow-next-line\r\nGEN":              "revenant:allow-next-line",
		"# pragma: allowlist nextline secret\n\nGEN":     "",
		"GEN # pragma: allowlist nextline secret":        "",
		"GEN\n# gitleaks:allow":                          "",
		"# gitleaks:allow\nGEN":                          "",
		"# revenant:allow\nGEN":                          "",
		"GEN" + strings.Repeat(" ", 9000) + "ggignore":   "",
		"REG # revenant:allow gitleaks:allow":            "",
		"# pragma: allowlist nextline secret\nREG":       "",
		"ggignore " + strings.Repeat("x ", 1000) + "GEN": "ggignore",
	} {
		content := strings.NewReplacer("GEN", generic, "REG", registered).Replace(text)
		src := func() *memory { return &memory{id: "dir:/a", items: []scanners.Item{item("dir:/a", "a", content)}} }
		out := mustRun(t, src(), setup{matcher: m, change: func(o *scan.Options) { o.EmitTolerated = true }})
		got := ""
		if len(out.findings) != 1 {
			t.Fatalf("%.40q: %d findings", text, len(out.findings))
		}
		if by := out.findings[0].Tolerated; by != nil {
			got = by.By
		}
		if exit := scan.ExitCode(out.Outcome(), scan.DefaultExitRules()); got != want || exit == scan.ExitFindings != (want == "") {
			t.Errorf("%.40q: let be by %q, exit %d; want %q", text, got, exit, want)
		}
		if listed := mustRun(t, src(), setup{matcher: m}).findings; len(listed) == 1 != (want == "") {
			t.Errorf("%.40q: %d findings are listed", text, len(listed))
		}
		out = mustRun(t, src(), setup{matcher: m, change: func(o *scan.Options) { o.IgnoreMarks = true }})
		if out.findings[0].Tolerated != nil {
			t.Errorf("%.40q: let be where marks are ignored", text)
		}
	}
}
