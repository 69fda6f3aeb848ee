package search_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/ingest/search/query"
)

// happen does something to a registry, drawn at random.
func (k *kit) happen() {
	k.t.Helper()
	k.wait(time.Duration(k.rand.IntN(72)) * time.Hour / 3)
	list, err := k.reg.Findings(k.ctx, me(), store.FindingFilter{})
	k.must(err)
	id := ""
	if len(list) > 0 {
		id = string(pick(k, list).ID)
	}
	switch n := k.rand.IntN(16); {
	case n < 6 || id == "" || len(k.secrets) == 0:
		k.somethingIsSeen()
	case n == 6:
		_, _ = k.reg.Accept(k.ctx, me(), id, k.clock().Add(time.Duration(k.rand.IntN(100))*time.Hour), "for now")
	case n == 7:
		_, _ = k.reg.Dismiss(k.ctx, me(), id, "a test vector") // of a registered one: refused
	case n == 8:
		_, err = k.reg.Assign(k.ctx, me(), id, pick(k, []string{"payments", "platform", "web"}))
	case n == 9:
		_, _ = k.reg.Reopen(k.ctx, me(), id)
	case n == 10:
		k.aVersionMoves()
	case n == 11 && len(k.sources) > 3:
		err = k.reg.ForgetSource(k.ctx, me(), k.sources[0])
		k.sources = k.sources[1:]
	case n == 12 && len(k.sources) > 0:
		to := fmt.Sprintf("git:moved.example/shop%d", k.rand.IntN(1e6))
		_, err = k.reg.MoveSource(k.ctx, me(), k.sources[0], to)
		k.sources[0] = to
	case n == 13:
		_, err = k.reg.Allow(k.ctx, me(), registry.AllowRequest{Name: pick(k, k.secrets), Path: pick(k, []string{"**", "deploy/**"}), Until: k.clock().Add(90 * time.Hour), Reason: "its home"})
	case n == 14 && len(k.hidden) > 0:
		k.add(fmt.Sprintf("late/found-%d", len(k.secrets)), k.hidden[0])
		k.hidden = k.hidden[1:]
	default:
		k.add(fmt.Sprintf("billing/db-password%d", len(k.secrets)), k.text())
	}
	k.must(err)
}

func (k *kit) somethingIsSeen() {
	k.t.Helper()
	source := pick(k, []string{"git:github.com/acme/shop", "git:github.com/acme/shop-admin", "dir:/srv/app", "ci:github:github.com/acme/shop", "image:registry.example/acme/shop", "kafka:c1/orders"})
	if len(k.sources) > 0 && k.rand.IntN(2) == 0 {
		source = pick(k, k.sources)
	}
	known := false
	for _, s := range k.sources {
		known = known || s == source
	}
	if !known {
		k.sources = append(k.sources, source)
	}
	var obs []registry.Observation
	for range 1 + k.rand.IntN(8) {
		value := k.text()
		switch n := k.rand.IntN(3); {
		case n == 0 && len(k.secrets) > 0:
			value = k.values[pick(k, k.secrets)]
		case n == 1 && len(k.loose) > 0:
			value = pick(k, k.loose)
		default:
			k.loose = append(k.loose, value)
		}
		dir := pick(k, []string{"deploy", "src/main", "testData", "docs"})
		file := pick(k, []string{"dbPassword.yaml", "values-prod.yaml", "config.env", "Dockerfile", "README.md"})
		path := fmt.Sprintf("%s/%d/%s", dir, k.rand.IntN(4), file)
		shown, context := path, pick(k, []string{"", "password = [redacted] # old vault", "export DB_PASSWORD=[redacted]", "the deploy key of the old vault: [redacted]"})
		if k.rand.IntN(4) == 0 { // not known as a value yet
			k.hidden = append(k.hidden, k.text())
			context += " curl -u admin:" + pick(k, k.hidden)
		}
		obs = append(obs, k.seen(source, path, shown, value, context))
	}
	k.scan(source, obs...)
}

func (k *kit) aVersionMoves() {
	k.t.Helper()
	name := pick(k, k.secrets)
	ref := fingerprints.VersionRef{Name: name, Number: 1}
	switch k.rand.IntN(3) {
	case 0:
		v := k.text()
		_, err := k.reg.Rotate(k.ctx, me(), registry.RotateRequest{Name: name, Fields: []registry.Field{{Value: fingerprints.NewValue([]byte(v))}}, Window: 100 * time.Hour})
		k.must(err)
		k.values[name] = v
	case 1:
		_, _ = k.reg.Retire(k.ctx, me(), ref, registry.RetireOptions{NoSuccessor: true})
	case 2:
		_, _ = k.reg.Compromise(k.ctx, me(), ref)
	}
}

