package xmltext

import (
	"bytes"
	"slices"
)

// The two namespaces that nobody declares; Namespaces in XML 1.0, section 3.
const (
	// XML is the namespace of the prefix xml, as in xml:lang.
	XML   = "http://www.w3.org/XML/1998/namespace"
	xmlns = "http://www.w3.org/2000/xmlns/"
)

// Context is what is declared around an element: by the root of the stream it comes from, or around the place it is
// written to. It does not change; any number of goroutines may use one.
type Context struct {
	list  []binding // each prefix once, but for "", which none already is
	usual int32     // the default namespace
}

func newContext(list []binding) *Context {
	c := &Context{list: list}
	c.usual = int32(c.find(nil))
	return c
}

// binding is a prefix and the namespace it stands for.
type binding struct{ prefix, uri []byte }

// Binding is a prefix, "" for the default namespace, and the namespace it stands for.
type Binding struct{ Prefix, Space string }

// none is the first binding of every context: no default namespace. The second is the prefix xml.
const none = 0

var empty = newContext([]binding{{nil, nil}, {[]byte("xml"), []byte(XML)}})

// Declare makes a context in which only these are declared. The last of equal prefixes counts.
func Declare(b ...Binding) *Context { return empty.With(b...) }

// With makes a context in which these are declared, and what c declares besides.
func (c *Context) With(b ...Binding) *Context {
	list := slices.Clone(c.list)
	for _, b := range b {
		list = put(list, binding{[]byte(b.Prefix), []byte(b.Space)})
	}
	return newContext(list)
}

func put(list []binding, b binding) []binding {
	for i := range list {
		if i > none && bytes.Equal(list[i].prefix, b.prefix) {
			list[i] = b
			return list
		}
	}
	return append(list, b)
}

// Space is the namespace that a prefix stands for, "" for the default namespace; false if it is not declared.
func (c *Context) Space(prefix string) (space string, ok bool) {
	i := c.find([]byte(prefix))
	if i < 0 {
		return "", false
	}
	return string(c.list[i].uri), i != none
}

// find is the place of a prefix in the list, -1 if it is not there.
func (c *Context) find(prefix []byte) int {
	for i := len(c.list) - 1; i >= 0; i-- {
		if bytes.Equal(c.list[i].prefix, prefix) {
			return i
		}
	}
	return -1
}

// decl is a declaration inside of the element that is indexed. Where a number tells a binding, those of the context
// come first, and then the declarations, in the order of the text.
type decl struct {
	prefix, len int32
	from, to    int32  // the value, if it stands for itself
	own         []byte // the value, if it does not
	prev        int32  // the declaration that was the newest before, -1 for none
	count       int32  // how many are in force with this
}

// lookup is the binding that a prefix has where scope is the newest declaration, -1 if it has none.
func (d *Doc) lookup(data, prefix []byte, scope int32) int32 {
	for i := scope; i >= 0; {
		l := &d.decls[i]
		if int(l.len) == len(prefix) && bytes.Equal(data[l.prefix:][:l.len], prefix) {
			return int32(len(d.outer.list)) + i
		}
		i = l.prev
	}
	return int32(d.outer.find(prefix))
}

// uri is the namespace of a binding.
func (d *Doc) uri(data []byte, b int32) []byte {
	if int(b) < len(d.outer.list) {
		return d.outer.list[b].uri
	}
	return d.decls[int(b)-len(d.outer.list)].uri(data)
}

func (l *decl) uri(data []byte) []byte {
	if l.own != nil {
		return l.own
	}
	return data[l.from:l.to]
}

// prefix is the prefix of a binding.
func (d *Doc) prefix(data []byte, b int32) []byte {
	if int(b) < len(d.outer.list) {
		return d.outer.list[b].prefix
	}
	l := &d.decls[int(b)-len(d.outer.list)]
	return data[l.prefix:][:l.len]
}
