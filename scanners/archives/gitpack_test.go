package archives_test

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zlib"
)

// packer writes a git pack.
type packer struct {
	t testing.TB
	b bytes.Buffer
	n uint32
}

func (p *packer) add(kind int, size int, between, data []byte) (at int) {
	at = 12 + p.b.Len()
	p.n++
	c := byte(kind<<4 | size&15)
	for size >>= 4; size > 0; size >>= 7 {
		p.b.WriteByte(c | 0x80)
		c = byte(size & 0x7f)
	}
	p.b.WriteByte(c)
	p.b.Write(between)
	z := zlib.NewWriter(&p.b)
	_, err := z.Write(data)
	must(p.t, err)
	must(p.t, z.Close())
	return at
}

// offset is how far back a base stands, as packs write it.
func offset(n int) []byte {
	out := []byte{byte(n & 0x7f)}
	for n >>= 7; n > 0; n >>= 7 {
		n--
		out = append([]byte{byte(n&0x7f) | 0x80}, out...)
	}
	return out
}

func (p *packer) bytes() []byte {
	out := binary.BigEndian.AppendUint32([]byte("PACK\x00\x00\x00\x02"), p.n)
	out = append(out, p.b.Bytes()...)
	sum := sha1.Sum(out)
	return append(out, sum[:]...)
}

func objectID(kind, text string) string {
	sum := sha1.Sum(fmt.Appendf(nil, "%s %d\x00%s", kind, len(text), text))
	return string(sum[:])
}

// deltaOf makes a text from the first bytes of its base and others behind.
func deltaOf(base string, from int, more string) (delta []byte, text string) {
	text = base[:from] + more
	delta = binary.AppendUvarint(binary.AppendUvarint(nil, uint64(len(base))), uint64(len(text)))
	delta = append(delta, 0x80|0x10|0x20, byte(from), byte(from>>8))
	for len(more) > 0 {
		n := min(len(more), 127)
		delta = append(append(delta, byte(n)), more[:n]...)
		more = more[n:]
	}
	return delta, text
}

// TestGitPack: a value that one version takes half of from another is found, by
// every way to say what a difference is to; what cannot be made is listed.
func TestGitPack(t *testing.T) {
	look := canary(31)
	base := strings.Repeat("a line of a file\n", 100) + look[:20]
	half := len(base)
	p := &packer{t: t}
	p.add(1, 6, nil, []byte("commit"))
	root := p.add(3, len(base), nil, []byte(base))
	d1, text1 := deltaOf(base, half, look[20:]+"\n")
	first := p.add(6, len(d1), offset(12+p.b.Len()-root), d1)
	d2, text2 := deltaOf(text1, half-20, "then "+look)
	p.add(6, len(d2), offset(12+p.b.Len()-first), d2)
	d3, text3 := deltaOf(text2, half-20, "and "+look)
	p.add(7, len(d3), []byte(objectID("blob", text2)), d3) // made from what is made
	d4, text4 := deltaOf(base, half-20, "or "+look)
	p.add(7, len(d4), []byte(objectID("blob", base)), d4)
	whole := p.bytes()
	d5, _ := deltaOf("not here", 3, look)
	p.add(7, len(d5), []byte(objectID("blob", "not here")), d5)
	p.add(6, len(d5), offset(1<<20), d5)
	p.add(6, len(d4)-1, offset(12+p.b.Len()-root), d4[:len(d4)-1])
	lacking := p.bytes()
	var want []string
	for _, text := range []string{text1, text2, text3, text4} {
		want = append(want, "item!blob/"+hex.EncodeToString([]byte(objectID("blob", text))))
	}
	for name, c := range map[string]struct {
		data  []byte
		skips int
	}{"whole": {whole, 0}, "with what cannot be made": {lacking, 3}, "cut": {whole[:len(whole)-30], 1}, "more behind": {append(slices.Clone(whole), 0), 1}} {
		s := expand(t, small(), c.data, look)
		found := want
		if name == "cut" { // within the last one
			found = want[:3]
		}
		// What does not compress can be read in the pack, too.
		members := slices.DeleteFunc(s.found, func(p string) bool { return p == "item" })
		if diff := cmp.Diff(found, members); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if len(s.skips) != c.skips {
			t.Errorf("%s: listed %v", name, s.skips)
		}
		if !s.packed["item"] {
			t.Errorf("%s: not said to be packed", name)
		}
	}
	l := small()
	l.Entries = 3
	if s := expand(t, l, whole, look); len(s.skips) == 0 {
		t.Error("more objects than entries are allowed: nothing is listed")
	}
}

// TestGitPackOfGit compares with git itself, for both kinds of ids.
func TestGitPackOfGit(t *testing.T) {
	for _, format := range []string{"sha1", "sha256"} {
		dir := t.TempDir()
		git := func(args ...string) string {
			c := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=n", "-c", "user.email=e", "-c", "maintenance.auto=false"}, args...)...)
			c.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
			out, err := c.Output()
			must(t, err)
			return string(out)
		}
		git("init", "-q", "--object-format="+format)
		text := string(noise(3, 3000))
		for i := range 30 {
			text = text[:i*50] + canary(uint64(i)) + text[i*50:]
			must(t, os.WriteFile(filepath.Join(dir, "file"), []byte(text), 0o600))
			git("add", ".")
			git("commit", "-q", "-m", fmt.Sprint(i))
		}
		git("tag", "-a", "-m", "tag", "v1")
		for _, option := range []string{"true", "false"} {
			git("-c", "repack.useDeltaBaseOffset="+option, "repack", "-q", "-a", "-d", "-f", "--depth=20")
			packs, err := filepath.Glob(filepath.Join(dir, ".git/objects/pack/*.pack"))
			must(t, err)
			data, err := os.ReadFile(packs[0])
			must(t, err)
			var want []string
			for line := range strings.Lines(git("cat-file", "--batch-all-objects", "--batch-check")) {
				f := strings.Fields(line)
				want = append(want, "item!"+f[1]+"/"+f[0])
			}
			s := expand(t, small(), data, "")
			got := slices.DeleteFunc(s.paths, func(p string) bool { return p == "item" })
			slices.Sort(want)
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" || len(s.skips) > 0 || len(want) != 91 {
				t.Errorf("%s, offsets %s: %d objects, %v (-want +got):\n%s", format, option, len(want), s.skips, diff)
			}
		}
	}
}
