package wire

import (
	"cmp"
	"strings"
	"testing"
)

// clone is a copy that shares nothing.
func clone(e *Element) *Element {
	c := &Element{Name: e.Name, Text: e.Text, Attrs: append([]Attr(nil), e.Attrs...)}
	for _, k := range e.Kids {
		c.Kids = append(c.Kids, clone(k))
	}
	return c
}

// without takes away what f speaks of.
func without(e *Element, f *Field) {
	if f.Attr {
		e.Set(f.Name, "")
		return
	}
	var kids []*Element
	for _, k := range e.Kids {
		if k.Name != f.Name {
			kids = append(kids, k)
		}
	}
	e.Kids = kids
}

// each calls do with a copy of a golden primitive for each field that is in it, the structure it stands in, and the
// code that it has when it is wrong: 0 but in the meta-information.
func each(t *testing.T, do func(g golden, u Unit, s *Structure, f *Field, e *Element, broken Code)) {
	for _, g := range goldens(t) {
		u := decode(t, g.doc).Units[0]
		var walk func(s *Structure, path []int)
		at := func(root *Element, path []int) *Element {
			for _, i := range path {
				root = root.Kids[i]
			}
			return root
		}
		walk = func(s *Structure, path []int) {
			here := at(u.Primitive, path)
			for i := range s.Fields {
				f := &s.Fields[i]
				if here.Has(f.Name) && f.Twin == "" {
					c := Unit{Response: u.Response, ID: u.ID, Primitive: clone(u.Primitive)}
					broken := Code(0)
					if f.Name == "MetaInfo" || len(path) > 0 && u.Primitive.Kids[path[0]].Name == "MetaInfo" {
						broken = UnknownTransaction
					}
					do(g, c, s, f, at(c.Primitive, path), broken)
				}
				if f.Attr || f.of == nil {
					continue
				}
				for n, k := range here.Kids {
					if k.Name == f.Name {
						walk(f.of, append(path[:len(path):len(path)], n))
					}
				}
			}
		}
		walk(all.primitives[u.Primitive.Name], nil)
	}
}

// TestCardinality: from every document, each attribute and element in turn is left out. Where the table says that it
// must be there, the answer is 400, or 536 in the meta-information; where not, the rest is well as it is. What has a
// condition is left to TestConditional. ssp-syntax 1.4; SSP 14.3.1, 14.4.16.
func TestCardinality(t *testing.T) {
	n := 0
	each(t, func(g golden, u Unit, s *Structure, f *Field, e *Element, broken Code) {
		if f.When != nil {
			return
		}
		n++
		without(e, f)
		fault := u.Check(g.dialect)
		must := f.Card == one || f.Card == some
		want := cmp.Or(broken, BadRequest)
		switch {
		case must && fault == nil:
			t.Errorf("%s %s without %s/%s is well", g.dialect, g.name, s.Name, f.Name)
		case must && (fault.Code != want || !strings.HasSuffix(fault.At, f.Name) || !strings.HasPrefix(fault.What, "missing")):
			t.Errorf("%s %s without %s/%s: %v", g.dialect, g.name, s.Name, f.Name, fault)
		case !must && fault != nil:
			t.Errorf("%s %s without %s/%s: %v", g.dialect, g.name, s.Name, f.Name, fault)
		}
	})
	if n < 1000 {
		t.Errorf("only %d were left out", n)
	}
}

// TestFits: all documents are well at a glance, and whatever is taken away, what is well at a glance is well when it is
// looked at closely. ssp-syntax 1.4, 2.6.
func TestFits(t *testing.T) {
	agree := func(name string, u Unit, d Dialect) (fits bool) {
		s, p, j := all.primitives[u.Primitive.Name], place{u.Primitive, nil, u.Response}, judge{d, u.Response}
		fits = j.fits(s, p)
		if fault := j.structure(s, p); fits && fault != nil {
			t.Errorf("%s %s: %v", d, name, fault)
		}
		return fits
	}
	for _, g := range goldens(t) {
		if u := decode(t, g.doc).Units[0]; !agree(g.name, u, g.dialect) && g.dialect == WV10 {
			t.Errorf("%s %s has to be looked at closely", g.dialect, g.name)
		}
	}
	each(t, func(g golden, u Unit, s *Structure, f *Field, e *Element, broken Code) {
		without(e, f)
		agree(g.name+" without "+s.Name+"/"+f.Name, u, g.dialect)
	})
}

// TestOtherPrimitive: a primitive that is put where another one was read is judged by its own table. ssp-syntax 1.4.
func TestOtherPrimitive(t *testing.T) {
	u := decode(t, transaction(WV10, "Response", "<Status code='200'/>")).Units[0]
	u.Primitive = New("KeepAliveResponse")
	if f := u.Check(WV10); f == nil || f.At != "KeepAliveResponse/Status" {
		t.Error(f)
	}
	u.Primitive = New("Teleport")
	if f := u.Check(WV10); f == nil || f.Code != NotSupported {
		t.Error(f)
	}
}

