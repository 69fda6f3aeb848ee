package views

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// TestPlains: bytes of a word are told as the table tells them.
func TestPlains(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 41))
	for range 20_000 {
		v, want := r.Uint64(), uint64(0)
		if r.IntN(2) == 0 {
			v &^= highBits
		}
		for i := range 8 {
			if plainBytes[byte(v>>(8*i))] {
				want |= 0x80 << (8 * i)
			}
		}
		if got := plains(v); got != want {
			t.Fatalf("%x: %x, want %x", v, got, want)
		}
	}
}

// TestExtend16: a stretch of UTF-16 begins and ends where reading it unit by unit says.
func TestExtend16(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 41))
	found := 0
	for range 60_000 {
		data := wideMix(r)
		at, done := r.IntN(len(data)-1), r.IntN(40)
		k := &wideText{looking: looking{data: data}, done: done}
		got := coding{width: 2, big: r.IntN(2) == 0, from: at}
		want := got
		ok, also := k.extend(&got), plainExtend(k, &want)
		if p := at &^ 7; ok && cramped(k.zeroRow(p), at-p) {
			t.Fatalf("at %d of % x, done %d: %+v is cramped", at, data, done, got)
		}
		if ok != also || ok && got != want {
			t.Fatalf("at %d of % x, done %d: %+v %v, want %+v %v", at, data, done, got, ok, want, also)
		}
		if ok {
			found++
		}
	}
	if found < 1000 {
		t.Errorf("%d stretches", found)
	}
}

// wideMix is UTF-16 and what is none, in short stretches.
func wideMix(r *rand.Rand) []byte {
	data := []byte{0}[:r.IntN(2)]
	for range 2 + r.IntN(12) {
		kind := r.IntN(6)
		for range 1 + r.IntN(20) {
			u := uint16(' ' + r.IntN(0x5f))
			switch kind {
			case 0:
				u = uint16(r.IntN(2))
			case 1:
				u = uint16(1+47*r.IntN(2))<<8 + uint16(r.IntN(256))
			case 2:
				u = uint16(r.Uint32())
			}
			data = binary.LittleEndian.AppendUint16(data, u)
		}
	}
	return data
}

// plainExtend is extend for UTF-16, unit by unit.
func plainExtend(k *wideText, c *coding) bool {
	at, done := c.from, max(0, k.done-1)
	for at < done {
		at += 2
	}
	low := max(done, at-backward)
	for c.from = at; c.from-2 >= low && plain(k.unit(c, c.from-2)); {
		c.from -= 2
	}
	for n := 0; n < strange && c.from-2 >= low; n++ {
		if u := k.unit(c, c.from-2); !plain(u) && u <= 0x9f {
			break
		}
		c.from -= 2
	}
	odd, page, good := 0, rune(0), 0
	c.to = c.from
	for p := c.from; p+2 <= len(k.data) && (p <= at || odd < strange); p += 2 {
		u := k.unit(c, p)
		if p == at {
			odd = 0
		}
		switch {
		case u == 0:
			odd = 2 * strange
		case plain(u):
			if good, odd, c.to = good+1, 0, p+2; good == 1 {
				c.core = p
			}
		case u>>8 == page>>8 && u > 0xff:
			c.to = p + 2
		default:
			odd++
		}
		page = u
		if p-at > 16 && good < 4 && c.to < p-8 {
			return false
		}
	}
	return good >= 3 && c.to-c.from >= 14
}

// TestPairs: two units of UTF-32 are told as reading them unit by unit tells them.
func TestPairs(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 41))
	found := 0
	for range 200_000 {
		data := make([]byte, 12)
		for i := range data {
			switch r.IntN(8) {
			case 0:
				data[i] = byte(r.Uint32())
			case 1, 2:
				data[i] = byte(' ' - 2 + r.IntN(0x64))
			}
		}
		k := &wideText{looking: looking{data: data}}
		little, big := k.pairs(0, zeros(binary.LittleEndian.Uint64(data)))
		for phase := range 4 {
			for order, got := range [...]uint64{little, big} {
				a, b := binary.LittleEndian.Uint32(data[phase:]), binary.LittleEndian.Uint32(data[phase+4:])
				if order == 1 {
					a, b = binary.BigEndian.Uint32(data[phase:]), binary.BigEndian.Uint32(data[phase+4:])
				}
				other := func(u uint32) bool { return u>>24 == 0 && (u >= 0x80 || plain(rune(u))) }
				ascii := func(u uint32) bool { return u < 0x80 && plain(rune(u)) }
				want := ascii(a) && other(b) || other(a) && ascii(b)
				if (got>>phase&1 == 1) != want {
					t.Fatalf("% x, phase %d, order %d: %v, want %v", data, phase, order, !want, want)
				}
				if want {
					found++
				}
			}
		}
	}
	if found < 1000 {
		t.Errorf("%d pairs", found)
	}
}
