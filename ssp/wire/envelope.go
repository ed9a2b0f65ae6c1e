package wire

import (
	"errors"
	"fmt"
	"sync"

	"parley/xmltext"
)

// Bounds of a document unless the caller sets others, ssp-syntax 1.2.
const (
	MaxBytes = 1 << 20
	MaxDepth = 32
	MaxNodes = 1 << 16
)

// Message is a document: one step of a login, or transactions of a session. ssp-syntax 2.1.
type Message struct {
	Dialect Dialect
	Setup   bool   // outside of a session; then there is one unit
	Session string // the session's ID; "" in a set-up
	Units   []Unit // Parley reads many, and writes one: ssp-syntax 1.7
}

// Unit is one message of a transaction. ssp-syntax 2.1, 2.2.
type Unit struct {
	Response  bool
	ID        string   // the transaction's
	Primitive *Element // nil when it is none that is known
	Unknown   string   // then the name, as it came

	read *Structure // by which the primitive was read; nil if it was not
}

// Meta is the meta-information of a request, SSP 5: ssp-syntax 2.3.
type Meta struct {
	Service string // the domain it comes from, as written: wv:@example.com
	Client  bool   // a user asks, not the domain itself
	User    string // who it is
	Device  string // which client of the user's, "" if that is not told
}

// Meta is what MetaInfo says; false when the primitive has none.
func (u *Unit) Meta() (Meta, bool) {
	m := u.Primitive.Child("MetaInfo")
	r := m.Child("Requestor")
	user := r.Child("User")
	client := user.Child("ClientID")
	device := client.Attr("url")
	if device == "" {
		device = client.String()
	}
	return Meta{r.Attr("serviceID"), m.Attr("clientOriginated") == Yes, user.Attr("userID"), device}, m != nil
}

// Element is the MetaInfo that says it: client originated when there is a user. ssp-syntax 2.3.
func (m Meta) Element() *Element {
	r := New("Requestor", "serviceID", m.Service)
	if m.User != "" {
		user := New("User", "userID", m.User)
		if m.Device != "" {
			user.Add(New("ClientID", "url", m.Device))
		}
		r.Add(user)
	}
	return New("MetaInfo", "clientOriginated", YesNo(m.User != "")).Add(r)
}

// Fault is why a document or a primitive is refused, and the code that says so.
type Fault struct {
	Code Code
	At   string // the place, in names of the tables; "" is the whole document
	What string
	Err  error // the cause, may be nil
}

func (f *Fault) Error() string {
	s := "SSP " + f.Code.String()
	if f.At != "" {
		s += ": " + f.At
	}
	s += ": " + f.What
	if f.Err != nil {
		s += ": " + f.Err.Error()
	}
	return s
}

func (f *Fault) Unwrap() error { return f.Err }

func malformed(what string, err error) error {
	return &Fault{Code: BadRequest, What: what, Err: err}
}

// docs are for parsing: nothing that is read points into them. What one holds of a document up to usualBytes, it keeps
// for the next.
var docs = sync.Pool{New: func() any { return new(xmltext.Doc) }}

const usualBytes = 1 << 16

// Decode reads a document. Fields of l that are 0 are the bounds above. What the tables do not know inside a
// primitive is passed over; spellings of others are read as ours: ssp-syntax 2.8, 12. A transaction without an ID is
// passed over while there is another one: ssp-syntax 1.4. The error is a [*Fault] of code 400, around the one of
// xmltext if it is no XML: then nothing is answered but HTTP's own 400, ssp-syntax 1.3. Check judges the primitives.
func Decode(doc []byte, l xmltext.Limits) (*Message, error) {
	l.Bytes = orElse(l.Bytes, MaxBytes)
	l.Depth = orElse(l.Depth, MaxDepth)
	l.Nodes = orElse(l.Nodes, MaxNodes)
	d := docs.Get().(*xmltext.Doc)
	defer func() {
		if len(doc) > usualBytes {
			d.Reset()
		}
		docs.Put(d)
	}()
	if err := d.Parse(doc, l); err != nil {
		return nil, malformed("not read as XML", err)
	}
	root := d.Root()
	if !named(root, "WV-SSP-Message") {
		return nil, malformed("the root is not WV-SSP-Message", nil)
	}
	m := &Message{Dialect: dialectOf(string(root.Space()))}
	var err error
	first := root.FirstChild()
	switch {
	case first.Next().Ok():
		return nil, malformed("more than one element inside WV-SSP-Message", nil)
	case named(first, "SetupTransaction"):
		m.Setup = true
		err = m.unit(first)
	case named(first, "Session"):
		if m.Session = string(value(first, "sessionID")); m.Session == "" {
			return nil, malformed("a Session without its sessionID", nil)
		}
		m.Units = make([]Unit, 0, transactions(first))
		for t := range first.Children() {
			if !named(t, "Transaction") {
				return nil, malformed("an element inside Session that is not Transaction", nil)
			}
			if err = m.unit(t); err != nil {
				break
			}
		}
	default:
		return nil, malformed("neither SetupTransaction nor Session inside WV-SSP-Message", nil)
	}
	switch {
	case err != nil:
		return nil, err
	case len(m.Units) == 0:
		return nil, malformed("no transaction with a transactionID", nil)
	}
	return m, nil
}

