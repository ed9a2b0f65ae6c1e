package c2s

import (
	"context"
	"slices"
	"strings"

	"parley/im"
	"parley/xmltext"
	"parley/xmpp"
	"parley/xmpp/wire"
)

// mostFound is how many people a search shows at the most.
const mostFound = 50

// searchField is what the directory can be searched by. The first two are fields of the query itself, all are fields
// of its form: XEP-0055 7.2. The first is the name that somebody was given, wherever it stands: XEP-0055 4.
type searchField struct {
	name, label string
	of          func(*im.Profile) *string
}

var searchFields = []searchField{
	{"first", "Given Name", func(p *im.Profile) *string { return &p.First }},
	{"last", "Family Name", func(p *im.Profile) *string { return &p.Last }},
	{"city", "City", func(p *im.Profile) *string { return &p.City }},
	{"state", "Region", func(p *im.Profile) *string { return &p.State }},
	{"country", "Country", func(p *im.Profile) *string { return &p.Country }},
}

// classic is how many of them the query has without a form.
const classic = 2

// searchGet says what people can be looked up by: XEP-0055 2.1, 3. Only those are found who chose to be: that the
// administrator notes in their account, as the protocol has no word for it.
func (c *conn) searchGet(_ context.Context, r *request) error {
	if !c.s.Config.Config.XMPP.Search {
		return xmpp.Refuse(xmpp.ServiceUnavailable, "")
	}
	const how = "Fill in one field or more. Found are those who wish to be, and whose data are the same or begin so."
	b := xmltext.Build(nil)
	b.Start("query").Attr("xmlns", wire.NSSearch).Start("instructions").Text(how).End()
	for _, f := range searchFields[:classic] {
		b.Start(f.name).End()
	}
	b.Start("x").Attr("xmlns", wire.NSData).Attr("type", "form")
	b.Start("title").Text("User Directory").End().Start("instructions").Text(how).End()
	formType(&b)
	for _, f := range searchFields {
		b.Start("field").Attr("type", "text-single").Attr("label", f.label).Attr("var", f.name).End()
	}
	c.result(r, b.Bytes())
	return nil
}

// searchSet looks people up, and shows them as it was asked: in a form, or without: XEP-0055 2.1, 3.
func (c *conn) searchSet(ctx context.Context, r *request) error {
	if !c.s.Config.Config.XMPP.Search {
		return xmpp.Refuse(xmpp.ServiceUnavailable, "")
	}
	form := r.payload.Child(wire.NSData, "x")
	var q im.Profile
	given := false
	for _, f := range searchFields {
		v := strings.TrimSpace(string(answered(r.payload, form, f.name)))
		*f.of(&q) = v
		given = given || v != ""
	}
	if !given { // all would be found
		return xmpp.Refuse(xmpp.NotAcceptable, "fill in one field at least")
	}
	c.Flush()
	found, err := c.s.Exchange.Find(ctx, q, mostFound)
	if err != nil {
		return err
	}
	slices.SortFunc(found, func(a, b im.Account) int { return a.Address.Compare(b.Address) })
	b := xmltext.Build(nil)
	b.Start("query").Attr("xmlns", wire.NSSearch)
	if form.Ok() {
		foundForm(&b, found)
	} else {
		for _, a := range found {
			b.Start("item").Attr("jid", a.Address.String())
			for _, f := range searchFields[:classic] {
				b.Start(f.name).Text(*f.of(&a.Profile)).End()
			}
			b.Start("nick").Text(a.Name).End().Start("email").End().End() // the schema wants all four
		}
	}
	c.result(r, b.Bytes())
	return nil
}

// answered is what was filled into a field, in the form if there is one.
func answered(query, form xmltext.Node, name string) []byte {
	if !form.Ok() {
		return query.Child(wire.NSSearch, name).Text()
	}
	for f := range form.Children() {
		if v, _ := f.Attr("", "var"); f.Is(wire.NSData, "field") && string(v) == name {
			return f.Child(wire.NSData, "value").Text()
		}
	}
	return nil
}

// foundForm writes those who were found as the result of a form: XEP-0004 3.4.
func foundForm(b *xmltext.Builder, found []im.Account) {
	b.Start("x").Attr("xmlns", wire.NSData).Attr("type", "result")
	formType(b)
	b.Start("reported")
	b.Start("field").Attr("var", "jid").Attr("type", "jid-single").Attr("label", "Address").End()
	b.Start("field").Attr("var", "nick").Attr("type", "text-single").Attr("label", "Name").End()
	for _, f := range searchFields {
		b.Start("field").Attr("var", f.name).Attr("type", "text-single").Attr("label", f.label).End()
	}
	b.End()
	for _, a := range found {
		b.Start("item")
		put := func(name, value string) {
			b.Start("field").Attr("var", name).Start("value").Text(value).End().End()
		}
		put("jid", a.Address.String())
		put("nick", a.Name)
		for _, f := range searchFields {
			put(f.name, *f.of(&a.Profile))
		}
		b.End()
	}
	b.End()
}

// formType writes the field that says what a form is: XEP-0055 3.
func formType(b *xmltext.Builder) {
	b.Start("field").Attr("type", "hidden").Attr("var", "FORM_TYPE").Start("value").Text(wire.NSSearch).End().End()
}
