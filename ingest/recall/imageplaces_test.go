package recall_test

import (
	"archive/tar"
	"archive/zip"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"revenant/fingerprints"
	"revenant/scanners/image"
)

// imagePlace is where a value can stand in an image.
type imagePlace struct {
	name     string
	path     string // as a gitPlace has it
	presence fingerprints.Presence
	also     []string
	only     string // layouts that have such a place begin so; empty: all
	plant    func(m *imageMaker, v string)
}

const (
	inImage  = fingerprints.PresenceVisible
	shaded   = fingerprints.PresenceShadowed
	saidOfIt = fingerprints.PresenceMetadata
)

// imagePlaces are all of them; each plants with names of its own.
func imagePlaces() []imagePlace {
	return slices.Concat(imageFiles(), imagePacked(), imageGit(), imageWords(), imageNotes())
}

// put puts a file that holds a value into a layer.
func put(layer int, dir string) func(m *imageMaker, v string) {
	return func(m *imageMaker, v string) { m.file(layer, dir+"/"+id(v), text(v)) }
}

// after puts a file into the lowest layer, and something more.
func after(dir string, more func(m *imageMaker, name string)) func(m *imageMaker, v string) {
	return func(m *imageMaker, v string) {
		name := dir + "/" + id(v)
		m.file(0, name, text(v))
		more(m, name)
	}
}

func whiteout(layer int) func(m *imageMaker, name string) {
	return func(m *imageMaker, name string) {
		dir, base, _ := strings.Cut(name, "/")
		m.file(layer, dir+"/.wh."+base, "")
	}
}

func imageFiles() []imagePlace {
	link := func(layer int, typ byte, name, target string) func(m *imageMaker) {
		return func(m *imageMaker) {
			m.entry(m.tars[layer], tar.Header{Name: name, Linkname: target, Typeflag: typ}, "")
		}
	}
	return []imagePlace{
		{"file of the lowest layer", "low/%b", inImage, nil, "", put(0, "low")},
		{"file of the highest layer", "high/%b", inImage, nil, "", put(2, "high")},
		{"deleted file", "deleted/%b", shaded, nil, "", after("deleted", whiteout(1))},
		{"deleted folder", "gone-%b/x", shaded, nil, "", func(m *imageMaker, v string) {
			m.file(0, "gone-"+id(v)+"/x", text(v))
			m.file(1, ".wh.gone-"+id(v), "")
		}},
		{"overwritten file", "over/%b", shaded, nil, "", after("over", func(m *imageMaker, name string) { m.file(2, name, text("nothing")) })},
		{"deleted file that came back", "again/%b", shaded, nil, "", after("again", func(m *imageMaker, name string) {
			whiteout(1)(m, name)
			m.file(2, name, text("nothing"))
		})},
		{"what overwrote a file", "fresh/%b", inImage, nil, "", func(m *imageMaker, v string) {
			m.file(0, "fresh/"+id(v), "nothing")
			m.file(1, "fresh/"+id(v), text(v))
		}},
		{"file in a folder that was emptied", "opaque-%b/x", shaded, nil, "", func(m *imageMaker, v string) {
			m.file(0, "opaque-"+id(v)+"/x", text(v))
			m.file(1, "opaque-"+id(v)+"/.wh..wh..opq", "")
		}},
		{"file where a folder is now", "turned/%b", shaded, nil, "", after("turned", func(m *imageMaker, name string) { m.file(1, name+"/x", "nothing") })},
		{"file where a link is now", "linked/%b", shaded, nil, "", after("linked", func(m *imageMaker, name string) { link(1, tar.TypeSymlink, name, "/etc/hosts")(m) })},
		{"deleted file with a hard link left", "hard/%b", inImage, nil, "", after("hard", func(m *imageMaker, name string) {
			link(0, tar.TypeLink, name+"-too", name)(m)
			whiteout(1)(m, name)
		})},
		{"deleted file, its hard link too", "harder/%b", shaded, nil, "", after("harder", func(m *imageMaker, name string) {
			link(0, tar.TypeLink, name+"-too", name)(m)
			whiteout(1)(m, name)
			whiteout(2)(m, name+"-too")
		})},
		{"sparse file", "sparse/%b", inImage, nil, "", func(m *imageMaker, v string) { m.sparse(1, "sparse/"+id(v), text(v)) }},
		{"target of a symbolic link", "links/%b", inImage, nil, "", func(m *imageMaker, v string) { link(0, tar.TypeSymlink, "links/"+id(v), "/run/"+v)(m) }},
		{"target of a deleted symbolic link", "unlinked/%b", shaded, nil, "", func(m *imageMaker, v string) {
			link(0, tar.TypeSymlink, "unlinked/"+id(v), "/run/"+v)(m)
			whiteout(1)(m, "unlinked/"+id(v))
		}},
		{"name of a file", "names/%s.txt", inImage, nil, "", func(m *imageMaker, v string) { m.file(0, "names/"+v+".txt", "") }},
		{"name of a folder", "%s", inImage, nil, "", func(m *imageMaker, v string) {
			m.entry(m.tars[0], tar.Header{Name: v + "/", Typeflag: tar.TypeDir}, "")
		}},
		{"name of a file that is deleted where it never was", "wh/*%s", shaded, nil, "", func(m *imageMaker, v string) { m.file(1, "wh/.wh."+v, "") }},
		{"extended attribute", "attr/%b!@attributes", inImage, nil, "", func(m *imageMaker, v string) {
			m.entry(m.tars[0], tar.Header{Name: "attr/" + id(v), PAXRecords: map[string]string{"SCHILY.xattr.user.note": v}}, "")
		}},
		{"comment beside a name", "comments/%b!@attributes", inImage, nil, "", func(m *imageMaker, v string) {
			m.entry(m.tars[0], tar.Header{Name: "comments/" + id(v), PAXRecords: map[string]string{"comment": v}}, "x")
		}},
		{"name of a file's owner", "owned/%b!@attributes", inImage, nil, "", func(m *imageMaker, v string) {
			m.entry(m.tars[0], tar.Header{Name: "owned/" + id(v), Uname: v}, "x")
		}},
		{"file of another platform", "arm/%b", inImage, nil, "OCI registry", func(m *imageMaker, v string) {
			m.entry(m.otherTar, tar.Header{Name: "arm/" + id(v)}, text(v))
		}},
	}
}

