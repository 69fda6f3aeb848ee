package recall_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const tableFile = "../../docs/recall.md"

// checkTable compares the table with the file that shows it.
func checkTable(t *testing.T, table string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(tableFile, []byte(table), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(tableFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), table); diff != "" {
		t.Errorf("%s is of another run; go test ./ingest/recall -update writes it (-file +run):\n%s", tableFile, diff)
	}
}

// table is docs/recall.md. Of images the last is a build context.
func table(encodings []row, cells [][]cell, together []cell, inPlaces []place, places, inGit, inLogs, inImages [][]cell) string {
	var b strings.Builder
	var all cell
	for _, list := range slices.Concat(cells, places, inGit, inLogs, inImages, [][]cell{together}) {
		for _, c := range list {
			all.add(c)
		}
	}
	fmt.Fprintf(&b, tableHead, all.registered.found, all.registered.planted, all.generic.found, all.generic.planted,
		all.registered.false, all.registered.decoys)
	last := ""
	for i, w := range encodings {
		if w.group != last {
			last = w.group
			fmt.Fprintf(&b, "\n## %s\n\n", strings.ToUpper(groups()[last][:1])+groups()[last][1:])
			header(&b, "encoding", columns())
		}
		tableLine(&b, w.name, cells[i])
	}
	b.WriteString("\n## All in one content\n\n")
	header(&b, "encoding", columns())
	tableLine(&b, "one of each, mixed", together)
	b.WriteString("\n## Places\n\n")
	var names []string
	for _, w := range placeRows() {
		names = append(names, w.name)
	}
	header(&b, "place", names)
	for i, pl := range inPlaces {
		tableLine(&b, pl.name, places[i])
	}
	logTable(&b, logKinds(), inLogs)
	gitTable(&b, inGit)
	imageTable(&b, inImages[:len(inImages)-1])
	contextTable(&b, inImages[len(inImages)-1])
	b.WriteString(tableFoot)
	return b.String()
}

func header(b *strings.Builder, first string, columns []string) {
	fmt.Fprintf(b, "| %s | %s | decoys |\n|---%s|---|\n", first, strings.Join(columns, " | "), strings.Repeat("|---", len(columns)))
}

func tableLine(b *strings.Builder, name string, cells []cell) {
	var decoys tally
	fmt.Fprintf(b, "| %s |", strings.NewReplacer("|", `\|`, `\`, `\\`, "*", `\*`, "<", `\<`).Replace(name))
	for _, c := range cells {
		decoys.add(c.registered)
		fmt.Fprintf(b, " %s |", c)
	}
	fmt.Fprintf(b, " %d/%d |\n", decoys.false, decoys.decoys)
}

// String is found and planted: of registered values, and of secrets.
func (c cell) String() string {
	var parts []string
	for _, t := range []tally{c.registered, c.generic} {
		if t.planted > 0 {
			parts = append(parts, fmt.Sprintf("%d/%d", t.found, t.planted))
		}
	}
	if c.generic.planted > 0 && c.registered.planted == 0 {
		return "· " + parts[0]
	}
	return strings.Join(parts, " · ")
}

const tableHead = `# What is found, by encoding and place

Written by ` + "`go test ./ingest/recall -update`" + `; the test fails when something is missed,
found twice, found at another place, or found where it is not, and when this page is
of another run.

Of registered values %d of %d plants were found, of secrets that gitleaks' rules know
%d of %d; of values that differ by little %d of %d were taken for the value.

A cell is found/planted: of registered values, then, behind the dot, of secrets that
only rules know. Values are letters and digits, hex, UUIDs, keys with + / and =,
passwords with punctuation and in Unicode, pass phrases, ten characters, 300
characters, JWTs, a JSON document of 4 KB, random bytes, and private keys (RSA, P-256,
Ed25519, OpenSSH). Secrets are of GitHub, GitLab, AWS, Slack, Google and Stripe, an
` + "`api_key`" + `, a JWT and a private key, each with the text that its rule asks for, all of it
encoded. Each plant must be found once, as the value that it is, where it stands: for
encodings in place, to the byte. Each stands at a random offset in text, a log, source
or random bytes; "chunk borders" are many in one content that is read in chunks of
3,001 bytes. Decoys are values with one character or bit changed, with one letter in
the other case, or cut short.

What is put together by guessing (words that a line end breaks, lists that no call joins,
lines behind marks of comments that have nothing encoded in them) is shown only to
registered values, which are confirmed: a rule would guess twice.

Not planted, because it reads as something else: a value with blanks, of fewer
than 13 characters or of letters alone that a line end breaks, in a log or not; one that it breaks beside a
quote, a bracket, a comma, a semicolon, the end of a sentence, a backslash or a circumflex, or beside signs
alone; a sign that a format doubles beside signs alone; UTF-16 in base64 that has no eight ASCII characters in a row; a document of 4 KB that
control sequences interrupt.
`

const tableFoot = `
## More of it

This is the quick run of make test, which tries each kind of value in half of the
columns. make recall plants 20 of each kind in every cell, each with a decoy, and also
all kinds at once in contents of several large chunks.
`
