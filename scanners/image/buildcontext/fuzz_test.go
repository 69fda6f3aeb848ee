package buildcontext

import (
	"strings"
	"testing"
)

// FuzzDockerfile: whatever a Dockerfile says, it is followed in bounded work, each
// instruction stands behind the one before, and no line of a here-document is read
// as an instruction.
func FuzzDockerfile(f *testing.F) {
	for _, s := range []string{
		"FROM x AS a\nARG A=1\nENV B=${A:-${C}} D=\"x\nCOPY --from=a --exclude=* [\"a\", \"b\"]\nRUN <<E cat <<-'F'\n1\nE\n\t2\n\tF\nFROM a\n",
		"# escape=`\n\xef\xbb\xbfFROM `\nONBUILD ONBUILD COPY . /\nONBUILD ADD git@x:y [ /\nFROM 0\n", "ENV A=$A$A$A$A\nRUN --mount=type=bind,src=${X##*} --\n<<\n",
		strings.Repeat("FROM x AS a\nONBUILD FROM a\nONBUILD COPY **/*[ /\nFROM a AS a\n", 3),
		"FROM x\nENV A=aaaaaaaaaaaaaaaa\n" + strings.Repeat("ENV A=$A$A\n", 40),
	} {
		f.Add(s, "a")
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		list := parseDockerfile([]byte(text))
		lines, last := strings.Count(text, "\n")+1, 0
		for _, in := range list {
			if in.line <= last || in.line > lines || in.name != strings.ToUpper(in.name) {
				t.Fatalf("line %d after %d of %d", in.line, last, lines)
			}
			last = in.line
			for _, h := range in.heredocs {
				if !strings.Contains(text, h.text) {
					t.Fatal("a here-document is no part of the text")
				}
				last += strings.Count(h.text, "\n")
			}
		}
		p, err := newPlan(list, []Arg{{name, text}}, "")
		if err != nil {
			t.Fatal(err)
		}
		size := 0
		for _, q := range p.parts {
			size += len(q.text)
		}
		if most := 20*len(text) + 2*maxWork; size > most {
			t.Fatalf("%d bytes of %d", size, len(text))
		}
		for i := range p.uses {
			p.uses[i].takes(name)
		}
		var g ignoring
		g.add([]byte(text))
		if name = below(name); name != "" && g.leaves(name, true) && !g.leaves(name+"/x", false) {
			t.Fatalf("a folder is left out with something below that is not")
		}
	})
}
