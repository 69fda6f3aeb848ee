package privatekeys_test

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"revenant/fingerprints/privatekeys"
)

// A container with one byte changed is not the same key. The version of
// PKCS #8 says nothing about the key.
func TestChangedByteIsAnotherKeyOrNone(t *testing.T) {
	versionAt := map[string]int{"rsa1024.pkcs8.der": 6, "ec-prime256v1.pkcs8.der": 5, "ed25519.pkcs8.der": 4, "x25519.pkcs8.der": 4}
	for _, name := range []string{
		"rsa1024.pkcs1.der", "rsa1024.pkcs8.der", "ec-prime256v1.sec1.der", "ec-prime256v1.pkcs8.der", "ed25519.pkcs8.der",
		"dsa.dsa.der", "x25519.pkcs8.der", "ec-secp256k1.sec1.der",
	} {
		s := sampleNamed(t, name)
		want, err := privatekeys.Parse(s.data)
		if err != nil {
			t.Fatal(err)
		}
		for i := range s.data {
			if i == versionAt[name] && i > 0 {
				continue
			}
			bad := bytes.Clone(s.data)
			bad[i] ^= []byte{1, 0x80}[i%2]
			for _, f := range privatekeys.Find(bad) {
				if bytes.Equal(f.Key.Canonical, want.Canonical) && f.Start == 0 {
					t.Errorf("%s: byte %d changed: still the key", name, i)
				}
			}
		}
	}
}

// Text with a character of its body changed or lost in the middle is no key.
func TestHalfAKeyIsNone(t *testing.T) {
	for _, s := range samples(t) {
		if s.public() || s.locked() || !s.text() || s.form == "params.pem" {
			continue
		}
		want, err := privatekeys.Parse(s.data)
		if err != nil {
			t.Fatal(err)
		}
		body := bytes.Index(s.data, []byte("-----\n")) + 6
		if s.form == "v2.ppk" || s.form == "v3.ppk" {
			body = bytes.Index(s.data, []byte("Private-Lines"))
			body += bytes.IndexByte(s.data[body:], '\n') + 1
		}
		within := []int{body + 20, body + 30}
		if s.form == "pkcs8.pem" { // behind the head of what is inside
			within = []int{body + 61, body + 63}
		}
		for _, at := range within {
			if s.data[at] == '\n' {
				at--
			}
			changed := bytes.Clone(s.data)
			changed[at] = 'A' + (changed[at]-'A'+1)%25
			for what, bad := range map[string][]byte{
				"lost":    append(bytes.Clone(s.data[:at]), s.data[at+1:]...),
				"changed": changed,
				"cut":     s.data[:at],
				"behind":  s.data[at:],
			} {
				for _, f := range privatekeys.Find(bad) {
					if bytes.Equal(f.Key.Canonical, want.Canonical) {
						t.Errorf("%s: %s at %d: still the key", s.name(), what, at)
					}
				}
			}
		}
	}
}

// What is cut off anywhere is no key; PKCS #8 without its head is still a whole
// PKCS #1 or SEC 1.
func TestBinaryCutAnywhere(t *testing.T) {
	for _, name := range []string{"rsa1024.pkcs1.der", "ec-prime256v1.sec1.der", "ed25519.pkcs8.der", "dsa.dsa.der"} {
		s := sampleNamed(t, name)
		for n := 1; n < len(s.data); n++ {
			if found := append(privatekeys.Find(s.data[:n]), privatekeys.Find(s.data[n:])...); len(found) > 0 {
				t.Errorf("%s: cut at %d of %d, still found as %s", name, n, len(s.data), found[0].Key.Container)
			}
		}
	}
}

func TestAroundAnAnchor(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, s := range samples(t) {
		if s.text() || s.public() || s.locked() {
			continue
		}
		want, err := privatekeys.Parse(s.data)
		if err != nil {
			t.Fatal(err)
		}
		before := make([]byte, rng.IntN(5000))
		for i := range before {
			before[i] = byte(rng.Uint32())
		}
		data := append(append(bytes.Clone(before), s.data...), before...)
		hit := 0
		for _, part := range append(want.Public, want.Private...) {
			at := bytes.Index(data, part)
			if at < 0 {
				continue
			}
			hit++
			f, ok := privatekeys.Around(data, at+len(part)/2)
			if !ok || !bytes.Equal(f.Key.Canonical, want.Canonical) || f.Start != len(before) || f.End != len(before)+len(s.data) {
				t.Errorf("%s: found %v at %d to %d", s.name(), ok, f.Start, f.End)
			}
		}
		if hit == 0 {
			t.Errorf("%s: no byte string of the key stands in its container", s.name())
		}
		if _, ok := privatekeys.Around(data, max(0, len(before)-3)); ok && len(before) > 3 {
			t.Errorf("%s: found around a position outside", s.name())
		}
	}
	cert := sampleNamed(t, "rsa2048.cert.public.der")
	for pos := range cert.data {
		if _, ok := privatekeys.Around(cert.data, pos); ok {
			t.Fatal("a certificate is a key")
		}
	}
	for _, pos := range []int{-1, 0, 5} {
		if _, ok := privatekeys.Around(nil, pos); ok {
			t.Error("found in nothing")
		}
	}
}

