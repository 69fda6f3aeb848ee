package archives_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/klauspost/compress/zlib"

	"revenant/fingerprints"
	"revenant/scanners/archives"
)

// pdfMaker writes a document.
type pdfMaker struct {
	t testing.TB
	b bytes.Buffer
}

func newPDF(t testing.TB) *pdfMaker {
	m := &pdfMaker{t: t}
	m.b.WriteString("%PDF-1.7\n")
	return m
}

func (m *pdfMaker) object(num int, body string) *pdfMaker {
	fmt.Fprintf(&m.b, "%d 0 obj\n%s\nendobj\n", num, body)
	return m
}

func (m *pdfMaker) plain(num int, dict, data string) *pdfMaker {
	return m.object(num, fmt.Sprintf("<<%s /Length %d>>\nstream\n%s\nendstream", dict, len(data), data))
}

func (m *pdfMaker) stream(num int, dict, data string) *pdfMaker {
	packed := through(m.t, []byte(data), func(w io.Writer) (io.WriteCloser, error) { return zlib.NewWriter(w), nil })
	return m.plain(num, dict+"/Filter/FlateDecode", string(packed))
}

// packed writes an object stream: numbers and bodies.
func (m *pdfMaker) packed(num int, dict string, objects ...any) *pdfMaker {
	var head, body string
	for i := 0; i < len(objects); i += 2 {
		head += fmt.Sprintf("%d %d ", objects[i], len(body))
		body += fmt.Sprint(objects[i+1], " ")
	}
	return m.stream(num, fmt.Sprintf("/Type/ObjStm/N %d/First %d%s", len(objects)/2, len(head), dict), head+body)
}

// page writes a page with its contents: numbers n, n+1.
func (m *pdfMaker) page(n int, dict, content string) *pdfMaker {
	return m.object(n, fmt.Sprintf("<</Type/Page/Contents %d 0 R%s>>", n+1, dict)).stream(n+1, "", content)
}

func (m *pdfMaker) bytes() []byte {
	m.b.WriteString("trailer\n<</Size 9>>\n%%EOF\n")
	return m.b.Bytes()
}

// pdfSubset is a font of the glyphs of a text: its table of characters and what
// shows the text, as codes of so many bytes.
func pdfSubset(text string, size int) (table string, codes func(string) string) {
	number := map[rune]int{}
	var b strings.Builder
	for _, c := range text {
		if number[c] == 0 {
			number[c] = len(number) + 1
		}
	}
	fmt.Fprintf(&b, "1 begincodespacerange\n<%0*x> <%0*x>\nendcodespacerange\n%d beginbfchar\n", 2*size, 0, 2*size, 1<<(8*size)-1, len(number))
	for c, n := range number {
		fmt.Fprintf(&b, "<%0*x> <%s>\n", 2*size, n, pdfWide(string(c)))
	}
	b.WriteString("endbfchar\n")
	return b.String(), func(s string) (out string) {
		for _, c := range s {
			out += fmt.Sprintf("%0*x", 2*size, number[c])
		}
		return out
	}
}

// pdfWide is a text in UTF-16, in hexadecimal digits.
func pdfWide(text string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(text)) {
		b = append(b, byte(u>>8), byte(u))
	}
	return hex.EncodeToString(b)
}

// reading keeps what contents say.
type reading struct {
	texts map[string]string
	first map[string]int
	skips []string
}

func (r *reading) Content(_ context.Context, c archives.Content, in io.Reader) error {
	b, err := io.ReadAll(in)
	r.texts[strings.TrimPrefix(c.Path, "item!")] = string(b)
	r.first[strings.TrimPrefix(c.Path, "item!")] = c.First
	return err
}

func (r *reading) Skip(k fingerprints.Skip) { r.skips = append(r.skips, k.Path+": "+k.Detail) }

func reads(t testing.TB, data []byte) *reading {
	t.Helper()
	r := &reading{texts: map[string]string{}, first: map[string]int{}}
	must(t, (&archives.Expander{Limits: small()}).Expand(t.Context(), bytes.NewReader(data), "item", r))
	return r
}
