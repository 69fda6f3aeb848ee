package scannerstest

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
)

// Kind is a kind of text that corpora are made of.
type Kind string

// The kinds: what scanners meet, from the most to the least common.
const (
	Source Kind = "source" // program text
	Logs   Kind = "logs"   // JSON, access, build and cluster logs
	Base64 Kind = "base64" // lines of base64, 76 characters each
	Random Kind = "random" // random bytes
)

// Kinds lists every kind.
func Kinds() []Kind { return []Kind{Source, Logs, Base64, Random} }

// Corpus makes at least n bytes of a kind, the same for the same seed.
func Corpus(k Kind, seed uint64, n int) []byte {
	c := corpus{rng: rand.New(rand.NewPCG(seed, 1)), words: words()}
	var b strings.Builder
	b.Grow(n + 4096)
	for b.Len() < n {
		switch k {
		case Source:
			c.function(&b)
		case Logs:
			c.logLine(&b)
		case Base64:
			b.WriteString(base64.StdEncoding.EncodeToString(c.bytes(57)))
			b.WriteByte('\n')
		case Random:
			b.Write(c.bytes(4096))
		}
	}
	return []byte(b.String())
}

// Messages makes n lines of a log as messages of so many bytes each, the same for the
// same seed: shorter lines go on with a sentence, longer ones are cut.
func Messages(seed uint64, n, size int) [][]byte {
	c := corpus{rng: rand.New(rand.NewPCG(seed, 2)), words: words()}
	out := make([][]byte, n)
	for i := range out {
		var b strings.Builder
		c.logLine(&b)
		line := strings.ReplaceAll(strings.TrimSuffix(b.String(), "\n"), "\n", " ")
		for len(line) < size {
			line += " " + c.sentence()
		}
		out[i] = []byte(line[:size])
	}
	return out
}

type corpus struct {
	rng   *rand.Rand
	words []string
}

func (c corpus) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(c.rng.Uint32())
	}
	return b
}

// words are what identifiers and sentences are made of.
func words() []string {
	return strings.Fields(`add all append apply args base batch begin block body bool buffer build byte bytes
cache call case chan check clear client close code column command commit config conn context copy count
create cursor data decode default delete depth dir encode end entry error event expect false field file
filter find first flag flush format frame from func get group handle hash header hex host id index info init
input insert int item iter join key kind label last length level limit line link list load lock log loop main
make map mark match merge message meta method mode module mutex name new next nil node number object offset
open option order output owner page parse part path peer pending pipe point pool port prefix print process
queue range rate raw read record ref region release remote remove render reply report request reset result
retry return root route row run scan scope search section segment select send server service session set
shard size slice socket sort source span split stack start state status step stop store stream string struct
sub sum switch sync table tag target task test text time token total trace track tree true type unit update
user value verify version view wait watch window word work worker write zero the of and to in is that for it`)
}

func (c corpus) word() string {
	return c.words[c.rng.IntN(len(c.words))]
}

func (c corpus) pick(s ...string) string { return s[c.rng.IntN(len(s))] }

// ident is an identifier in camel case.
func (c corpus) ident() string {
	s := c.word()
	for range c.rng.IntN(3) {
		w := c.word()
		s += strings.ToUpper(w[:1]) + w[1:]
	}
	return s
}

// sentence is some words of prose.
func (c corpus) sentence() string {
	s := make([]string, 4+c.rng.IntN(9))
	for i := range s {
		s[i] = c.word()
	}
	return strings.Join(s, " ")
}