// hostile inputs try to make the work grow faster than the input.
func hostile(size int) map[string][]byte {
	fill := func(s string) []byte { return bytes.Repeat([]byte(s), size/len(s)+1)[:size] }
	return map[string][]byte{
		"headers":        fill("-----BEGIN " + "PRIVATE KEY-----\n"),
		"headers a line": fill("-----BEGIN " + "PRIVATE KEY-----"),
		"open headers":   fill("-----BEGIN RSA " + "PRIVATE KEY----- AAAA "),
		"der heads":      fill("\x30\x82\x10\x00\x02\x01\x00\x02\x82\x02\x00\x01"),
		"small heads":    fill("\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20"),
		"sec1 heads":     fill("\x30\x77\x02\x01\x01\x04\x20abc"),
		"bodies":         fill("MIIEpAIBAAKCAQEA"),
		"body lines":     fill("x MIIEpAIBAAKCAQEA\n"),
		"body lines two": fill("MC4CAQAwBQYDK2VwBCIEIA MIIEpAIBAAKCAQEA\n"),
		"kty":            fill(`"kty"`),
		"kty objects":    fill(`{"kty":"RSA","n":"AQAB","e":"AQAB","d":"`),
		"kty whole":      fill(`{"kty":"RSA","n":"` + string(bytes.Repeat([]byte("AQAB"), 80)) + `","e":"AQAB","d":"AQABAQAB"}`),
		"xml":            fill("<RSAKeyValue>"),
		"putty":          fill("PuTTY-User-Key-File-2: ssh-rsa\nEncryption: none\nPublic-Lines: 1\n"),
		"openssh":        fill("openssh-key-v1\x00\x00\x00\x00\x04none"),
		"openssh base64": fill("b3BlbnNzaC1rZXktdjEA"),
		"nested":         fill("LS0tLS1CRUdJTiBQUklWQVRF"),
		"backslashes":    fill(`\`),
		"nested heads":   fill("-----BEGIN A-----\nLS0tLS1CRUdJTiBQUklWQVRF\n"),
		"letters":        fill("MIIB"),
		"zeros":          make([]byte, size),
	}
}

// Eight times the input may take eight times as long, with much room for a
// busy machine; quadratic work would take sixty-four times.
func TestHostileInputStaysLinear(t *testing.T) {
	const small, factor = 64 << 10, 8
	best := func(data []byte) time.Duration {
		least := time.Hour
		for range 3 {
			start := time.Now()
			privatekeys.Find(data)
			least = min(least, time.Since(start))
		}
		return least
	}
	large := hostile(small * factor)
	for name, data := range hostile(small) {
		one, many := best(data), best(large[name])
		if many > one*factor*4+100*time.Millisecond {
			t.Errorf("%s: %v for %d bytes, %v for %d", name, one, small, many, small*factor)
		}
	}
}

func BenchmarkFind(b *testing.B) {
	src := bytes.Repeat([]byte("func (s *search) follow(l literal, at int) { switch l.clue { case clueArmour: return } }\n"), 12000)
	random := make([]byte, 1<<20)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range random {
		random[i] = byte(rng.Uint32())
	}
	b64 := make([]byte, 1<<20)
	for i := range b64 {
		b64[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[rng.IntN(64)]
	}
	for name, data := range map[string][]byte{"source": src, "random": random, "base64": b64} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for range b.N {
				privatekeys.Find(data)
			}
		})
	}
}

func FuzzFind(f *testing.F) {
	for _, s := range samples(f) {
		f.Add(s.data)
	}
	for _, data := range hostile(500) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		end := 0
		for _, found := range privatekeys.Find(data) {
			if found.Start < end || found.End <= found.Start || found.End > len(data) {
				t.Fatalf("span %d to %d of %d behind %d", found.Start, found.End, len(data), end)
			}
			end = found.End
			if len(found.Key.Canonical) < 16 {
				t.Fatalf("canonical form of %d bytes", len(found.Key.Canonical))
			}
		}
		if len(data) > 0 {
			privatekeys.Around(data, len(data)/2)
		}
		privatekeys.IsContainer(data)
		_, _ = privatekeys.ParseAll(data)
	})
}
