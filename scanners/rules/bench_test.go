package rules_test

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/zricethezav/gitleaks/v8/detect"

	"revenant/scanners"
	"revenant/scanners/rules"
)

// logs are lines as services and their proxies write them.
func logs(size int) string {
	r := rand.New(rand.NewPCG(5, 5))
	var b strings.Builder
	for n := 0; b.Len() < size; n++ {
		switch r.IntN(3) {
		case 0:
			fmt.Fprintf(&b, `{"level":"info","ts":"2026-11-24T01:%02d:%02d.%06dZ","caller":"server/handler.go:%d","msg":"request done","method":"GET","path":"/api/v1/users/%d/items","status":200,"took_ms":%d,"trace_id":"%016x%016x"}`,
				n/60%60, n%60, r.IntN(1e6), r.IntN(500), r.IntN(1e5), r.IntN(900), r.Uint64(), r.Uint64())
		case 1:
			fmt.Fprintf(&b, `10.%d.%d.%d - - [24/Nov/2026:01:%02d:%02d +0000] "GET /static/app.%08x.js?v=%d HTTP/1.1" 200 %d "https://example.org/home%%20page" "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"`,
				r.IntN(256), r.IntN(256), r.IntN(256), n/60%60, n%60, r.Uint32(), r.IntN(99), r.IntN(1e6))
		default:
			fmt.Fprintf(&b, `I1124 01:%02d:%02d.%06d   %d kubelet.go:%d] "SyncLoop (PLEG): event for pod" pod="default/web-%x-%s" event={"ID":"%016x","Type":"ContainerStarted"} token refresh due`,
				n/60%60, n%60, r.IntN(1e6), r.IntN(9999), r.IntN(3000), r.Uint32(), random(r.Uint64(), base62, 5), r.Uint64())
		}
		b.WriteByte('\n')
	}
	return b.String()[:size]
}

// source is a sample of Go's own source.
func source(t testing.TB, size int) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(filepath.Join(runtime.GOROOT(), "src", "net"), func(name string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, ".go") || b.Len() >= size {
			return err
		}
		content, err := os.ReadFile(name)
		b.Write(content)
		return err
	})
	if err != nil || b.Len() == 0 {
		t.Fatal("Go's source is not there", err)
	}
	return b.String()[:min(size, b.Len())]
}

// BenchmarkOwn is the cost of this project's rules beside gitleaks'.
func BenchmarkOwn(b *testing.B) {
	texts := map[string]string{"logs": logs(8 << 20), "source": source(b, 8<<20)}
	for _, rule := range []struct {
		name string
		own  rules.Own
	}{{"gitleaks", rules.OwnOff}, {"own", rules.OwnOn}} {
		m := newMatcher(b, rules.Options{Own: rule.own})
		for name, text := range texts {
			b.Run(name+"/"+rule.name, func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				for b.Loop() {
					m.AppendHits(nil, scanners.Chunk{Data: []byte(text), Path: "a.yaml", Final: true})
				}
			})
		}
	}
}

func BenchmarkMatcher(b *testing.B) {
	m := newMatcher(b, rules.Options{})
	texts := map[string]string{"logs": logs(8 << 20), "source": source(b, 8<<20)}
	for name, text := range hostile(1 << 20) {
		texts["hostile "+name] = text
	}
	for name, text := range texts {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				m.AppendHits(nil, scanners.Chunk{Data: []byte(text), Path: "a.yaml", Final: true})
			}
		})
	}
}

// BenchmarkFiles reads files one by one.
func BenchmarkFiles(b *testing.B) {
	m := newMatcher(b, rules.Options{})
	var files []string
	size := 0
	err := filepath.WalkDir(filepath.Join(runtime.GOROOT(), "src", "cmd", "compile"), func(name string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, ".go") {
			return err
		}
		content, err := os.ReadFile(name)
		files = append(files, string(content))
		size += len(content)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(size))
	for b.Loop() {
		for _, f := range files {
			m.AppendHits(nil, scanners.Chunk{Data: []byte(f), Path: "src/cmd/compile/a.go", Final: true})
		}
	}
}

// BenchmarkOracle is gitleaks' detect on the same texts, smaller.
func BenchmarkOracle(b *testing.B) {
	o := newOracle(b, rules.Options{})
	for name, text := range map[string]string{"logs": logs(512 << 10), "source": source(b, 512<<10)} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				o.detector.Detect(detect.Fragment{Raw: text, FilePath: "a.yaml"})
			}
		})
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		newMatcher(b, rules.Options{})
	}
}
