// Package config reads the configuration: one TOML file, of which three lines
// suffice. Every key has a default and is explained by the comment above its
// field; docs/config.md and the sentences that [Keys] gives are generated from
// these comments. A Config has no owner: it is read once at start, then passed
// by value or read only.
package config

//go:generate go run ../tools/gen/config -root ..

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"
)

// Config is the whole configuration. The toml tag of a field is its key; keys
// of a nested struct stand in the table of that name. The tags least, most and
// oneof say what [Config.Validate] accepts.
type Config struct {
	// The domain whose accounts live here.
	Domain string `toml:"domain"`
	// More domains whose accounts live here.
	Domains []string `toml:"domains"`
	// Where the TLS certificate comes from: "self" makes one, "files:CERT,KEY" reads two PEM files, "off" uses none.
	TLS string `toml:"tls"`
	// The folder of the database, the keys and the control socket; relative to the working directory, and made if it is missing.
	Data string `toml:"data"`
	// The addresses served, as URLs; "msnp-dispatch://", "msnp-notification://" and "msnp-switchboard://" are one role each, "msnp://" all three; "passport://" is HTTPS where MSN Messenger from 5.0 on logs in, "msnp-http://" HTTP for clients behind a proxy; "xmpp://" is XMPP that goes over to TLS inside, "xmpps://" XMPP over TLS from the first byte; "ssp://" is HTTP and "ssps://" HTTPS for other domains; "http://" metrics and health; "?advertise=HOST:PORT" is what clients are told.
	Listen []string `toml:"listen"`

	Log        Log        `toml:"log"`
	Limits     Limits     `toml:"limits"`
	MSNP       MSNP       `toml:"msnp"`
	XMPP       XMPP       `toml:"xmpp"`
	SSP        SSP        `toml:"ssp"`
	Credential Credential `toml:"credential"`
	Offline    Offline    `toml:"offline"`
	Removal    Removal    `toml:"removal"`
	Shutdown   Shutdown   `toml:"shutdown"`
	Metrics    Metrics    `toml:"metrics"`
}

// Log is the table [log].
type Log struct {
	// The least level that is logged.
	Level string `toml:"level" oneof:"debug info warn error"`
	// How a log line is written.
	Format string `toml:"format" oneof:"text json"`
}

