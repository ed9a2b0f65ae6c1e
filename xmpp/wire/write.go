package wire

import "parley/xmltext"

// Place is what is declared inside the stream of every client that receives: the default namespace jabber:client and
// the prefix stream, RFC 6120 4.8.
var Place = xmltext.Declare(xmltext.Binding{Space: NSClient}, xmltext.Binding{Prefix: "stream", Space: NSStream})

// alone is Place without the prefix: a stanza written for it can also be kept, and be read by itself.
var alone = xmltext.Declare(xmltext.Binding{Space: NSClient})

// AppendStanza appends the stanza or any other element n as it stood in its stream, with the attributes in set
// replaced, added or dropped. It can stand wherever jabber:client is the default namespace: what else it needs, it
// declares. What no rule of XML forbids goes on as it is: RFC 6120 8.4, 11.4.
func AppendStanza(dst []byte, n xmltext.Node, set ...xmltext.Attr) []byte {
	return xmltext.AppendElement(dst, n, alone, set...)
}

// AppendStart is AppendStanza up to the end of the start tag, for a stanza whose content is to be changed: all of
// n.Inner() may follow, or parts of it, and more, and then xmltext.AppendEnd.
func AppendStart(dst []byte, n xmltext.Node, set ...xmltext.Attr) []byte {
	return xmltext.AppendStart(dst, n, alone, set...)
}

// AppendContent appends what stands right inside n but blanks, each element so that it can stand by itself wherever
// jabber:client is the default namespace.
func AppendContent(dst []byte, n xmltext.Node) []byte {
	for c := range n.Content() {
		if !c.IsText() || !c.Blank() {
			dst = xmltext.AppendElement(dst, c, alone)
		}
	}
	return dst
}

// Open begins a stanza of our own, name being message, presence or iq; attributes that are "" are left out. The
// start tag is open for more.
func Open(dst []byte, name, from, to, id, typ string) xmltext.Builder {
	b := xmltext.Build(dst)
	b.Start(name)
	for _, a := range [...]struct{ name, value string }{{"from", from}, {"to", to}, {"id", id}, {"type", typ}} {
		if a.value != "" {
			b.Attr(a.name, a.value)
		}
	}
	return b
}

// AppendReply appends a stanza of the same kind that goes back to where s came from: to is s.From if it has one, the
// id is kept. An empty from is left out; inner is complete XML. RFC 6120 8.1.3, 8.2.3.
func AppendReply(dst []byte, s *Stanza, typ, from string, inner []byte) []byte {
	b := Open(dst, s.Kind.String(), from, s.From, "", "")
	if s.ID != "" || s.Kind == IQ {
		b.Attr("id", s.ID)
	}
	if typ != "" {
		b.Attr("type", typ)
	}
	b.Raw(inner)
	return b.Bytes()
}

// AppendErrorReply appends the error that answers s, with inner, an error element, in it; before that, with echo,
// what stood in s, its xml:lang included. There is no echo where jabber:client is not the default namespace inside s:
// inner would mean something else there. RFC 6120 8.3.1.
func AppendErrorReply(dst []byte, s *Stanza, from string, inner []byte, echo bool) []byte {
	if space, _ := s.Node.Prefixed(""); !echo || string(space) != NSClient {
		return AppendReply(dst, s, "error", from, inner)
	}
	dst = AppendStart(dst, s.Node,
		xmltext.Attr{Name: "from", Value: from, Drop: from == ""},
		xmltext.Attr{Name: "to", Value: s.From, Drop: s.From == ""},
		xmltext.Attr{Name: "type", Value: "error"})
	dst = append(dst, s.Node.Inner()...)
	dst = append(dst, inner...)
	return xmltext.AppendEnd(dst, s.Node)
}

// inStream is a scanner that has read the header of a stream as clients receive it.
var inStream = func() xmltext.Scanner {
	var s xmltext.Scanner
	var d xmltext.Doc
	if _, e, err := s.Next(&d, []byte("<s xmlns='"+NSClient+"'>")); err != nil || e != xmltext.Header {
		panic("wire: the header of a stream cannot be read")
	}
	return s
}()

// Parse reads a complete stanza, as AppendStanza wrote it, or any other element for a place where jabber:client is
// the default namespace. d must not be in use, and stanza not be changed while it is. An error is an
// [*xmltext.Error].
func Parse(d *xmltext.Doc, stanza []byte, l xmltext.Limits) (xmltext.Node, error) {
	s := inStream // keeps only what its header declares
	s.Limits = l
	d.Reset()
	switch n, e, err := s.Next(d, stanza); {
	case err != nil:
		return xmltext.Node{}, err
	case e != xmltext.Element || n != len(stanza):
		d.Reset()
		return xmltext.Node{}, &xmltext.Error{Kind: xmltext.Malformed, What: "not one whole element", Offset: n}
	}
	return d.Root(), nil
}
