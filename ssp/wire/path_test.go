package wire

import (
	"reflect"
	"strings"
	"testing"
)

func meta() *Element {
	return Meta{Service: "wv:@a.example", User: "wv:alice@a.example"}.Element()
}

// ssp-syntax 2.5, 2.6, 3.
func TestPutMakesWhatIsOnTheWay(t *testing.T) {
	user := func(id string) *Element { return New("Recipient").Add(New("User", "userID", id)) }
	for _, c := range []struct {
		set  []string
		want *Element
	}{
		{[]string{"deliveryReport=No", "MessageInfo.contentType=text/plain", "MessageInfo.contentSize=2", "MessageInfo.Recipient.User.userID=wv:bob@b.example",
			"MessageInfo.Recipient.User.userID=wv:carol@b.example", "MessageInfo.Sender.User.userID=wv:alice@a.example",
			"MessageInfo.DateTime=20021119T063000Z", "ContentData=hi there", "ContentData.contentType=text/plain"},
			New("SendMessageRequest", "deliveryReport", "No").Add(
				New("MessageInfo", "contentType", "text/plain", "contentSize", "2").Add(user("wv:bob@b.example"), user("wv:carol@b.example"),
					New("Sender").Add(New("User", "userID", "wv:alice@a.example")), New("DateTime").With("20021119T063000Z")),
				New("ContentData", "contentType", "text/plain").With("hi there"))},
		{[]string{"UserID.userID=wv:bob@b.example", "UserID.userID=wv:carol@b.example", "AttributeList.PresenceSubList.OnlineStatus=",
			"AttributeList.PresenceSubList.UserAvailability="},
			New("SubscribeRequest").Add(New("UserID", "userID", "wv:bob@b.example"), New("UserID", "userID", "wv:carol@b.example"),
				New("AttributeList").Add(New("PresenceSubList").Add(New("OnlineStatus"), New("UserAvailability"))))},
	} {
		e := New(c.want.Name)
		for _, kv := range c.set {
			path, value, _ := strings.Cut(kv, "=")
			if err := e.Put(path, value); err != nil {
				t.Errorf("%s: %v", kv, err)
			}
		}
		if !reflect.DeepEqual(e, c.want) {
			t.Errorf("got %+v, want %+v", e, c.want)
		}
		if fault := (&Unit{Primitive: e.Add(meta())}).Check(WV10); fault != nil {
			t.Errorf("%s: %v", e.Name, fault)
		}
	}
}

func TestPutSaysWhatThereIs(t *testing.T) {
	for _, c := range []struct{ primitive, set, say string }{
		{"Nothing", "a=b", "Nothing is no primitive"},
		{"SendMessageRequest", "deliveryreport=No", `SendMessageRequest has no "deliveryreport": there is deliveryReport, MetaInfo, MessageInfo, ContentData`},
		{"SendMessageRequest", "MessageInfo.Sender.Friend=x", `SendMessageRequest.MessageInfo.Sender has no "Friend": there is User, GroupID`},
		{"SendMessageRequest", "MessageInfo=x", "SendMessageRequest.MessageInfo has no value of its own: there is messageID"},
		{"SendMessageRequest", "deliveryReport=", "is an attribute, and needs a value"},
		{"SendMessageRequest", "deliveryReport.x=Yes", "SendMessageRequest.deliveryReport is a value, with nothing in it"},
		{"SendMessageRequest", "deliveryReport=Yes deliveryReport=No", "SendMessageRequest.deliveryReport can stand there only once"},
		{"SendMessageRequest", "MessageInfo.contentType=a MessageInfo.contentType=b", "SendMessageRequest.MessageInfo.contentType can stand there only once"},
		{"SendMessageRequest", "MessageInfo.DateTime=1 MessageInfo.DateTime=2", "MessageInfo.DateTime can stand there only once"},
		{"SubscribeRequest", "AttributeList.PresenceSubList.Online%Status=", `"Online%Status" is no name of an element`},
		{"LogoutRequest", "x=y", "there is nothing in it"},
		{"SubscribeRequest", "=y", `SubscribeRequest has no ""`},
	} {
		e := New(c.primitive)
		var err error
		for kv := range strings.FieldsSeq(c.set) {
			path, value, _ := strings.Cut(kv, "=")
			err = e.Put(path, value)
		}
		if err == nil || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%s %s: %v, want %s", c.primitive, c.set, err, c.say)
		}
	}
}

// Every part of every primitive that is written can be put by its path.
func TestPutReachesEverything(t *testing.T) {
	n := 0
	var walk func(s *Structure, primitive, path string, depth int)
	walk = func(s *Structure, primitive, path string, depth int) {
		for i := range s.Fields {
			f := &s.Fields[i]
			if f.Twin != "" || depth > 6 {
				continue
			}
			at := path + f.Name
			if f.Attr || f.of == nil || f.of.Text != "" {
				n++
				if err := New(primitive).Put(at, "1"); err != nil {
					t.Errorf("%s %s: %v", primitive, at, err)
				}
			}
			if f.of != nil {
				walk(f.of, primitive, at+".", depth+1)
			}
		}
	}
	for _, s := range Primitives() {
		walk(s, s.Name, "", 0)
	}
	if n < 500 {
		t.Errorf("only %d parts are there", n)
	}
}

func FuzzPut(f *testing.F) {
	f.Add("SendMessageRequest", "MessageInfo.Recipient.User.userID", "wv:bob@b.example")
	f.Add("SubscribeRequest", "AttributeList.PresenceSubList.OnlineStatus", "")
	f.Fuzz(func(t *testing.T, primitive, path, value string) {
		e := New(primitive)
		for range 3 {
			if e.Put(path, value) != nil {
				return
			}
		}
	})
}
