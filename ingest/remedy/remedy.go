// Package remedy says what clears a finding up: what is to be done with the secret,
// and how the copy is taken away where it is, as commands that can be pasted.
//
// It promises: every name in a command is quoted for a shell, and no command needs a
// value on its command line. A place whose name is shown redacted, or holds control
// characters, stands in no command. What a command destroys beside the copy is said.
package remedy

import (
	"fmt"
	"strings"
	"unicode"

	"revenant/api/wire"
	"revenant/fingerprints"
)

// Step is one thing to do.
type Step struct {
	Title    string
	Text     string   // why, and what to look out for
	Commands []string // for a POSIX shell, in order
}

// Steps are what clears a finding up, in order; nil: nothing is to be done.
func Steps(d wire.FindingDetail) []Step {
	if d.Verdict == fingerprints.VerdictCleared || d.Verdict == fingerprints.VerdictAllowed {
		return nil
	}
	steps := secretSteps(d)
	steps = append(steps, placeSteps(d)...)
	return append(steps, lastStep(d))
}

// secretSteps are what is to be done with the secret itself.
func secretSteps(d wire.FindingDetail) []Step {
	if len(d.Matches) == 0 {
		id := quoted(strings.TrimPrefix(string(d.ID), "rv1:"))
		return []Step{{
			Title: "Say what it is", Text: "A value that is in use is registered, so that every copy of it is known; what is no secret is dismissed.",
			Commands: []string{"revenant secret adopt " + id + " --name NAME --owner OWNER", "revenant findings dismiss " + id + " --reason 'why it is no secret'"},
		}}
	}
	m := d.Matches[0]
	name, ref := quoted(m.Secret), quoted(fingerprints.VersionRef{Name: m.Secret, Number: m.Version}.String())
	switch d.Verdict {
	case fingerprints.VerdictCompromised, fingerprints.VerdictLeaked:
		if m.State == fingerprints.StateRetired || m.State == fingerprints.StateAbandoned {
			return nil
		}
		return []Step{{
			Title: "Rotate the secret", Text: "Whoever saw the copy can use it. Register a new value, have its consumers use that one, then retire this version; only then does the copy open nothing.",
			Commands: []string{"revenant secret rotate " + name, "revenant secret retire " + ref},
		}}
	case fingerprints.VerdictPremature:
		return []Step{{
			Title: "Prepare another value", Text: "This version is not in use yet and was seen already.", Commands: []string{"revenant secret abandon " + ref, "revenant secret rotate " + name},
		}}
	case fingerprints.VerdictLagging, fingerprints.VerdictOverdue:
		text := "A newer version is active. Move what reads the value here to that one, then retire this version."
		if d.Verdict == fingerprints.VerdictOverdue {
			text = "Its window is over and the old value still opens the door. Deactivate it where it is accepted, then say so."
		}
		return []Step{{Title: "End the old version", Text: text, Commands: []string{"revenant secret show " + name, "revenant secret retire " + ref}}}
	case fingerprints.VerdictStale, fingerprints.VerdictUnregistered, fingerprints.VerdictAllowed, fingerprints.VerdictCleared:
	}
	return nil
}

// lastStep has the place looked at again.
func lastStep(d wire.FindingDetail) Step {
	s := Step{Title: "Have it looked at again", Text: "The finding is cleared when a complete scan of its source does not meet the copy any more."}
	if scan := rescan(d.Source); scan != "" {
		s.Commands = append(s.Commands, scan)
	}
	if len(d.Matches) > 0 {
		m := d.Matches[0]
		s.Commands = append(s.Commands, "revenant prove "+quoted(fingerprints.VersionRef{Name: m.Secret, Number: m.Version}.String())+" --include-history")
	}
	return s
}

// rescan is the command that scans a source by hand; "": what was piped in cannot be
// read again.
func rescan(source string) string {
	kind, place, _ := strings.Cut(source, ":")
	switch fingerprints.SourceKind(kind) {
	case fingerprints.KindGit:
		return "revenant git " + quoted(cloneURL(place))
	case fingerprints.KindDir:
		return "revenant dir " + quoted(place)
	case fingerprints.KindImage:
		if file, is := strings.CutPrefix(place, "file:"); is {
			return "revenant image " + quoted(file)
		}
		return "revenant image --all-tags " + quoted(place)
	case fingerprints.KindKafka:
		_, topic, _ := strings.Cut(place, "/")
		return `revenant kafka "$BROKER" --start earliest --topic ` + quoted(topic)
	case fingerprints.KindCI:
		system, where, _ := strings.Cut(place, ":")
		host, project, _ := strings.Cut(where, "/")
		if system == "jenkins" {
			project = "job/" + strings.ReplaceAll(project, "/", "/job/")
		}
		return "revenant logs --provider " + quoted(system) + " " + quoted("https://"+host+"/"+project)
	case fingerprints.KindStdin, fingerprints.KindOther:
	}
	return ""
}

// quoted is a text as one word of a POSIX shell.
func quoted(text string) string {
	if text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-:@%+,=", r)) || r == '='
	}) && !strings.HasPrefix(text, "-") {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// sayable reports whether a place can stand in a command: it is what it is called, and
// a terminal shows it as it is.
func sayable(text string) bool {
	return text != "" && !strings.Contains(text, "[secret ") && !strings.Contains(text, "[redacted") && !strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsControl(r) || r == unicode.ReplacementChar || unicode.Is(unicode.Cf, r)
	})
}

// words are the numbers and ids that follow names in a locator: "run 7 job 3".
func words(locator string) map[string]string {
	out := map[string]string{}
	list := strings.Fields(locator)
	for i := 0; i+1 < len(list); i += 2 {
		out[list[i]] = list[i+1]
	}
	return out
}

// each makes the commands of every place of a finding that is still there, each once
// and a few at most.
func each(d wire.FindingDetail, of func(s wire.SightingView) string) []string {
	const most = 10
	var out []string
	seen := map[string]bool{}
	for _, s := range d.Sightings {
		if !s.Presence.Present() {
			continue
		}
		c := of(s)
		if c == "" || seen[c] {
			continue
		}
		if seen[c] = true; len(out) == most {
			return append(out, fmt.Sprintf("# and so on for what else is there: %d places in all", d.Places))
		}
		out = append(out, c)
	}
	return out
}
