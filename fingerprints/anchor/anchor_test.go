package anchor_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"flag"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints/anchor"
)

var update = flag.Bool("update", false, "write the golden files anew")

// vectorsFile lies beside the vectors of the other formats. It is never
// rewritten once rows are registered by it: a change breaks every pack.
var vectorsFile = filepath.Join("..", "..", "testdata", "vectors", "anchor.json")

// vector is one region hashed under one key. Numbers are hex, big-endian.
type vector struct {
	Name       string
	FilterSeed string
	Window     int
	Stride     int
	Region     string
	Windows    []string
	Words      []string // word of each window in a filter of 1<<LogWords words
	Masks      []string
	LogWords   uint
	Tag        string
}

func geometries() map[string]anchor.Geometry {
	return map[string]anchor.Geometry{"core": anchor.Core, "edge": anchor.Edge, "short": anchor.Short}
}

// seeded is 32 bytes made from a label.
func seeded(label string) [32]byte { return sha256.Sum256([]byte("anchor test " + label)) }

func hex64(v uint64) string { return hex.EncodeToString(binary.BigEndian.AppendUint64(nil, v)) }

func inputs() []vector {
	var out []vector
	for _, geo := range []string{"core", "edge", "short"} {
		g := geometries()[geo]
		a, b := seeded(geo+" a"), seeded(geo+" b")
		for _, in := range []struct {
			name   string
			key    [32]byte
			region []byte
			log    uint
		}{
			{"random", a, a[:g.Region()], 4},
			{"text", b, []byte("Correct-Horse-42")[:g.Region()], 10},
			{"zeros", b, make([]byte, g.Region()), 20},
			{"ones", a, bytes.Repeat([]byte{0xff}, g.Region()), 27},
			{"zero key", [32]byte{}, b[:g.Region()], 1},
		} {
			out = append(out, vector{
				Name: geo + " " + in.name, FilterSeed: hex.EncodeToString(in.key[:]),
				Window: g.Window, Stride: g.Stride, Region: hex.EncodeToString(in.region), LogWords: in.log,
			})
		}
	}
	return out
}

func fromHex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func compute(t *testing.T, v vector) vector {
	t.Helper()
	k := anchor.NewKey([32]byte(fromHex(t, v.FilterSeed)), anchor.Geometry{Window: v.Window, Stride: v.Stride})
	region := fromHex(t, v.Region)
	v.Windows, v.Words, v.Masks = nil, nil, nil
	for _, h := range k.AppendWindows(nil, region) {
		word, mask := anchor.Place(h, v.LogWords)
		v.Windows = append(v.Windows, hex64(h))
		v.Words = append(v.Words, hex64(word))
		v.Masks = append(v.Masks, hex64(mask))
	}
	v.Tag = hex64(k.NewTagger().Tag(region))
	return v
}