// TestTwice: what stands there once at most is refused when it is there twice. SSP 14.3.1.
func TestTwice(t *testing.T) {
	each(t, func(g golden, u Unit, s *Structure, f *Field, e *Element, broken Code) {
		if f.Attr || f.When != nil || f.Card != one && f.Card != maybe {
			return
		}
		e.Add(clone(e.Child(f.Name)))
		want := cmp.Or(broken, BadRequest)
		if fault := u.Check(g.dialect); fault == nil || fault.Code != want {
			t.Errorf("%s with %s/%s twice: %v", g.name, s.Name, f.Name, fault)
		}
	})
}

// TestWrongValue: a value that is none of its type is 402, or 536 in the meta-information. SSP 14.3.3, 14.4.16.
func TestWrongValue(t *testing.T) {
	wrong := map[Type]string{tInt: "many", tSeconds: "-1", tLife: "0", tBool: "Perhaps", tCode: "20", tTime: "yesterday",
		tUser: "wv:" + strings.Repeat("u", maxAddress) + "@x", tGroup: strings.Repeat("g", maxAddress+1),
		tList: strings.Repeat("l", maxAddress+1), tService: strings.Repeat("s", maxAddress+1), tInvite: "XX",
		tDelivery: "Pigeon", tProtocol: "WV-CSP"}
	seen := map[Type]bool{}
	each(t, func(g golden, u Unit, s *Structure, f *Field, e *Element, broken Code) {
		bad, ok := wrong[f.Type]
		if !ok {
			return
		}
		seen[f.Type] = true
		if f.Attr {
			e.Set(f.Name, bad)
		} else {
			e.Child(f.Name).Text = bad
		}
		want := cmp.Or(broken, BadParameter)
		if fault := u.Check(g.dialect); fault == nil || fault.Code != want {
			t.Errorf("%s with %s/%s %q: %v", g.name, s.Name, f.Name, bad, fault)
		}
	})
	for typ := range wrong {
		if !seen[typ] {
			t.Errorf("nothing of type %s was tried", typ)
		}
	}
}

// meta of a request by a user, as in the documents.
var byInes = Meta{Service: "wv:@north.example", User: "wv:ines@north.example"}.Element