// Limits is the table [limits]. The last word of a key is also the label under
// which parley_limit_hits_total counts it.
type Limits struct {
	// People that each list of an account may hold.
	Contacts int `toml:"contacts" least:"1"`
	// People who may watch one account.
	Watchers int `toml:"watchers" least:"1"`
	// Contact groups that an account may have.
	Groups int `toml:"groups" least:"1"`

	// Connections in total; 0 means as many as the open files allow.
	Connections int `toml:"connections" least:"0"`
	// Connections in total that have not logged in yet.
	HalfOpen int `toml:"half_open" least:"1"`
	// Connections of one network (an IPv4 address, an IPv6 /64) that have not logged in yet.
	HalfOpenPerNetwork int `toml:"half_open_per_network" least:"1"`
	// Time that a connection may take to log in.
	LoginTime Duration `toml:"login_time" least:"1s"`
	// Failed logins to one account within the window, after which all are refused until it has passed.
	LoginFailures int `toml:"login_failures" least:"1"`
	// Failed logins from one network (an IPv4 address, an IPv6 /64) within the window, after which all are refused until it has passed.
	LoginFailuresPerNetwork int `toml:"login_failures_per_network" least:"1"`
	// The window in which failed logins are counted; it begins with the first one.
	LoginWindow Duration `toml:"login_window" least:"1s"`

	// Bytes of a command line, its end included.
	Line Size `toml:"line" least:"512" most:"1MiB"`
	// Bytes that a message may carry, its MIME headers included.
	Payload Size `toml:"payload" least:"64" most:"1MiB"`
	// Bytes that may wait to be sent to a session; over it the session is closed.
	Queue Size `toml:"queue" least:"16KiB"`
	// The part of these bytes that may be presence; over it the session is closed.
	PresenceQueue Size `toml:"presence_queue" least:"4KiB"`
	// Commands a second that are read from a session; one above it is made to wait, and 0 means any number.
	CommandsPerSecond int `toml:"commands_per_second" least:"0"`
	// Bytes a second that are read from a session; one above it is made to wait, and 0 means any number.
	BytesPerSecond Size `toml:"bytes_per_second" least:"0"`

	// People in one conversation.
	Conversation int `toml:"conversation" least:"2"`
	// Conversations that an account may have open.
	Conversations int `toml:"conversations" least:"1"`
	// Rooms that an account may own.
	Rooms int `toml:"rooms" least:"1"`
	// Rooms that an account may be in at a time.
	RoomsJoined int `toml:"rooms_joined" least:"1"`
	// People that one room may keep lists of: members, moderators, those rejected.
	RoomMembers int `toml:"room_members" least:"1"`
	// People who may be in one room at a time.
	RoomUsers int `toml:"room_users" least:"1"`
	// Messages that one room may remember.
	RoomHistory int `toml:"room_history" least:"0"`
	// Messages that may wait for one account.
	Waiting int `toml:"waiting" least:"0"`
	// Bytes of the messages that may wait for one account.
	WaitingBytes Size `toml:"waiting_bytes" least:"0"`
	// Time after which a message that still waits is removed.
	WaitingAge Duration `toml:"waiting_age" least:"1m"`
	// Bytes of the words that go with a request to see somebody.
	RequestText Size `toml:"request_text" least:"1" most:"1MiB"`
	// Requests to see one account that may stand unanswered.
	Requests int `toml:"requests" least:"1"`
	// Accounts that stay in memory after their last logout.
	AccountsCached int `toml:"accounts_cached" least:"0"`

	// Sessions of one account that XMPP keeps at a time; one more ends the login that asks for it.
	Sessions int `toml:"sessions" least:"1"`
	// Bytes of one XMPP stanza; over it the stream is closed.
	Stanza Size `toml:"stanza" least:"10000" most:"16MiB"`
	// Elements of an XMPP stanza that may lie in each other; over it the stream is closed.
	StanzaDepth int `toml:"stanza_depth" least:"10" most:"1000"`
	// Attributes of one element of an XMPP stanza; over it the stream is closed.
	StanzaAttributes int `toml:"stanza_attributes" least:"10" most:"1000"`
	// Elements of an XMPP stanza; over it the stream is closed.
	StanzaNodes int `toml:"stanza_nodes" least:"100"`
	// Bytes of one document that a client keeps with its account, such as a vCard.
	Note Size `toml:"note" least:"1" most:"16MiB"`
	// Documents that clients keep with one account.
	Notes int `toml:"notes" least:"1"`
	// Rules in all privacy lists of an account.
	Rules int `toml:"rules" least:"1"`
	// Privacy lists that an account may have.
	RuleLists int `toml:"rule_lists" least:"1"`
	// Addresses that one session may have sent directed presence to at a time.
	Directed int `toml:"directed" least:"1"`
}

