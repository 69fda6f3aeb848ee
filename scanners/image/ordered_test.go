package image_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"revenant/fingerprints"
	"revenant/scanners/image"
)

// TestOrder: docker 25.0 wrote the layers of the OCI manifest in no order; those of
// manifest.json are in theirs.
func TestOrder(t *testing.T) {
	dir := t.TempDir()
	put := func(text []byte) string {
		sum := fmt.Sprintf("%x", sha256.Sum256(text))
		at := filepath.Join(dir, "blobs", "sha256", sum)
		if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return sum
	}
	doc := func(v any) []byte {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	type object map[string]any
	below, above := tarOf(t, file{name: "etc/key", text: wanted}), tarOf(t, file{name: "etc/.wh.key"})
	low, high := put(below), put(above)
	config := doc(object{"architecture": "amd64", "os": "linux", "rootfs": object{"type": "layers", "diff_ids": []string{"sha256:" + low, "sha256:" + high}}})
	at := put(config)
	descriptor := func(kind, sum string, size int) object {
		return object{"mediaType": "application/vnd.oci.image." + kind, "digest": "sha256:" + sum, "size": size}
	}
	manifest := doc(object{
		"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": descriptor("config.v1+json", at, len(config)),
		"layers": []object{descriptor("layer.v1.tar", high, len(above)), descriptor("layer.v1.tar", low, len(below))},
	})
	for name, text := range map[string][]byte{
		"index.json":    doc(object{"schemaVersion": 2, "manifests": []object{descriptor("manifest.v1+json", put(manifest), len(manifest))}}),
		"manifest.json": doc([]object{{"Config": "blobs/sha256/" + at, "Layers": []string{"blobs/sha256/" + low, "blobs/sha256/" + high}}}),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	src, err := image.NewSaved(t.Context(), dir, image.Options{Screen: screen})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	b, _ := src.Next(t.Context())
	if len(b.Items) != 1 || b.Items[0].Presence != fingerprints.PresenceShadowed {
		t.Errorf("items %+v", b.Items)
	}
}
