package rules

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"regexp"
	"regexp/syntax"
	"slices"
	"sort"

	"github.com/spf13/viper"
	"github.com/zricethezav/gitleaks/v8/config"
)

// maxExtends is how deep gitleaks follows extends.
const maxExtends = 2

// load is the configuration that the options name. What is generated for the
// default one is used as long as it is of the same text.
func load(o Options) (ruleset, error) {
	if o.Path == "" && o.Contents == nil && crc32.ChecksumIEEE([]byte(config.DefaultConfig)) == generatedFrom {
		set := generated
		if o.Own != OwnOff {
			set.rules = slices.Concat(generated.rules, generatedOwn.rules)
			set = ownLast(set)
		}
		return set, nil
	}
	cfg, err := translate(o)
	if err != nil {
		return ruleset{}, err
	}
	known := map[string]outline{}
	for _, d := range slices.Concat(generated.rules, generatedOwn.rules) {
		known[d.pattern] = d.outline
	}
	set := newRuleset(cfg, known)
	if o.Own != OwnOff {
		set = ownLast(set)
	}
	return set, nil
}

// translate reads a configuration with everything that it extends.
//
// gitleaks' own loader keeps the parsed file in viper's process-wide instance
// and counts extends in a package variable that it never resets, so a second
// configuration in one process would silently extend nothing. Here each file
// is parsed by a viper of its own, extends are merged before translation by the
// rules that gitleaks applies after it, and one translation validates the
// whole.
func translate(o Options) (cfg config.Config, err error) {
	var vc config.ViperConfig
	defer func() { // gitleaks compiles regular expressions with MustCompile
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %s", ErrBadConfig, uncompiled(vc))
		}
	}()
	contents := o.Contents
	if contents == nil && o.Path != "" {
		if contents, err = os.ReadFile(o.Path); err != nil {
			return cfg, fmt.Errorf("reading: %w: %w", ErrBadConfig, pathless(err))
		}
	}
	if contents == nil {
		contents = []byte(config.DefaultConfig)
	}
	if vc, err = parse(contents); err != nil {
		return cfg, err
	}
	disabled := vc.Extend.DisabledRules
	vc, err = extended(vc, 0)
	if err != nil {
		return cfg, err
	}
	if o.Own != OwnOff {
		if vc, err = withOwn(vc, disabled); err != nil {
			return cfg, err
		}
	}
	cfg, err = vc.Translate()
	if err != nil {
		return cfg, fmt.Errorf("%w: %w", ErrBadConfig, err)
	}
	cfg.Path = o.Path
	return cfg, nil
}

// uncompiled says which pattern does not compile, and why; not what it is.
func uncompiled(vc config.ViperConfig) string {
	for _, r := range vc.Rules {
		for _, p := range [][2]string{{"regex", r.Regex}, {"path", r.Path}} {
			_, err := regexp.Compile(p[1])
			var bad *syntax.Error
			if errors.As(err, &bad) {
				return fmt.Sprintf("the %s of the rule %.80q does not compile: %s", p[0], r.ID, bad.Code)
			}
		}
	}
	return "a pattern of an allowlist does not compile"
}

func parse(contents []byte) (config.ViperConfig, error) {
	v := viper.New()
	v.SetConfigType("toml")
	var vc config.ViperConfig
	if err := v.ReadConfig(bytes.NewReader(contents)); err != nil {
		return vc, fmt.Errorf("%w: it is not valid TOML%s", ErrBadConfig, position(err))
	}
	if err := v.Unmarshal(&vc); err != nil {
		return vc, fmt.Errorf("%w: a key has the wrong type", ErrBadConfig)
	}
	return vc, nil
}

// position says where a TOML file is broken, without quoting it: somebody may
// have named the wrong file.
func position(err error) string {
	var at interface{ Position() (row, column int) }
	if !errors.As(err, &at) {
		return ""
	}
	row, column := at.Position()
	return fmt.Sprintf(" (line %d, column %d)", row, column)
}

func pathless(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// extended merges what vc extends into it.
func extended(vc config.ViperConfig, depth int) (config.ViperConfig, error) {
	ext := vc.Extend
	vc.Extend = config.Extend{}
	switch {
	case depth == maxExtends || ext.Path == "" && !ext.UseDefault:
		return vc, nil
	case ext.Path != "" && ext.UseDefault:
		return vc, fmt.Errorf("%w: extend.path and extend.useDefault exclude each other", ErrBadConfig)
	}
	contents := []byte(config.DefaultConfig)
	if ext.Path != "" {
		var err error
		if contents, err = os.ReadFile(ext.Path); err != nil {
			return vc, fmt.Errorf("reading extend.path: %w: %w", ErrBadConfig, pathless(err))
		}
	}
	base, err := parse(contents)
	if err != nil {
		return vc, fmt.Errorf("extend: %w", err)
	}
	if base, err = extended(base, depth+1); err != nil {
		return vc, err
	}
	return merged(vc, base, ext.DisabledRules), nil
}

// merged is vc over base, as gitleaks merges: of a rule in both, what vc says
// replaces, lists are joined.
func merged(vc, base config.ViperConfig, disabled []string) config.ViperConfig {
	own := map[string]int{}
	for i, r := range vc.Rules {
		own[r.ID] = i
	}
	for _, b := range base.Rules {
		if slices.Contains(disabled, b.ID) {
			continue
		}
		i, both := own[b.ID]
		if !both {
			vc.Rules = append(vc.Rules, b)
			continue
		}
		r := vc.Rules[i]
		if r.Description != "" {
			b.Description = r.Description
		}
		if r.Entropy != 0 {
			b.Entropy = r.Entropy
		}
		if r.SecretGroup != 0 {
			b.SecretGroup = r.SecretGroup
		}
		if r.Regex != "" {
			b.Regex = r.Regex
		}
		if r.Path != "" {
			b.Path = r.Path
		}
		b.Tags = slices.Concat(b.Tags, r.Tags)
		b.Keywords = slices.Concat(b.Keywords, r.Keywords)
		if b.AllowList != nil { // the older form stands alone
			b.Allowlists, b.AllowList = append(b.Allowlists, b.AllowList), nil
		}
		if r.AllowList != nil {
			b.Allowlists = append(b.Allowlists, r.AllowList)
		}
		b.Allowlists = slices.Concat(b.Allowlists, r.Allowlists)
		vc.Rules[i] = b
	}
	if vc.AllowList != nil {
		vc.Allowlists, vc.AllowList = append(vc.Allowlists, vc.AllowList), nil
	}
	if base.AllowList != nil {
		base.Allowlists, base.AllowList = append(base.Allowlists, base.AllowList), nil
	}
	vc.Allowlists = slices.Concat(vc.Allowlists, base.Allowlists)
	sort.SliceStable(vc.Rules, func(i, j int) bool { return vc.Rules[i].ID < vc.Rules[j].ID })
	return vc
}
