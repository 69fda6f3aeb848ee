package hook

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"revenant/fingerprints"
)

// OverrideV1 names the version of Override.
const OverrideV1 = "revenant.override/v1"

// Override is a hook's refusal that somebody went around. It holds no value.
type Override struct {
	Schema   string            `json:"schema"` // OverrideV1
	At       time.Time         `json:"at"`
	Hook     string            `json:"hook"`
	By       string            `json:"by"`
	Reason   string            `json:"reason"`
	Findings []OverrideFinding `json:"findings,omitempty"`
	More     int               `json:"more,omitempty"`    // findings that are not listed
	Trouble  string            `json:"trouble,omitempty"` // what kept the hook from looking at all
}

// OverrideFinding is what was let through.
type OverrideFinding struct {
	ID       fingerprints.FindingID `json:"id,omitempty"`
	Secret   string                 `json:"secret,omitempty"` // name@3
	Rule     string                 `json:"rule,omitempty"`
	Verdict  fingerprints.Verdict   `json:"verdict"`
	Severity fingerprints.Severity  `json:"severity"`
	Path     string                 `json:"path"` // redacted
	Line     int                    `json:"line,omitempty"`
}

// MaxOverrideFindings is how many findings an override lists.
const MaxOverrideFindings = 100

// OverridesFile is where overrides are kept, in the git directory that all work
// trees of a repository share.
func OverridesFile(gitDir string) string { return filepath.Join(gitDir, "revenant", "overrides") }

// AppendOverride adds a line to the repository's overrides. When it returns nil
// the line is on disk, also after a crash; lines of hooks that run at the same
// time do not mix.
func AppendOverride(gitDir string, o Override) error {
	o.Schema = OverrideV1
	line, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("keeping the override: %w", err)
	}
	name := OverridesFile(gitDir)
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return fmt.Errorf("keeping the override: %w", err)
	}
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("keeping the override: %w", err)
	}
	if tornEnd(f) {
		line = append([]byte{'\n'}, line...)
	}
	_, err = f.Write(append(line, '\n'))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("keeping the override: %w", err)
	}
	return nil
}

// tornEnd reports whether the last line was not written to its end.
func tornEnd(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return false
	}
	var last [1]byte
	_, err = f.ReadAt(last[:], info.Size()-1)
	return err == nil && last[0] != '\n'
}

// Overrides reads a repository's overrides, the oldest first. Lines that cannot
// be read, as one that was cut off by a crash, are counted.
func Overrides(gitDir string) (list []Override, unreadable int, err error) {
	data, err := os.ReadFile(OverridesFile(gitDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("reading the overrides: %w", err)
	}
	for line := range lines(data) {
		var o Override
		if json.Unmarshal(line, &o) != nil || o.Schema != OverrideV1 {
			unreadable++
			continue
		}
		list = append(list, o)
	}
	return list, unreadable, nil
}