func imagePacked() []imagePlace {
	in := func(dir string, pack func(t *testing.T, data []byte) []byte) func(m *imageMaker, v string) {
		return func(m *imageMaker, v string) { m.file(1, dir+"/"+id(v), string(pack(m.t, []byte(text(v))))) }
	}
	return []imagePlace{
		{"jar in a layer", "jar/%b!application.properties", inImage, nil, "", in("jar", zipped(zip.Deflate, "application.properties"))},
		{"wheel in a layer", "wheel/%b!shop/settings.py", inImage, nil, "", in("wheel", zipped(zip.Deflate, "shop/settings.py"))},
		{"tar.gz in a layer", "tgz/%b!*!app.env", inImage, nil, "", in("tgz", then(tarred("app.env"), asGzip()))},
		{"SQLite database in a layer", "sqlite/%b!notes", inImage, nil, "", in("sqlite", func(t *testing.T, data []byte) []byte {
			return database(0)(t, nil, seeded("image", string(data)), data)
		})},
		{"deleted archive", "deljar/%b!application.properties", shaded, nil, "", func(m *imageMaker, v string) {
			in("deljar", zipped(zip.Deflate, "application.properties"))(m, v)
			m.file(2, "deljar/.wh."+id(v), "")
		}},
		{"archive of an image in a layer", "img/%b!app/.env", inImage, nil, "", in("img", tarred("app/.env"))},
		{"behind a layer's end", "@layer", shaded, nil, "", func(m *imageMaker, v string) {
			m.more = append(m.more, slices.Concat(tarOf("behind/"+id(v), []byte("nothing")), []byte(text(v))))
		}},
		{"layer that is no archive", "@layer*", shaded, nil, "", func(m *imageMaker, v string) { m.more = append(m.more, []byte(text(v))) }},
		{"archive that no image names", "loose/%b", shaded, nil, "OCI", func(m *imageMaker, v string) {
			m.loose = append(m.loose, tarOf("loose/"+id(v), []byte(text(v))))
		}},
		{"blob that no image names", "@layer*", shaded, nil, "OCI", func(m *imageMaker, v string) { m.loose = append(m.loose, []byte(text(v))) }},
	}
}

