// Package baseline reads what people agreed to live with, and writes it down:
// our baselines, gitleaks' reports and detect-secrets' files used as such, and
// .gitleaksignore.
//
// It promises: a baseline holds no value, one line a finding, sorted; lines of
// two branches can be joined in any order; an entry of another tool never
// tolerates a registered value; what matched nothing, and what has run out, is
// known afterwards. It refuses: to decide what a scan's exit code is.
package baseline
