package image

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
)

// TestUntold: what a document says in fields that nobody knows, in those that stand
// there twice and in those that seldom say anything is told, and nothing twice.
func TestUntold(t *testing.T) {
	const hidden, hidden64 = "hidden-wherever-one-may", "hidden/wherever+one/may="
	of := func(raw string) string {
		var all []string
		for _, p := range configParts([]byte(raw)) {
			all = append(all, p.text)
		}
		return strings.Join(all, "\n")
	}
	for name, raw := range map[string]string{
		"architecture": `{"architecture":"` + hidden + `"}`, "os": `{"os":"` + hidden + `"}`, "a time": `{"created":"` + hidden + `"}`,
		"a digest": `{"rootfs":{"diff_ids":["` + hidden + `"]}}`, "a field of a step": `{"history":[{"created_by":"RUN x","secret":"` + hidden + `"}]}`,
		"the name of a field": `{"history":[{"` + hidden + `":1}]}`, "twice": `{"author":"` + hidden + `","author":"me"}`,
		"an environment twice": `{"config":{"Env":["A=` + hidden + `"],"Env":["A=b"]}}`, "a label twice": `{"config":{"Labels":{"a":"` + hidden + `","a":"b"}}}`,
		"a health check": `{"config":{"Healthcheck":{"Test":["CMD","x"],"Interval":"` + hidden + `"}}}`,
	} {
		if n := strings.Count(of(raw), hidden); n != 1 {
			t.Errorf("configuration, %s: told %d times: %q", name, n, of(raw))
		}
	}
	const digest = `"digest":"sha256:` + hex64 + `","size":3`
	for name, raw := range map[string]string{
		"an address": `{"layers":[{` + digest + `,"urls":["https://` + hidden + `@host/x"]}]}`, "data": `{"config":{` + digest + `,"data":"` + hidden64 + `"}}`,
		"a kind": `{"artifactType":"` + hidden + `"}`, "a platform": `{"manifests":[{` + digest + `,"platform":{"os":"` + hidden + `"}}]}`,
		"a field": `{"x":[{"y":"` + hidden + `"}]}`, "twice": `{"annotations":{"a":"` + hidden + `","a":"b"}}`,
	} {
		if got := untoldOf([]byte(raw)); strings.Count(got, hidden)+strings.Count(got, hidden64) != 1 {
			t.Errorf("manifest, %s: %q", name, got)
		}
	}
	if got := untoldOf([]byte(`{"field":{"x":"hidden-8"},"schemaVersion":2}`)); got != "hidden-8\n" {
		t.Errorf("a short value: %q", got)
	}
	sum := sha256.Sum256([]byte(hidden))
	for name, raw := range map[string]string{
		"a manifest": `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json",` + digest + `},
			"layers":[{"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip",` + digest + `,"annotations":{"a":"` + hidden + `"}}],"annotations":{"` + hidden + `1":"x"}}`,
		"an index": `{"manifests":[{` + digest + `,"platform":{"os":"linux","architecture":"arm64","variant":"v8"},"annotations":{"org.opencontainers.image.ref.name":"` + hidden + `"}}]}`,
		"embedded": `{"config":{"digest":"sha256:` + hex64 + `","size":3,"data":"YWJj"},"layers":[{"digest":"sha256:` + hex.EncodeToString(sum[:]) + `","data":"` + base64.StdEncoding.EncodeToString([]byte(hidden)) + `"}]}`,
		"nothing":  "", "no JSON": "{", "another kind": `[1]`, "deep": strings.Repeat("[", 20000),
	} {
		if got := untoldOf([]byte(raw)); got != "" {
			t.Errorf("%s: %q is told elsewhere, or is nothing", name, got)
		}
	}
}
