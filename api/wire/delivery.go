package wire

import "time"

// Delivery is a message to a receiver.
type Delivery struct {
	ID        string     `json:"id"`
	Receiver  string     `json:"receiver"`
	State     string     `json:"state"` // waiting, sent, undelivered
	CreatedAt time.Time  `json:"created_at"`
	Attempts  int        `json:"attempts"`
	NextAt    *time.Time `json:"next_at,omitempty"` // while it waits
	SentAt    *time.Time `json:"sent_at,omitempty"`
	Problem   string     `json:"problem,omitempty"`
}
