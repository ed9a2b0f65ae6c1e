package wire

// Role says who sends a primitive, or a step of a transaction. SSP 3.
type Role uint8

const (
	Either           Role = iota
	Requestor             // who asks for a service
	Provider              // who gives it
	Second                // the requestor at the other end of a complementary invitation
	ProviderToSecond      // the provider, speaking to that one
)

// roleNames are those that the schema prints, ssp-syntax 3.10.
var roleNames = [...]string{Either: "B", Requestor: "R", Provider: "P", Second: "2", ProviderToSecond: "P>2"}

func (r Role) String() string { return roleNames[r] }

// Card is how often an element or attribute stands in its structure.
type Card byte

const (
	one   Card = '1'
	maybe Card = '?'
	many  Card = '*'
	some  Card = '+'
)

// Need is what the semantics document says of an information element.
type Need byte

const (
	M Need = 'M' // mandatory; the card may be more lenient where peers leave it out
	O Need = 'O' // optional
	C Need = 'C' // conditional: the field's condition says when
	X Need = '-' // not in SSP 1.0
)

// Type is what stands in an attribute or element: a scalar of value.go, or the name of a structure.
type Type string

// Field is an information element: how it is written, how often, when. ssp-syntax 2.6, 3.
type Field struct {
	Name string
	Attr bool // an attribute, not an element
	Type Type
	Card Card
	Need Need
	IE   string // the information element's name in the semantics document; "" if it has none
	When *condition
	OMA  bool   // written in OMA13 only; read in both
	Twin string // the name that this one stands for: it is only another spelling, in OMA13
	Lax  bool   // one that the public implementation of OMA13 leaves out

	of *Structure // of Type; nil for scalars
}

func attr(name string, t Type, c Card, n Need, ie string) Field {
	return Field{Name: name, Attr: true, Type: t, Card: c, Need: n, IE: ie}
}

func elem(name string, t Type, c Card, n Need, ie string) Field {
	return Field{Name: name, Type: t, Card: c, Need: n, IE: ie}
}

func (f Field) when(c *condition) Field { f.When = c; return f }
func (f Field) in13() Field             { f.OMA = true; return f }
func (f Field) lax13() Field            { f.Lax = true; return f }

func (f Field) twin(name string) Field { f.Twin = name; return f }

// Structure is a primitive, or a part that several are made of.
type Structure struct {
	Name     string
	OMA13    string // its name in that dialect, if another
	Section  string // of the semantics document, for a primitive
	By       Role   // who sends it, for a primitive
	Text     Type   // what stands in it besides its fields; "" is nothing
	Open     bool   // elements of another vocabulary stand in it
	Presence bool   // those of presence attributes: their namespace is declared
	Fields   []Field

	attrs int    // how many attributes: these come first
	must  fields // those that are always there
	when  fields // those that have a condition
}

// fields are some of a structure's Fields: bit 0 is the first.
type fields uint64

// Step is one message of a transaction.
type Step struct {
	By        Role
	Primitive string
}

// Transaction is a request and what follows it, SSP 5.
type Transaction struct {
	Name, Section string
	Needs         string // what must be agreed on for it, "feature" or "feature/node", ssp-syntax 5.5; "" is nothing
	Complementary bool   // part of a complementary service, SSP 2.1
	Steps         []Step
}

// features are the service tree, ssp-syntax 5.5.
var features = []struct {
	name  string
	nodes []string
}{
	{"SAPFeature", []string{"ServiceNegotiation", "UserProfileManagement", "ServiceRelay"}},
	{"CommonFeature", []string{"InvitePR", "InviteIM", "InviteSC", "InviteGR", "ComplementaryInvite", "SearchUser",
		"SearchGroup", "VerifyUser"}},
	{"PresenceFeature", []string{"ContactListGet", "ContactListUpdate", "Authorization", "WatcherList",
		"AttributeList", "ContactListAddr"}},
	{"IMFeature", []string{"SendMsgGroupID", "SendMsgContactListID", "PushMsg", "NotifyMsg", "GetMsg", "DeliveryMtd",
		"GetMsgList", "RejectMsg", "DeliveryReport", "Blocking", "GroupHistory", "MsgList"}},
	{"GroupFeature", []string{"GroupMgmt", "GetMember", "MemberMgmt", "RejectList"}},
	{"SharedContentFeature", nil},
}

