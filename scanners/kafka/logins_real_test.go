package kafka_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"

	"revenant/scanners/kafka"
	"revenant/scanners/kafka/kafkatest"
)

// TestRealLogins: logins in clear and over TLS, rights that are lost and come back.
func TestRealLogins(t *testing.T) {
	t.Parallel()
	password := fmt.Sprintf("pw%dx", time.Now().UnixNano())
	ours := kafkatest.NewAuthority(t)
	b := secureBroker(t, ours, password)
	t.Run("in clear", func(t *testing.T) { loginsInClear(t, b, password) })
	t.Run("TLS", func(t *testing.T) { overTLS(t, b, ours, password) })
}

// loginsInClear: logins without encryption, and one that loses its rights.
func loginsInClear(t *testing.T, b *kafkatest.Broker, password string) {
	b.Create("open", 1)
	b.Create("closed", 1)
	for _, topic := range []string{"open", "closed"} {
		send(t, b, topic, 1, numbered(topic, 0, 5))
	}
	digest, err := scram.Mechanism(scram.SHA512, "scanner", password)
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := scram.Mechanism(scram.SHA512, "scanner", password+"x")
	if err != nil {
		t.Fatal(err)
	}
	o := options(fmt.Sprintf("127.0.0.1:%d", b.Ports[3]), nil)
	o.SASL = wrong
	if _, err := kafka.Open(t.Context(), o); !errors.Is(err, kafka.ErrDenied) || strings.Contains(err.Error(), password) {
		t.Errorf("a wrong password: %v", err)
	}
	o.SASL = digest
	if _, err := kafka.Open(t.Context(), o); !errors.Is(err, kafka.ErrNoTopic) {
		t.Errorf("nothing is allowed: %v", err)
	}
	allowRead(t, b, "scanner")
	allowRead(t, b, "plain")
	for name, c := range map[string]kafka.Config{"scram": {SASL: digest}, "plain": {SASL: plain.Mechanism{Username: "plain", Password: password}}} {
		o.SASL = c.SASL
		if got := once(t, o, nil); len(got.items) != 5 || len(got.skips) > 0 {
			t.Errorf("%s: %d items, %v", name, len(got.items), got.skips)
		}
	}
	o.SASL = plain.Mechanism{Username: "plain", Password: password}
	o.Topics = []string{"closed"}
	if _, err := kafka.Open(t.Context(), o); !errors.Is(err, kafka.ErrNoTopic) {
		t.Errorf("a topic that is not allowed: %v", err)
	}
	t.Run("lost", func(t *testing.T) { losesRights(t, b, o, "plain") })
}

// secureBroker has a port for mutual TLS, one for logins over TLS, one where it shows a
// certificate that is expired, and one for logins in clear.
func secureBroker(t *testing.T, ours *kafkatest.Authority, password string) *kafkatest.Broker {
	t.Helper()
	dir := t.TempDir()
	authority, pair, old := filepath.Join(dir, "authority.pem"), filepath.Join(dir, "broker.pem"), filepath.Join(dir, "old.pem")
	ours.Write(authority)
	ours.WriteKeyPair(pair, pair, ours.Issue("broker", time.Now().Add(time.Hour)))
	ours.WriteKeyPair(old, old, ours.Issue("broker", time.Now().Add(-time.Hour)))
	return kafkatest.Start(t, kafkatest.Options{
		Scram: "SCRAM-SHA-512=[name=scanner,password=" + password + "]",
		Settings: func(port int, free []int) string {
			return fmt.Sprintf(`
listeners=PLAINTEXT://127.0.0.1:%[1]d,CONTROLLER://127.0.0.1:%[2]d,SSL://127.0.0.1:%[3]d,SASL_SSL://127.0.0.1:%[4]d,OLD://127.0.0.1:%[5]d,SASL_PLAINTEXT://127.0.0.1:%[10]d
advertised.listeners=PLAINTEXT://127.0.0.1:%[1]d,SSL://127.0.0.1:%[3]d,SASL_SSL://127.0.0.1:%[4]d,OLD://127.0.0.1:%[5]d,SASL_PLAINTEXT://127.0.0.1:%[10]d
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL,OLD:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT
ssl.keystore.type=PEM
ssl.keystore.location=%[6]s
ssl.truststore.type=PEM
ssl.truststore.location=%[7]s
listener.name.ssl.ssl.client.auth=required
listener.name.old.ssl.keystore.type=PEM
listener.name.old.ssl.keystore.location=%[8]s
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_plain="%[9]s";
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_plaintext.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_plain="%[9]s";
listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:CN=scanner
`, port, port+1, free[0], free[1], free[2], pair, authority, old, password, free[3])
		},
	})
}

