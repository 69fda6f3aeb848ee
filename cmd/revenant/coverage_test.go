package main

import (
	"encoding/json"
	"fmt"
	"testing"
)

const coveredValue = "covered-value-5f2b9c71d04e8a36"

// What was piped in counts as searched, and a later pipe makes nothing of an
// earlier one gone.
func TestPipedInIsCovered(t *testing.T) {
	bothWays(t, func(_ *testing.T, b *box) {
		b.must(0, "", "init")
		b.must(0, coveredValue, "secret", "add", "app/x")
		record := func(path, text string) string {
			return fmt.Sprintf(`{"source":"chat:ops","path":%q,"text":%q}`+"\n", path, text)
		}
		b.must(0, record("1", "hello"), "stdin", "--format", "ndjson")
		b.must(0, "", "prove", "app/x@1")
		b.must(1, record("2", "it is "+coveredValue), "stdin", "--format", "ndjson")
		b.must(1, "", "prove", "app/x@1")
		b.must(0, record("3", "bye"), "stdin", "--format", "ndjson")
		b.must(1, "", "prove", "app/x@1")
		b.must(0, "later-value-77aa0c1d9e5b4f23", "secret", "add", "app/later")
		b.must(3, "", "prove", "app/later@1") // the pipes above were read before it was known
	})
}

// What a user leaves out is a skip that a proof must be told to accept.
func TestExcludedIsASkip(t *testing.T) {
	bothWays(t, func(t *testing.T, b *box) {
		b.must(0, "", "init")
		b.must(0, coveredValue, "secret", "add", "app/x")
		b.write("vendor/deep/a.txt", coveredValue)
		b.write("b.txt", "nothing")
		b.must(1, "", "dir", b.work)
		b.must(1, "", "prove", "app/x@1")
		b.must(0, "", "dir", b.work, "--exclude", "vendor")
		var found []struct{ Verdict string }
		if err := json.Unmarshal([]byte(b.must(0, "", "findings", "list", "--json").stdout), &found); err != nil {
			t.Fatal(err)
		}
		if len(found) != 1 || found[0].Verdict != "leaked" {
			t.Errorf("findings after a scan that left the place out: %+v", found)
		}
		b.must(0, "", "source", "forget", "dir:"+b.work)
		b.must(0, "", "dir", b.work, "--exclude", "vendor")
		b.must(3, "", "prove", "app/x@1")
		b.must(0, "", "prove", "app/x@1", "--accept-skip", "excluded")
	})
}

// The places of a home folder are a source of their own, searched wholly.
func TestHomeIsASource(t *testing.T) {
	bothWays(t, func(_ *testing.T, b *box) {
		b.must(0, "", "init")
		b.must(0, coveredValue, "secret", "add", "app/x")
		b.write(".bash_history", "ls\n")
		b.must(0, "", "home", "--dir", b.work)
		b.wantWords(b.must(0, "", "coverage", "app/x@1"), "complete", "home:"+b.work)
		b.must(0, "", "prove", "app/x@1")
	})
}
