package image

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// plainWord is what stands in every document of an image and is no secret: digests,
// times, numbers, words that are too short for a value, and the names of its formats.
var plainWord = regexp.MustCompile(`^(?:sha[0-9]{3}:[0-9a-f]+|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.Z+-]{9,25}|application/vnd\.(?:oci|docker|in-toto|cncf|dev)\.[a-z0-9.+-]+|` +
	`[A-Za-z0-9._/:+-]{0,7}|[0-9.]{0,20}|` + fieldNames + `)$`)

// fieldNames are the names of fields of manifests, indexes and configurations, and words
// that stand in those.
const fieldNames = `schemaVersion|mediaType|manifests|annotations|platform|architecture|artifactType|os\.(?:version|features)|mips64le|` +
	`created_by|empty_layer|diff_ids|container|container_config|docker_version|Hostname|Domainname|Attach(?:Stdin|Stdout|Stderr)|OpenStdin|StdinOnce|` +
	`Entrypoint|WorkingDir|ArgsEscaped|ExposedPorts|StopSignal|StopTimeout|Healthcheck|Interval|StartPeriod|StartInterval|NetworkDisabled|MacAddress|` +
	`throwaway|layer_id|parent_id|RepoTags|LayerSources`

// heard is the texts of a document that stand in a part of their own.
type heard map[string]bool

func (t heard) add(words ...string) {
	for _, w := range words {
		t[w] = true
	}
}

// named adds texts with names.
func (t heard) named(list map[string]string) {
	for name, text := range list {
		t.add(name, text)
	}
}

// untold is every other text of a JSON document, names of fields included, a line
// each: fields that nobody knows, and those that stand there twice, of which readers
// take the last. Empty: there is none, or it is no JSON.
func (t heard) untold(raw []byte) string {
	seen := maps.Clone(t)
	var out strings.Builder
	for _, word := range wordsOf(raw) {
		if !seen[word] && !plainWord.MatchString(word) {
			seen[word] = true
			out.WriteString(word)
			out.WriteByte('\n')
		}
	}
	return out.String()
}

// wordsOf is the texts of a JSON document in their order, names of fields included;
// of one that breaks off those before.
func wordsOf(raw []byte) (out []string) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	for {
		token, err := d.Token()
		if err != nil {
			return out
		}
		switch word := token.(type) {
		case string:
			out = append(out, word)
		case json.Number:
			out = append(out, word.String())
		}
	}
}

// untoldOf is what a manifest or an index says beside what is told elsewhere:
// addresses and contents in descriptors, kinds, fields that nobody knows.
func untoldOf(raw []byte) string {
	t := heard{}
	var doc struct {
		manifest
		Manifests []v1.Descriptor `json:"manifests"`
	}
	if json.Unmarshal(raw, &doc) != nil { // an entry is odd, and nothing of the others is told elsewhere for sure
		return t.untold(raw)
	}
	t.named(doc.Annotations)
	for _, d := range slices.Concat([]v1.Descriptor{doc.Config}, doc.Layers, doc.Blobs, doc.Manifests) {
		t.named(d.Annotations)
		if d.Data != nil && verify(d.Data, d.Digest.String(), -1) == nil {
			t.add(base64.StdEncoding.EncodeToString(d.Data)) // read as the content that it is
		}
	}
	return t.untold(raw)
}