// function writes one function of a made-up program.
func (c corpus) function(b *strings.Builder) {
	recv := c.ident()
	fmt.Fprintf(b, "// %s %s.\nfunc (%c *%s) %s(ctx context.Context, %s %s, %s []byte) (int, error) {\n",
		recv, c.sentence(), recv[0], recv, c.ident(), c.ident(), c.ident(), c.ident())
	for range 3 + c.rng.IntN(20) {
		indent := strings.Repeat("\t", 1+c.rng.IntN(3))
		b.WriteString(indent)
		switch c.rng.IntN(9) {
		case 0:
			fmt.Fprintf(b, "if err := %s.%s(%s, %s[%d:]); err != nil {\n%s\treturn 0, fmt.Errorf(\"%s: %%w\", err)\n%s}\n",
				c.ident(), c.ident(), c.ident(), c.ident(), c.rng.IntN(100), indent, c.sentence(), indent)
		case 1:
			fmt.Fprintf(b, "%s := %s(%s)\n", c.ident(), c.ident(), c.ident())
		case 2:
			fmt.Fprintf(b, "for i, %s := range %s {\n", c.word(), c.ident())
		case 3:
			fmt.Fprintf(b, "// %s\n", c.sentence())
		case 4:
			fmt.Fprintf(b, "%s[%s] = append(%s[%s], %d)\n", c.ident(), c.word(), c.ident(), c.word(), c.rng.IntN(1000))
		case 5:
			fmt.Fprintf(b, "{name: %q, want: %q, got: 0x%x},\n", c.sentence(), c.ident()+"\n", c.rng.Uint32())
		case 6:
			fmt.Fprintf(b, "case %s.%s:\n%s\treturn %s\n", c.word(), c.ident(), indent, c.ident())
		case 7:
			b.WriteString("}\n\n")
		case 8:
			fmt.Fprintf(b, "%s.%s = %s.%s(\"%s/%s/%s\", %s)\n", c.word(), c.ident(), c.word(), c.ident(), c.word(), c.word(), c.word(), c.ident())
		}
	}
	b.WriteString("}\n\n")
}

// logLine writes one line of a log.
func (c corpus) logLine(b *strings.Builder) {
	at := fmt.Sprintf("2026-%02d-%02dT%02d:%02d:%02d.%06dZ", 1+c.rng.IntN(12), 1+c.rng.IntN(28),
		c.rng.IntN(24), c.rng.IntN(60), c.rng.IntN(60), c.rng.IntN(1e6))
	switch c.rng.IntN(4) {
	case 0:
		fmt.Fprintf(b, `{"time":%q,"level":%q,"msg":%q,"service":%q,"request_id":"%s","trace":"%x","duration_ms":%d,"path":"/api/v1/%s/%d"}`+"\n",
			at, c.pick("info", "debug", "warn"), c.sentence(), c.word()+"-"+c.word(), c.uuid(), c.bytes(16), c.rng.IntN(5000), c.word(), c.rng.IntN(1e6))
	case 1:
		fmt.Fprintf(b, `10.%d.%d.%d - - [%s] "GET /%s/%s?%s=%d&%s=%s HTTP/1.1" %d %d "https://%s.example.org/%s" "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101"`+"\n",
			c.rng.IntN(256), c.rng.IntN(256), c.rng.IntN(256), at, c.word(), c.word(), c.word(), c.rng.IntN(1000), c.word(), c.word(),
			c.rng.IntN(400)+200, c.rng.IntN(100000), c.word(), c.word())
	case 2:
		fmt.Fprintf(b, "%s ##[group]Run %s\n%s   ok  \texample.org/%s/%s\t%d.%03ds\n", at, c.sentence(), at, c.word(), c.word(), c.rng.IntN(30), c.rng.IntN(1000))
	case 3:
		fmt.Fprintf(b, `I%04d %s %7d %s.go:%d] "%s" pod="%s/%s-%x-%s" containerID="containerd://%x"`+"\n",
			c.rng.IntN(1231), at[11:23], c.rng.IntN(1e6), c.word(), c.rng.IntN(2000), c.sentence(), c.word(), c.word(), c.bytes(5), c.word()[:2], c.bytes(32))
	}
}

func (c corpus) uuid() string {
	b := c.bytes(16)
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