func orElse(n, usual int) int {
	if n <= 0 {
		return usual
	}
	return n
}

// mostUnits is for how many transactions there is room at first.
const mostUnits = 64

// transactions counts those of a Session, up to mostUnits.
func transactions(session xmltext.Node) int {
	n := 0
	for t := session.FirstChild(); t.Ok() && n < mostUnits; t = t.Next() {
		n++
	}
	return n
}

// unit reads a Transaction or SetupTransaction.
func (m *Message) unit(n xmltext.Node) error {
	id := value(n, "transactionID")
	if len(id) == 0 {
		return nil
	}
	p := n.FirstChild()
	switch {
	case !p.Ok():
		return malformed("a transaction with nothing inside", nil)
	case p.Next().Ok():
		return malformed("a transaction with more than one element inside", nil)
	}
	u := Unit{ID: string(id), Response: !equalFold(value(n, "mode"), "Request")}
	if s := primitive(p.Local()); s != nil {
		var room pieces
		room.begin(p)
		u.Primitive, u.read = s.read(&room, p, s.Name), s
	} else {
		u.Unknown = string(p.Local())
	}
	m.Units = append(m.Units, u)
	return nil
}

// Append writes a document. It must have what Decode insists on, and only elements and attributes that the tables have
// where they stand: another one is an error, and a mistake in the program. What only OMA13 knows is left out in WV10.
func (m *Message) Append(dst []byte) ([]byte, error) {
	if len(m.Units) == 0 || m.Setup && len(m.Units) > 1 || !m.Setup && m.Session == "" {
		return dst, errors.New("ssp/wire: a message without a transaction or a session")
	}
	if m.Setup {
		b, err := m.Units[0].append(m.Dialect.begin(dst), "SetupTransaction", m.Dialect)
		if err != nil {
			return dst, err
		}
		return append(b, endRoot...), nil
	}
	b := m.Dialect.AppendHead(dst, m.Session)
	var err error
	for i := range m.Units {
		if b, err = m.Units[i].Append(b, m.Dialect); err != nil {
			return dst, err
		}
	}
	return append(b, Foot...), nil
}

// begin writes what a document begins with.
func (d Dialect) begin(dst []byte) []byte {
	dst = append(dst, "<?xml version='1.0'?><WV-SSP-Message"...)
	return append(xmltext.AppendAttr(dst, "xmlns", d.Space()), '>')
}

// endRoot closes the root.
const endRoot = "</WV-SSP-Message>"

// AppendHead writes what stands before the transactions of a session: these are [Unit.Append], and [Foot] is what stands
// behind them. ssp-syntax 1.7, 2.1.
func (d Dialect) AppendHead(dst []byte, session string) []byte {
	dst = append(d.begin(dst), "<Session"...)
	return append(xmltext.AppendAttr(dst, "sessionID", session), '>')
}

// Foot is the end of a document of transactions.
const Foot = "</Session>" + endRoot

// Append writes a transaction without what stands around it, as Message.Append does.
func (u *Unit) Append(dst []byte, d Dialect) ([]byte, error) { return u.append(dst, "Transaction", d) }

func (u *Unit) append(dst []byte, around string, d Dialect) ([]byte, error) {
	if u.ID == "" || u.Primitive == nil {
		return dst, errors.New("ssp/wire: a transaction without an ID or a primitive")
	}
	s := all.primitives[u.Primitive.Name]
	if s == nil {
		return dst, fmt.Errorf("ssp/wire: %s is no primitive", u.Primitive.Name)
	}
	mode := "Request"
	if u.Response {
		mode = "Response"
	}
	name := s.Name
	if d == OMA13 && s.OMA13 != "" {
		name = s.OMA13
	}
	b := xmltext.Build(dst)
	b.Start(around).Attr("mode", mode).Attr("transactionID", u.ID)
	if err := s.write(&b, u.Primitive, name, d); err != nil {
		return dst, err
	}
	return b.Bytes(), nil
}
