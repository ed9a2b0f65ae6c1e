package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"parley/config"
	"parley/credential"
	"parley/im"
	"parley/xmltext"
	"parley/xmpp/client"
	"parley/xmpp/wire"
)

// xmppMessenger is a messenger over XMPP.
type xmppMessenger struct {
	who    im.Address
	server string
	client *client.Client
	inbox  client.Inbox

	// Of the chat's goroutine.
	shown map[string]buddy // as the user was told last, by address

	mu      sync.Mutex // guards what follows
	name    string
	known   map[string]bool // who is on the list, as far as was told
	asked   map[string]bool // who waits for an answer
	blocked map[string]bool
	editing string                // whom this session changes just now: what comes of it is no news
	waits   map[string]*xmppWords // words said just now, by id
	held    []client.Event        // receipts for such words; they come after "sent"
	in      map[string]*xmppRoom  // by address
	pairs   map[string]*xmppPair  // by address
}

// xmppWords are words of which it is not known yet whether the service took them.
type xmppWords struct{ err error }

// loginXMPP logs in; direct is TLS from the first byte, XEP-0368.
func loginXMPP(ctx context.Context, who im.Address, server string, direct bool, password credential.Secret, o *chatFlags) (messenger, error) {
	trust, err := xmppTrust(server, o)
	if err != nil {
		return nil, err
	}
	m := &xmppMessenger{
		who: who, server: server,
		shown: map[string]buddy{}, known: map[string]bool{}, asked: map[string]bool{},
		blocked: map[string]bool{}, waits: map[string]*xmppWords{}, in: map[string]*xmppRoom{}, pairs: map[string]*xmppPair{},
	}
	cfg := client.Config{
		Address: server, User: who.String(), Password: password, TLS: trust, Receipts: true, Event: m.take, Timeout: chatTimeout,
	}
	if direct {
		cfg.Security = client.DirectTLS
	}
	m.client, err = client.Dial(ctx, cfg)
	var step *client.StepError
	var refused *client.SASLError
	var ended *client.EndError
	switch {
	case err == nil:
		return m, nil
	case errors.Is(err, context.Canceled):
		return nil, err
	case errors.As(err, &refused) && refused.Condition == "not-authorized":
		return nil, notLetIn(who.String())
	case errors.As(err, &step) && step.Step == "connect":
		return nil, nobodyAt(server, step.Err)
	case errors.As(err, &ended) && ended.Condition == "host-unknown":
		return nil, fmt.Errorf("the service at %s is not that of %s (host-unknown): --server HOST:PORT names another", server, who.Domain())
	case distrusted(err):
		return nil, fmt.Errorf("the certificate of %s is not to be trusted for %s: %w: --data DIR trusts the one that the service of that data folder made for itself, --insecure any",
			server, who.Domain(), errors.Unwrap(step))
	}
	return nil, fmt.Errorf("log in: %w", err)
}

// distrusted says whether a certificate is what a login failed for.
func distrusted(err error) bool {
	var bad *tls.CertificateVerificationError
	return errors.As(err, &bad)
}

// xmppTrust is whom to believe that they are the service: those whom the machine trusts, and the service of the data
// folder that is named, or that is here when the server is this machine.
func xmppTrust(server string, o *chatFlags) (*tls.Config, error) {
	if o.insecure {
		return &tls.Config{InsecureSkipVerify: true}, nil
	}
	dir := o.data
	if host, _, err := net.SplitHostPort(server); dir == "" && err == nil {
		if a := net.ParseIP(host); host != "localhost" && (a == nil || !a.IsLoopback()) {
			return &tls.Config{}, nil
		}
		dir = config.Default().Data
	}
	pool, err := trustedBy(dir)
	if err != nil && o.data != "" {
		return nil, fmt.Errorf("--data: %w", err)
	}
	return &tls.Config{RootCAs: pool}, nil
}

// trustedBy are those whom the machine trusts, and the service of a data folder.
func trustedBy(dir string) (*x509.CertPool, error) {
	pool, err := x509.SystemCertPool()
	if err != nil { // a machine that trusts nobody
		pool = x509.NewCertPool()
	}
	b, err := os.ReadFile(filepath.Join(dir, selfCertificate))
	if err == nil && !pool.AppendCertsFromPEM(b) {
		err = fmt.Errorf("there is no certificate in %s", filepath.Join(dir, selfCertificate))
	}
	return pool, err
}

func (m *xmppMessenger) close() { m.client.Close() }

