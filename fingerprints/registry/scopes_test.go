package registry_test

import (
	"errors"
	"slices"
	"testing"

	"revenant/fingerprints/registry"
)

// scopeOf says which scope each mutation needs; the table of roles follows it.
func scopeOf() map[string]registry.Scope {
	return map[string]registry.Scope{
		"Add": registry.ScopeRegister, "Issue": registry.ScopeRegister, "Import": registry.ScopeRegister, "Adopt": registry.ScopeRegister,
		"Rotate": registry.ScopeRotate, "Supersede": registry.ScopeRotate, "Retire": registry.ScopeRotate, "Compromise": registry.ScopeRotate,
		"Activate": registry.ScopeRotate, "Abandon": registry.ScopeRotate, "Ack": registry.ScopeRotate,
		"Allow": registry.ScopeRotate, "Unallow": registry.ScopeRotate, "Accept": registry.ScopeTriage, "Dismiss": registry.ScopeTriage,
		"Decide": registry.ScopeTriage, "Revoke": registry.ScopeTriage,
		"Assign": registry.ScopeTriage, "SetDue": registry.ScopeTriage, "Note": registry.ScopeTriage, "Reopen": registry.ScopeTriage, "BeginScan": registry.ScopeScan, "Prove": registry.ScopeRead,
		"AddWatch": registry.ScopeAdmin, "KeepWatch": registry.ScopeAdmin, "ChangeWatch": registry.ScopeAdmin, "RemoveWatch": registry.ScopeAdmin,
		"MoveSource": registry.ScopeAdmin, "ForgetSource": registry.ScopeAdmin, "Checkpoint": registry.ScopeAdmin, "RetryDelivery": registry.ScopeAdmin, "AddToken": registry.ScopeAdmin, "RevokeToken": registry.ScopeAdmin, "Rekey": registry.ScopeAdmin,
		"AddPerson": registry.ScopeAdmin, "ChangePerson": registry.ScopeAdmin, "SignOutPerson": registry.ScopeAdmin, "LinkPerson": registry.ScopeAdmin,
	}
}

// Each mutation needs exactly one scope: it is refused to an actor with all
// the others, and done for one who has that alone.
func TestEachMutationNeedsItsScope(t *testing.T) {
	for name, run := range mutations() {
		t.Run(name, func(t *testing.T) {
			need, listed := scopeOf()[name]
			if !listed {
				t.Fatal("say which scope it needs")
			}
			others := slices.DeleteFunc(registry.Scopes(), func(s registry.Scope) bool { return s == need })
			if err := run(fixtures(t), registry.Actor{Name: "other", Scopes: others}); !errors.Is(err, registry.ErrForbidden) {
				t.Errorf("with every scope but %s: %v, want ErrForbidden", need, err)
			}
			if err := run(fixtures(t), registry.Actor{Name: "entitled", Scopes: []registry.Scope{need}}); err != nil {
				t.Errorf("with %s alone: %v", need, err)
			}
		})
	}
}
