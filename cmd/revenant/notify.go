package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"revenant/api/remote"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
)

func (a *app) notifyGroup() *cobra.Command {
	c := &cobra.Command{
		Use: "notify", GroupID: "watch",
		Short: "See what receivers were told, and send again what did not arrive",
		Long: `A server tells receivers what becomes of findings, by the rules of its
configuration: see docs/notifications.md. What did not arrive is tried again for
a day, then kept as undelivered.`,
	}
	return group(c, a.notifyList(), a.notifyRetry())
}

func deliveryStates() []store.DeliveryState {
	return []store.DeliveryState{store.DeliveryWaiting, store.DeliverySent, store.DeliveryGivenUp}
}

func (a *app) notifyList() *cobra.Command {
	var f store.DeliveryFilter
	var state string
	c := &cobra.Command{
		Use: "list", Short: "List messages, the newest first", Example: "  revenant notify list --state undelivered", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if f.State = store.DeliveryState(state); state != "" && !slices.Contains(deliveryStates(), f.State) {
				return usagef("--state is waiting, sent or undelivered")
			}
			if f.Limit < 0 {
				return usagef("--limit is 0 or more")
			}
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
				all, err := s.reg.Deliveries(ctx, s.actor, f)
				if err != nil {
					return err
				}
				if s.remote != nil && len(all) == remote.MostDeliveries && (f.Limit == 0 || f.Limit > len(all)) {
					a.note(fmt.Sprintf("these are the newest %d: a server lists no more of them", len(all)))
				}
				var rows [][]string
				for _, m := range all {
					rows = append(rows, []string{m.ID, m.Receiver, m.State, when(m.CreatedAt), strconv.Itoa(m.Attempts), orDash(m.Problem)})
				}
				switch {
				case a.asJSON:
					return a.printJSON(all)
				case len(all) == 0:
					a.note("there are no such messages")
					return nil
				}
				return a.table([]string{"MESSAGE", "RECEIVER", "STATE", "MADE", "TRIED", "PROBLEM"}, rows)
			})
		},
	}
	c.Flags().StringVar(&f.Receiver, "receiver", "", "of this receiver alone")
	c.Flags().StringVar(&state, "state", "", "waiting, sent or undelivered")
	c.Flags().IntVar(&f.Limit, "limit", 100, "at most so many; 0: all")
	return c
}

func (a *app) notifyRetry() *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use: "retry [MESSAGE]...", Short: "Send messages again that were given up",
		Long:    "Has the server send messages again that did not arrive, for a day from now on.",
		Example: "  revenant notify retry --all",
		RunE: func(c *cobra.Command, ids []string) error {
			if all == (len(ids) > 0) {
				return usagef("name messages, or give --all; 'revenant notify list --state undelivered' shows them")
			}
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
				if all {
					list, err := s.reg.Deliveries(ctx, s.actor, store.DeliveryFilter{State: store.DeliveryGivenUp})
					if err != nil {
						return err
					}
					for _, d := range list {
						ids = append(ids, d.ID)
					}
				}
				for _, id := range ids {
					if err := s.reg.RetryDelivery(ctx, s.actor, id, registry.RetryWithin); err != nil {
						return err
					}
				}
				if a.asJSON {
					return a.printJSON(map[string]int{"retried": len(ids)})
				}
				return writeAll(a.stdout, fmt.Sprintf("%s again\n", plural(len(ids), "message is sent", "messages are sent")))
			})
		},
	}
	c.Flags().BoolVar(&all, "all", false, "all that were given up")
	return c
}
