package xmpp

import (
	"bytes"
	"cmp"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"parley/im"
	"parley/xmltext"
	"parley/xmpp/wire"
)

// ProfileOf is what the user directory may show of a vCard: the name in N, or the words of FN, and the first ADR with
// a place in it. Whether the account is listed is not the vCard's to say. XEP-0054 3.1, 9.
func ProfileOf(vcard xmltext.Node) im.Profile {
	var p im.Profile
	n := vcard.Child(wire.NSVCard, "N")
	p.First, p.Last = word(n, "GIVEN"), word(n, "FAMILY")
	if p.First == "" && p.Last == "" {
		p.First, p.Last, _ = strings.Cut(word(vcard, "FN"), " ")
		p.Last = strings.TrimSpace(p.Last)
	}
	for c := range vcard.Children() {
		if !c.Is(wire.NSVCard, "ADR") {
			continue
		}
		p.City, p.State, p.Country = word(c, "LOCALITY"), word(c, "REGION"), word(c, "CTRY")
		if p.City != "" || p.State != "" || p.Country != "" {
			break
		}
	}
	return p
}

// NameOf is the name that a vCard wants to be called by: NICKNAME, or FN; "" is none. XEP-0054 9.
func NameOf(vcard xmltext.Node) string {
	if s := word(vcard, "NICKNAME"); s != "" {
		return s
	}
	return word(vcard, "FN")
}

// word is the text of a child in one line, without what is not printed.
func word(n xmltext.Node, name string) string {
	return strings.Join(strings.Fields(string(n.Child(wire.NSVCard, name).Text())), " ")
}

// PhotoHash is the hash of the vCard's photo: SHA-1 in hexadecimal, as presence tells it; "" if it has none that can
// be read. XEP-0153 3.1, 4.5.
func PhotoHash(vcard xmltext.Node) string {
	text := vcard.Child(wire.NSVCard, "PHOTO").Child(wire.NSVCard, "BINVAL").Text()
	image, err := base64.StdEncoding.DecodeString(string(bytes.Join(bytes.Fields(text), nil)))
	if err != nil || len(image) == 0 {
		return ""
	}
	sum := sha1.Sum(image)
	return hex.EncodeToString(sum[:])
}

// AppendVCard writes the vCard of an account that has put none: its name and what its profile tells; if there is anything to
// tell, always with FN and N. XEP-0054 3.3, 8, 9.
func AppendVCard(dst []byte, name string, p im.Profile) []byte {
	b := xmltext.Build(dst)
	b.Start("vCard").Attr("xmlns", wire.NSVCard)
	put := func(name, value string) {
		if value != "" {
			b.Start(name).Text(value).End()
		}
	}
	whole := strings.TrimSpace(p.First + " " + p.Last)
	if name != "" || whole != "" || p.City != "" || p.State != "" || p.Country != "" {
		b.Start("FN").Text(cmp.Or(name, whole)).End()
		b.Start("N")
		put("FAMILY", p.Last)
		put("GIVEN", p.First)
		b.End()
	}
	if p.City != "" || p.State != "" || p.Country != "" {
		b.Start("ADR")
		put("LOCALITY", p.City)
		put("REGION", p.State)
		put("CTRY", p.Country)
		b.End()
	}
	return b.Bytes()
}