// Features is the whole service tree: the features in order, then the nodes of one. ssp-syntax 5.5.
func Features() []string {
	var l []string
	for _, f := range features {
		l = append(l, f.name)
	}
	return l
}

// Nodes are what can be agreed on inside a feature; nil for a name that is none.
func Nodes(feature string) []string {
	for _, f := range features {
		if f.name == feature {
			return f.nodes
		}
	}
	return nil
}

// chapters are the primitives and transactions in the order of the semantics document.
var chapters = []struct {
	title        string
	primitives   []Structure
	transactions []Transaction
}{
	{"session", sessionPrimitives, sessionTransactions},
	{"service", servicePrimitives, serviceTransactions},
	{"profile", profilePrimitives, profileTransactions},
	{"common", commonPrimitives, commonTransactions},
	{"list", listPrimitives, listTransactions},
	{"presence", presencePrimitives, presenceTransactions},
	{"message", messagePrimitives, messageTransactions},
	{"group", groupPrimitives, groupTransactions},
}

// anything is the structure of what is kept as it came.
var anything = Structure{Name: string(tAny), Open: true}

// tables are all structures by name, with the fields' types found, and all transactions.
type tables struct {
	structures map[string]*Structure // parts and primitives
	primitives map[string]*Structure
	order      []*Structure // the primitives
	parts      []*Structure
	trans      []*Transaction
}

var all = link()

// link finds what the fields speak of; it panics at a name that is not there, or there twice.
func link() tables {
	t := tables{structures: map[string]*Structure{}, primitives: map[string]*Structure{}}
	put := func(s *Structure) {
		if t.structures[s.Name] != nil {
			panic("ssp/wire: there are two structures " + s.Name)
		}
		t.structures[s.Name] = s
	}
	for c := range chapters {
		for i := range chapters[c].primitives {
			s := &chapters[c].primitives[i]
			put(s)
			t.primitives[s.Name] = s
			t.order = append(t.order, s)
		}
		for i := range chapters[c].transactions {
			t.trans = append(t.trans, &chapters[c].transactions[i])
		}
	}
	for i := range structureTable {
		put(&structureTable[i])
		t.parts = append(t.parts, &structureTable[i])
	}
	for _, s := range t.structures {
		if len(s.Fields) > 64 {
			panic("ssp/wire: there is more in " + s.Name + " than 64 bits can tell")
		}
		for i := range s.Fields {
			f := &s.Fields[i]
			if f.Attr {
				if s.attrs != i {
					panic("ssp/wire: in " + s.Name + " the attribute " + f.Name + " stands after an element")
				}
				s.attrs++
			}
			switch {
			case f.Twin != "":
			case f.When != nil:
				s.when |= 1 << i
			case f.Card == one || f.Card == some:
				s.must |= 1 << i
			}
			if f.Type == tAny {
				f.of = &anything
			} else if f.of = t.structures[string(f.Type)]; f.of == nil && !f.Type.scalar() {
				panic("ssp/wire: " + s.Name + "/" + f.Name + " is of a type that is not there: " + string(f.Type))
			}
		}
	}
	return t
}

// Lookup finds a primitive by its name in WV10.
func Lookup(primitive string) (*Structure, bool) {
	s, ok := all.primitives[primitive]
	return s, ok
}

// Primitives are all of them, in the order of the semantics document. They are not to be changed.
func Primitives() []*Structure { return all.order }

// Transactions are all of them, in the order of the semantics document. They are not to be changed.
func Transactions() []*Transaction { return all.trans }

// Starting are the transactions that begin with a primitive: none for an answer. Several are told apart by what stands
// in it. ssp-syntax 3.10.
func Starting(primitive string) []*Transaction {
	var l []*Transaction
	for _, t := range all.trans {
		if t.Steps[0].Primitive == primitive {
			l = append(l, t)
		}
	}
	return l
}