// arrive gets the roster and the blocklist, and shows the session: RFC 6121 2.2, 4.2; XEP-0191 3.2.
func (m *xmppMessenger) arrive(ctx context.Context) error {
	items, err := m.client.Roster(ctx)
	if err != nil {
		return fmt.Errorf("get the contact list: %w", err)
	}
	blocked, err := m.client.Blocked(ctx)
	if err != nil {
		return fmt.Errorf("get the list of those who are blocked: %w", err)
	}
	m.mu.Lock()
	for _, it := range items {
		m.known[it.JID] = xmppListed(it)
	}
	for _, who := range blocked {
		m.blocked[who] = true
	}
	m.mu.Unlock()
	if err := m.client.SetPresence(client.Shown{}); err != nil {
		return fmt.Errorf("go online: %w", err)
	}
	if err := m.client.Ping(ctx, ""); err != nil { // behind its answer everybody's state is known
		return fmt.Errorf("see who is there: %w", err)
	}
	for who := range m.client.Items() {
		m.shown[who] = m.contact(who)
	}
	return nil
}

func (m *xmppMessenger) self() (address, name, server string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.who.String(), m.name, m.server
}

// xmppListed says whether an item is somebody whom the user has put on the list: one that only watches need not be.
func xmppListed(it client.Item) bool {
	return it.JID != "" && (it.Subscription == "to" || it.Subscription == "both" || it.Asked || it.Name != "" || len(it.Groups) > 0)
}

func (m *xmppMessenger) contacts() []buddy {
	var all []buddy
	seen := map[string]bool{}
	people := func(who string) {
		if !seen[who] {
			seen[who] = true
			all = append(all, m.contact(who))
		}
	}
	for who := range m.client.Items() {
		people(who)
	}
	m.mu.Lock()
	others := slices.AppendSeq(slices.Collect(maps.Keys(m.asked)), maps.Keys(m.blocked))
	m.mu.Unlock()
	for _, who := range others {
		people(who)
	}
	slices.SortFunc(all, func(a, b buddy) int { return strings.Compare(a.who, b.who) })
	return all
}

func (m *xmppMessenger) contact(who string) buddy {
	it := m.client.Items()[who]
	c := buddy{who: who, name: it.Name, listed: xmppListed(it)}
	m.mu.Lock()
	c.blocked, c.asks = m.blocked[who], m.asked[who]
	m.mu.Unlock()
	c.state, c.status = xmppState(m.client.Sessions(who))
	return c
}

// xmppState is how somebody is who has these sessions: as in the one of the greatest priority.
func xmppState(sessions []client.Presence) (word, status string) {
	if len(sessions) == 0 {
		return "offline", ""
	}
	best := slices.MaxFunc(sessions, func(a, b client.Presence) int {
		if a.Priority != b.Priority {
			return a.Priority - b.Priority
		}
		return strings.Compare(b.From, a.From)
	})
	word = "online"
	for _, w := range stateWords {
		switch {
		case w.show != best.Show || w.show == "":
		case w.status == best.Status:
			return w.word, ""
		case w.status == "":
			word = w.word
		}
	}
	if best.Show == "xa" {
		word = "away"
	}
	return word, best.Status
}

// ask notes that somebody waits for an answer, or does no more.
func (m *xmppMessenger) ask(who string, waits bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked[who] = true
	if !waits {
		delete(m.asked, who)
	}
}

// take gets what comes, on the goroutine that reads. It leaves to the chat what the user wants to know.
func (m *xmppMessenger) take(e client.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch msg := e.(type) {
	case client.Message:
		words := m.waits[msg.ID]
		switch {
		case msg.Type == "error" && words != nil:
			words.err = msg.Error
			return
		case m.waits[msg.Receipt] != nil:
			m.held = append(m.held, e)
			return
		}
	case client.RosterChanged:
		if !m.isNews(msg) {
			return
		}
	case client.BlockingChanged:
		if msg.JIDs = m.changed(msg); len(msg.JIDs) == 0 {
			return
		}
		e = msg
	}
	m.inbox.Put(e)
}

// isNews notes a change of the roster, and says whether it is one of the list that another session made: RFC 6121
// 2.1.6. With mu held.
func (m *xmppMessenger) isNews(e client.RosterChanged) bool {
	who := e.Item.JID
	if e.Item.Subscription == "from" || e.Item.Subscription == "both" {
		delete(m.asked, who)
	}
	before, now := m.known[who], !e.Removed && xmppListed(e.Item)
	m.known[who] = now
	return m.editing != who && (before && e.Removed || now && !before)
}

// changed notes who was blocked or unblocked, and gives those whom another session did that to: XEP-0191 3.3, 3.4.
// With mu held.
func (m *xmppMessenger) changed(e client.BlockingChanged) []string {
	who := e.JIDs
	if len(who) == 0 {
		who = slices.Sorted(maps.Keys(m.blocked))
	}
	who = slices.DeleteFunc(who, func(jid string) bool { return m.blocked[jid] == e.Blocked || m.editing == jid })
	for _, jid := range who {
		m.blocked[jid] = true
		if !e.Blocked {
			delete(m.blocked, jid)
		}
	}
	return who
}

