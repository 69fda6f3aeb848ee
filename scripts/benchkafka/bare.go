package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"revenant/scanners/kafka"
)

// bare reads a topic and does nothing with it.
func bare(ctx context.Context, how, addr, topic string, o options) error {
	n, err := int64(0), error(nil)
	switch how {
	case "kafka-go":
		n, err = readBare(ctx, addr, topic, o)
	case "fetch":
		n, err = fetchBare(ctx, addr, topic)
	default:
		return errors.New("-read is kafka-go or fetch")
	}
	if err == nil && n != int64(o.messages) {
		err = fmt.Errorf("%d messages were read of %d", n, o.messages)
	}
	return err
}

// readBare is the loop that kafka-go's users write, over one partition after another.
func readBare(ctx context.Context, addr, topic string, o options) (n int64, err error) {
	for part := range o.parts {
		conn, err := kafkago.DialLeader(ctx, "tcp", addr, topic, part)
		if err != nil {
			return n, err
		}
		end, err := conn.ReadLastOffset()
		if err = errors.Join(err, conn.Close()); err != nil {
			return n, err
		}
		r := kafkago.NewReader(kafkago.ReaderConfig{
			Brokers: []string{addr}, Topic: topic, Partition: part, MinBytes: 1, MaxBytes: 2 << 20, MaxWait: 500 * time.Millisecond, QueueCapacity: 1000,
		})
		for next := int64(0); next < end; n++ {
			m, err := r.FetchMessage(ctx)
			if err != nil {
				return n, errors.Join(err, r.Close())
			}
			next = m.Offset + 1
		}
		if err := r.Close(); err != nil {
			return n, err
		}
	}
	return n, nil
}

// nothing looks at no message.
type nothing struct{}

func (nothing) Texts(context.Context, [][]byte, func(int)) {}

// fetchBare is our own reading with nobody who looks.
func fetchBare(ctx context.Context, addr, topic string) (n int64, err error) {
	r, err := kafka.Open(ctx, kafka.Options{
		Config: kafka.Config{Brokers: []string{addr}}, Topics: []string{topic}, Screen: nothing{}, Now: time.Now,
	})
	if err != nil {
		return 0, err
	}
	src := r.Source()
	for {
		b, err := src.Next(ctx)
		n += b.Read.Items
		if errors.Is(err, io.EOF) {
			return n, src.Close()
		}
		if err != nil {
			return n, errors.Join(err, src.Close())
		}
	}
}
