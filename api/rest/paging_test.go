package rest_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
)

// TestListsOfFewAreInPages: people, tokens and decisions come in pages of any length,
// each once and in one order, tokens that share a name among them.
func TestListsOfFewAreInPages(t *testing.T) {
	k := newKit(t)
	ctx := t.Context()
	for i := range 7 {
		_, err := k.reg.AddPerson(ctx, me(), registry.PersonRequest{Name: fmt.Sprintf("p%d@example.org", i), Roles: []registry.Role{registry.RoleViewer}})
		k.ok(err)
		_, _, err = k.reg.AddToken(ctx, me(), registry.TokenRequest{Name: "ci", Scopes: []registry.Scope{registry.ScopeRead}})
		k.ok(err)
		_, err = k.reg.RevokeToken(ctx, me(), "ci")
		k.ok(err)
		_, err = k.reg.Decide(ctx, me(), registry.DecisionRequest{Rule: fmt.Sprintf("rule-%d", i), Path: "x/**", Status: fingerprints.StatusFalsePositive, Reason: "test"})
		k.ok(err)
	}
	for _, list := range []string{"people", "tokens", "decisions"} {
		read := func(limit int) (ids []any) {
			t.Helper()
			after := ""
			for range 20 {
				var page map[string]any
				k.must(200, "GET", fmt.Sprintf("/api/v1/%s?limit=%d&after=%s", list, limit, url.QueryEscape(after)), nil, &page)
				for _, row := range page[list].([]any) {
					ids = append(ids, row.(map[string]any)["id"])
				}
				next, more := page["next"].(string)
				if !more {
					return ids
				}
				after = next
			}
			t.Fatalf("%s have no end", list)
			return nil
		}
		all := read(1000)
		if len(all) < 7 {
			t.Errorf("%s: %v", list, all)
		}
		for _, limit := range []int{1, 2, 3, len(all)} {
			if diff := cmp.Diff(all, read(limit)); diff != "" {
				t.Errorf("%s by %d (-want +got):\n%s", list, limit, diff)
			}
		}
	}
	k.must(422, "GET", "/api/v1/decisions?after=x", nil, nil)
	k.must(422, "GET", "/api/v1/tokens?after=x", nil, nil)
	k.must(422, "GET", "/api/v1/notifications?after=x", nil, nil)
	for _, bad := range []string{"garbage", "rv1:", "rv1:" + strings.Repeat("0", 31), "rv1:" + strings.Repeat("0", 33), "rv:" + strings.Repeat("0", 32), "rv1:" + strings.Repeat("g", 32), "RV1:" + strings.Repeat("0", 32)} {
		k.must(422, "GET", "/api/v1/findings?after="+url.QueryEscape(bad), nil, nil)
	}
	k.must(200, "GET", "/api/v1/findings?after=rv1:"+strings.Repeat("0", 32), nil, nil)
}
