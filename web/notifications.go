package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"revenant/api/wire"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
)

func (s *server) notificationRoutes() []route {
	const one = "/notifications/{id}"
	return []route{
		{path: "/notifications", scope: registry.ScopeRead, do: s.notifications},
		{path: one, scope: registry.ScopeRead, do: s.notification},
		{method: http.MethodPost, path: one + "/retry", scope: registry.ScopeAdmin, do: s.retry},
	}
}

// deliveryStates are the states of messages, those that need somebody first.
func deliveryStates() []store.DeliveryState {
	return []store.DeliveryState{store.DeliveryGivenUp, store.DeliveryWaiting, store.DeliverySent}
}

// notificationList is a page of messages, with what will be told next.
type notificationList struct {
	Receiver, State string

	Refused bool
	States  []store.DeliveryState
	Waiting []wire.Waiting
	Rows    []wire.Delivery
	Next    string
	First   string
}

func (s *server) notifications(r *http.Request, a registry.Actor) (page, error) {
	p, in := page{name: "notifications", title: "Notifications", nav: "notifications"}, r.URL.Query()
	d := notificationList{Receiver: in.Get("receiver"), State: in.Get("state"), States: deliveryStates()}
	if refused, err := s.refuses(r, &p, d.Receiver, in.Get("after")); refused || err != nil {
		p.data = notificationList{Refused: true}
		return p, err
	}
	if !slices.Contains(d.States, store.DeliveryState(d.State)) {
		d.State = ""
	}
	var err error
	if d.Waiting, err = s.o.Registry.Waiting(r.Context(), a); err != nil {
		return p, err
	}
	d.Rows, err = s.o.Registry.Deliveries(r.Context(), a, store.DeliveryFilter{Receiver: d.Receiver, State: store.DeliveryState(d.State), Behind: in.Get("after"), Limit: pageSize + 1})
	if err != nil {
		return p, err
	}
	kept := url.Values{}
	for key, value := range map[string]string{"receiver": d.Receiver, "state": d.State} {
		if value != "" {
			kept.Set(key, value)
		}
	}
	if in.Get("after") != "" {
		d.First = strings.TrimSuffix("/notifications?"+kept.Encode(), "?")
	}
	if len(d.Rows) > pageSize {
		d.Rows = d.Rows[:pageSize]
		kept.Set("after", d.Rows[pageSize-1].ID)
		d.Next = "/notifications?" + kept.Encode()
	}
	p.data = d
	return p, nil
}

// notificationPage is a message with what it tells.
type notificationPage struct{ wire.DeliveryDetail }

// Hidden is how many of its notices are not shown.
func (n notificationPage) Hidden() int { return n.Total - len(n.Notices) }

func (s *server) notification(r *http.Request, a registry.Actor) (page, error) {
	d, err := s.o.Registry.Delivery(r.Context(), a, param(r, "id"))
	return page{name: "notification", title: "Message to " + d.Receiver, nav: "notifications", data: notificationPage{d}}, err
}

// retry has a message sent again that was given up.
func (s *server) retry(r *http.Request, a registry.Actor) (page, error) {
	id := param(r, "id")
	if err := s.o.Registry.RetryDelivery(r.Context(), a, id, registry.RetryWithin); err != nil {
		return page{}, err
	}
	return done(at("notifications", id), "again")
}
