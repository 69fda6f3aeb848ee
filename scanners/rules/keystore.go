package rules

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
	"unicode/utf8"
)

// holding is what a key store holds, by its bytes.
type holding uint8

const (
	noStore      holding = iota // it is none that is known
	certificates                // nothing secret
	privateKeys                 // or passwords
)

// kdbx begins KeePass' files, before two bytes that tell its versions apart.
const kdbx = "\x03\xd9\xa2\x9a"

// storeOf reads the head of a key store: Java's JKS and JCEKS (the layout of
// their entries is in OpenJDK's JavaKeyStore), Bouncy Castle's BKS, KeePass' KDB
// and KDBX, PKCS #12 (RFC 7292). It returns what it holds and where in raw its
// first secret begins; raw may be cut off behind that.
func storeOf(raw string) (holding, int) {
	if len(raw) < 12 {
		return noStore, 0
	}
	switch {
	case raw[:4] == "\xfe\xed\xfe\xed", raw[:4] == "\xce\xce\xce\xce":
		return (&storeReader{raw: raw, at: 4}).java()
	case raw[:4] == kdbx && (raw[4:8] == "\x65\xfb\x4b\xb5" || raw[4:8] == "\x66\xfb\x4b\xb5" || raw[4:8] == "\x67\xfb\x4b\xb5"):
		return privateKeys, 0
	case raw[:3] == "\x00\x00\x00" && (raw[3] == 1 || raw[3] == 2):
		return (&storeReader{raw: raw, at: 4}).bouncy()
	case raw[0] == derSequence:
		return pfx(raw)
	}
	return noStore, 0
}

// pfx: version 3, then an authenticated safe. What is in it is encrypted.
func pfx(raw string) (holding, int) {
	_, body, length, ok := der([]byte(raw[:min(len(raw), 64)]))
	if !ok || length < 32 || len(body) < 5 || string(body[:4]) != "\x02\x01\x03\x30" {
		return noStore, 0
	}
	_, safe, _, ok := der(body[3:])
	if ok && len(safe) > 11 && string(safe[:2]) == "\x06\x09" && string(safe[2:9]) == pkcs && safe[9] == 7 {
		return privateKeys, 0
	}
	return noStore, 0
}

// storeReader reads what Java's DataOutputStream writes; behind the end all is 0.
type storeReader struct {
	raw string
	at  int
}

func (r *storeReader) skip(n int) bool {
	if n < 0 || n > len(r.raw)-r.at {
		r.at = len(r.raw)
		return false
	}
	r.at += n
	return true
}

func (r *storeReader) number(size int) (n int) {
	from := r.at
	if !r.skip(size) {
		return 0
	}
	var eight [8]byte
	copy(eight[8-size:], r.raw[from:r.at])
	return int(binary.BigEndian.Uint64(eight[:]))
}

func (r *storeReader) over() bool { return r.at >= len(r.raw) }

// text reads a name of printable characters.
func (r *storeReader) text() bool {
	n := r.number(2)
	from := r.at
	if !r.skip(n) || !utf8.ValidString(r.raw[from:r.at]) {
		return false
	}
	return !strings.ContainsFunc(r.raw[from:r.at], func(c rune) bool { return c < ' ' })
}

// java reads JKS and JCEKS behind their first four bytes.
func (r *storeReader) java() (holding, int) {
	version, entries := r.number(4), r.number(4)
	if version != 1 && version != 2 || entries > 1<<16 {
		return noStore, 0
	}
	for range entries {
		tag := r.number(4)
		if !r.text() || !r.skip(8) { // alias, date
			break
		}
		switch tag {
		case 1, 3: // a private key, a secret one
			return privateKeys, r.at
		case 2:
			if !r.certificate(version == 2) {
				return noStore, 0
			}
		default:
			return noStore, 0
		}
	}
	return certificates, 0
}

// certificate skips one, behind its type if it has one.
func (r *storeReader) certificate(typed bool) bool {
	return (!typed || r.text()) && r.skip(r.number(4))
}

// bouncy reads BKS behind its version.
func (r *storeReader) bouncy() (holding, int) {
	salt := r.number(4)
	if salt < 8 || salt > 64 || !r.skip(salt) {
		return noStore, 0
	}
	if rounds := r.number(4); rounds < 1 || rounds > 1<<22 {
		return noStore, 0
	}
	entries := 0
	for ; !r.over(); entries++ {
		tag := r.number(1)
		if tag == 0 { // the end, then a checksum
			break
		}
		if tag > 4 || !r.text() || !r.skip(8) {
			return noStore, 0
		}
		for range min(r.number(4), 1<<8) { // its chain
			if !r.certificate(true) {
				return noStore, 0
			}
		}
		if tag != 1 {
			return privateKeys, r.at
		}
		if !r.certificate(true) {
			return noStore, 0
		}
	}
	if entries == 0 {
		return noStore, 0
	}
	return certificates, 0
}

// storeShown is how much of a store's first secret stands for it in a finding.
const storeShown = 48

// keystore finds a key store that is the content, and reports whether the content
// is one, with or without secrets.
func (j *judge) keystore() (f finding, found, store bool) {
	if j.stores == nil || !j.begins || j.raw == "" || j.raw[0] == derSequence { // revenant-pkcs12 finds those
		return f, false, false
	}
	what, at := storeOf(j.raw)
	if what == noStore {
		return f, false, false
	}
	j.sc.hangs.onAll() // it is read entry by entry
	secret := extent{at, min(at+storeShown, len(j.raw))}
	if what != privateKeys || secret.end-secret.start < 8 || j.barredByPath(j.stores) {
		return f, false, what == certificates
	}
	text := j.raw[secret.start:secret.end]
	f = finding{rule: j.stores, match: text, secret: text, entropy: entropy(text), span: secret, whole: secret, low: j.around().example}
	f.at = j.lines.position(secret)
	found = !j.allows(j.allowlists, &f, nil) && !j.allows(j.stores.allows, &f, nil)
	return f, found, true
}

// asStore grades the base64 of a key store's beginning.
func asStore(c candidate) grade {
	v := strings.TrimRight(c.value(), "=")
	raw, err := base64.StdEncoding.DecodeString(v[:len(v)&^3])
	if err != nil {
		return noSecret
	}
	if what, _ := storeOf(string(raw)); what != privateKeys {
		return noSecret
	}
	return strongSecret
}
