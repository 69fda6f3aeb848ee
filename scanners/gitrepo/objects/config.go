package objects

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// settings are what the store must know of a repository's config.
type settings struct {
	format  Format
	version string
	partial bool // some remote promises objects that are not here
}

// configMost bounds a config file.
const configMost = 16 << 20

// readSettings reads the config of a repository. One that has none is as git
// takes it: SHA-1.
func readSettings(commonDir string) (settings, error) {
	set := settings{format: SHA1}
	f, err := openFile(filepath.Join(commonDir, "config"), AccessRead)
	if os.IsNotExist(err) {
		return set, nil
	}
	if err != nil {
		return set, err
	}
	defer f.close()
	if f.size > configMost {
		return set, ErrUnsupported
	}
	data, err := f.whole()
	if err != nil {
		return set, err
	}
	for section, vars := range configLines(string(data)) {
		if err := set.take(section, vars); err != nil {
			return set, err
		}
	}
	return set, nil
}

// variable is a line of a config file: its name in lower case.
type variable struct{ name, value string }

func (set *settings) take(section string, v variable) error {
	switch {
	case section == "core" && v.name == "repositoryformatversion":
		set.version = v.value
	case section == "extensions" && v.name == "objectformat":
		switch strings.ToLower(v.value) {
		case "sha1":
			set.format = SHA1
		case "sha256":
			set.format = SHA256
		default:
			return fmt.Errorf("%w: object format", ErrUnsupported)
		}
	case section == "extensions" && v.name == "partialclone",
		section == "remote" && v.name == "promisor" && configTrue(v.value),
		section == "remote" && v.name == "partialclonefilter":
		set.partial = true
	}
	return nil
}

func configTrue(v string) bool {
	switch strings.ToLower(v) {
	case "", "false", "no", "off", "0":
		return false
	}
	return true
}

// configLines yields the variables of a config file with the name of their
// section, in lower case and without its subsection. Lines that continue are
// one; what is no line of a config is passed over.
func configLines(text string) func(yield func(string, variable) bool) {
	return func(yield func(string, variable) bool) {
		section := ""
		for text != "" {
			var line string
			line, text = configLine(text)
			line = strings.TrimSpace(line)
			if strings.HasPrefix(line, "[") {
				head, rest := cutHeader(line[1:])
				section = head
				line = strings.TrimSpace(rest)
			}
			if line == "" || line[0] == '#' || line[0] == ';' {
				continue
			}
			name, value, has := strings.Cut(line, "=")
			if !has {
				value = "true"
			}
			v := variable{strings.ToLower(strings.TrimSpace(name)), configValue(value)}
			if !yield(section, v) {
				return
			}
		}
	}
}

// configLine takes a line, and those that it continues on.
func configLine(text string) (line, rest string) {
	for {
		part, after, _ := strings.Cut(text, "\n")
		part = strings.TrimSuffix(part, "\r")
		text = after
		kept, continues := strings.CutSuffix(part, `\`)
		line += kept
		if !continues || text == "" {
			return line, text
		}
	}
}

// cutHeader reads what follows the bracket of a section.
func cutHeader(s string) (section, rest string) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ']' && !quoted:
			name, _, _ := strings.Cut(s[:i], `"`)
			name, _, _ = strings.Cut(strings.TrimSpace(name), ".")
			return strings.ToLower(name), s[i+1:]
		}
	}
	return "", ""
}

// configValue undoes quotes and escapes, and drops a comment.
func configValue(s string) string {
	var b strings.Builder
	quoted := false
	s = strings.TrimSpace(s)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(unescaped(s[i]))
		case !quoted && (c == '#' || c == ';'):
			return strings.TrimSpace(b.String())
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// unescaped is the byte that a letter behind a backslash stands for.
func unescaped(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 't':
		return '\t'
	case 'b':
		return '\b'
	}
	return c
}
