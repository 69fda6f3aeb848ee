package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// The parts of CycloneDX 1.6 that a bill of a Go program needs.
type (
	bom struct {
		Format       string       `json:"bomFormat"`
		Spec         string       `json:"specVersion"`
		Serial       string       `json:"serialNumber"`
		Version      int          `json:"version"`
		Metadata     metadata     `json:"metadata"`
		Components   []component  `json:"components"`
		Dependencies []dependency `json:"dependencies"`
	}
	metadata struct {
		Timestamp string    `json:"timestamp"`
		Component component `json:"component"`
	}
	component struct {
		Ref        string     `json:"bom-ref"`
		Type       string     `json:"type"`
		Name       string     `json:"name"`
		Version    string     `json:"version"`
		Hashes     []hash     `json:"hashes,omitempty"`
		Licenses   []choice   `json:"licenses"`
		Purl       string     `json:"purl"`
		Properties []property `json:"properties,omitempty"`
	}
	hash struct {
		Alg     string `json:"alg"`
		Content string `json:"content"`
	}
	choice struct {
		License    *license `json:"license,omitempty"`
		Expression string   `json:"expression,omitempty"`
	}
	license struct {
		ID string `json:"id"`
	}
	property struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	dependency struct {
		Ref       string   `json:"ref"`
		DependsOn []string `json:"dependsOn"`
	}
)

// bill describes a binary by what its linker wrote into it: the modules that
// are in it, and no others.
func (r *release) bill(ctx context.Context, clone, binary string) ([]byte, error) {
	content, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	modules := linked(info)
	licences, err := licencesOf(ctx, clone, modules)
	if err != nil {
		return nil, err
	}
	raw := sha256.Sum256(content)
	main := component{
		Ref: purl("revenant", r.version), Type: "application", Name: "revenant", Version: r.version, Purl: purl("revenant", r.version),
		Hashes: []hash{{"SHA-256", digest(content)}}, Licenses: choices([]string{"Apache-2.0"}),
		Properties: append([]property{{"revenant:commit", r.commit}}, settings(info)...),
	}
	b := bom{
		Format: "CycloneDX", Spec: "1.6", Version: 1, Serial: "urn:uuid:" + uuid(raw),
		Metadata: metadata{r.when.Format(time.RFC3339), main},
	}
	std := strings.TrimPrefix(info.GoVersion, "go")
	b.Components = append(b.Components, component{
		Ref: purl("stdlib", std), Type: "library", Name: "stdlib", Version: std, Purl: purl("stdlib", std), Licenses: choices([]string{"BSD-3-Clause"}),
	})
	for _, m := range modules {
		ref := purl(m.Path, m.Version)
		b.Components = append(b.Components, component{
			Ref: ref, Type: "library", Name: m.Path, Version: m.Version, Purl: ref, Licenses: choices(licences[m.Path]),
			Properties: []property{{"revenant:go.sum", m.Sum}},
		})
	}
	root := dependency{Ref: main.Ref}
	for _, c := range b.Components {
		root.DependsOn = append(root.DependsOn, c.Ref)
	}
	b.Dependencies = []dependency{root}
	out, err := json.MarshalIndent(b, "", "  ")
	return append(out, '\n'), err
}

// linked are the modules of a binary in the order of their paths; one that
// replaces another stands in its place.
func linked(info *debug.BuildInfo) []debug.Module {
	var out []debug.Module
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		out = append(out, *m)
	}
	slices.SortFunc(out, func(a, b debug.Module) int { return cmp.Compare(a.Path, b.Path) })
	return out
}

func settings(info *debug.BuildInfo) []property {
	out := []property{{"revenant:build:go", info.GoVersion}}
	for _, s := range info.Settings {
		out = append(out, property{"revenant:build:" + s.Key, s.Value})
	}
	return out
}

// purl is the package URL of a Go module, in lower case as its type wants.
func purl(path, version string) string {
	return "pkg:golang/" + strings.ToLower(path) + "@" + strings.ReplaceAll(url.PathEscape(version), "+", "%2B")
}

// uuid is one of version 8 that follows from the binary, so that the same
// binary has the same bill.
func uuid(d [sha256.Size]byte) string {
	d[6], d[8] = d[6]&0x0f|0x80, d[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", d[:4], d[4:6], d[6:8], d[8:10], d[10:16])
}

func choices(ids []string) []choice {
	if len(ids) == 1 {
		return []choice{{License: &license{ids[0]}}}
	}
	return []choice{{Expression: strings.Join(ids, " AND ")}}
}
