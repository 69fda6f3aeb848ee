package image

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestConfigParts(t *testing.T) {
	raw := `{"architecture":"amd64","os":"linux","author":"ci@example.org","container_config":{"Env":["PATH=/bin","TOKEN=abc=d"],"Cmd":["/bin/sh","-c","#(nop) x"]},
	"config":{"Env":["PATH=/bin","TOKEN=abc=d"],"Labels":{"b":"2","a":"1"},"Cmd":"one text","Entrypoint":["/run","--key"],"Healthcheck":{"Test":["CMD","curl"]},"OnBuild":["RUN x"],"User":"app","Tty":false,"Volumes":null},
	"history":[{"created_by":"ADD x"},{"created_by":"ARG KEY=v","comment":"buildkit","empty_layer":true},{"created_by":"RUN y","author":"who"}],
	"rootfs":{"type":"layers","diff_ids":["sha256:0"]},"moby.buildkit.trace":"dHJhY2U=","nested":{"deep":["v"]}}`
	got := map[string]string{}
	for _, p := range configParts([]byte(raw)) {
		if old, twice := got[p.path]; twice {
			p.text = old + "|" + p.text
		}
		got[p.path] = p.text
	}
	want := map[string]string{
		"@env/PATH": "PATH=/bin", "@env/TOKEN": "TOKEN=abc=d", "@label/a": "a=1", "@label/b": "b=2",
		"@command": "one text|/bin/sh\n-c\n#(nop) x", "@entrypoint": "/run\n--key", "@healthcheck": "CMD\ncurl", "@onbuild": "RUN x", "@author": "ci@example.org",
		"@history": "ADD x\nARG KEY=v # buildkit\nRUN y # who\n",
		"@config":  `{"config":{"User":"app"},"moby.buildkit.trace":"dHJhY2U=","nested":{"deep":["v"]}}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("parts (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"ADD x", "RUN y # who"}, instructions([]byte(raw), 2)); diff != "" {
		t.Error(diff)
	}
	if got := instructions([]byte(raw), 3); got != nil {
		t.Errorf("a history that does not fit: %v", got)
	}
	for _, odd := range []string{"", "{", "[]", "null", `"x"`, `{"config":7,"history":{},"author":[1]}`, strings.Repeat("[", 20000)} {
		parts := configParts([]byte(odd))
		if len(odd) > 2 && odd != "null" && len(parts) == 0 {
			t.Errorf("%.20q has no part", odd)
		}
	}
}
