package xmpp

import (
	"crypto/sha1"
	"encoding/base64"
	"slices"
	"strings"

	"parley/xmltext"
)

// Identity is what an entity says it is, XEP-0030 3.1.
type Identity struct{ Category, Type, Lang, Name string }

// Form is a data form that extends what an entity says of itself, XEP-0128 2.
type Form struct {
	Type   string // the value of FORM_TYPE
	Fields []Field
}

// Field is a field of a form but FORM_TYPE.
type Field struct {
	Var    string
	Values []string
}

// Ver is the verification string of what an entity says of itself, whatever the order of its parts: SHA-1 in base64,
// XEP-0115 5.1. The arguments are not changed.
func Ver(identities []Identity, features []string, forms []Form) string {
	var s strings.Builder
	put := func(parts []string) {
		slices.Sort(parts)
		for _, p := range parts {
			s.WriteString(p)
			s.WriteByte('<')
		}
	}
	ids := slices.Clone(identities)
	slices.SortFunc(ids, func(a, b Identity) int {
		return slices.Compare([]string{a.Category, a.Type, a.Lang, a.Name}, []string{b.Category, b.Type, b.Lang, b.Name})
	})
	for _, i := range ids {
		s.WriteString(i.Category + "/" + i.Type + "/" + i.Lang + "/" + i.Name + "<")
	}
	put(slices.Clone(features))
	sorted := slices.Clone(forms)
	slices.SortFunc(sorted, func(a, b Form) int { return strings.Compare(a.Type, b.Type) })
	for _, f := range sorted {
		s.WriteString(f.Type + "<")
		fields := slices.Clone(f.Fields)
		slices.SortFunc(fields, func(a, b Field) int { return strings.Compare(a.Var, b.Var) })
		for _, field := range fields {
			s.WriteString(field.Var + "<")
			put(slices.Clone(field.Values))
		}
	}
	sum := sha1.Sum([]byte(s.String()))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// AppendInfo writes what an entity says of itself, for inside a disco#info query: XEP-0030 3.1, XEP-0128 2.
func AppendInfo(dst []byte, identities []Identity, features []string, forms []Form) []byte {
	b := xmltext.Build(dst)
	for _, i := range identities {
		b.Start("identity").Attr("category", i.Category).Attr("type", i.Type)
		if i.Lang != "" {
			b.Attr("xml:lang", i.Lang)
		}
		if i.Name != "" {
			b.Attr("name", i.Name)
		}
		b.End()
	}
	for _, f := range features {
		b.Start("feature").Attr("var", f).End()
	}
	for _, f := range forms {
		b.Start("x").Attr("xmlns", "jabber:x:data").Attr("type", "result")
		b.Start("field").Attr("var", "FORM_TYPE").Attr("type", "hidden").Start("value").Text(f.Type).End().End()
		for _, field := range f.Fields {
			b.Start("field").Attr("var", field.Var)
			for _, v := range field.Values {
				b.Start("value").Text(v).End()
			}
			b.End()
		}
		b.End()
	}
	return b.Bytes()
}