// someQuery draws a query, of parts that are joined in every way.
func (k *kit) someQuery(depth int) string {
	if depth > 0 && k.rand.IntN(3) == 0 {
		a, b := k.someQuery(depth-1), k.someQuery(depth-1)
		switch k.rand.IntN(3) {
		case 0:
			return a + " " + b
		case 1:
			return "(" + a + " OR " + b + ")"
		}
		return "-(" + a + ")"
	}
	word := func(f query.Field) string {
		out := string(f) + ":" + pick(k, f.Words())
		if k.rand.IntN(2) == 0 {
			out += "," + pick(k, f.Words())
		}
		return out
	}
	sign := pick(k, []string{"", "", "-"})
	switch k.rand.IntN(4) {
	case 0:
		return sign + word(pick(k, []query.Field{
			query.FieldVerdict, query.FieldSeverity, query.FieldStatus, query.FieldPresence, query.FieldClass, query.FieldKind, query.FieldIs, query.FieldHas, query.FieldNo,
		}))
	case 1:
		return sign + pick(k, []string{
			"owner:payments", "owner:p*", `owner:"platform team"`, "owner:team-b,web", "rule:generic-api-key", "rule:*key", "source:git:*", "source:*shop", "source:dir:/srv/app",
			"secret:billing/*", "secret:*@2", "secret:billing/db-password0", "secret:late/*", "form:raw", "form:b*", "id:" + fmt.Sprintf("%04x", k.rand.IntN(1<<16)),
		})
	case 2:
		return sign + pick(k, []string{
			fmt.Sprintf("age>%dh", k.rand.IntN(500)), fmt.Sprintf("age<%dd", k.rand.IntN(20)), fmt.Sprintf("seen<%dh", k.rand.IntN(300)), fmt.Sprintf("seen>%dd", k.rand.IntN(9)),
			fmt.Sprintf("due<%dd", k.rand.IntN(30)), fmt.Sprintf("due>%dh", k.rand.IntN(300)), "first>2026-03-03", "first:2026-03-02", "last<2026-03-05", "due:2026-03-08",
		})
	}
	return sign + pick(k, []string{
		"deploy", "password", "dbpassword", "dbPassword", `"old vault"`, `"deploy key"`, "vau*", "path:prod", "path:deploy/1", "path:test*", "path:values-prod.yaml", `"vault old"`, "acme", "db-pass*",
		"payments", "redacted", "billing", `"of the old"`, "github.com/acme", "admin",
	})
}

// The index finds what a plain reading of the query finds, whatever happens to the
// registry, also where it is opened anew, read beside its process, or not at all.
func TestAgreesWithThePlainReading(t *testing.T) {
	onBoth(t, func(t *testing.T, s store.Store) {
		k := kitOn(t, s, t.Name())
		x := k.open()
		k.add("billing/db-password0", k.text())
		k.add("payments/api-token", k.text())
		steps := 40
		for step := range steps {
			k.happen()
			if k.rand.IntN(3) > 0 && step < steps-1 {
				continue
			}
			if k.rand.IntN(5) == 0 {
				k.must(x.Close())
				x = k.open()
			}
			k.follow(x)
			facts := k.facts()
			for range 12 {
				k.agree(x, facts, k.someQuery(2))
			}
			if k.rand.IntN(6) == 0 {
				k.besideIt(facts)
			}
			if t.Failed() {
				return
			}
		}
		if st := x.Stats(); st.Documents != int64(len(k.facts())) {
			t.Errorf("the index has %d documents, and the registry %d findings", st.Documents, len(k.facts()))
		}
		var texts []string
		for _, f := range k.facts() {
			texts = append(texts, f.Texts...)
		}
		if !strings.Contains(strings.Join(texts, "\n"), "curl -u admin:[secret late/") {
			t.Error("nothing was redacted: the test shows less than it says")
		}
	})
}

// besideIt reads what another process would.
func (k *kit) besideIt(facts []query.Facts) {
	k.t.Helper()
	y := k.open()
	if y.Mode() != "snapshot" {
		k.t.Fatalf("beside the process that keeps it, the index is read by %s", y.Mode())
	}
	for range 10 {
		k.agree(y, facts, k.someQuery(2))
	}
	k.must(y.Close())
}
