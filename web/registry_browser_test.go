package web_test

import (
	"testing"
)

// The pages of the registry can be used by everybody, in both themes, on phones and on
// walls.
func TestLooksOfRegistry(t *testing.T) {
	c, s := newChromium(t), newSite(t)
	s.estate()
	w := c.tab(t, s).as("root")
	w.look("/sources", "sources")
	w.look("/sources/git:git.example.org%2Facme%2Fassets", "source")
	w.look("/sources/git:git.example.org%2Facme%2Fassets/skipped", "skipped")
	w.look("/watches", "watches")
	w.look("/watches/lost", "watch")
	w.look("/watches/new", "watch-new")
	w.look("/secrets", "secrets")
	w.look("/secrets/pay%2Fgateway", "secret")
	w.look("/secrets/pay%2Fgateway/versions/1", "version")
	w.look("/secrets/pay%2Fgateway/versions/1/do/retire", "retire")
	w.look("/rotations", "rotations")
	w.look("/trace", "traceable")
	w.look("/secrets/shop%2Fwebhook/versions/1/trace", "trace")
	w.look("/places", "places")
}
