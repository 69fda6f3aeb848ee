package push

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"

	"revenant/fingerprints"
)

// claim is what the headers of a post say of who sent it.
type claim struct {
	token string   // a secret itself; empty: there are MACs
	macs  [][]byte // any may fit
	// ahead is what is signed before the body.
	ahead string
	// at is when it was signed; zero: that is not said.
	at time.Time
	// id is what the signature covers and tells two posts of the same text apart;
	// empty: the text does.
	id string
	// once: the same text is the same post. Otherwise only id tells.
	once bool
	// ofPayload: where the post is a form, its payload is what was signed.
	ofPayload bool
}

// How much of a header is looked at.
const (
	maxHeader     = 4 << 10
	maxSignatures = 16
)

// only is the value of a header that must be there once: of two, somebody on the
// way may have read the other.
func only(h http.Header, name string) (string, bool) {
	values := h.Values(name)
	if len(values) != 1 || values[0] == "" || len(values[0]) > maxHeader {
		return "", false
	}
	return values[0], true
}

// ofGitHub reads X-Hub-Signature-256: sha256=HEX over the body.
func ofGitHub(r *http.Request) (claim, bool) {
	text, ok := only(r.Header, "X-Hub-Signature-256")
	text, prefixed := strings.CutPrefix(text, "sha256=")
	mac, fine := hexMAC(text)
	return claim{macs: [][]byte{mac}, once: true}, ok && prefixed && fine
}

// ofGitLab reads either form: the secret itself, or that of Standard Webhooks,
// which counts alone where it is there.
func ofGitLab(r *http.Request) (claim, bool) {
	if len(r.Header.Values("Webhook-Signature")) > 0 {
		return ofStandard(r)
	}
	token, ok := only(r.Header, "X-Gitlab-Token")
	id, _ := only(r.Header, "Idempotency-Key")
	return claim{token: token, id: id}, ok
}

// ofGitea reads HEX over the body; Forgejo has a name of its own for it, and
// sends both.
func ofGitea(r *http.Request) (claim, bool) {
	for _, name := range []string{"X-Gitea-Signature", "X-Forgejo-Signature", "X-Gogs-Signature"} {
		if len(r.Header.Values(name)) == 0 {
			continue
		}
		text, ok := only(r.Header, name)
		mac, fine := hexMAC(text)
		return claim{macs: [][]byte{mac}, once: true, ofPayload: true}, ok && fine
	}
	return claim{}, false
}

// ofGit reads the headers of Standard Webhooks or ours.
func ofGit(r *http.Request) (claim, bool) {
	if len(r.Header.Values("X-Revenant-Signature")) == 0 {
		return ofStandard(r)
	}
	text, ok := only(r.Header, "X-Revenant-Signature")
	if !ok || len(r.Header.Values("Webhook-Signature")) > 0 {
		return claim{}, false
	}
	c := claim{once: true}
	stamp := ""
	for part := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch {
		case name == "t" && stamp == "":
			stamp = value
		case name == "t":
			return claim{}, false
		case name == "v1" && len(c.macs) < maxSignatures:
			if mac, fine := hexMAC(value); fine {
				c.macs = append(c.macs, mac)
			}
		}
	}
	at, fine := unix(stamp)
	c.at, c.ahead = at, stamp+"."
	return c, fine && len(c.macs) > 0
}

// ofStandard reads the headers of Standard Webhooks: v1,BASE64 over ID.TIME.BODY,
// several of them separated by spaces.
func ofStandard(r *http.Request) (claim, bool) {
	id, has := only(r.Header, "Webhook-Id")
	stamp, dated := only(r.Header, "Webhook-Timestamp")
	text, ok := only(r.Header, "Webhook-Signature")
	at, fine := unix(stamp)
	if !has || !dated || !ok || !fine || strings.Contains(id, ".") {
		return claim{}, false
	}
	c := claim{id: id, at: at, ahead: id + "." + stamp + "."}
	for part := range strings.FieldsSeq(text) {
		encoded, is := strings.CutPrefix(part, "v1,")
		mac, err := base64.StdEncoding.DecodeString(encoded)
		if is && err == nil && len(mac) == sha256.Size && len(c.macs) < maxSignatures {
			c.macs = append(c.macs, mac)
		}
	}
	return c, len(c.macs) > 0
}

// bearer reads a token as Bearer, or as the password of Basic.
func bearer(r *http.Request) (claim, bool) {
	text, ok := only(r.Header, "Authorization")
	if !ok {
		return claim{}, false
	}
	if _, password, basic := r.BasicAuth(); basic {
		return claim{token: password}, password != ""
	}
	scheme, token, _ := strings.Cut(text, " ")
	token = strings.TrimSpace(token)
	return claim{token: token}, strings.EqualFold(scheme, "Bearer") && token != ""
}

func hexMAC(text string) ([]byte, bool) {
	if len(text) != 2*sha256.Size {
		return nil, false
	}
	mac, err := hex.DecodeString(text)
	return mac, err == nil
}

// unix reads seconds since 1970 as digits alone: what is signed is the text, and
// +1 or 01 would be a second text for the same time.
func unix(text string) (time.Time, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n <= 0 || strconv.FormatInt(n, 10) != text {
		return time.Time{}, false
	}
	return time.Unix(n, 0), true
}

// fits reports whether a secret fits the claim. payload is that of a form.
func (c claim) fits(keys []fingerprints.Value, body, payload []byte) bool {
	switch {
	case c.token != "":
		return held(keys, c.token)
	case c.ofPayload:
		return signed(keys, c.macs, []byte(c.ahead), payload)
	}
	return signed(keys, c.macs, []byte(c.ahead), body)
}

// key is what the post is remembered by; empty: it cannot be told from another.
// It is made of what was signed alone: other headers can be written anew by
// whoever sends a post again.
func (c claim) key(p Provider, body []byte) string {
	switch {
	case c.id != "":
		return keyOf(p, "id", []byte(c.id))
	case c.once:
		return keyOf(p, "text", []byte(c.ahead), body)
	}
	return ""
}

func keyOf(p Provider, kind string, text ...[]byte) string {
	h := sha256.New()
	h.Write([]byte(string(p) + "\x00" + kind + "\x00"))
	for _, t := range text {
		h.Write(t)
	}
	return hex.EncodeToString(h.Sum(nil))
}
