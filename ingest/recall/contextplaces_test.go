package recall_test

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"revenant/fingerprints"
	"revenant/scanners/image/buildcontext"
)

// contextMaker gathers what an image is built from.
type contextMaker struct {
	files               map[string]string
	global, build, last []string // lines of the Dockerfile, by stage
	ignore              []string
	args                []buildcontext.Arg
}

// contextPlace is where a value can stand in a build context.
type contextPlace struct {
	name     string
	path     string                // as a gitPlace has it
	presence fingerprints.Presence // empty: it is left out, and must not be found
	also     []string
	plant    func(m *contextMaker, v string)
}

// contextPlaces are all of them; each plants with names of its own. What stands in
// the Dockerfile is found there, too.
func contextPlaces() []contextPlace {
	file := []string{"Dockerfile"}
	in := func(dir string) func(m *contextMaker, v string) {
		return func(m *contextMaker, v string) { m.files[dir+"/"+id(v)] = text(v) }
	}
	last := func(line string) func(m *contextMaker, v string) {
		return func(m *contextMaker, v string) {
			m.last = append(m.last, strings.NewReplacer("%s", v, "%b", id(v), "%h", v[:len(v)/2], "%t", v[len(v)/2:]).Replace(line))
		}
	}
	return []contextPlace{
		{"file that is copied", "conf/%b", inImage, nil, in("conf")},
		{"file that a glob copies", "etc/%b.env", inImage, nil, func(m *contextMaker, v string) { m.files["etc/"+id(v)+".env"] = text(v) }},
		{"file that only a build stage copies", "src/%b", shaded, nil, in("src")},
		{"file that a step mounts", "mounted/%b", shaded, nil, in("mounted")},
		{"file that nothing names", "other/%b", shaded, nil, in("other")},
		{"file that .dockerignore takes back", "left/keep-%b", inImage, nil, func(m *contextMaker, v string) { m.files["left/keep-"+id(v)] = text(v) }},
		{"file that .dockerignore leaves out", "left/%b", "", nil, in("left")},
		{"name of a file", "conf/%s", inImage, nil, func(m *contextMaker, v string) { m.files["conf/"+v] = "" }},
		{"comment in the Dockerfile", "Dockerfile", shaded, nil, last("# was %s")},
		{"comment in .dockerignore", ".dockerignore", shaded, nil, func(m *contextMaker, v string) { m.ignore = append(m.ignore, "# "+v) }},
		{"value of --build-arg", "@build-arg/A%b", saidOfIt, nil, func(m *contextMaker, v string) {
			m.last = append(m.last, "ARG A"+id(v))
			m.args = append(m.args, buildcontext.Arg{Name: "A" + id(v), Value: v})
		}},
		{"default of ARG", "@build-arg/D%b", saidOfIt, file, last("ARG D%b=%s")},
		{"default of ARG before the stages", "@build-arg/G%b", shaded, file, func(m *contextMaker, v string) { m.global = append(m.global, "ARG G"+id(v)+"="+v) }},
		{"ENV", "@env/E%b", saidOfIt, file, last("ENV E%b=%s")},
		{"ENV, old form", "@env/O%b", saidOfIt, file, last("ENV O%b see %s there")},
		{"ENV, base64", "@env/B%b", saidOfIt, file, func(m *contextMaker, v string) {
			m.last = append(m.last, "ENV B"+id(v)+"="+base64.StdEncoding.EncodeToString([]byte("user:"+v)))
		}},
		{"ENV, put together", "@env/P%b", saidOfIt, nil, last("ENV H%b=%h\nENV P%b=${H%b}%t")},
		{"ENV, escaped", "@env/Q%b", saidOfIt, file, last("ENV Q%b=\"a b\"%h\"\"'%t'")},
		{"ENV of a build stage", "@env/S%b", shaded, file, func(m *contextMaker, v string) { m.build = append(m.build, "ENV S"+id(v)+"="+v) }},
		{"LABEL", "@label/l%b", saidOfIt, file, last("LABEL l%b=\"see %s\"")},
		{"RUN", "@history", saidOfIt, file, last("RUN login --password=%s")},
		{"RUN, over a line's end", "@history", saidOfIt, []string{"Dockerfile"}, last("RUN login --user me \\\n  # a comment\n\n  -p %h\\\n%t")},
		{"RUN, here-document", "@history", saidOfIt, file, last("RUN <<EOF\nlogin %s\nEOF")},
		{"COPY, here-document", "@copy", inImage, file, last("COPY <<-EOF /etc/app.env\n\tdb=%s\n\tEOF")},
		{"ADD from an address", "@history", saidOfIt, file, last("ADD https://me:%s@example.org/x.tgz /")},
		{"CMD", "@command", saidOfIt, file, last(`CMD ["run", "--password=%s"]`)},
		{"ENTRYPOINT", "@entrypoint", saidOfIt, file, last("ENTRYPOINT run --password=%s")},
		{"HEALTHCHECK", "@healthcheck", saidOfIt, file, last("HEALTHCHECK --timeout=3s CMD curl -u me:%s x")},
		{"MAINTAINER", "@author", saidOfIt, file, last("MAINTAINER me %s")},
		{"ONBUILD", "@onbuild", saidOfIt, file, last("ONBUILD RUN login %s")},
	}
}

