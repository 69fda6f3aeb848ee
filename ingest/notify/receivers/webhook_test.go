package receivers_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/api/wire"
	"revenant/ingest/notify"
	"revenant/ingest/notify/receivers"
)

// verified checks a request as a receiver that knows nothing but the
// specification of Standard Webhooks would, and returns its body.
func verified(t testing.TB, r *http.Request, key string) []byte {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(key, "whsec"+"_"))
	if err != nil {
		t.Error(err)
	}
	mac := hmac.New(sha256.New, raw)
	mac.Write([]byte(strings.Join([]string{r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp"), string(body)}, ".")))
	matches := false
	for _, s := range strings.Fields(r.Header.Get("webhook-signature")) {
		version, sum, _ := strings.Cut(s, ",")
		got, err := base64.StdEncoding.DecodeString(sum)
		matches = matches || err == nil && version == "v1" && hmac.Equal(got, mac.Sum(nil))
	}
	if !matches {
		return nil
	}
	return body
}

func webhookTo(t testing.TB, url string, d receivers.Deps) notify.Sender {
	t.Helper()
	return sender(t, notify.Receiver{Webhook: &notify.Webhook{URL: url, Secret: ref(t, "env:KEY")}}, d)
}

func TestWebhook(t *testing.T) {
	var got []wire.Notification
	server := secure(t, func(w http.ResponseWriter, r *http.Request) {
		body := verified(t, r, signing)
		if verified(t, r, signing[:len(signing)-4]+"AAAA") != nil {
			t.Error("another key verifies it too")
		}
		var n wire.Notification
		if err := json.Unmarshal(body, &n); err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s of %s: %v", r.Method, r.Header.Get("Content-Type"), err)
		}
		if r.Header.Get("webhook-id") != n.ID || r.Header.Get("webhook-timestamp") != "1772366400" {
			t.Errorf("headers %v", r.Header)
		}
		got = append(got, n)
		w.WriteHeader(http.StatusNoContent)
	})
	m := message("msg_a", event(wire.EventOpened, "a.env"), event(wire.EventChanged, hostile))
	s := webhookTo(t, server.URL+"/secret-path", deps(map[string]string{"KEY": signing}, server))
	for range 2 {
		if err := s.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff([]wire.Notification{m.Notification, m.Notification}, got); d != "" {
		t.Error(d)
	}
}

func TestWebhookAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		answer  http.HandlerFunc
		refused bool
		after   time.Duration
		words   string
	}{
		"500":        {status(500, nil), false, 0, "500"},
		"400":        {status(400, nil), true, 0, "400"},
		"401":        {status(401, nil), false, 0, "401"},
		"410":        {status(410, nil), true, 0, "410"},
		"redirect":   {status(302, http.Header{"Location": {"https://example.org/secret-path"}}), false, 0, "not followed"},
		"429":        {status(429, http.Header{"Retry-After": {"120"}}), false, 2 * time.Minute, "429"},
		"429 date":   {status(429, http.Header{"Date": {"Sun, 01 Mar 2026 10:00:00 GMT"}, "Retry-After": {"Sun, 01 Mar 2026 10:05:00 GMT"}}), false, 5 * time.Minute, "429"},
		"503":        {status(503, http.Header{"Retry-After": {"30"}}), false, 30 * time.Second, "503"},
		"cut":        {func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }, false, 0, "broke"},
		"slow":       {func(_ http.ResponseWriter, r *http.Request) { _, _ = io.ReadAll(r.Body); <-r.Context().Done() }, false, 0, "in time"},
		"echo":       {echo, false, 0, "500"},
		"used up":    {status(403, http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"1772366460"}, "Date": {"Sun, 01 Mar 2026 12:00:00 GMT"}}), false, 61 * time.Second, "403"},
		"long ahead": {status(429, http.Header{"Retry-After": {"1e300"}}), false, 365 * 24 * time.Hour, "429"},
	} {
		t.Run(name, func(t *testing.T) {
			server := secure(t, c.answer)
			s := webhookTo(t, server.URL+"/secret-path", deps(map[string]string{"KEY": signing}, server))
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			if name == "slow" {
				ctx, cancel = context.WithTimeout(t.Context(), 200*time.Millisecond)
			}
			defer cancel()
			err := s.Send(ctx, message("msg_a", event(wire.EventOpened, "a.env")))
			var e *notify.SendError
			if !errors.As(err, &e) || e.Refused != c.refused || e.After != c.after || !strings.Contains(e.Words, c.words) {
				t.Errorf("got %+v (%v)", e, err)
			}
			secretless(t, err, "msg_a", "a.env")
		})
	}
}

func status(code int, h http.Header) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		for k, v := range h {
			w.Header()[k] = v
		}
		w.WriteHeader(code)
	}
}

// echo answers with everything that it was told.
func echo(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusInternalServerError)
	_ = r.Write(w)
}

func TestWebhookUnreachable(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	untrusted := secure(t, status(200, nil))
	for name, c := range map[string]struct {
		url, key, words string
	}{
		"nobody there":      {closed.URL, signing, "reached"},
		"untrusted":         {untrusted.URL, signing, "certificate"},
		"no key":            {untrusted.URL, "", "empty"},
		"a short key":       {untrusted.URL, "short" + token, "shorter"},
		"a key of no bytes": {untrusted.URL, "whsec" + "_%%%", "base64"},
	} {
		t.Run(name, func(t *testing.T) {
			err := webhookTo(t, c.url, deps(map[string]string{"KEY": c.key}, nil)).Send(t.Context(), message("msg_a"))
			var e *notify.SendError
			if !errors.As(err, &e) || e.Refused || !strings.Contains(e.Words, c.words) {
				t.Errorf("got %v", err)
			}
			secretless(t, err)
		})
	}
	from := notify.Receiver{Webhook: &notify.Webhook{URLFrom: ref(t, "env:URL"), Secret: ref(t, "env:KEY")}}
	for _, url := range []string{"ftp://" + token + ".example", "://" + token, "https://\x7f" + token, token} {
		err := sender(t, from, deps(map[string]string{"KEY": signing, "URL": url}, nil)).Send(t.Context(), message("msg_a"))
		if err == nil {
			t.Errorf("%q is an address", url)
		}
		secretless(t, err)
	}
}
