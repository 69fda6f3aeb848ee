package receivers

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"revenant/ingest/notify"
)

// webhook sends revenant.notification/v1 as the specification of Standard
// Webhooks says: webhook-signature is "v1," and the base64 of HMAC-SHA-256 over
// id, ".", the seconds since 1970, ".", and the body.
type webhook struct {
	config notify.Webhook
	client client
}

const (
	keyPrefix = "whsec_"
	minKey    = 24
)

func (w *webhook) Send(ctx context.Context, m notify.Message) error {
	address := w.config.URL
	if address == "" {
		from, err := w.client.secret(ctx, w.config.URLFrom)
		if err != nil {
			return err
		}
		address = string(from)
	}
	text, err := w.client.secret(ctx, w.config.Secret)
	if err != nil {
		return err
	}
	key, err := signingKey(text)
	if err != nil {
		return err
	}
	body, err := json.Marshal(m.Notification)
	if err != nil {
		return fmt.Errorf("encoding a notification: %w", err)
	}
	req, err := request(ctx, http.MethodPost, address, body)
	if err != nil {
		return err
	}
	at := strconv.FormatInt(w.client.now().Unix(), 10)
	req.Header.Set("webhook-id", m.ID)
	req.Header.Set("webhook-timestamp", at)
	req.Header.Set("webhook-signature", sign(key, m.ID, at, body))
	return w.client.tell(req)
}

// signingKey reads a key; the error holds nothing of it.
func signingKey(text []byte) ([]byte, error) {
	key := text
	if rest, is := bytes.CutPrefix(text, []byte(keyPrefix)); is {
		var err error
		if key, err = base64.StdEncoding.DecodeString(string(rest)); err != nil {
			return nil, &notify.SendError{Words: "the signing key has whsec_ before it, and what follows is not base64"}
		}
	}
	if len(key) < minKey {
		return nil, &notify.SendError{Words: fmt.Sprintf("the signing key is shorter than %d bytes", minKey)}
	}
	return key, nil
}

func sign(key []byte, id, at string, body []byte) string {
	h := hmac.New(sha256.New, key)
	fmt.Fprintf(h, "%s.%s.", id, at)
	h.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(h.Sum(nil))
}