// MSNP is the table [msnp].
type MSNP struct {
	// Time in which somebody rung must join; then the ring counts as not answered.
	Ring Duration `toml:"ring" least:"1s"`
	// Time in which a ticket to a switchboard must be used.
	Ticket Duration `toml:"ticket" least:"1s"`
	// Time without a line after which a conversation is closed.
	Idle Duration `toml:"idle" least:"10s"`
	// Commands of one connection that cannot be read or are out of place, after which it is closed.
	Misplaced int `toml:"misplaced" least:"1"`
	// Failed logins of one connection, after which it is closed.
	LoginTries int `toml:"login_tries" least:"1"`
	// Renames a minute in one session; more are refused with error 800.
	Renames int `toml:"renames" least:"1"`
	// Failed calls in a row in one conversation, after which a call is refused with error 713.
	FailedCalls int `toml:"failed_calls" least:"1"`
	// Dialects that are offered, the preferred one first; those from MSNP8 on only while there is a passport listener.
	Dialects []string `toml:"dialects" least:"1"`
	// The HOST or HOST:PORT where clients log in by Passport; empty means the host by which each client asks.
	PassportHost string `toml:"passport_host"`
	// Where the certificate of passport listeners comes from: "self" makes one of the kind that Windows XP knows, "files:CERT,KEY" reads two PEM files.
	PassportTLS string `toml:"passport_tls"`
	// Networks of proxies that take TLS off in front of passport listeners, such as "192.0.2.7" or "192.0.2.0/24".
	PassportProxies []string `toml:"passport_proxies"`
	// Time for which a ticket of MSN Messenger 5.0 to 7.0 is good.
	TicketLife Duration `toml:"ticket_life" least:"10s"`
	// Time for which a ticket of MSN Messenger 7.5 is good, whose clock may be wrong.
	SOAPTicketLife Duration `toml:"soap_ticket_life" least:"10s"`
	// Sessions over HTTP at a time.
	HTTPSessions int `toml:"http_sessions" least:"1"`
	// Time after which a session over HTTP is closed from which nothing was asked.
	HTTPIdle Duration `toml:"http_idle" least:"10s"`
	// The address of the web pages that clients are sent to; empty means http://DOMAIN/.
	PublicURL string `toml:"public_url"`
	// The path of a sendmail program for invitations by mail (SND); empty means none, and SND is refused with error 503.
	Sendmail string `toml:"sendmail"`
	// Whether FND searches the directory of those who chose to be in it; if not, it is refused with error 502.
	Find bool `toml:"find"`
}

// XMPP is the table [xmpp].
type XMPP struct {
	// Whether clients may log in without TLS: empty means none may, "loopback" that those may who connect from this machine.
	Plain string `toml:"plain"`
	// Whether strangers may make accounts for themselves (XEP-0077).
	Registration bool `toml:"registration"`
	// Accounts an hour that may be made from one network (an IPv4 address, an IPv6 /64).
	RegistrationsPerNetwork int `toml:"registrations_per_network" least:"1"`
	// Time without a byte from a client after which it is asked whether it is there.
	Idle Duration `toml:"idle" least:"10s"`
	// Time in which a client that was asked must say something; then its session is closed.
	PingTimeout Duration `toml:"ping_timeout" least:"1s"`
	// Failed logins of one connection, after which it is closed.
	LoginTries int `toml:"login_tries" least:"1"`
	// Addresses of those who run the service, which it tells who asks (XEP-0157), as URIs like "mailto:admin@example.com".
	Contact []string `toml:"contact"`
	// The domain of conversations of three or more; empty means conversation.DOMAIN, one for each domain.
	Conference string `toml:"conference"`
	// Whether the directory of those who chose to be in it can be searched (XEP-0055).
	Search bool `toml:"search"`
}

