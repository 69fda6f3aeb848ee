package views_test

import (
	"fmt"
	"strings"
	"testing"

	"revenant/fingerprints"
)

// recordCoding writes bytes in records of a size; each formats one.
func recordCoding(name, open, end string, size int, each func(at int, row []byte) (before, after string), shut string) coding {
	return spelled(name, fingerprints.FormDump, func(plain []byte) (string, [][2]int) {
		out := open
		var at [][2]int
		for from := 0; from < len(plain); from += size {
			row := plain[from:min(from+size, len(plain))]
			before, after := each(0x8000+from, row)
			out += before
			for _, b := range row {
				at = append(at, [2]int{len(out), len(out) + 2})
				out += fmt.Sprintf("%02X", b)
			}
			out += after + end
		}
		return out + shut + end, at
	})
}

func sumOf(head []byte, row []byte) (sum byte) {
	for _, b := range head {
		sum += b
	}
	for _, b := range row {
		sum += b
	}
	return sum
}

func intel(at int, row []byte) (string, string) {
	head := []byte{byte(len(row)), byte(at >> 8), byte(at), 0}
	return fmt.Sprintf(":%X", head), fmt.Sprintf("%02X", -sumOf(head, row))
}

// motorola writes records with addresses of so many bytes.
func motorola(width int) func(int, []byte) (string, string) {
	return func(at int, row []byte) (string, string) {
		head := []byte{byte(width + len(row) + 1), 0, 0, byte(at >> 8), byte(at)}
		head = append(head[:1], head[5-width:]...)
		return fmt.Sprintf("S%d%X", width-1, head), fmt.Sprintf("%02X", ^sumOf(head, row))
	}
}

func recordCodings() []coding {
	return []coding{
		recordCoding("Intel HEX", "\n:020000040800F2\n", "\n", 16, intel, ":00000001FF"),
		recordCoding("Intel HEX, CRLF", "\r\n", "\r\n", 32, intel, ":00000001FF"),
		recordCoding("S1", "\nS00F000068656C6C6F202020202000003C\n", "\n", 16, motorola(2), "S9030000FC"),
		recordCoding("S2", "\n", "\n", 24, motorola(3), "S804000000FB"),
		recordCoding("S3", "\n", "\r\n", 33, motorola(4), "S70500000000FA"),
	}
}

func TestRecords(t *testing.T) {
	k := newKit(t)
	for _, c := range recordCodings() {
		for _, v := range []string{string(k.value), generic} {
			for front := range 70 {
				plain := append(append(noise(uint64(front), 40), words(front)...), " "+v+" ;"...)
				lead := strings.Repeat("a line\n", front%3)
				from, to := c.place(plain, 40+front+1, 40+front+1+len(v))
				hits, skips := k.scan(t, lead+c.encode(plain)+"\nrest", 0)
				if len(hits) != 1 || len(skips) > 0 || int(hits[0].Span.Start) != len(lead)+from || int(hits[0].Span.End) != len(lead)+to {
					t.Errorf("%s, %d before: %v %v, want %d-%d", c.name, front, describe(hits), skips, len(lead)+from, len(lead)+to)
				}
			}
		}
		for _, d := range decoys(string(k.value)) {
			if hits, _ := k.scan(t, c.encode([]byte("  "+d+" ;")), 0); len(hits) > 0 {
				t.Errorf("a decoy: %v", describe(hits))
			}
		}
		alone := strings.TrimLeft(c.encode([]byte("  "+string(k.value)+" ;")), "\r\n") // nothing before the first line
		if hits, _ := k.scan(t, alone, 0); len(hits) != 1 {
			t.Errorf("%s alone: %v", c.name, describe(hits))
		}
	}
}

// TestNoRecords has lines that are none, and images of which a part is missing.
func TestNoRecords(t *testing.T) {
	k := newKit(t)
	good := recordCodings()[0].encode([]byte("some words; " + string(k.value) + " ;"))
	lines := strings.SplitAfter(good, "\n")
	for name, content := range map[string]string{
		"wrong sum":   strings.Replace(good, lines[3], lines[3][:len(lines[3])-3]+"00\n", 1),
		"no digit":    strings.Replace(good, lines[3], lines[3][:len(lines[3])-2]+"x\n", 1),
		"no colon":    strings.ReplaceAll(good, ":", ";"),
		"a gap":       strings.Join(lines[:3], "") + strings.Join(lines[4:], ""),
		"other order": lines[0] + lines[1] + lines[3] + lines[2],
	} {
		if hits, _ := k.scan(t, content, 0); len(hits) > 0 {
			t.Errorf("%s: %v in %q", name, describe(hits), content)
		}
	}
	for _, content := range []string{"\n:0", "\n:", "\nS1", "\nS1130000", "\n:10", "\n:00000001FF", "\n:00000001FF\n", "\nS9030000FC\n", "\nS0030000FC\nS5030001FB\n", strings.Repeat(":00000001FF\n", 100), "\n:" + strings.Repeat("0", 2000)} {
		if hits, skips := k.scan(t, content, 0); len(hits)+len(skips) > 0 {
			t.Errorf("%.40q: %v %v", content, describe(hits), skips)
		}
	}
}

func TestChunksOfRecords(t *testing.T) {
	k := newKit(t)
	for _, c := range recordCodings()[:3] {
		plain := []byte(strings.Repeat("some words. ", 90) + string(k.value) + strings.Repeat(" more words", 60) + " " + generic + strings.Repeat(" and", 300))
		k.cuts(t, c.name, strings.Repeat("log line\n", 50)+c.encode(plain)+strings.Repeat("\nlog line", 50), 2)
	}
}