// TestConditional: each condition of the tables, met and not met. ssp-syntax 2.3, 3, 9; SSP 14.3.3, 14.4.16.
func TestConditional(t *testing.T) {
	group := func() *Element { return New("GroupID", "groupID", "wv:%2Fchess@south.example") }
	user := func() *Element { return New("UserID", "userID", "wv:tom@south.example") }
	party := func(n string) *Element { return New(n).Add(New("User", "userID", "wv:tom@south.example")) }
	pair := func() *Element {
		return New("SearchPairList").Add(New("SearchElement").With("USER_ID"), New("SearchString").With("tom"))
	}
	invite := func(typ string, more ...*Element) *Element {
		return New("InviteRequest", "inviteID", "1", "inviteType", typ).Add(byInes(), party("Inviting"), party("Invited")).Add(more...)
	}
	info := func(attrs ...string) *Element {
		return New("MessageInfo", attrs...).Add(party("Recipient"), party("Sender"))
	}
	ok := func() *Element { return Status(Successful, "") }
	metaOf := func(client string, user bool) *Element {
		r := New("Requestor", "serviceID", "wv:@north.example")
		if user {
			r.Add(New("User", "userID", "wv:ines@north.example"))
		}
		return New("GetServiceRequest").Add(New("MetaInfo", "clientOriginated", client).Add(r))
	}
	for _, c := range []struct {
		name     string
		response bool
		e        *Element
		want     Code // 0: well
		at       string
	}{
		{"a user asks", false, metaOf(Yes, true), 0, ""},
		{"a domain asks", false, metaOf(No, false), 0, ""},
		{"a user who is not named", false, metaOf(Yes, false), UnknownTransaction, "User"},
		{"a user where a domain asks", false, metaOf(No, true), UnknownTransaction, "User"},
		{"no meta-information", false, New("GetServiceRequest"), UnknownTransaction, "MetaInfo"},

		{"neither", false, New("ServiceList").Add(New("Services")), UnknownTransaction, "MetaInfo"},
		{"both", false, New("ServiceList").Add(byInes(), ok(), New("Services")), UnknownTransaction, "MetaInfo"},
		{"neither delivered", true, New("MessageDelivered", "messageID", "1"), UnknownTransaction, "MetaInfo"},
		{"leave answered without a group", true, New("LeaveGroupIndication").Add(ok(), New("ReasonText")), 0, ""},
		{"leave by the server without a group", false, New("LeaveGroupIndication").Add(byInes(), New("ReasonText")), BadRequest, "groupID"},

		{"logout answered without a status", true, New("Disconnect"), BadRequest, "Status"},
		{"disconnected without a status", false, New("Disconnect"), 0, ""},
		{"login without a session", true, New("LoginResponse").Add(ok()), BadRequest, "sessionID"},
		{"login refused without a session", true, New("LoginResponse").Add(Status(BadPassword, "")), 0, ""},

		{"first search", false, New("SearchRequest", "searchLimit", "5").Add(byInes(), pair()), 0, ""},
		{"search for nothing", false, New("SearchRequest").Add(byInes()), BadRequest, "searchID"},
		{"search continued", false, New("SearchRequest", "searchID", "1", "searchIndex", "5").Add(byInes()), 0, ""},
		{"search continued from nowhere", false, New("SearchRequest", "searchID", "1").Add(byInes()), BadRequest, "searchIndex"},
		{"search continued for something else", false, New("SearchRequest", "searchID", "1", "searchIndex", "5").Add(byInes(), pair()), BadParameter, "SearchPairList"},
		{"search continued with a limit", false, New("SearchRequest", "searchID", "1", "searchIndex", "5", "searchLimit", "9").Add(byInes()), BadParameter, "searchLimit"},
		{"first search from the middle", false, New("SearchRequest", "searchIndex", "5").Add(byInes(), pair()), BadParameter, "searchIndex"},

		{"invitation to talk", false, invite("IM"), 0, ""},
		{"invitation to a group", false, invite("GR", group()), 0, ""},
		{"invitation to no group", false, invite("GR"), BadRequest, "GroupID"},
		{"invitation to talk in a group", false, invite("IM", group()), BadParameter, "GroupID"},
		{"invitation to presence", false, invite("PR"), 0, ""},
		{"invitation to talk about presence", false, invite("IM", New("AttributeList")), BadParameter, "AttributeList"},
		{"invitation to content", false, invite("SC", New("ContentIDList")), 0, ""},
		{"invitation to presence with content", false, invite("PR", New("ContentIDList")), BadParameter, "ContentIDList"},

		{"subscribe to nobody", false, New("SubscribeRequest").Add(byInes()), BadParameter, "UserID"},
		{"unsubscribe from nobody", false, New("UnsubscribeRequest").Add(byInes()), BadParameter, "UserID"},
		{"presence of nobody", false, New("GetPresenceRequest").Add(byInes()), BadParameter, "UserID"},
		{"presence of a list", false, New("GetPresenceRequest").Add(byInes(), New("ContactList", "contactListID", "wv:ines%2Fclub@north.example")), 0, ""},
		{"attributes for nobody", false, New("CreateAttrListRequest", "defaultList", No).Add(byInes(), New("AttributeList")), BadParameter, "ContactList"},
		{"attributes for all", false, New("CreateAttrListRequest", "defaultList", Yes).Add(byInes(), New("AttributeList")), 0, ""},
		{"attributes for one", false, New("DeleteAttrListRequest", "defaultList", No).Add(byInes(), user()), 0, ""},

		{"message without content", false, New("SendMessageRequest", "deliveryReport", No).Add(byInes(), info("messageID", "1")), BadRequest, "ContentData"},
		{"message elsewhere", false, New("SendMessageRequest", "deliveryReport", No).Add(byInes(), info("messageURI", "http://x/")), 0, ""},
		{"message that is no base64", false, New("SendMessageRequest", "deliveryReport", No).Add(byInes(), info(),
			New("ContentData", "encoding", "base64").With("%%%")), BadParameter, "ContentData"},
		{"forward nothing", false, New("ForwardMessageRequest").Add(byInes(), party("Recipient")), BadRequest, "messageID"},
		{"forward what", false, New("ForwardMessageRequest", "messageID", "1", "messageURI", "http://x/").Add(byInes(), party("Recipient")), BadParameter, "messageID"},
		{"reject nothing", false, New("RejectMessageRequest").Add(byInes(), New("MessageID")), BadRequest, "messageID"},

		{"no presence and no status", true, New("GetPresenceResponse"), BadRequest, "Status"},
		{"nothing known", false, New("Teleport"), NotSupported, "Teleport"},
	} {
		u := Unit{Response: c.response, ID: "1", Primitive: c.e}
		f := u.Check(WV10)
		switch {
		case c.want == 0 && f != nil:
			t.Errorf("%s: %v", c.name, f)
		case c.want != 0 && (f == nil || f.Code != c.want || !strings.HasSuffix(f.At, c.at)):
			t.Errorf("%s: %v, want %s at %s", c.name, f, c.want, c.at)
		}
	}
	u := Unit{Response: true, ID: "1", Primitive: New("GetPresenceResponse")}
	if f := u.Check(OMA13); f != nil {
		t.Errorf("presence without a status, from who never writes one: %v", f) // ssp-syntax 2.8
	}
	u = Unit{ID: "1", Unknown: "Teleport"}
	if f := u.Check(WV10); f == nil || f.Code != NotSupported {
		t.Errorf("a primitive that is not known: %v", f)
	}
}
