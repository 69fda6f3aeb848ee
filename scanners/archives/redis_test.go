package archives_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestRedis finds values in a dump that Redis 7.0.15 wrote: in a string, a hash, a list, a
// long string, and a stream. It was made for this test.
func TestRedis(t *testing.T) {
	dump, err := os.ReadFile("testdata/redis7.rdb")
	must(t, err)
	for _, look := range strings.Fields(redisCanaries) {
		s := expand(t, small(), dump, look)
		if !slices.Equal(s.found, []string{"item!strings"}) || len(s.skips) > 0 {
			t.Errorf("found in %q, skips %v", s.found, s.skips)
		}
		if bytes.Contains(dump, []byte(look)) {
			t.Error("the dump has a value as it is")
		}
	}
}

const redisCanaries = `
canaryErQHQwjyaxErPZDS3MoJaQNjCxkv5ndK0m
canaryeGR0vRzZ1fb6d06QGofB8ChQBiIu4NJkS4
canarydJkG0fzMAQMEEMyIbPUf9mYQqw8x3SyRth
canaryqpvxxGKZWGlby02BcHboRBcynXMgWJoleS
canaryrcBrFwMOUdGDxnvsDES92Ep9kD7JxlmXVo
`

// lzf compresses with what it finds by looking everywhere: matches of up to 264 bytes.
func lzf(b []byte) (out []byte) {
	var literal []byte
	flush := func() {
		for part := range slices.Chunk(literal, 32) {
			out = append(append(out, byte(len(part)-1)), part...)
		}
		literal = nil
	}
	for i := 0; i < len(b); {
		best, back := 0, 0
		for from := max(0, i-8192); from < i && best < 264; from++ {
			n := 0
			for i+n < len(b) && n < 264 && b[from+n] == b[i+n] {
				n++
			}
			if n > best {
				best, back = n, i-from-1
			}
		}
		if best < 3 {
			literal = append(literal, b[i])
			i++
			continue
		}
		flush()
		switch n := best - 2; {
		case n < 7:
			out = append(out, byte(n<<5|back>>8), byte(back))
		default:
			out = append(out, byte(7<<5|back>>8), byte(n-7), byte(back))
		}
		i += best
	}
	flush()
	return out
}

// lzfString is one in a dump, with lengths of so many bits.
func lzfString(b []byte, bits int) []byte {
	length := func(out []byte, n int) []byte {
		switch bits {
		case 6:
			return append(out, byte(n))
		case 14:
			return append(out, byte(0x40|n>>8), byte(n))
		}
		return binary.BigEndian.AppendUint32(append(out, 0x80), uint32(n))
	}
	packed := lzf(b)
	return append(length(length([]byte{0xc3}, len(packed)), len(b)), packed...)
}

// TestLZF has strings of all lengths, anywhere among bytes that begin like one.
func TestLZF(t *testing.T) {
	look := canary(41)
	half := look[20:] + look[:20]
	for _, c := range []struct {
		name string
		bits int
		text string
	}{
		{"short", 6, "aaaaaaa" + look[:25] + "aaaaaaaaaaaaaaa"},
		{"middling", 14, half + strings.Repeat("aword", 40) + look},
		{"long", 32, half + strings.Repeat("a word and another one, ", 9000) + look + strings.Repeat("-", 5000)},
	} {
		look := look
		if c.bits == 6 {
			look = look[:25]
		}
		packed := lzfString([]byte(c.text), c.bits)
		for _, front := range []int{0, 1, 63, 64<<10 - 30, 64<<10 - 8, 64<<10 - 1, 64 << 10, 200 << 10} {
			fill := bytes.Repeat([]byte{0xc3, 0x41, 'x', 0xc3, 0x01}, front/5+1)[:front]
			dump := slices.Concat([]byte("REDIS0011\xfa"), fill, []byte("\x05token"), packed, []byte("\xff12345678"))
			s := expand(t, small(), dump, look)
			if !slices.Contains(s.found, "item!strings") || len(s.skips) > 0 {
				t.Errorf("%s, %d before: found in %q, skips %v", c.name, front, s.found, s.skips)
			}
			if named := expand(t, small(), dump, "token="+c.text[:20]); c.bits != 6 && len(named.found) == 0 {
				t.Errorf("%s, %d before: the name does not stand before it", c.name, front)
			}
		}
	}
}

// TestRedisBounds ends early in dumps that are made to take long, and says so.
func TestRedisBounds(t *testing.T) {
	look := canary(42)
	good := lzfString([]byte(look+look), 14)
	noisy := slices.Concat([]byte("REDIS0011"), noise(7, 3<<20), good)
	if s := expand(t, small(), noisy, look); !slices.Contains(s.found, "item!strings") || len(s.skips) > 0 {
		t.Errorf("noise: found in %q, skips %v", s.found, s.skips)
	}
	large := slices.Concat([]byte("REDIS0011"), good, []byte{0xc3, 0x80, 0, 0x20, 0, 0, 0x80, 2, 0, 0, 0}, bytes.Repeat([]byte{0}, 4<<20))
	if s := expand(t, small(), large, look); !slices.Contains(s.found, "item!strings") || s.skips["item"] != "a string longer than 16 MiB" {
		t.Errorf("a long one: found in %q, skips %v", s.found, s.skips)
	}
	// Each begins like a string of 2 MiB, and none is.
	head := append([]byte{0xc3, 0x80, 0, 0x20, 0, 0, 0x80, 0, 0x30, 0, 0}, bytes.Repeat([]byte{0}, 24)...)
	hostile := slices.Concat([]byte("REDIS0011"), good, bytes.Repeat(head, (6<<20)/len(head)))
	if s := expand(t, small(), hostile, look); !slices.Contains(s.found, "item!strings") || len(s.skips) == 0 {
		t.Errorf("hostile: found in %q, skips %v", s.found, s.skips)
	}
}
