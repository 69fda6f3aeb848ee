package terminal

import (
	"fmt"
	"strings"
	"time"
)

// Step is how far a scan is.
type Step struct {
	At, Of     int    // the source of several, from 1
	Unit       string // of items: "objects", "items"
	Items      int64
	TotalItems int64 // 0: not known
	Bytes      int64
	TotalBytes int64 // 0: not known
	Findings   int
	Skips      int64
	Elapsed    time.Duration // since the source was begun
	// Pace is how much of what the total counts was done in a second lately; 0: not
	// known. What is left may be slower than what was.
	Pace float64
	// Stream is set of what goes on and on: its items are told by the second, too.
	Stream *Stream
}

// Stream is how a stream goes that is scanned.
type Stream struct {
	Hits   int64 // sightings
	Behind int64 // messages that were not read yet
}

// Done is how much was done of what a total is known of.
func (s Step) Done() (done, total int64) {
	if s.TotalBytes > 0 {
		return s.Bytes, s.TotalBytes
	}
	return s.Items, s.TotalItems
}

// soon is how long a scan has to run before the time that is left is told.
const soon = 2 * time.Second

// few is less than a guess is worth.
const few = 10 * time.Second

// Line is the step in at most width columns: the last parts are left out first.
func (s Step) Line(width int) string {
	parts := []string{s.items(), Size(s.Bytes), s.rate(), s.left()}
	if s.TotalBytes > 0 {
		parts[1] += " of " + Size(s.TotalBytes)
	}
	if s.Stream != nil {
		parts[3] = parts[2]
		parts[2] = s.itemRate()
		parts = append(parts, count(s.Stream.Hits, "hit", "hits"))
	} else {
		parts = append(parts, count(int64(s.Findings), "finding", "findings"))
	}
	if s.Skips > 0 {
		parts = append(parts, fmt.Sprintf("%d skipped", s.Skips))
	}
	if s.Stream != nil {
		parts = append(parts, fmt.Sprintf("%d behind", s.Stream.Behind))
	}
	line := ""
	if s.Of > 1 {
		line = fmt.Sprintf("%d of %d: ", s.At, s.Of)
	}
	for i, part := range parts {
		if part == "" {
			continue
		}
		if i > 0 {
			part = ", " + part
		}
		if len(line)+len(part) > width {
			break
		}
		line += part
	}
	return line
}

func (s Step) items() string {
	unit := s.Unit
	if s.Items == 1 {
		unit = strings.TrimSuffix(unit, "s")
	}
	if s.TotalItems > 0 {
		return fmt.Sprintf("%d of %d %s", s.Items, s.TotalItems, s.Unit)
	}
	return fmt.Sprintf("%d %s", s.Items, unit)
}

func (s Step) rate() string {
	if s.Elapsed <= 0 {
		return ""
	}
	return Size(int64(float64(s.Bytes)/s.Elapsed.Seconds())) + "/s"
}

// itemRate is how many items were done in a second.
func (s Step) itemRate() string {
	if s.Elapsed <= 0 {
		return ""
	}
	return fmt.Sprintf("%.0f %s/s", float64(s.Items)/s.Elapsed.Seconds(), s.Unit)
}

// left is how long it will take, as fast as it went on the whole or lately, whichever
// was slower; empty where that is not known.
func (s Step) left() string {
	done, total := s.Done()
	if s.Elapsed < soon || done <= 0 || total <= done {
		return ""
	}
	pace := float64(done) / s.Elapsed.Seconds()
	if s.Pace > 0 {
		pace = min(pace, s.Pace)
	}
	left := time.Duration(float64(total-done) / pace * float64(time.Second)).Round(time.Second)
	switch {
	case left < few:
		return "a few seconds left"
	case left < time.Minute:
		return fmt.Sprintf("%d s left", int(left.Seconds()))
	case left < time.Hour:
		return fmt.Sprintf("%d:%02d min left", int(left.Minutes()), int(left.Seconds())%60)
	}
	return fmt.Sprintf("%d:%02d h left", int(left.Hours()), int(left.Minutes())%60)
}