// overTLS: encrypted connections, certificates of clients and logins over TLS; what is
// wrong with them is told in words that say the way out, and repeat nothing.
func overTLS(t *testing.T, b *kafkatest.Broker, ours *kafkatest.Authority, password string) {
	theirs := kafkatest.NewAuthority(t)
	b.Create("secure", 2)
	send(t, b, "secure", 2, numbered("v", 0, 50))
	allow(t, b, "*", kafkago.ResourceTypeTopic, "secure")
	allow(t, b, "*", kafkago.ResourceTypeGroup, "secure")
	mutual, logins, old := b.Ports[0], b.Ports[1], b.Ports[2]
	trusting := func(certs ...tls.Certificate) *tls.Config {
		return &tls.Config{RootCAs: ours.Pool(), Certificates: certs, MinVersion: tls.VersionTLS12}
	}
	digest := func(password string) sasl.Mechanism {
		m, err := scram.Mechanism(scram.SHA512, "scanner", password)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	good := ours.Issue("scanner", time.Now().Add(time.Hour))
	for name, c := range map[string]struct {
		host string
		port int
		tls  *tls.Config
		sasl sasl.Mechanism
		err  error
		says string
	}{
		"mutual":                     {port: mutual, tls: trusting(good)},
		"scram":                      {port: logins, tls: trusting(), sasl: digest(password)},
		"plain":                      {port: logins, tls: trusting(), sasl: plain.Mechanism{Username: "plain", Password: password}},
		"not encrypted":              {port: logins, err: kafka.ErrUnreachable, says: "TLS"},
		"unknown authority":          {port: logins, tls: &tls.Config{RootCAs: theirs.Pool()}, sasl: digest(password), err: kafka.ErrUnreachable, says: "authority"},
		"another name":               {host: "localhost", port: logins, tls: trusting(), sasl: digest(password), err: kafka.ErrUnreachable, says: "another name"},
		"expired":                    {port: old, tls: trusting(), err: kafka.ErrUnreachable, says: "expired"},
		"no certificate":             {port: mutual, tls: trusting(), err: kafka.ErrDenied, says: "certificate"},
		"a certificate of others":    {port: mutual, tls: trusting(theirs.Issue("scanner", time.Now().Add(time.Hour))), err: kafka.ErrDenied, says: "certificate"},
		"a certificate that expired": {port: mutual, tls: trusting(ours.Issue("scanner", time.Now().Add(-time.Hour))), err: kafka.ErrDenied, says: "expired"},
		"wrong password":             {port: logins, tls: trusting(), sasl: digest(password + "x"), err: kafka.ErrDenied, says: "Authentication"},
		"wrong password, plain":      {port: logins, tls: trusting(), sasl: plain.Mechanism{Username: "plain", Password: password + "x"}, err: kafka.ErrDenied, says: "Authentication"},
		"no login":                   {port: logins, tls: trusting(), err: kafka.ErrUnreachable, says: "closes"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.host == "" {
				c.host = "127.0.0.1"
			}
			o := options(fmt.Sprintf("%s:%d", c.host, c.port), nil)
			o.Topics, o.TLS, o.SASL = []string{"secure"}, c.tls, c.sasl
			if c.err == nil {
				if got := once(t, o, nil); len(got.items) != 50 || len(got.skips) > 0 {
					t.Errorf("%d items, %v", len(got.items), got.skips)
				}
				return
			}
			_, err := kafka.Open(t.Context(), o)
			if !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), password) {
				t.Errorf("%v, want %v that says %q", err, c.err, c.says)
			}
		})
	}
	t.Run("in a group", func(t *testing.T) {
		m := &memory{}
		o := options(fmt.Sprintf("127.0.0.1:%d", logins), m)
		o.Topics, o.TLS, o.SASL, o.Group = []string{"secure"}, trusting(), digest(password), "secure"
		follow(t, o, m).sees(numbered("v", 0, 50)...)
	})
}

// losesRights: rights that are lost while a topic is read, and come back. What is
// not readable is told; nothing of it counts as deleted, is lost or comes twice.
func losesRights(t *testing.T, b *kafkatest.Broker, o kafka.Options, user string) {
	o.Topics, o.Refresh = []string{"open"}, 200*time.Millisecond
	m := &memory{}
	o.Load = m.load
	f := follow(t, o, m)
	f.sees(numbered("open", 0, 5)...)
	deny := kafkago.DeleteACLsFilter{
		ResourceTypeFilter: kafkago.ResourceTypeTopic, ResourceNameFilter: "open", ResourcePatternTypeFilter: kafkago.PatternTypeLiteral,
		PrincipalFilter: "User:" + user, HostFilter: "*", Operation: kafkago.ACLOperationTypeRead, PermissionType: kafkago.ACLPermissionTypeAllow,
	}
	if _, err := b.Client().DeleteACLs(t.Context(), &kafkago.DeleteACLsRequest{Filters: []kafkago.DeleteACLsFilter{deny}}); err != nil {
		t.Fatal(err)
	}
	lag := func(want string) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); ; <-time.After(20 * time.Millisecond) {
			l := f.r.Lag()["open"]
			if want == "" && l.Failing == 0 || want != "" && l.Failing == 1 && strings.Contains(l.Problem, want) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("lag %+v, want %q", l, want)
			}
		}
	}
	lag("refuses")
	send(t, b, "open", 1, numbered("while denied", 0, 5))
	<-time.After(3 * goneTwice) // longer than a topic that was deleted needs to be noticed
	if source := f.r.SourceID("open"); f.r.Gone(source) {
		t.Error("a topic that may not be seen counts as deleted")
	}
	allowRead(t, b, user)
	f.sees(numbered("while denied", 0, 5)...)
	lag("")
	for v, n := range f.values {
		if n != 1 {
			t.Errorf("%q came %d times", v, n)
		}
	}
}

// goneTwice is how far apart brokers are asked for a topic that is not there.
const goneTwice = time.Second

// allowRead lets a user read the topic that is open.
func allowRead(t *testing.T, b *kafkatest.Broker, user string) {
	t.Helper()
	allow(t, b, user, kafkago.ResourceTypeTopic, "open")
}

// allow lets a user read a topic or a group.
func allow(t *testing.T, b *kafkatest.Broker, user string, kind kafkago.ResourceType, name string) {
	t.Helper()
	_, err := b.Client().CreateACLs(t.Context(), &kafkago.CreateACLsRequest{ACLs: []kafkago.ACLEntry{{
		ResourceType: kind, ResourceName: name, ResourcePatternType: kafkago.PatternTypeLiteral,
		Principal: "User:" + user, Host: "*", Operation: kafkago.ACLOperationTypeRead, PermissionType: kafkago.ACLPermissionTypeAllow,
	}}})
	if err != nil {
		t.Fatal(err)
	}
}
