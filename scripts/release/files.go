package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// build writes a release of the targets into out.
func (r *release) build(ctx context.Context, out string, all []target) error {
	clone, err := r.clone(ctx, "first")
	if err != nil {
		return err
	}
	return r.buildFrom(ctx, clone, out, all)
}

// buildFrom writes archives, bills of materials and checksums; env is added to
// the environment of the compiler.
func (r *release) buildFrom(ctx context.Context, clone, out string, all []target, env ...string) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	common, err := r.papers(ctx, clone, env...)
	if err != nil {
		return err
	}
	for _, t := range all {
		if err := r.one(ctx, clone, out, t, common, env...); err != nil {
			return fmt.Errorf("%s: %w", t, err)
		}
	}
	return writeSums(out)
}

func (r *release) one(ctx context.Context, clone, out string, t target, common []member, env ...string) error {
	name := "revenant_" + strings.TrimPrefix(r.version, "v") + "_" + t.os + "_" + t.arch
	program := "revenant"
	if t.os == "windows" {
		program += ".exe"
	}
	built := filepath.Join(clone+"-bin", name, program)
	if err := r.compile(ctx, clone, built, t, env...); err != nil {
		return err
	}
	content, err := os.ReadFile(built)
	if err != nil {
		return err
	}
	bill, err := r.bill(ctx, clone, built)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(out, name+".cdx.json"), bill, 0o644); err != nil {
		return err
	}
	members := append(slices.Clone(common), member{program, 0o755, content})
	var packed bytes.Buffer
	file := name + ".tar.gz"
	if t.os == "windows" {
		file = name + ".zip"
		err = writeZip(&packed, name, members, r.when)
	} else {
		err = writeTarGz(&packed, name, members, r.when)
	}
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(r.log, "%-40s %8d bytes\n", file, packed.Len())
	return os.WriteFile(filepath.Join(out, file), packed.Bytes(), 0o644)
}

// papers are the files that every archive holds: what the repository has, and
// what the program itself writes.
func (r *release) papers(ctx context.Context, clone string, env ...string) ([]member, error) {
	var out []member
	for _, name := range []string{"CHANGELOG.md", "LICENSE", "README.md"} {
		b, err := os.ReadFile(filepath.Join(clone, name))
		if err != nil {
			return nil, err
		}
		out = append(out, member{name, 0o644, b})
	}
	dir := clone + "-host"
	program := filepath.Join(dir, "revenant")
	if err := r.compile(ctx, clone, program, host(), env...); err != nil {
		return nil, err
	}
	said, err := command(ctx, dir, nil, program, "version")
	if err != nil {
		return nil, err
	}
	if !strings.Contains(said, r.version) || !strings.Contains(said, r.commit) {
		return nil, fmt.Errorf("the program does not say that it is %s of %s, but: %s", r.version, r.commit, said)
	}
	_, _ = fmt.Fprintln(r.log, said)
	man := filepath.Join(dir, "man")
	if _, err := command(ctx, dir, nil, program, "reference", man); err != nil {
		return nil, err
	}
	pages, err := os.ReadDir(man)
	if err != nil {
		return nil, err
	}
	for _, p := range pages {
		b, err := os.ReadFile(filepath.Join(man, p.Name()))
		if err != nil {
			return nil, err
		}
		out = append(out, member{"man/" + p.Name(), 0o644, b})
	}
	for shell, name := range map[string]string{"bash": "revenant.bash", "zsh": "_revenant", "fish": "revenant.fish", "powershell": "revenant.ps1"} {
		text, err := command(ctx, dir, nil, program, "completion", shell)
		if err != nil {
			return nil, err
		}
		out = append(out, member{"completions/" + name, 0o644, []byte(text + "\n")})
	}
	return out, nil
}

// reproduce builds once more at another path, from a second clone and with an
// empty build cache, since the first build's would give the same whatever is
// true, and compares every file.
func (r *release) reproduce(ctx context.Context, out string, twice []target) error {
	clone, err := r.clone(ctx, filepath.Join("a", "longer", "path", "second"))
	if err != nil {
		return err
	}
	again := filepath.Join(r.work, "again")
	cache := "GOCACHE=" + filepath.Join(r.work, "cache")
	if err := r.buildFrom(ctx, clone, again, twice, cache); err != nil {
		return err
	}
	return compare(out, again, r)
}

func compare(out, again string, r *release) error {
	first, err := readSums(out)
	if err != nil {
		return err
	}
	second, err := readSums(again)
	if err != nil {
		return err
	}
	for _, s := range second {
		if !slices.Contains(first, s) {
			return fmt.Errorf("%s differs between two builds: it is not reproducible", s.name)
		}
		_, _ = fmt.Fprintf(r.log, "%s: the same from a second clone\n", s.name)
	}
	return nil
}
