package image

import "testing"

func TestOwnerOf(t *testing.T) {
	for _, c := range []struct {
		name, config string
		annotations  map[string]string
		want         string
	}{
		{"nobody", `{}`, nil, ""},
		{"a label", `{"config":{"Labels":{"team":"payments"}}}`, nil, "payments"},
		{"a label with a domain", `{"config":{"Labels":{"com.example.team":"payments"}}}`, nil, "payments"},
		{"owner before maintainer", `{"config":{"Labels":{"maintainer":"m","Owner":"o"}}}`, nil, "o"},
		{"an annotation", `{}`, map[string]string{"org.opencontainers.image.authors": "a"}, "a"},
		{"no name of a domain's end", `{"config":{"Labels":{"x.org.opencontainers.image.authors":"a"}}}`, nil, ""},
		{"the author", `{"author":"someone"}`, nil, "someone"},
		{"a label before the author", `{"author":"someone","config":{"Labels":{"maintainer":"m"}}}`, nil, "m"},
		{"an empty label", `{"author":"someone","config":{"Labels":{"owner":""}}}`, nil, "someone"},
		{"damaged", `{"author":`, nil, ""},
	} {
		if got := ownerOf(picture{config: []byte(c.config), annotations: c.annotations}); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