// imageWords are what an image says of how it is run.
func imageWords() []imagePlace {
	run := func(key string, value func(v string) any) func(m *imageMaker, v string) {
		return func(m *imageMaker, v string) {
			list, _ := m.run[key].([]any)
			m.run[key] = append(list, value(v))
		}
	}
	return []imagePlace{
		{"environment", "@env/E%b", saidOfIt, nil, "", func(m *imageMaker, v string) { m.env = append(m.env, "E"+id(v)+"="+v) }},
		{"environment, base64", "@env/B%b", saidOfIt, nil, "", func(m *imageMaker, v string) {
			m.env = append(m.env, "B"+id(v)+"="+base64.StdEncoding.EncodeToString([]byte("user:"+v)))
		}},
		{"name of a variable", "@env/%s", saidOfIt, nil, "", func(m *imageMaker, v string) { m.env = append(m.env, v+"=1") }},
		{"label", "@label/l%b", saidOfIt, nil, "", func(m *imageMaker, v string) { m.labels["l"+id(v)] = "see " + v }},
		{"name of a label", "@label/%s", saidOfIt, nil, "", func(m *imageMaker, v string) { m.labels[v] = "1" }},
		{"command", "@command", saidOfIt, nil, "", run("Cmd", func(v string) any { return "--password=" + v })},
		{"entry point", "@entrypoint", saidOfIt, nil, "", run("Entrypoint", func(v string) any { return "--password=" + v })},
		{"shell", "@shell", saidOfIt, nil, "", run("Shell", func(v string) any { return "pw=" + v })},
		{"trigger", "@onbuild", saidOfIt, nil, "", func(m *imageMaker, v string) { m.triggers = append(m.triggers, "RUN login "+v) }},
		{"health check", "@healthcheck", saidOfIt, nil, "", func(m *imageMaker, v string) {
			test, _ := m.run["Healthcheck"].(map[string]any)
			list, _ := test["Test"].([]string)
			m.run["Healthcheck"] = map[string]any{"Test": append(list, "curl -u me:"+v)}
		}},
		{"working directory", "@config", saidOfIt, nil, "", func(m *imageMaker, v string) { m.run["WorkingDir"] = fmt.Sprint(m.run["WorkingDir"]) + "/" + v }},
		{"volume", "@config", saidOfIt, nil, "", func(m *imageMaker, v string) {
			list, _ := m.run["Volumes"].(map[string]any)
			if list == nil {
				list = map[string]any{}
			}
			list["/"+v] = map[string]any{}
			m.run["Volumes"] = list
		}},
		{"author", "@author", saidOfIt, nil, "", func(m *imageMaker, v string) { m.config["author"] = fmt.Sprint(m.config["author"]) + " " + v }},
		{"member that no specification has", "@config", saidOfIt, nil, "", func(m *imageMaker, v string) { m.config["x-"+id(v)] = map[string]any{"deep": []string{v}} }},
	}
}

// imageNotes are what stands beside an image.
func imageNotes() []imagePlace {
	note := func(what string) func(m *imageMaker, v string) {
		return func(m *imageMaker, v string) { m.annotate(what, "a"+id(v), "see "+v) }
	}
	step := func(layer int, text string) func(m *imageMaker, v string) {
		return func(m *imageMaker, v string) {
			for len(m.history) < 3 {
				m.history = append(m.history, map[string]any{"created_by": "/bin/sh -c #(nop) ADD file:0"})
			}
			m.history[layer]["created_by"] = fmt.Sprint(m.history[layer]["created_by"]) + " " + fmt.Sprintf(text, v)
		}
	}
	return []imagePlace{
		{"instruction in the history", "@history", saidOfIt, nil, "", step(2, "RUN login --password=%s")},
		{"build argument in the history", "@history", saidOfIt, nil, "", step(1, "|1 TOKEN=%s /bin/sh -c make")},
		{"comment in the history", "@history", saidOfIt, nil, "OCI registry docker save docker save, 1.10", func(m *imageMaker, v string) {
			m.history = append(m.history, map[string]any{"created_by": "USER", "comment": "with " + v, "empty_layer": true})
		}},
		{"annotation of the manifest", "@annotation/a%b", saidOfIt, nil, "OCI registry", note("manifest")},
		{"annotation of the image in the index", "@annotation/a%b", saidOfIt, nil, "OCI registry", note("descriptor")},
		{"annotation of the index", "@annotation/a%b", saidOfIt, nil, "OCI registry", note("index")},
		{"annotation of the layout", "@annotation/a%b", saidOfIt, nil, "OCI", note("top")},
		{"annotation of a layer", "@annotation/a%b", saidOfIt, nil, "OCI registry", note("layer")},
		{"annotation of the configuration", "@annotation/a%b", saidOfIt, nil, "OCI registry", note("configuration")},
		{"name of a tag", "@name", saidOfIt, []string{"@annotation/org.opencontainers.image.ref.name"}, "", func(m *imageMaker, v string) { m.tags = append(m.tags, v) }},
	}
}

