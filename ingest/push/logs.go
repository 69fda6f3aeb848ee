package push

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/klauspost/compress/zstd"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/scanners/inflate"
)

// maxWindow bounds the memory of a zstd stream, whatever it asks for.
const maxWindow = 8 << 20

// received is the answer to log text.
type received struct {
	Bytes int64 `json:"bytes"` // after decompression
	Result
}

// log takes the text of a log.
func (h *Handler) log(w http.ResponseWriter, r *http.Request) {
	got, no := h.takeLog(w, r)
	// The server's own deadline may have been meant for short requests.
	_ = http.NewResponseController(w).SetWriteDeadline(after(h.o.Idle))
	if no != nil {
		h.refuse(r.Context(), w, Logs, no)
		return
	}
	h.count(Logs, Accepted)
	answer(w, http.StatusOK, "application/json", got)
}

func (h *Handler) takeLog(w http.ResponseWriter, r *http.Request) (received, *refusal) {
	if _, _, no := h.known(r, sender{provider: Logs, claim: bearer, scheme: `Bearer realm="revenant"`}); no != nil {
		return received{}, no
	}
	l, no := logOf(r)
	if no != nil {
		return received{}, no
	}
	if r.ContentLength > h.o.MaxText {
		return received{}, tooLarge()
	}
	if h.texts.Add(1) > int64(h.o.MaxTexts) {
		h.texts.Add(-1)
		return received{}, busy()
	}
	defer h.texts.Add(-1)
	text, closeText, no := h.open(w, r)
	if no != nil {
		return received{}, no
	}
	defer closeText()
	result, err := h.o.Sink.Text(r.Context(), l, text)
	return received{Bytes: text.n, Result: result}, h.told(r.Context(), text, err)
}

// told is what the sender is told of how it ended. Text that could not be read
// to its end is never an answer of success, whatever the Sink says.
func (h *Handler) told(ctx context.Context, text *textReader, err error) *refusal {
	switch {
	case text.no != nil:
		return text.no
	case errors.Is(err, ErrUnknown):
		return &refusal{status: http.StatusNotFound, outcome: Unknown, detail: "No source is called so."}
	case err != nil:
		h.o.Log.LogAttrs(ctx, slog.LevelError, "log text not taken in", slog.String("provider", string(Logs)))
		return failed()
	}
	return nil
}

// logOf reads what the request says of the log.
func logOf(r *http.Request) (Log, *refusal) {
	source := chi.URLParam(r, "*")
	if r.URL.RawPath != "" { // then it is the path as it was sent
		plain, err := url.PathUnescape(source)
		if err != nil {
			return Log{}, malformed("The path is damaged.")
		}
		source = plain
	}
	kind, _, _ := strings.Cut(source, ":")
	others := []fingerprints.SourceKind{fingerprints.KindGit, fingerprints.KindImage, fingerprints.KindDir, fingerprints.KindKafka}
	if registry.CheckSourceID(source) != nil || slices.Contains(others, fingerprints.SourceKind(kind)) {
		return Log{}, malformed("Name the source in the path, as in /logs/ci:mine:host/project. Repositories, images, folders and topics have no text that is posted.")
	}
	l := Log{Source: source, Run: r.URL.Query().Get("run"), Job: r.URL.Query().Get("job")}
	for _, text := range []string{l.Run, l.Job} {
		if text != "" && !printable(text, maxName) {
			return Log{}, malformed("A run or a job is named in one line.")
		}
	}
	format, ok := formatOf(r.Header)
	if !ok {
		return Log{}, unsupported("Send text/plain or application/x-ndjson.")
	}
	l.Format = format
	return l, nil
}

