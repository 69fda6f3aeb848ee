package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// What is filled: names as organisations have them, from a seed.

const (
	sources  = 1000
	secrets  = 2000
	written  = 5000 // sightings in one transaction
	beginsAt = 1767225600
)

func words() []string {
	return []string{
		"payments", "billing", "orders", "shipping", "search", "login", "profile", "ledger", "invoice", "catalog", "basket", "stock", "mail", "report", "audit",
		"gateway", "worker", "batch", "stream", "cache", "proxy", "config", "deploy", "chart", "helm", "terraform", "docker", "legacy", "mobile", "admin",
	}
}

func rules() []string {
	return []string{"generic-api-key", "aws-access-token", "github-pat", "private-key", "slack-webhook-url", "stripe-access-token", "jwt", "gcp-api-key"}
}

func of(r *rand.Rand, list []string) string { return list[r.IntN(len(list))] }

func sourceID(i int) string {
	return fmt.Sprintf("git:git.example.org/%s/%s-%d", words()[i%len(words())], words()[i/len(words())%len(words())], i)
}

func secretName(i int) string {
	return fmt.Sprintf("%s/%s-%d", words()[i%len(words())], "db-password", i)
}

// observed is one sighting: of a registered value one time in ten.
func observed(i int, rows []fingerprints.RowID) store.Observed {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(i)))
	r := rand.New(rand.NewPCG(uint64(i), 1))
	v := fingerprints.ValueID(sum[:16])
	o := store.Observed{
		FindingID: fingerprints.FindingID("rv1:" + v.String()), Value: v, PathID: fingerprints.PathID(sum[16:]), SourceID: sourceID(r.IntN(sources)),
		Path:  fmt.Sprintf("%s/%s-%d/src/%s/%sConfig%d.yaml", of(r, words()), of(r, words()), r.IntN(500), of(r, words()), of(r, words()), r.IntN(2000)),
		Owner: "team-" + of(r, words()),
		Sighting: fingerprints.Sighting{
			Start: int64(r.IntN(9000)), Line: 1 + r.IntN(400), Form: fingerprints.FormRaw, Presence: fingerprints.PresenceTip,
			Context: fmt.Sprintf("export %s_%s_TOKEN=[redacted] # %s %s, ticket %d", of(r, words()), of(r, words()), of(r, words()), of(r, words()), r.IntN(100000)),
		},
	}
	o.Sighting.End = o.Sighting.Start + 20
	if r.IntN(3) == 0 {
		o.Sighting.Presence = fingerprints.PresenceHistory
	}
	if r.IntN(10) == 0 {
		n := r.IntN(len(rows))
		o.Rows, o.Value = rows[n:n+1], fingerprints.ValueID(rows[n])
	} else {
		o.Sighting.Rule = rules()[min(r.IntN(16), r.IntN(8), len(rules())-1)]
	}
	return o
}

// fill records findings, and reports how long that took.
func fill(ctx context.Context, s store.Store, findings int) (time.Duration, error) {
	began := time.Now()
	rows := make([]fingerprints.RowID, secrets)
	states := []fingerprints.State{fingerprints.StateActive, fingerprints.StateRetired, fingerprints.StateSuperseded}
	err := s.Update(ctx, func(tx store.Tx) error {
		for i := range sources {
			if err := tx.PutSource(ctx, store.Source{ID: sourceID(i), Kind: fingerprints.KindGit}); err != nil {
				return err
			}
		}
		for i := range rows {
			rows[i] = fingerprints.RowID{1, byte(i >> 8), byte(i)}
			v := fingerprints.Version{ID: fingerprints.VersionID(rows[i]), Secret: secretName(i), Number: 1, State: states[i%len(states)]}
			if err := tx.PutSecret(ctx, fingerprints.Secret{Name: v.Secret, Class: fingerprints.ClassApplication, Owner: "team-" + words()[i%len(words())]}); err != nil {
				return err
			}
			if err := tx.PutVersion(ctx, v); err != nil {
				return err
			}
			if err := tx.PutField(ctx, fingerprints.FieldRow{ID: rows[i], Version: v.ID, Field: "value"}); err != nil {
				return err
			}
		}
		return nil
	})
	for from := 0; from < findings && err == nil; from += written {
		var list []store.Observed
		for i := from; i < min(from+written, findings); i++ {
			list = append(list, observed(i, rows))
		}
		err = s.Update(ctx, func(tx store.Tx) error {
			_, err := tx.Record(ctx, time.Unix(beginsAt+int64(from)*20, 0), list)
			return err
		})
	}
	return time.Since(began), err
}