// source writes the context and opens it.
func (m *contextMaker) source(t *testing.T) *buildcontext.Source {
	root := t.TempDir()
	m.files["Dockerfile"] = strings.Join(m.global, "\n") + "\nFROM x AS build\nCOPY src /src\n" + strings.Join(m.build, "\n") +
		"\nFROM y\nCOPY --from=build /out /\nCOPY conf left /etc/\nCOPY etc/*.env /etc/\nRUN --mount=source=mounted,target=/m make\n" + strings.Join(m.last, "\n") + "\n"
	m.files[".dockerignore"] = "left/*\n!left/keep-*\n" + strings.Join(m.ignore, "\n") + "\n"
	for name, data := range m.files {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	src, err := buildcontext.New(buildcontext.Options{Root: root, Args: m.args})
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// tryContext plants in every place of one context, and counts for each of them.
func (b *bench) tryContext(t *testing.T) []cell {
	places := contextPlaces()
	r := seeded("context")
	m := &contextMaker{files: map[string]string{}}
	var plants []gitPlant
	var raw [][]byte
	for i, pl := range places {
		value := string(from(r, alnum, 28))
		raw = append(raw, []byte(value))
		for _, p := range []gitPlant{{i, value, false}, {i, "gh" + "p_" + string(from(r, alnum, 36)), true}} {
			plants = append(plants, p)
			pl.plant(m, p.value)
		}
	}
	s := b.searchFor(t, raw)
	found, skips := s.run(t, m.source(t))
	if len(skips) != 2 || skips[fingerprints.SkipIgnored] != 2 || skips[fingerprints.SkipMissing] != 2 {
		t.Errorf("skips %v", skips)
	}
	cells := make([]cell, len(places))
	for _, p := range plants {
		pl, c := places[p.of], &cells[p.of]
		if pl.presence != "" {
			c.takeGit(gitPlace{pl.name, pl.path, pl.presence, pl.also, nil}, p, found[p.value], 1, "build context")
			continue
		}
		c.registered.decoys++
		if len(found[p.value]) > 0 {
			c.registered.false++
			c.gaps = append(c.gaps, gap{"build context", pl.name, "found though it is left out", shown([]byte(p.value), stretch{0, len(p.value)})})
		}
	}
	return cells
}

// contextTable is the part of the page about build contexts.
func contextTable(b *strings.Builder, cells []cell) {
	b.WriteString("\n## Places in a build context\n\nOf each place two values, as above. What stands in the Dockerfile is found there, too.\n\n| place | path | presence | found |\n|---|---|---|---|\n")
	for i, pl := range contextPlaces() {
		if pl.presence == "" {
			fmt.Fprintf(b, "| %s | – | not sent | %d/%d |\n", pl.name, cells[i].registered.false, cells[i].registered.decoys)
			continue
		}
		path := shownPath(pl.path)
		if pl.path == "Dockerfile" || pl.path == ".dockerignore" {
			path = pl.path
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", pl.name, path, pl.presence, cells[i])
	}
}
