// Package layout knows how CI servers and container runtimes lay logs out: which
// of them wrote one, when a line was written, and in which section it stands.
//
// It promises: an answer for any bytes, in time linear in them; nothing is kept.
// It refuses: to change a text (scanners/views looks behind what it has before
// its lines, whoever wrote it), and to guess a year or a zone that is not there.
package layout

import (
	"bytes"

	"revenant/scanners/stamps"
)

// Format says who wrote a log.
type Format string

// The formats. With Auto every log says by itself what it is; the others matter
// where it does not, as in a piece that begins in the middle.
const (
	Auto       Format = "auto"
	GitHub     Format = "github" // and Azure Pipelines
	GitLab     Format = "gitlab"
	Jenkins    Format = "jenkins"
	Travis     Format = "travis"
	DockerJSON Format = "docker-json"
	CRI        Format = "cri"
	Plain      Format = "plain"
)

// Formats lists them in the order in which they are told of.
func Formats() []Format {
	return []Format{Auto, GitHub, GitLab, Jenkins, Travis, DockerJSON, CRI, Plain}
}

// detected is how much of a log says what it is.
const detected = 64 << 10

// Detect says who wrote a log that begins with head; Plain when nothing tells.
// Only the first 64 KiB count.
func Detect(head []byte) Format {
	head = head[:min(len(head), detected)]
	lines, marked := 0, map[Format]int{}
	for len(head) > 0 {
		line, rest, whole := bytes.Cut(head, []byte("\n"))
		if head = rest; !whole && lines > 0 { // it may be cut short
			break
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		lines++
		marked[markOf(line)]++
	}
	gitlab, travis, jenkins := marked[GitLab], marked[Travis], marked[Jenkins]
	switch {
	case 2*marked[DockerJSON] > lines:
		return DockerJSON
	case 2*marked[CRI] > lines:
		return CRI
	case gitlab > 0 && gitlab >= travis && gitlab >= jenkins:
		return GitLab
	case travis > 0 && travis >= jenkins:
		return Travis
	case 2*marked[GitHub] > lines:
		return GitHub
	case jenkins > 0:
		return Jenkins
	}
	return Plain
}

// markOf says whose mark a line bears.
func markOf(line []byte) Format {
	if bytes.HasPrefix(line, []byte(`{"log":"`)) && bytes.Contains(line, []byte(`"stream":"`)) {
		return DockerJSON
	}
	for _, f := range []Format{GitLab, Travis, GitHub, Jenkins} {
		for _, m := range marksOf(f) {
			if _, ok := markAt(line, m.text); ok {
				return f
			}
		}
	}
	if bytes.HasPrefix(line, []byte("Started by ")) || bytes.Contains(line[:min(len(line), len("\x1b[8mha:"))], []byte("\x1b[8mha:")) {
		return Jenkins
	}
	_, layout, end := isoTime(line)
	switch rest := line[end:]; {
	case layout == 0:
	case bytes.HasPrefix(rest, []byte(" stdout ")), bytes.HasPrefix(rest, []byte(" stderr ")):
		return CRI
	case len(rest) >= 5 && rest[0] == ' ' && (rest[3] == 'O' || rest[3] == 'E') && (rest[4] == ' ' || rest[4] == '+'):
		return GitLab
	case layout == len("2026-05-06T07:08:09.1234567Z") && bytes.HasPrefix(rest, []byte(" ")):
		return GitHub
	}
	return Plain
}

// markAt is where a line goes on behind a mark that it begins with, but for a
// stamp and control sequences.
func markAt(line []byte, mark string) (int, bool) {
	i := bytes.Index(line[:min(len(line), stamps.Longest)], []byte(mark))
	if i < 0 {
		return 0, false
	}
	if i > 0 {
		begin := bytes.LastIndexByte(line[:i], '\r') + 1 // the line was begun again
		var s stamps.Stamp
		s.Read(line[begin:])
		if begin+s.Len() < i {
			return 0, false
		}
	}
	return i + len(mark), true
}
