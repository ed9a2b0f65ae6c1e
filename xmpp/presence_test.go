package xmpp

import (
	"bytes"
	"strings"
	"testing"

	"parley/im"
	"parley/xmltext"
	"parley/xmpp/wire"
)

// element reads one element of a stream that also declares the prefix e.
func element(t testing.TB, x string) xmltext.Node {
	t.Helper()
	var s xmltext.Scanner
	if _, e, err := s.Next(new(xmltext.Doc), []byte("<s xmlns='jabber:client' xmlns:e='urn:e'>")); err != nil || e != xmltext.Header {
		t.Fatal(e, err)
	}
	d := new(xmltext.Doc)
	if _, e, err := s.Next(d, []byte(x)); err != nil || e != xmltext.Element {
		t.Fatal(x, e, err)
	}
	return d.Root()
}

// RFC 6121 4.7.
func TestReadPresence(t *testing.T) {
	for _, c := range []struct {
		in     string
		want   im.Presence
		native string
	}{
		{"<presence/>", im.Presence{State: im.Available}, ""},
		{"<presence> </presence>", im.Presence{State: im.Available}, ""},
		{"<presence><show>away</show></presence>", im.Presence{State: im.Away}, "<show>away</show>"},
		{"<presence><show>chat</show></presence>", im.Presence{State: im.FreeToChat}, "<show>chat</show>"},
		{"<presence><show> dnd\n</show></presence>", im.Presence{State: im.Busy}, "<show> dnd\n</show>"},
		{"<presence><show>xa</show><priority>-1</priority></presence>", im.Presence{State: im.ExtendedAway, Priority: -1},
			"<show>xa</show><priority>-1</priority>"},
		{"<presence><show/><priority/></presence>", im.Presence{State: im.Available}, "<show/><priority/>"},
		{"<presence><priority>+127</priority></presence>", im.Presence{State: im.Available, Priority: 127}, "<priority>+127</priority>"},
		{"<presence><show>away</show><status>Be right back</status></presence>", im.Presence{State: im.Away, Status: "Be right back"},
			"<show>away</show><status>Be right back</status>"},
		{"<presence xml:lang='de'><status xml:lang='en'>one</status>\n<status xml:lang='DE'>zwei</status></presence>",
			im.Presence{State: im.Available, Status: "zwei"}, "<status xml:lang='en'>one</status><status xml:lang='DE'>zwei</status>"},
		{"<presence><status xml:lang='en'>one</status><status>two &lt;</status></presence>",
			im.Presence{State: im.Available, Status: "two <"}, "<status xml:lang='en'>one</status><status>two &lt;</status>"},
		{"<presence xml:lang='fr'><status xml:lang='en'>one</status><status xml:lang='de'>zwei</status></presence>",
			im.Presence{State: im.Available, Status: "one"}, "<status xml:lang='en'>one</status><status xml:lang='de'>zwei</status>"},
		{"<presence xmlns:f='urn:f'><e:c f:x='1'/><f:show>odd</f:show></presence>", im.Presence{State: im.Available},
			"<e:c xmlns:e='urn:e' xmlns:f='urn:f' f:x='1'/><f:show xmlns:f='urn:f'>odd</f:show>"},
		{"<presence type='unavailable'><show>away</show><status>bye</status><priority>5</priority></presence>",
			im.Presence{State: im.Offline, Status: "bye"}, "<show>away</show><status>bye</status><priority>5</priority>"},
	} {
		p, err := ReadPresence(element(t, c.in))
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if p.State != c.want.State || p.Priority != c.want.Priority || p.Status != c.want.Status || string(p.Native.Body) != c.native ||
			(p.Native.Door == Door) != (c.native != "") {
			t.Errorf("%s: %v %d %q %s", c.in, p.State, p.Priority, p.Status, p.Native.Body)
		}
	}
	for _, bad := range []string{
		"<presence><show>online</show></presence>",
		"<presence><show>Away</show></presence>",
		"<presence><show>away</show><show>away</show></presence>",
		"<presence><priority>128</priority></presence>",
		"<presence><priority>-129</priority></presence>",
		"<presence><priority>1.5</priority></presence>",
		"<presence><priority>0x1</priority></presence>",
		"<presence><priority>1</priority><priority>2</priority></presence>",
	} {
		if p, err := ReadPresence(element(t, bad)); err == nil || err.Condition != BadRequest || p.State != im.Offline {
			t.Errorf("%s: %v, %v", bad, p.State, err)
		}
	}
}