// SSP is the table [ssp]: how other domains are joined.
type SSP struct {
	// The URL at which other domains reach this service, as their operators are told; empty means they find it by DNS.
	Public string `toml:"public"`
	// Connections to one domain at a time, unless another number was registered for it.
	Connections int `toml:"connections" least:"1" most:"64"`
	// Requests a second that one domain may make; more are refused, and 0 means any number.
	RequestsPerSecond int `toml:"requests_per_second" least:"0"`
	// Bytes of one document; longer ones are refused.
	Body Size `toml:"body" least:"4KiB" most:"64MiB"`
	// Users, groups and lists that one request may name; one with more is refused.
	Recipients int `toml:"recipients" least:"1"`
	// The longest silence of ours in a session with a domain; then it is told that we are there.
	KeepAlive Duration `toml:"keep_alive" least:"1s"`
	// The longest time until a login that failed is tried again; it begins with some seconds, and doubles.
	BackOffMax Duration `toml:"back_off_max" least:"1s"`
	// Users of one domain that are in memory at a time.
	Users int `toml:"users" least:"1"`
	// Transactions that may wait to be sent to one domain; more are refused.
	Queue int `toml:"queue" least:"1"`
	// The domain that keeps the contact lists of our users; empty means this service does, and so for the next three.
	Contacts string `toml:"contacts"`
	// The domain that tells others how our users are, and asks them who may see them.
	Presence string `toml:"presence"`
	// The domain that takes the messages from and to our users first.
	Messages string `toml:"messages"`
	// The domain that has the groups with addresses of this one.
	Groups string `toml:"groups"`
	// What domains provide to others, each as "DOMAIN SERVICE DOMAIN", such as "verona.example messages mantua.example": whose users, contacts, presence, messages or groups, and which domain provides it, this one or another.
	Elements []string `toml:"elements"`
}

// Credential is the table [credential].
type Credential struct {
	// Whether the password itself is kept, sealed under a key file; MSNP logins need it.
	KeepPassword bool `toml:"keep_password"`
}

// Offline is the table [offline].
type Offline struct {
	// Whether messages to somebody who is away are stored until they can be delivered.
	Store bool `toml:"store"`
	// Time after a ring that nobody answered until stored messages ring again.
	RingAgain Duration `toml:"ring_again" least:"1s"`
	// Time for which a message to a user of another domain is kept while there is no way to it; then its sender is told.
	PeerAge Duration `toml:"peer_age" least:"1m"`
}

// Removal is the table [removal].
type Removal struct {
	// Time for which the address of a removed account is not given again.
	Hold Duration `toml:"hold" least:"0s"`
}

// Shutdown is the table [shutdown].
type Shutdown struct {
	// Time that sessions have to be told and their queues to be written.
	Grace Duration `toml:"grace" least:"0s"`
}

// Metrics is the table [metrics].
type Metrics struct {
	// Whether /metrics is served on the http listeners; /healthz and /readyz always are.
	Enabled bool `toml:"enabled"`
}

