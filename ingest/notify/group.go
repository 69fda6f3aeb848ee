package notify

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"revenant/fingerprints/registry"
)

// Group is what one issue is about: a version, or what a rule finds, in a source;
// or that the source itself cannot be read.
type Group struct {
	Health  bool   `json:"health,omitempty"`
	Secret  string `json:"secret,omitempty"`
	Version int    `json:"version,omitempty"`
	Rule    string `json:"rule,omitempty"` // of values that are not registered
	Source  string `json:"source"`
}

// Key names the group in the place where its issue is: a hash, the same for ever.
func (g Group) Key() string {
	sum := sha256.Sum256([]byte("revenant/group/v1\n" + g.text()))
	return hex.EncodeToString(sum[:16])
}

// groupOf is the group of a finding as it is stored; empty for receivers that
// keep no issues.
func (a addressee) groupOf(f registry.Finding) string {
	if !a.grouped() {
		return ""
	}
	g := Group{Source: f.Source}
	switch {
	case len(f.Matches) > 0:
		g.Secret, g.Version = f.Matches[0].Secret, f.Matches[0].Version
	case len(f.Rules) > 0:
		g.Rule = f.Rules[0]
	}
	return g.text()
}

// text is the group as it is stored.
func (g Group) text() string {
	text, err := json.Marshal(g)
	if err != nil {
		panic("notify: a group is plain data: " + err.Error())
	}
	return string(text)
}

// holds reports whether a finding is of the group.
func (g Group) holds(f registry.Finding) bool {
	switch {
	case f.Source != g.Source || g.Health:
		return false
	case len(f.Matches) > 0:
		return f.Matches[0].Secret == g.Secret && f.Matches[0].Version == g.Version
	case g.Secret != "":
		return false
	case len(f.Rules) > 0:
		return f.Rules[0] == g.Rule
	}
	return g.Rule == ""
}
