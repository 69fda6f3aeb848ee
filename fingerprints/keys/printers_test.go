package keys_test

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"revenant/fingerprints/keys"
)

// Nothing that holds keys can be printed, logged or encoded, whole or from
// inside another struct.
func TestNoPrinterReachesKeys(t *testing.T) {
	r := rotate(t, newRing(t), keys.RotateCompromise)
	k, err := r.Key(core, keys.PurposeRegMAC, 1)
	if err != nil {
		t.Fatal(err)
	}
	id, e, reg, iss := r.Identity(core), r.EdgeKeys("g"), r.RegistrarKeys(), r.Issuer("g")
	raw := r.Marshal()
	secrets := [][]byte{k[:], raw[26:58], raw[71:103]} // a derived key, the root, the first master
	for _, m := range [][]byte{e.Marshal(), reg.Marshal()} {
		secrets = append(secrets, m[len(m)-32-6*38-4-32:][:32])
	}
	type outer struct {
		Exported any
		hidden   any
	}
	for name, v := range map[string]any{
		"key": k, "ring": r, "identity": id, "edge": e, "registrar": reg, "issuer": iss,
		"pointer to key": &k, "ring by value": *r, "pointer to edge": &e,
		"struct with ring": outer{r, r}, "struct with identity": &outer{id, id}, "struct with edge": outer{e, e},
		"struct with registrar": outer{reg, reg}, "slice": []any{r, e, k}, "map": map[string]any{"ring": r},
	} {
		t.Run(name, func(t *testing.T) {
			for _, out := range printed(v) {
				for i, s := range secrets {
					if leaks(out, s) {
						t.Errorf("key %d is in %q", i, out)
					}
				}
			}
		})
	}
}

// printed is what every printer makes of a value.
func printed(v any) []string {
	var out []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%b", "%c", "%U", "%t"} {
		out = append(out, fmt.Sprintf(verb, v))
	}
	if b, err := json.Marshal(v); err == nil {
		out = append(out, string(b))
	}
	var buf bytes.Buffer
	slog.New(slog.NewTextHandler(&buf, nil)).Info("m", "k", v, slog.Group("g", "v", v))
	slog.New(slog.NewJSONHandler(&buf, nil)).Info("m", "k", v, slog.Group("g", "v", v))
	_ = gob.NewEncoder(&buf).Encode(v)
	return append(out, buf.String(), fmt.Errorf("doing: %v", v).Error())
}

// leaks looks for 8 bytes of a key in any usual notation.
func leaks(out string, key []byte) bool {
	for i := 0; i+8 <= len(key); i += 4 {
		b := key[i : i+8]
		dec := strings.Trim(fmt.Sprint(b), "[]")
		for _, s := range []string{
			string(b), hex.EncodeToString(b), strings.ToUpper(hex.EncodeToString(b)),
			dec, strings.ReplaceAll(dec, " ", ","), strings.Trim(fmt.Sprintf("%#v", b), "[]byte{}"),
			base64.StdEncoding.EncodeToString(key)[:16],
		} {
			if strings.Contains(out, s) {
				return true
			}
		}
	}
	return false
}

func TestLeaksCanTell(t *testing.T) {
	key := bytes.Repeat([]byte{1, 200, 3, 77}, 8)
	for _, out := range []string{fmt.Sprint(key), fmt.Sprintf("%x", key), fmt.Sprintf("%#v", key), base64.StdEncoding.EncodeToString(key), string(key)} {
		if !leaks(out, key) {
			t.Errorf("not seen in %q", out)
		}
	}
}