// formatOf is the format of a content type; of none, text.
func formatOf(h http.Header) (Format, bool) {
	values := h.Values("Content-Type")
	if len(values) == 0 {
		return FormatText, true
	}
	kind, _, err := mime.ParseMediaType(values[0])
	switch {
	case err != nil || len(values) > 1:
		return "", false
	case slices.Contains([]string{"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"}, kind):
		return FormatNDJSON, true
	case strings.HasPrefix(kind, "text/"), kind == "application/octet-stream", kind == "application/json":
		return FormatText, true
	// curl's own where none is said.
	case kind == "application/x-www-form-urlencoded":
		return FormatText, true
	}
	return "", false
}

// open returns the text of a body, decompressed while it is read.
func (h *Handler) open(w http.ResponseWriter, r *http.Request) (*textReader, func(), *refusal) {
	wire := &paced{r: http.MaxBytesReader(w, r.Body, h.o.MaxText), before: func() {
		_ = http.NewResponseController(w).SetReadDeadline(after(h.o.Idle))
	}}
	text := &textReader{r: wire, most: h.o.MaxText}
	encodings := r.Header.Values("Content-Encoding")
	kind := ""
	if len(encodings) == 1 {
		kind = strings.ToLower(strings.TrimSpace(encodings[0]))
	}
	switch {
	case len(encodings) > 1:
		return nil, nil, unsupported("Send it with one Content-Encoding.")
	case kind == "" || kind == "identity":
		return text, func() {}, nil
	case kind == "gzip" || kind == "x-gzip":
		text.r = &unzipped{from: bufio.NewReader(wire)}
		return text, func() {}, nil
	case kind == "zstd":
		z, err := zstd.NewReader(wire, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, nil, unsupported("Send it as gzip, as zstd or as it is.")
		}
		text.r = z
		return text, z.Close, nil
	}
	return nil, nil, unsupported("Send it as gzip, as zstd or as it is.")
}

// paced gives each read of a connection its own time.
type paced struct {
	r      io.Reader
	before func()
}

func (p *paced) Read(b []byte) (int, error) {
	p.before()
	return p.r.Read(b)
}

// unzipped reads the members of gzip. The first one's head is read with the first
// bytes, so that a sender that waits does not hold the Sink up before it was called.
type unzipped struct {
	from   *bufio.Reader
	z      inflate.Gzip
	inside bool // a member
	some   bool
}

func (u *unzipped) Read(b []byte) (int, error) {
	for {
		if !u.inside {
			if err := u.z.Reset(u.from); err != nil {
				if errors.Is(err, io.EOF) && !u.some {
					err = io.ErrUnexpectedEOF // an empty body is no gzip
				}
				return 0, err
			}
			u.inside, u.some = true, true
		}
		n, err := u.z.Read(b)
		if errors.Is(err, io.EOF) {
			u.inside, err = false, nil
		}
		if n > 0 || err != nil || len(b) == 0 {
			return n, err
		}
	}
}

// errText is what the Sink sees of text that does not come to its end.
var errText = errors.New("the text did not come to its end")

// textReader bounds text, and keeps why it ended early.
type textReader struct {
	r    io.Reader
	most int64
	n    int64
	no   *refusal
}

// Read implements io.Reader. Its errors hold nothing of the text.
func (t *textReader) Read(b []byte) (int, error) {
	if t.no != nil {
		return 0, errText
	}
	if len(b) == 0 {
		return 0, nil
	}
	n, err := t.r.Read(b[:min(int64(len(b)), t.most-t.n+1)])
	t.n += int64(n)
	switch {
	case t.n > t.most:
		n -= int(t.n - t.most)
		t.n = t.most
		t.no = tooLarge()
	case err == nil:
		return n, nil
	case errors.Is(err, io.EOF):
		return n, io.EOF
	default:
		t.no = cut(err)
	}
	return n, fmt.Errorf("%w: %s", errText, t.no.outcome)
}

// cut says why text ended early.
func cut(err error) *refusal {
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		return tooLarge()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return slow()
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return unsupported("zstd with a window of at most 8 MiB is taken.")
	}
	return malformed("The text broke off, or is not what its Content-Encoding says.")
}
