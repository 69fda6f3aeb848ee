package notify

import "revenant/fingerprints/registry"

// Turn is what a receiver with one rule is told of a finding, and what it will
// have been told.
func Turn(r Rule, told string, f registry.FeedFinding) (event, word string) {
	t := addressee{rules: []Rule{r}}.turn(told, f)
	return string(t.event), t.word
}
