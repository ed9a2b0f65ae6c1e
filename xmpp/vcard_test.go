package xmpp

import (
	"testing"

	"parley/im"
	"parley/xmltext"
	"parley/xmpp/wire"
)

// XEP-0054 3.1, 9.
func TestProfileOf(t *testing.T) {
	for _, c := range []struct {
		in   string
		want im.Profile
		name string
	}{
		{"<FN>Peter Saint-Andre</FN><N><FAMILY>Saint-Andre</FAMILY><GIVEN>Peter</GIVEN><MIDDLE/></N><NICKNAME>stpeter</NICKNAME>" +
			"<ADR><WORK/><LOCALITY>Denver</LOCALITY><REGION>CO</REGION><CTRY>USA</CTRY></ADR><ADR><HOME/><CTRY>UK</CTRY></ADR>",
			im.Profile{First: "Peter", Last: "Saint-Andre", City: "Denver", State: "CO", Country: "USA"}, "stpeter"},
		{"<FN>Juliet  of\nCapulet</FN><N/><ADR><STREET>x</STREET></ADR><ADR><CTRY>Italy</CTRY></ADR>",
			im.Profile{First: "Juliet", Last: "of Capulet", Country: "Italy"}, "Juliet of Capulet"},
		{"<N><GIVEN>A</GIVEN></N><FN>B C</FN>", im.Profile{First: "A"}, "B C"},
		{"<FN xmlns='urn:x'>A</FN>", im.Profile{}, ""},
		{"", im.Profile{}, ""},
	} {
		n := element(t, "<vCard xmlns='vcard-temp'>"+c.in+"</vCard>")
		if got := ProfileOf(n); got != c.want {
			t.Errorf("%s: %+v", c.in, got)
		}
		if got := NameOf(n); got != c.name {
			t.Errorf("%s: called %q", c.in, got)
		}
	}
}

// XEP-0153 3.1, 4.5, 4.6.
func TestPhotoHash(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"<PHOTO><TYPE>image/png</TYPE><BINVAL>YWJj</BINVAL></PHOTO>", "a9993e364706816aba3e25717850c26c9cd0d89d"},
		{"<PHOTO><BINVAL>\n YW\r\n Jj \n</BINVAL></PHOTO>", "a9993e364706816aba3e25717850c26c9cd0d89d"},
		{"<PHOTO><BINVAL/></PHOTO>", ""},
		{"<PHOTO><BINVAL>YW</BINVAL></PHOTO>", ""},
		{"<PHOTO><EXTVAL>http://example.com/x.png</EXTVAL></PHOTO>", ""},
		{"", ""},
	} {
		if got := PhotoHash(element(t, "<vCard xmlns='vcard-temp'>"+c.in+"</vCard>")); got != c.want {
			t.Errorf("%s: %q", c.in, got)
		}
	}
}

// XEP-0054 3.3.
func TestAppendVCard(t *testing.T) {
	for _, c := range []struct {
		name string
		p    im.Profile
		want string
	}{
		{"A & B", im.Profile{}, "<vCard xmlns='vcard-temp'><FN>A &amp; B</FN><N/></vCard>"},
		{"", im.Profile{Listed: true}, "<vCard xmlns='vcard-temp'/>"},
		{"x", im.Profile{First: "F", Last: "L", City: "C", State: "S", Country: "Y"},
			"<vCard xmlns='vcard-temp'><FN>x</FN><N><FAMILY>L</FAMILY><GIVEN>F</GIVEN></N>" +
				"<ADR><LOCALITY>C</LOCALITY><REGION>S</REGION><CTRY>Y</CTRY></ADR></vCard>"},
	} {
		got := string(AppendVCard(nil, c.name, c.p))
		if got != c.want {
			t.Errorf("%s, want\n%s", got, c.want)
		}
		if p := ProfileOf(element(t, got)); c.p.First != "" && p != c.p {
			t.Errorf("%s reads as %+v", got, p)
		}
	}
}

// FuzzVCard: what is read of a vCard is what is read of the one made of it.
func FuzzVCard(f *testing.F) {
	for _, x := range []string{
		"<vCard xmlns='vcard-temp'><FN>A B C</FN><ADR><CTRY>&lt;</CTRY></ADR></vCard>",
		"<vCard xmlns='vcard-temp'><N><GIVEN>A</GIVEN><FAMILY>\n</FAMILY></N><PHOTO><BINVAL>YWJj</BINVAL></PHOTO></vCard>",
	} {
		f.Add([]byte(x))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		d := new(xmltext.Doc)
		n, err := wire.Parse(d, in, xmltext.Limits{})
		if err != nil {
			return
		}
		p := ProfileOf(n)
		if h := PhotoHash(n); h != "" && len(h) != 40 {
			t.Fatal(h)
		}
		out := AppendVCard(nil, NameOf(n), p)
		e := new(xmltext.Doc)
		m, err := wire.Parse(e, out, xmltext.Limits{Bytes: 1 << 20})
		if err != nil {
			t.Fatalf("%q: %v", out, err)
		}
		if q := ProfileOf(m); (p.First != "" || p.Last != "") && q != p || NameOf(n) != "" && NameOf(m) != NameOf(n) {
			t.Fatalf("%q: %+v, was %+v", out, q, p)
		}
	})
}
