package receivers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"revenant/api/wire"
	"revenant/ingest/credential"
	"revenant/ingest/notify"
	"revenant/scanners/kafka"
)

// topic writes records to a topic of Kafka, and returns when all replicas in sync have
// them. It makes no topic.
type topic struct {
	name   string
	config func(context.Context) (kafka.Config, error)
}

// NewTopic is a sender of records to a topic; config is asked for each message.
func NewTopic(name string, config func(context.Context) (kafka.Config, error)) notify.Sender {
	return &topic{name, config}
}

// TopicConfig says how brokers are reached, with what opens them fetched now.
func TopicConfig(ctx context.Context, k notify.Kafka, credentials credential.Resolver) (kafka.Config, error) {
	out := kafka.Config{Brokers: k.Brokers, ClientID: "revenant"}
	if k.TLS {
		var text [3][]byte
		for i, name := range []string{k.CAFile, k.CertFile, k.KeyFile} {
			if name == "" {
				continue
			}
			var err error
			if text[i], err = os.ReadFile(name); err != nil {
				return out, &notify.SendError{Words: "ca_file, cert_file or key_file cannot be read"}
			}
		}
		var err error
		if out.TLS, err = kafka.Encryption(text[0], text[1], text[2]); err != nil {
			return out, &notify.SendError{Words: "ca_file, cert_file or key_file: " + err.Error()}
		}
	}
	if k.SASL == "" {
		return out, nil
	}
	v, err := credentials.Resolve(ctx, k.Login)
	if err != nil {
		return out, &notify.SendError{Words: err.Error()}
	}
	user, password, _ := strings.Cut(string(v.Reveal()), ":")
	if out.SASL, err = kafka.Mechanism(k.SASL, user, password); err != nil {
		return out, &notify.SendError{Words: err.Error()}
	}
	return out, nil
}

// produceTimeout bounds one request; a message may take several.
const produceTimeout = 10 * time.Second

// Send implements notify.Sender. Where a part of a message did not arrive, all of it is
// sent again, with the same ids.
func (t *topic) Send(ctx context.Context, m notify.Message) error {
	list, err := recordsOf(m.Records)
	if err != nil || len(list) == 0 {
		return err
	}
	cfg, err := t.config(ctx)
	if err != nil {
		return err
	}
	transport := &kafkago.Transport{ClientID: cfg.ClientID, TLS: cfg.TLS, SASL: cfg.SASL, DialTimeout: produceTimeout}
	defer transport.CloseIdleConnections()
	w := &kafkago.Writer{
		Addr: kafkago.TCP(cfg.Brokers...), Topic: t.name, Transport: transport, RequiredAcks: kafkago.RequireAll, Compression: kafkago.Lz4,
		Balancer:     kafkago.Murmur2Balancer{Consistent: true}, // as the Java client: all of a finding in one partition
		BatchTimeout: time.Millisecond, ReadTimeout: produceTimeout, WriteTimeout: produceTimeout, MaxAttempts: 1,
	}
	err = w.WriteMessages(ctx, list...)
	if closeErr := w.Close(); err == nil {
		err = closeErr
	}
	return topicError(err)
}

func recordsOf(events []wire.FindingEvent) ([]kafkago.Message, error) {
	list := make([]kafkago.Message, len(events))
	for i, e := range events {
		body, err := json.Marshal(e)
		if err != nil {
			return nil, fmt.Errorf("encoding an event: %w", err)
		}
		list[i] = kafkago.Message{Key: []byte(e.Key()), Value: body, Time: e.At}
	}
	return list, nil
}

// topicError says why a message was not taken, without what was sent.
func topicError(err error) error {
	var each kafkago.WriteErrors
	if errors.As(err, &each) {
		for _, e := range each {
			if e != nil {
				err = e
				break
			}
		}
	}
	if err == nil {
		return nil
	}
	return &notify.SendError{Words: kafka.Words(err).Error()}
}
