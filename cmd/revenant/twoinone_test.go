package main

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"testing"
)

// TestTwoInOneStream: of two values in one compressed stream, which have one place, both
// are told, whichever of them is registered.
func TestTwoInOneStream(t *testing.T) {
	b := newBox(t)
	b.must(0, "", "init")
	b.must(0, generated(101), "secret", "add", "shop/db")
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	must(z.Write([]byte("db_password = \"" + generated(101) + "\"\ngithub_token: " + ghToken(7) + "\n")))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	b.write("user-data.yaml", "content: "+base64.StdEncoding.EncodeToString(packed.Bytes())+"\n")
	b.wantWords(b.must(1, "", "dir", "--no-store", b.work), "shop/db@1", "github-pat", "2 findings")
}
