package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

// TestJudged: whoever changes how matches are judged has to say whether results
// that were remembered still hold.
func TestJudged(t *testing.T) {
	h := sha256.New()
	for _, name := range []string{
		"above.go", "candidate.go", "given.go", "issued.go", "keystore.go", "keytext.go", "own.go", "place.go", "random.go", "rank.go", "strength.go", "surroundings.go", "table.go", "wording.go", "wordlists.go", "words.go",
	} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		h.Write(text)
	}
	marks, err := os.ReadFile("marks.go")
	if err != nil {
		t.Fatal(err)
	}
	_, number, _ := strings.Cut(string(marks), "\nconst judged = ")
	number, _, _ = strings.Cut(number, "\n")
	got := number + " " + hex.EncodeToString(h.Sum(nil)) + "\n"
	const file = "testdata/judged.txt"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(file); err != nil || string(want) != got {
		t.Errorf("the code that judges matches changed: if findings or their ranks can differ, raise judged in marks.go; then go test ./scanners/rules -run TestJudged -update : %v", err)
	}
}
