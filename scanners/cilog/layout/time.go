package layout

import (
	"bytes"
	"time"
)

// Time is the time that a line begins with, or that Docker wrote behind it; false
// where it has none, or one without a date. A time without a zone is one of UTC.
func (f Format) Time(line []byte) (time.Time, bool) {
	if f == DockerJSON || f != CRI && bytes.HasPrefix(line, []byte(`{"log":"`)) {
		return dockerTime(line)
	}
	t, n, _ := isoTime(line)
	return t, n > 0
}

// dockerTime is what stands at the end of a line of a json-file.
func dockerTime(line []byte) (time.Time, bool) {
	const before, tail = `","time":"`, 256
	end := line[max(0, len(line)-tail):]
	i := bytes.LastIndex(end, []byte(before))
	if i < 0 {
		return time.Time{}, false
	}
	t, n, _ := isoTime(end[i+len(before):])
	return t, n > 0
}

// farTime is how far from the beginning of a line its time may stand: names of
// containers, control sequences and brackets are before it.
const farTime = 160

// isoTime reads a date and a time at the beginning of a line: how long it is, and
// where it ends in the line; 0 when there is none.
func isoTime(line []byte) (t time.Time, n, end int) {
	const date = "2026-05-06T07:08:09"
	head := line[:min(len(line), farTime+len(date)+len(".123456789+00:00"))]
	for at := 0; at+len(date) <= len(head) && at < farTime; at++ {
		c := head[at]
		if c < '0' || c > '9' {
			continue
		}
		if t, n = timeAt(head[at:]); n > 0 && before(head[:at]) {
			return t, n, at + n
		}
		for at < len(head) && head[at] >= '0' && head[at] <= '9' {
			at++
		}
	}
	return time.Time{}, 0, 0
}

// before reports whether what stands before a time is what programs write there.
func before(b []byte) bool {
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	if len(b) == 0 {
		return true
	}
	switch b[len(b)-1] {
	case '[', 'm', 'K', '\a', '\r':
		return true
	case ' ':
		return len(b) > 1 && (b[len(b)-2] == '|' || b[len(b)-2] == ']' || b[len(b)-2] == 'm')
	}
	return false
}

// timeAt reads a date and a time, and how long they are; 0 when there are none.
func timeAt(b []byte) (time.Time, int) {
	const date, day = "2006-01-02T15:04:05", len("2006-01-02")
	if len(b) < len(date) || b[4] != '-' || b[day] != 'T' && b[day] != ' ' {
		return time.Time{}, 0
	}
	text := []byte(string(b[:len(date)]))
	text[day] = 'T'
	n := len(date)
	if n+1 < len(b) && (b[n] == '.' || b[n] == ',') && digit(b[n+1]) {
		text = append(text, '.')
		for n++; n < len(b) && digit(b[n]) && n-len(date) <= len(".123456789"); n++ {
			text = append(text, b[n])
		}
	}
	zone := "Z"
	switch {
	case n < len(b) && b[n] == 'Z':
		n++
	case n+6 <= len(b) && (b[n] == '+' || b[n] == '-') && b[n+3] == ':':
		zone = string(b[n : n+6])
		n += 6
	}
	t, err := time.Parse(time.RFC3339Nano, string(text)+zone)
	if err != nil {
		return time.Time{}, 0
	}
	return t.UTC(), n
}

func digit(c byte) bool { return c >= '0' && c <= '9' }
