package xmpp

import (
	"slices"
	"testing"

	"parley/xmpp/wire"
)

// The examples of XEP-0115 5.2 and 5.3, their parts out of order.
func TestVer(t *testing.T) {
	features := []string{"http://jabber.org/protocol/muc", wire.NSCaps, wire.NSDiscoItems, wire.NSDiscoInfo}
	if got := Ver([]Identity{{"client", "pc", "", "Exodus 0.9.1"}}, features, nil); got != "QgayPKawpkPSDYmwT/WM94uAlu0=" {
		t.Error(got)
	}
	forms := []Form{{"urn:xmpp:dataforms:softwareinfo", []Field{
		{"software_version", []string{"0.11"}},
		{"ip_version", []string{"ipv6", "ipv4"}},
		{"os", []string{"Mac"}},
		{"software", []string{"Psi"}},
		{"os_version", []string{"10.5.1"}},
	}}}
	ids := []Identity{{"client", "pc", "en", "Psi 0.11"}, {"client", "pc", "el", "\u03a8 0.11"}}
	if got := Ver(ids, features, forms); got != "q07IKJEyjvHSyhy//CH0CxmKi8w=" {
		t.Error(got)
	}
	if features[0] != "http://jabber.org/protocol/muc" || ids[0].Lang != "en" || forms[0].Fields[1].Values[0] != "ipv6" {
		t.Error("the arguments were changed")
	}
	slices.Reverse(features)
	slices.Reverse(ids)
	if got := Ver(ids, features, forms); got != "q07IKJEyjvHSyhy//CH0CxmKi8w=" {
		t.Error(got)
	}
}

// XEP-0030 3.1, XEP-0128 2.
func TestAppendInfo(t *testing.T) {
	want := "<identity category='server' type='im' xml:lang='en' name='P'/><identity category='pubsub' type='pep'/>" +
		"<feature var='urn:xmpp:ping'/><x xmlns='jabber:x:data' type='result'>" +
		"<field var='FORM_TYPE' type='hidden'><value>t</value></field><field var='a'><value>1</value><value>2</value></field></x>"
	got := string(AppendInfo(nil, []Identity{{"server", "im", "en", "P"}, {"pubsub", "pep", "", ""}}, []string{wire.NSPing},
		[]Form{{"t", []Field{{"a", []string{"1", "2"}}}}}))
	if got != want {
		t.Errorf("%s, want\n%s", got, want)
	}
}