// has reports whether a layout has such a place.
func (pl imagePlace) has(layout string) bool {
	if pl.only == "" {
		return true
	}
	kind, _, _ := strings.Cut(layout, " ")
	return strings.Contains(pl.only, strings.Trim(kind, ",")) && (kind != "docker" || strings.HasSuffix(pl.only, layout) || strings.Contains(pl.only, layout+" "))
}

// times is how often a value stands at its place: a name also beside itself, that
// of an image in all that is called so.
func (pl imagePlace) times() int {
	switch {
	case pl.path == "@name":
		return anyTimes
	case strings.HasPrefix(pl.path, "@") && strings.Contains(pl.path, "%s"):
		return 2
	}
	return 1
}

// tryImage plants in every place of one image, and counts for each of them.
func (b *bench) tryImage(t *testing.T, layout string) []cell {
	places := imagePlaces()
	r := seeded("image", layout)
	m := newImageMaker(t)
	var plants []gitPlant
	var raw [][]byte
	for i, pl := range places {
		if !pl.has(layout) {
			continue
		}
		value := string(from(r, alnum, 28))
		raw = append(raw, []byte(value))
		for _, p := range []gitPlant{{i, value, false}, {i, "gh" + "p_" + string(from(r, alnum, 36)), true}} {
			plants = append(plants, p)
			pl.plant(m, p.value)
		}
	}
	s := b.searchFor(t, raw)
	found, skips := s.run(t, m.source(layout, image.Options{Screen: s.screen(), Workers: 2, Repositories: layerRepositories{t.TempDir(), s.screen()}}))
	if len(skips) > 0 {
		t.Errorf("skips %v", skips)
	}
	cells := make([]cell, len(places))
	for _, p := range plants {
		pl := places[p.of]
		cells[p.of].takeGit(gitPlace{pl.name, pl.path, pl.presence, pl.also, nil}, p, found[p.value], pl.times(), "image, "+layout)
	}
	return cells
}

// imageTable is the part of the page about images; cells are by layout, then by
// place.
func imageTable(b *strings.Builder, cells [][]cell) {
	b.WriteString("\n## Places in a container image\n\nOf each place two values, one that is registered and a token that rules know; each must be found there, once, with its presence.\nA dash: that layout has no such place.\n\n")
	fmt.Fprintf(b, "| place | path | presence | %s |\n|---|---|---|%s\n", strings.Join(imageLayouts(), " | "), strings.Repeat("---|", len(imageLayouts())))
	for i, pl := range imagePlaces() {
		fmt.Fprintf(b, "| %s | %s | %s |", pl.name, shownPath(pl.path), pl.presence)
		for k, layout := range imageLayouts() {
			if !pl.has(layout) {
				b.WriteString(" – |")
				continue
			}
			fmt.Fprintf(b, " %s |", cells[k][i])
		}
		b.WriteString("\n")
	}
}

// shownPath is a place's path for people.
func shownPath(path string) string {
	path = strings.NewReplacer("%s", "VALUE", "%b", "NAME", "!*!", "!NAME!").Replace(path)
	if file, part, is := strings.Cut(path, "!"); is && !strings.HasPrefix(path, "@") && file != "" {
		return "its own!" + part
	}
	if !strings.HasPrefix(path, "@") {
		return "its own"
	}
	return strings.TrimSuffix(path, "*")
}
