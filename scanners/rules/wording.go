package rules

import "fmt"

// Wording is a mark of all that decides what findings say beyond their rule:
// descriptions, tags, the order of rules, and the file of the configuration.
func (m *Matcher) Wording() Mark {
	texts := []string{m.engine.options.Path, fmt.Sprint(m.engine.options.Marked)}
	for _, r := range m.engine.rules {
		texts = append(texts, r.id, r.description, listed(r.tags))
	}
	return newMark("wording", listed(texts))
}