// edit does something about somebody, whose change then is no news.
func (m *xmppMessenger) edit(who string, act func() error) error {
	m.mu.Lock()
	m.editing = who
	m.mu.Unlock()
	err := act()
	m.mu.Lock()
	m.editing = ""
	m.mu.Unlock()
	return err
}

// add puts somebody on the roster, lets them see the user, asked or not yet, and asks to see them: RFC 6121 2.3, 3.1, 3.4.
func (m *xmppMessenger) add(ctx context.Context, who string) error {
	return m.edit(who, func() error {
		if _, ok := m.client.Items()[who]; !ok {
			if err := m.client.SetItem(ctx, client.Item{JID: who}); err != nil {
				return err
			}
		}
		if err := m.client.Approve(who); err != nil {
			return err
		}
		if err := m.client.Subscribe(who, ""); err != nil {
			return err
		}
		return m.client.Ping(ctx, "") // behind its answer the pushes have come
	})
}

// remove takes somebody off the roster: RFC 6121 2.5.
func (m *xmppMessenger) remove(ctx context.Context, who string) error {
	return m.edit(who, func() error { return m.client.RemoveItem(ctx, who) })
}

// block is XEP-0191 3.3.
func (m *xmppMessenger) block(ctx context.Context, who string) error {
	return m.setBlocked(who, true, func() error { return m.client.Block(ctx, who) })
}

// unblock is XEP-0191 3.4.
func (m *xmppMessenger) unblock(ctx context.Context, who string) error {
	return m.setBlocked(who, false, func() error { return m.client.Unblock(ctx, who) })
}

func (m *xmppMessenger) setBlocked(who string, blocked bool, act func() error) error {
	err := m.edit(who, act)
	if err == nil {
		m.mu.Lock()
		m.blocked[who] = blocked
		if !blocked {
			delete(m.blocked, who)
		}
		m.mu.Unlock()
	}
	return err
}

// setState shows another state: RFC 6121 4.4, 4.5.
func (m *xmppMessenger) setState(ctx context.Context, word string) error {
	if word == "hidden" {
		return errors.New("XMPP knows no hidden state: /state offline shows you to nobody, and what people write to you waits meanwhile")
	}
	show := func() error { return m.client.SetUnavailable("") }
	for _, w := range stateWords {
		if w.word == word && word != "offline" {
			show = func() error { return m.client.SetPresence(client.Shown{Show: w.show, Status: w.status}) }
		}
	}
	if err := show(); err != nil {
		return err
	}
	return m.client.Ping(ctx, "")
}

// rename puts a name into the user's vCard, and leaves the rest of it: XEP-0054 3.2.
func (m *xmppMessenger) rename(ctx context.Context, name string) error {
	card, err := m.client.IQ(ctx, "get", "", "<vCard xmlns='"+wire.NSVCard+"'/>")
	if err != nil {
		return err
	}
	b := xmltext.Build(nil)
	b.Start("vCard").Attr("xmlns", wire.NSVCard).Start("FN").Text(name).End()
	for n := range card.Node().Children() {
		if !n.Is(wire.NSVCard, "FN") {
			b.Raw(wire.AppendStanza(nil, n))
		}
	}
	if _, err := m.client.IQ(ctx, "set", "", string(b.End().Bytes())); err != nil {
		return err
	}
	m.mu.Lock()
	m.name = name
	m.mu.Unlock()
	return nil
}

// explain says what an error of the service means for whom it is about: RFC 6120 8.3.3.
func (m *xmppMessenger) explain(err error, who string) error {
	var e *client.StanzaError
	if !errors.As(err, &e) {
		return err
	}
	text := ""
	switch e.Condition {
	case "item-not-found":
		text = who + " is not there"
	case "service-unavailable", "recipient-unavailable":
		text = "the service does not do this, or " + who + " takes nothing from you"
	case "remote-server-not-found", "remote-server-timeout":
		text = "the service does not reach the domain of " + who
	case "not-acceptable":
		if strings.Contains(e.App, "blocked") { // XEP-0191 3.3
			text = who + " is blocked: /unblock " + who + " first"
		}
	case "policy-violation", "resource-constraint":
		text = "the service lets you do no more of this"
	case "jid-malformed", "bad-request":
		text = "the service does not take this"
	}
	if text == "" {
		return err
	}
	return fmt.Errorf("%s (%s)", text, e.Condition)
}