// RFC 6121 4.7.2.1; draft 7.7: all states, those of other doors too.
func TestAppendPresence(t *testing.T) {
	for _, c := range []struct {
		p    im.Presence
		typ  string
		want string
	}{
		{im.Presence{State: im.Available}, "", "<presence from='a@x/1' to='b@x'/>"},
		{im.Presence{State: im.FreeToChat}, "", "<presence from='a@x/1' to='b@x'><show>chat</show></presence>"},
		{im.Presence{State: im.Idle}, "", "<presence from='a@x/1' to='b@x'><show>away</show></presence>"},
		{im.Presence{State: im.Away, Status: "a<b"}, "", "<presence from='a@x/1' to='b@x'><show>away</show><status>a&lt;b</status></presence>"},
		{im.Presence{State: im.BeRightBack}, "", "<presence from='a@x/1' to='b@x'><show>away</show><status>Be right back</status></presence>"},
		{im.Presence{State: im.OutToLunch}, "", "<presence from='a@x/1' to='b@x'><show>away</show><status>Out to lunch</status></presence>"},
		{im.Presence{State: im.Busy}, "", "<presence from='a@x/1' to='b@x'><show>dnd</show></presence>"},
		{im.Presence{State: im.OnThePhone}, "", "<presence from='a@x/1' to='b@x'><show>dnd</show><status>On the phone</status></presence>"},
		{im.Presence{State: im.OnThePhone, Status: "mine"}, "", "<presence from='a@x/1' to='b@x'><show>dnd</show><status>mine</status></presence>"},
		{im.Presence{State: im.ExtendedAway, Priority: -5}, "", "<presence from='a@x/1' to='b@x'><show>xa</show><priority>-5</priority></presence>"},
		{im.Presence{}, "", "<presence from='a@x/1' to='b@x' type='unavailable'/>"},
		{im.Presence{State: im.Hidden}, "", "<presence from='a@x/1' to='b@x' type='unavailable'/>"},
		{im.Presence{Status: "bye"}, "unavailable", "<presence from='a@x/1' to='b@x' type='unavailable'><status>bye</status></presence>"},
		{im.Presence{}, "subscribed", "<presence from='a@x/1' to='b@x' type='subscribed'/>"},
		{im.Presence{State: im.Away, Status: "x", Native: im.Native{Door: Door, Body: []byte("<show>away</show><x xmlns='urn:x'/>")}}, "",
			"<presence from='a@x/1' to='b@x'><show>away</show><x xmlns='urn:x'/></presence>"},
		{im.Presence{State: im.Away, Native: im.Native{Door: "elsewhere", Body: []byte("&&&")}}, "",
			"<presence from='a@x/1' to='b@x'><show>away</show></presence>"},
	} {
		if got := string(AppendPresence(nil, "a@x/1", "b@x", c.typ, c.p)); got != c.want {
			t.Errorf("%v: %s, want\n%s", c.p.State, got, c.want)
		}
	}
	if got := string(AppendPresence([]byte("_"), "", "", "", im.Presence{State: im.Available})); got != "_<presence/>" {
		t.Error(got)
	}
}

// TestPresenceKeepsItsID: whatever it says, and even if it says nothing. RFC 6121 4.3.2.1
func TestPresenceKeepsItsID(t *testing.T) {
	for in, want := range map[string]string{
		"<presence id='a'/>": "<presence from='a@x/1' id='a'/>",
		"<presence id='&lt;&apos;&#10;' type='unavailable'/>":        "<presence from='a@x/1' id='&lt;&apos;&#10;' type='unavailable'/>",
		"<presence id='a'><show>dnd</show><x xmlns='u'/></presence>": "<presence from='a@x/1' id='a'><show>dnd</show><x xmlns='u'/></presence>",
		"<presence id=''><show>dnd</show></presence>":                "<presence from='a@x/1'><show>dnd</show></presence>",
		"<presence id='" + strings.Repeat("i", longestID+1) + "'/>":  "<presence from='a@x/1'/>",
	} {
		p, err := ReadPresence(element(t, in))
		if err != nil {
			t.Fatal(in, err)
		}
		if got := string(AppendPresence(nil, "a@x/1", "", "", p)); got != want {
			t.Errorf("%s: %s, want\n%s", in, got, want)
		}
	}
}

