package views_test

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"

	"revenant/fingerprints"
)

// bare is deflate without a frame.
func bare(t testing.TB, plain []byte, level int) []byte {
	return packed(t, plain, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, level) })
}

const bareForm = fingerprints.FormBase64 + "+" + fingerprints.FormCompressed

// TestBareStreams has deflate in base64, of fixed and dynamic codes.
func TestBareStreams(t *testing.T) {
	k := newKit(t)
	for _, v := range []string{string(k.value), generic} {
		for front := range 24 {
			texts := map[string]string{
				"short": fmt.Sprintf("%s some key, some more key %s and some more key", words(front%9), v),
				"long":  strings.Repeat("some text that repeats and some other text, ", 3+front) + v + " and more " + text(uint64(1000+front), 300, alnum),
				"lines": "<a>\n\t<b c=\"é 鍵\"/>\n" + strings.Repeat("<d>etc.</d>\n", 3+front) + "<key> " + v + " </key>",
			}
			for name, plain := range texts {
				for _, level := range []int{1, 9, flate.HuffmanOnly} {
					packed := bare(t, []byte(plain), level)
					s := base64.StdEncoding.EncodeToString(packed)
					if packed[0]&6 == 0 {
						continue // what is stored stands there as it is
					}
					for i, around := range surroundings() {
						if i%4 != front%4 {
							continue
						}
						content := strings.Repeat(".", front) + around[0] + s + around[1]
						from := front + len(around[0])
						k.want(t, fmt.Sprint(name, level), content, v, from, from+len(strings.TrimRight(s, "=")), bareForm)
					}
				}
			}
		}
	}
}

// TestBareWritten has such streams as programs write them.
func TestBareWritten(t *testing.T) {
	k := newKit(t)
	v := string(k.value)
	saml := `<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_8e8dc5f69a98cc4c1ff3427e5ce34606fd672f91e6" Version="2.0" AssertionConsumerServiceURL="https://sp.example.org/acs?key=` + v + `"/>`
	graph := `<mxGraphModel dx="1422"><root><mxCell id="0"/><mxCell id="2" value="password: ` + v + `" style="rounded=0;html=1;"/></root></mxGraphModel>`
	diagram := base64.StdEncoding.EncodeToString(bare(t, []byte(strings.ReplaceAll(url.QueryEscape(graph), "+", "%20")), 9))
	drawing := `<mxfile host="x"><diagram id="a" name="Page-1">` + diagram + `</diagram></mxfile>`
	request := base64.StdEncoding.EncodeToString(bare(t, []byte(saml), 9))
	for name, content := range map[string]string{
		"redirect":      "GET /sso?SAMLRequest=" + url.QueryEscape(request) + "&RelayState=x HTTP/1.1\n",
		"redirect, log": `{"url":"https://idp.example.org/sso?SAMLRequest=` + url.QueryEscape(request) + `"}`,
		"drawing":       drawing,
		"picture":       `<svg content="` + replace("<", "&lt;", ">", "&gt;", `"`, "&quot;")(drawing) + `">`,
		"points":        "\x89PNG\r\n\x1a\n\x00\x00\x01\x00tEXtmxfile\x00" + url.QueryEscape(drawing) + "\x00\x00",
		"script":        "$s=New-Object IO.Compression.DeflateStream([IO.MemoryStream][Convert]::FromBase64String('" + base64.StdEncoding.EncodeToString(bare(t, []byte("$client.Connect('"+v+"'); # "+strings.Repeat("and so on ", 20)), 6)) + "'))",
		"wrapped":       "data:\n" + wrap(base64.StdEncoding.EncodeToString(bare(t, []byte("key "+v+" "+text(4, 500, alnum)), 9)), 76, "\n") + "\n",
	} {
		hits, skips := k.scan(t, content, 0)
		if len(hits) != 1 || len(skips) > 0 || string(hits[0].Value.Reveal()) != v {
			t.Errorf("%s: %v %v in\n%.900s", name, describe(hits), skips, content)
		}
	}
}

// TestNothingBare: noise, digests, paths and words are not taken for streams.
func TestNothingBare(t *testing.T) {
	k := newKit(t)
	var b bytes.Buffer
	for i := range 20000 {
		fmt.Fprintf(&b, "%s %s\n", base64.StdEncoding.EncodeToString(noise(uint64(i), 30+i%90)), text(uint64(i), 40+i%40, "abcdefgh/ijklmnopqrst/uvwxyzABCDEF0123456789"))
	}
	if hits, skips := k.scan(t, b.String(), 0); len(hits)+len(skips) > 0 {
		t.Errorf("%v %v", describe(hits), skips)
	}
}
