package wire

import (
	"strings"
	"testing"
	"time"
)

// TestDecodes: an element says that it can be decoded exactly when it can be. ssp-syntax 2.5.
func TestDecodes(t *testing.T) {
	letters := []byte("Ab+/=! \n")
	for n := range 8 * 8 * 8 * 8 * 8 * 8 {
		var b []byte
		for k := n; k > 0; k /= 8 {
			b = append(b, letters[k%8])
		}
		e := New("ContentData", "encoding", Base64)
		e.Text = string(b)
		if _, ok := e.Bytes(); ok != e.decodes() {
			t.Fatalf("%q: %v, but decodes says %v", b, ok, !ok)
		}
	}
}

// TestTimesAtOnce: the form that nearly all times have is read as the others are. ssp-syntax 2.5.
func TestTimesAtOnce(t *testing.T) {
	for _, s := range []string{"20021119T063000Z", "20000229T235959Z", "00010101T000000Z", "99991231T235959Z", "20010229T000000Z", "20021319T063000Z",
		"20020019T063000Z", "19000229T000000Z", "20040229T000000Z", "20040230T000000Z", "20040430T000000Z", "20040431T000000Z", "20041231T000000Z", "20041232T000000Z",
		"20021100T063000Z", "20021119T243000Z", "20021119T066000Z", "20021119T063060Z", "00000101T000000Z", "20021119T06300Z0",
		"2002111 T063000Z", "20021119T063000z", "20021119t063000Z", ""} {
		at, err := time.Parse(layouts[0], s)
		if err == nil && FormatTime(at) != s {
			t.Errorf("%s is written %s", s, FormatTime(at))
		}
		if got, ok := basic(s); ok != (err == nil && at.Year() > 0) || ok && got != at {
			t.Errorf("%s: %v %v, want %v %v", s, got, ok, at, err)
		}
	}
}

// TestPiecesStandAlone: what is read of one transaction is not changed by what is read or made later. ssp-syntax 1.7.
func TestPiecesStandAlone(t *testing.T) {
	var b strings.Builder
	b.WriteString(`<WV-SSP-Message><Session sessionID="s">`)
	for range 3 {
		b.WriteString(`<Transaction mode="Request" transactionID="1"><SetPresenceRequest><MetaInfo clientOriginated="No"><Requestor serviceID="wv:@a.example"/></MetaInfo>`)
		for range 200 {
			b.WriteString(`<Unheard of="it"/>`)
		}
		b.WriteString(strings.Repeat(`<Presence/>`, 3) + `</SetPresenceRequest></Transaction>`)
	}
	b.WriteString(`</Session></WV-SSP-Message>`)
	doc := []byte(strings.ReplaceAll(b.String(), "SetPresenceRequest", "GetPresenceRequest"))
	m := decode(t, string(doc))
	before := m.Units[0].Primitive.Child("MetaInfo").Child("Requestor").Attr("serviceID")
	clear(doc)
	for i := range m.Units {
		e := m.Units[i].Primitive
		e.Set("more", "of it").Add(New("More"), New("Still"))
		e.Child("MetaInfo").Set("x", "y").Add(New("More"))
	}
	for i := range m.Units {
		e := m.Units[i].Primitive
		r := e.Child("MetaInfo").Child("Requestor")
		if len(e.Attrs) != 1 || r.Attr("serviceID") != before || len(r.Attrs) != 1 || len(r.Kids) != 0 || len(e.Child("MetaInfo").Kids) != 2 {
			t.Errorf("%d: %+v", i, e)
		}
	}
}