// TestShowsComeBack: what is told of a state is at least as far away as the state, and a client that says it back
// stays so.
func TestShowsComeBack(t *testing.T) {
	for s := im.Available; s <= im.ExtendedAway; s++ {
		first, err := ReadPresence(element(t, string(AppendPresence(nil, "", "", "", im.Presence{State: s}))))
		if err != nil {
			t.Fatal(s, err)
		}
		second, err := ReadPresence(element(t, string(AppendPresence(nil, "", "", "", im.Presence{State: first.State}))))
		if err != nil || second.State != first.State {
			t.Errorf("%v became %v, and that %v", s, first.State, second.State)
		}
		switch s {
		case im.Available, im.FreeToChat, im.Away, im.Busy, im.ExtendedAway:
			if first.State != s {
				t.Errorf("%v became %v", s, first.State)
			}
		}
	}
}

// FuzzPresence: what a client sends goes on as one presence with the same meaning, whatever it declared around it.
func FuzzPresence(f *testing.F) {
	for _, x := range []string{
		"<presence><show>away</show><status xml:lang='de'>x &amp; y</status><priority>1</priority></presence>",
		"<presence xmlns:f='urn:f' xml:lang='en'><f:a e:b=''/><e:c><![CDATA[<]]></e:c></presence>",
		"<p:presence xmlns:p='jabber:client'><p:show>xa</p:show><show>odd</show></p:presence>",
		"<presence xmlns='urn:x'><show xmlns='jabber:client'>dnd</show>text</presence>",
		"<presence type='unavailable'><status>bye</status></presence>",
		"<presence><show></show><priority> -1 </priority></presence>",
	} {
		f.Add([]byte(x))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		d := new(xmltext.Doc)
		n, err := wire.Parse(d, in, xmltext.Limits{})
		if err != nil {
			return
		}
		p, refused := ReadPresence(n)
		if refused != nil {
			if refused.Condition != BadRequest || p.State != im.Offline {
				t.Fatalf("%v, %v", p.State, refused)
			}
			return
		}
		typ := ""
		if p.State == im.Offline {
			typ = "unavailable"
		}
		out := AppendPresence(nil, "a@x/1", "b@x", typ, p)
		again := new(xmltext.Doc)
		m, err := wire.Parse(again, out, xmltext.Limits{Bytes: 1 << 20})
		if err != nil {
			t.Fatalf("%q: %v", out, err)
		}
		q, refused := ReadPresence(m)
		if refused != nil || q.State != p.State || q.Priority != p.Priority || !bytes.Equal(q.Native.Body, p.Native.Body) {
			t.Fatalf("%q: %v %d, was %v %d; %v", out, q.State, q.Priority, p.State, p.Priority, refused)
		}
		if strings.Count(string(in), "<status") <= 1 && q.Status != p.Status {
			t.Fatalf("%q: status %q, was %q", out, q.Status, p.Status)
		}
	})
}

// RFC 6121 3.1.2, 3.1.3.
func TestRequests(t *testing.T) {
	for _, c := range []struct{ in, words, want string }{
		{"<presence type='subscribe' id='1' to='b@x'><status>It's me</status><e:n/></presence>", "It's me",
			"<presence from='a@x' to='b@x' type='subscribe'><status>It's me</status><e:n xmlns:e='urn:e'/></presence>"},
		{"<presence type='subscribe'/>", "", "<presence from='a@x' to='b@x' type='subscribe'/>"},
	} {
		words, native := ReadRequest(element(t, c.in))
		if got := string(AppendRequest(nil, "a@x", "b@x", words, native)); got != c.want || words.Reveal() != c.words {
			t.Errorf("%s: %q, %s", c.in, words.Reveal(), got)
		}
	}
	if got := string(AppendRequest(nil, "a@x", "b@x", im.NewText("<3"), im.Native{})); got !=
		"<presence from='a@x' to='b@x' type='subscribe'><status>&lt;3</status></presence>" {
		t.Error(got)
	}
}