// Default is the configuration of an empty file. Each call makes lists of its own.
func Default() Config {
	return Config{
		Domain: "parley.test",
		TLS:    "self",
		Data:   "./parley-data",
		Listen: []string{"msnp://127.0.0.1:1863", "xmpp://127.0.0.1:5222", "http://127.0.0.1:9280"},
		Log:    Log{Level: "info", Format: "text"},
		Limits: Limits{
			Contacts:                5000,
			Watchers:                5000,
			Groups:                  100,
			Connections:             0,
			HalfOpen:                20000,
			HalfOpenPerNetwork:      10000,
			LoginTime:               Duration(60 * time.Second),
			LoginFailures:           30,
			LoginFailuresPerNetwork: 100,
			LoginWindow:             Duration(10 * time.Minute),
			Line:                    8192,
			Payload:                 1664,
			Queue:                   4 * MiB,
			PresenceQueue:           2 * MiB,
			CommandsPerSecond:       0,
			BytesPerSecond:          4 * MiB,
			Conversation:            50,
			Conversations:           200,
			Rooms:                   100,
			RoomsJoined:             100,
			RoomMembers:             2000,
			RoomUsers:               500,
			RoomHistory:             500,
			Waiting:                 1000,
			WaitingBytes:            4 * MiB,
			WaitingAge:              Duration(90 * 24 * time.Hour),
			RequestText:             2 * KiB,
			Requests:                1000,
			AccountsCached:          20000,
			Sessions:                50,
			Stanza:                  256 * KiB,
			StanzaDepth:             64,
			StanzaAttributes:        64,
			StanzaNodes:             8192,
			Note:                    64 * KiB,
			Notes:                   100,
			Rules:                   1000,
			RuleLists:               20,
			Directed:                500,
		},
		MSNP: MSNP{
			Ring:        Duration(90 * time.Second),
			Ticket:      Duration(120 * time.Second),
			Idle:        Duration(30 * time.Minute),
			Misplaced:   10,
			LoginTries:  3,
			Renames:     5,
			FailedCalls: 5,
			Dialects:    []string{"MSNP12", "MSNP11", "MSNP10", "MSNP9", "MSNP8", "MSNP7", "MSNP6", "MSNP5", "MSNP4", "MSNP3", "MSNP2"},
			Find:        true,

			PassportTLS:    "self",
			TicketLife:     Duration(5 * time.Minute),
			SOAPTicketLife: Duration(24 * time.Hour),
			HTTPSessions:   5000,
			HTTPIdle:       Duration(time.Minute),
		},
		XMPP: XMPP{
			RegistrationsPerNetwork: 5,
			Idle:                    Duration(3 * time.Minute),
			PingTimeout:             Duration(time.Minute),
			LoginTries:              5,
			Search:                  true,
		},
		SSP: SSP{
			Connections:       4,
			RequestsPerSecond: 100,
			Body:              MiB,
			Recipients:        1000,
			KeepAlive:         Duration(5 * time.Minute),
			BackOffMax:        Duration(10 * time.Minute),
			Users:             20000,
			Queue:             8192,
		},
		Credential: Credential{KeepPassword: true},
		Offline:    Offline{Store: true, RingAgain: Duration(10 * time.Minute), PeerAge: Duration(24 * time.Hour)},
		Removal:    Removal{Hold: Duration(720 * time.Hour)},
		Shutdown:   Shutdown{Grace: Duration(5 * time.Second)},
		Metrics:    Metrics{Enabled: true},
	}
}

// AllDomains are the domains whose accounts live here, the first one first,
// each once.
func (c Config) AllDomains() []string {
	all := []string{c.Domain}
	for _, d := range c.Domains {
		if !slices.Contains(all, d) {
			all = append(all, d)
		}
	}
	return all
}

// ConferenceDomain is the domain of the conversations of three or more that belong to one of
// [Config.AllDomains]: the key xmpp.conference, or conversation.DOMAIN if that is empty.
func (c Config) ConferenceDomain(domain string) string {
	if c.XMPP.Conference != "" {
		return c.XMPP.Conference
	}
	return "conversation." + domain
}

// CertificateNames are the names a certificate must have for clients to trust it: all domains and the domains of
// their conversations, each once.
func (c Config) CertificateNames() []string {
	all := c.AllDomains()
	for _, d := range c.AllDomains() {
		if room := c.ConferenceDomain(d); !slices.Contains(all, room) {
			all = append(all, room)
		}
	}
	return all
}

// PublicURL is the address of the web pages that clients are sent to: the key
// msnp.public_url, or http://DOMAIN/ if that is empty.
func (c Config) PublicURL() string {
	if c.MSNP.PublicURL != "" {
		return c.MSNP.PublicURL
	}
	return "http://" + c.Domain + "/"
}

// Text is a configuration file of the three keys that every service sets, with
// the default listeners shown in a comment. Other keys of c are not in it.
func (c Config) Text() string {
	return fmt.Sprintf("domain = %-24s # whose accounts live here\n", strconv.Quote(c.Domain)) +
		fmt.Sprintf("tls    = %-24s # or files:CERT,KEY; off\n", strconv.Quote(c.TLS)) +
		fmt.Sprintf("data   = %s\n", strconv.Quote(c.Data)) +
		fmt.Sprintf("# listen = %s     the default\n", listText(Default().Listen))
}

// WriteThree writes [Config.Text] to a new file. A file that is already there
// stays as it is, and the error is fs.ErrExist.
func (c Config) WriteThree(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	if _, err = f.WriteString(c.Text()); err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	return nil
}