func TestVectors(t *testing.T) {
	if *update {
		var all []vector
		for _, v := range inputs() {
			all = append(all, compute(t, v))
		}
		b, err := json.MarshalIndent(all, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(vectorsFile, append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	var want []vector
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	if len(want) != len(inputs()) {
		t.Fatalf("%d vectors, want %d", len(want), len(inputs()))
	}
	for _, w := range want {
		if diff := cmp.Diff(w, compute(t, w)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", w.Name, diff)
		}
	}
}

// reference is the specification read literally, in wide arithmetic.
func reference(filterKey [32]byte, g anchor.Geometry, window []byte) uint64 {
	mac := func(label string) []byte {
		h := hmac.New(sha256.New, filterKey[:])
		h.Write(append([]byte(label), byte(g.Window), byte(g.Stride)))
		return h.Sum(nil)
	}
	seeds := mac("anchor/v1")
	var padded [8]byte
	copy(padded[:], window[:g.Window])
	two64 := new(big.Int).Lsh(big.NewInt(1), 64)
	u := func(v uint64) *big.Int { return new(big.Int).SetUint64(v) }

	w := new(big.Int).Lsh(u(binary.LittleEndian.Uint64(padded[:])), uint(64-8*g.Window))
	a := new(big.Int).Xor(w.Mod(w, two64), u(binary.LittleEndian.Uint64(seeds[:8])))
	p := new(big.Int).Mul(a, u(binary.LittleEndian.Uint64(seeds[8:16])|1))
	high, low := new(big.Int).DivMod(p, two64, new(big.Int))
	h := new(big.Int).Mul(new(big.Int).Xor(low, high), u(0x9E3779B97F4A7C15))
	return h.Mod(h, two64).Uint64()
}

func TestWindowFollowsTheSpecification(t *testing.T) {
	for name, g := range geometries() {
		for _, label := range []string{"1", "2", "3", "4"} {
			key, data := seeded(name+label), seeded("data"+name+label)
			k := anchor.NewKey(key, g)
			for i := 0; i+8 <= len(data); i++ {
				want := reference(key, g, data[i:])
				if got := k.WindowAt(data[i:]); got != want {
					t.Fatalf("%s: WindowAt = %x, want %x", name, got, want)
				}
				// the scanner loads eight bytes and does not mask them
				if got := k.Window(binary.LittleEndian.Uint64(data[i:])); got != want {
					t.Fatalf("%s: bytes after the window count: %x, want %x", name, got, want)
				}
			}
		}
	}
}

func TestTagFollowsTheSpecification(t *testing.T) {
	for name, g := range geometries() {
		key, data := seeded(name), seeded("data"+name)
		h := hmac.New(sha256.New, key[:])
		h.Write(append([]byte("anchor-tag/v1"), byte(g.Window), byte(g.Stride)))
		tagKey := h.Sum(nil)
		tagger := anchor.NewKey(key, g).NewTagger()
		for i := 0; i+g.Region() <= len(data); i++ {
			region := data[i : i+g.Region()]
			h := hmac.New(sha256.New, tagKey)
			h.Write(region)
			if got, want := tagger.Tag(region), binary.LittleEndian.Uint64(h.Sum(nil)); got != want {
				t.Fatalf("%s: tag %x, want %x", name, got, want)
			}
		}
	}
}

// Every residue of the stride must meet a window: that is what finds a value
// at any offset.
func TestEveryProbeResidueMeetsTheRegion(t *testing.T) {
	for name, g := range geometries() {
		key, data := seeded(name), seeded("stream"+name)
		k := anchor.NewKey(key, g)
		for offset := range 8 {
			region := data[offset : offset+g.Region()]
			set := map[uint64]bool{}
			for _, h := range k.AppendWindows(nil, region) {
				set[h] = true
			}
			if len(set) != g.Stride {
				t.Fatalf("%s: %d windows, want %d", name, len(set), g.Stride)
			}
			met := 0
			for p := 0; p+g.Window <= len(data); p += g.Stride {
				if set[k.WindowAt(data[p:])] {
					met++
				}
			}
			if met != 1 {
				t.Errorf("%s at offset %d: %d probes meet the region, want 1", name, offset, met)
			}
		}
	}
}

func TestPlaceStaysInTheFilter(t *testing.T) {
	k := anchor.NewKey(seeded("place"), anchor.Core)
	for logWords := uint(1); logWords <= 30; logWords++ {
		var words, masks uint64
		for i := range uint64(2000) {
			word, mask := anchor.Place(k.Window(i*0x9E3779B97F4A7C15), logWords)
			if word >= 1<<logWords {
				t.Fatalf("word %d of a filter of 1<<%d", word, logWords)
			}
			if mask == 0 || popcount(mask) > 2 {
				t.Fatalf("mask %x has not one or two bits", mask)
			}
			words, masks = words|word, masks|mask
		}
		if words != 1<<logWords-1 || masks != 1<<64-1 {
			t.Errorf("1<<%d words: parts of the filter are never used (words %x, masks %x)", logWords, words, masks)
		}
	}
}

func popcount(v uint64) int {
	n := 0
	for ; v != 0; v &= v - 1 {
		n++
	}
	return n
}

func TestKeysSeparate(t *testing.T) {
	data := seeded("data")
	type print struct{ window, tag uint64 }
	seen := map[print]string{}
	for name, g := range geometries() {
		for _, label := range []string{"one", "two"} {
			k := anchor.NewKey(seeded(label), g)
			if k.Geometry() != g {
				t.Errorf("%s: geometry is %v", name, k.Geometry())
			}
			p := print{k.WindowAt(data[:]), k.NewTagger().Tag(data[:g.Region()])}
			if other, has := seen[p]; has {
				t.Errorf("%s %s and %s hash alike", name, label, other)
			}
			seen[p] = name + " " + label
		}
	}
}

func TestRegion(t *testing.T) {
	got := map[string]int{}
	for name, g := range geometries() {
		got[name] = g.Region()
	}
	if diff := cmp.Diff(map[string]int{"core": 13, "edge": 9, "short": 8}, got); diff != "" {
		t.Errorf("regions (-want +got):\n%s", diff)
	}
}
