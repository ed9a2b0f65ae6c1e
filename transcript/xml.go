package transcript

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"parley/xmltext"
)

// XML is the codec of protocols that talk in one long XML document, an element after the other: its start tag, the
// elements right inside and its end tag are things.
//
// What is said travels as it is written, lines joined by a line feed. What is heard is compared as XML: names with
// their namespaces, all attributes in any order, children in order, texts without the blanks around them; blanks
// between elements, prefixes and the kind of quotes do not count. Attributes and texts are patterns. An element of
// which a script tells a part only has three dots right inside: more attributes, children and text are allowed then,
// and the children told of may stand among others, in this order.
//
//	S: <message from='bob@example.com/${r}' type='chat'>...<body>Wherefore?</body></message>
//	S: <presence from='bob@example.com/${r}'>...</presence>
type XML struct {
	// Around is what the start tag of the document declares, as all connections have it; scripts use the same
	// prefixes without declaring them.
	Around []xmltext.Binding
	// Root is the name of the document's element as servers write it, with its prefix: a start tag of this name is a
	// thing by itself.
	Root string
}

// Bytes is what is written.
func (XML) Bytes(head string, more []string) ([]byte, error) {
	s := strings.Join(append([]string{head}, more...), "\n")
	if strings.Contains(s, refEnd) || strings.Contains(s, refLen) {
		return nil, errors.New("${end} and ${len} belong to lines, not to XML")
	}
	return []byte(s), nil
}

// longestThing bounds an element that a server sends.
const longestThing = 1 << 24

// Read reads the next element, start tag or end tag of the document. Blanks between them and the XML declaration are
// passed over.
func (x XML) Read(r *bufio.Reader) (string, error) {
	l := lexer{r: r}
	depth := 0
	for {
		text, err := l.until('<')
		if err != nil {
			if err == io.EOF && strings.TrimSpace(text) == "" && depth == 0 {
				return "", io.EOF
			}
			return "", l.broken(err)
		}
		if depth == 0 {
			if t := strings.TrimSpace(strings.TrimSuffix(text, "<")); t != "" {
				return "", fmt.Errorf("text between elements: %.100q", t)
			}
			l.b = append(l.b[:0], '<')
		}
		tag, err := l.tag()
		if err != nil {
			return "", l.broken(err)
		}
		name := strings.FieldsFunc(strings.TrimPrefix(tag, "/")+" ", func(c rune) bool { return strings.ContainsRune(" \t\r\n/>", c) })
		switch {
		case strings.HasPrefix(tag, "?"):
			continue // the declaration
		case strings.HasPrefix(tag, "![CDATA["):
			continue
		case strings.HasPrefix(tag, "!"), len(name) == 0:
			return "", fmt.Errorf("this does not belong into a stream: <%.100s", tag)
		case strings.HasPrefix(tag, "/"):
			depth--
		case depth == 0 && name[0] == x.Root:
			return string(l.b), nil
		case !strings.HasSuffix(tag, "/>"):
			depth++
		}
		if depth <= 0 {
			return string(l.b), nil
		}
	}
}

// lexer cuts a stream into tags. b is all that was read of a thing.
type lexer struct {
	r *bufio.Reader
	b []byte
}

func (l *lexer) broken(err error) error {
	if len(l.b) > 0 && (err == io.EOF || err == io.ErrUnexpectedEOF) {
		return fmt.Errorf("the connection ends within an element: %.200q", l.b)
	}
	return err
}

// until reads up to and with c.
func (l *lexer) until(c byte) (string, error) {
	from := len(l.b)
	for {
		piece, err := l.r.ReadSlice(c)
		l.b = append(l.b, piece...)
		if len(l.b) > longestThing {
			return "", fmt.Errorf("an element of more than %d bytes: %.100q", longestThing, l.b)
		}
		if err != bufio.ErrBufferFull {
			return string(l.b[from:]), err
		}
	}
}

// tag reads what stands between < and >, with the latter. A > in quotes and in a CDATA section ends nothing.
func (l *lexer) tag() (string, error) {
	from := len(l.b)
	for {
		if _, err := l.until('>'); err != nil {
			return "", err
		}
		tag := l.b[from:]
		if bytes.HasPrefix(tag, []byte("![CDATA[")) {
			if bytes.HasSuffix(tag, []byte("]]>")) {
				return string(tag), nil
			}
			continue
		}
		var quote byte
		for _, c := range tag {
			switch {
			case quote == 0 && (c == '\'' || c == '"'):
				quote = c
			case c == quote:
				quote = 0
			}
		}
		if quote == 0 {
			return string(tag), nil
		}
	}
}

// Compare compares as XML.
func (x XML) Compare(head string, more []string, got string, match func(pattern, text string) bool) error {
	want := strings.Join(append([]string{head}, more...), "\n")
	if strings.TrimSpace(want) == refAnything {
		return nil
	}
	end := "</" + x.Root
	if strings.HasPrefix(got, end) || strings.HasPrefix(want, end) {
		if !strings.HasPrefix(got, end) || !strings.HasPrefix(want, end) {
			return errors.New("one is the end of the document, the other is not")
		}
		return nil
	}
	w, err := x.parse(want, true)
	if err != nil {
		return fmt.Errorf("the line is no XML: %w", err)
	}
	g, err := x.parse(got, !x.header(got))
	if err != nil {
		return fmt.Errorf("what came is no XML: %w", err)
	}
	c := comparison{match}
	if x.header(got) {
		for _, b := range x.Around { // the document's declarations are a part of what it says
			a, _ := w.Prefixed(b.Prefix)
			if z, _ := g.Prefixed(b.Prefix); !bytes.Equal(a, z) {
				return fmt.Errorf("the prefix %q stands for %q", b.Prefix, z)
			}
		}
	}
	return c.element(w, g)
}

const refAnything = "${*}"

func (x XML) header(s string) bool {
	rest, ok := strings.CutPrefix(strings.TrimSpace(s), "<"+x.Root)
	return ok && rest != "" && strings.ContainsRune(" \t\r\n>", rune(rest[0]))
}

// parse reads one element, or the document's start tag. around says whether what that declares is declared already.
func (x XML) parse(s string, around bool) (xmltext.Node, error) {
	if i := strings.Index(s, "?>"); i >= 0 && strings.HasPrefix(s, "<?") {
		s = s[i+2:]
	}
	var b bytes.Buffer
	if x.header(s) {
		s += "</" + x.Root + ">"
	}
	b.WriteString("<around")
	for _, d := range x.Around {
		if !around {
			break
		}
		name := "xmlns"
		if d.Prefix != "" {
			name += ":" + d.Prefix
		}
		b.Write(xmltext.AppendAttr(nil, name, d.Space))
	}
	b.WriteString(">" + s + "</around>")
	d, err := xmltext.Parse(b.Bytes(), xmltext.Limits{Bytes: 2 * longestThing, Depth: 1000, Nodes: 1 << 20})
	if err != nil {
		return xmltext.Node{}, err
	}
	n := d.Root().FirstChild()
	if !n.Ok() || n.Next().Ok() || !d.Root().Blank() {
		return xmltext.Node{}, errors.New("it is not one element")
	}
	return n, nil
}

type comparison struct {
	match func(pattern, text string) bool
}

// mark right inside an element says that more is allowed than is told.
const mark = "..."

// told is what a script tells of an element.
type told struct {
	text string
	part bool // marked
}

func tells(n xmltext.Node) told {
	var t told
	var b strings.Builder
	for k := range n.Content() {
		if !k.IsText() {
			continue
		}
		if s := string(k.Text()); strings.TrimSpace(s) == mark {
			t.part = true
		} else {
			b.WriteString(s)
		}
	}
	t.text = strings.TrimSpace(b.String())
	return t
}

// element compares an element that came with one that is wanted.
func (c comparison) element(want, got xmltext.Node) error {
	if err := same(want, got); err != nil {
		return err
	}
	t := tells(want)
	at := path(got)
	for a := range want.Attrs() {
		v, _ := got.Attr(string(a.Space), string(a.Local))
		if !c.match(string(a.Value), string(v)) {
			return fmt.Errorf("in <%s> the attribute %s differs", at, a.Local)
		}
	}
	if text := strings.TrimSpace(string(got.Text())); (!t.part || t.text != "") && !c.match(t.text, text) {
		return fmt.Errorf("in <%s> the text differs", at)
	}
	g := got.FirstChild()
	for w := range want.Children() {
		for ; t.part && g.Ok() && !c.could(w, g); g = g.Next() {
		}
		if !g.Ok() {
			return fmt.Errorf("in <%s> there is no <%s> any more", at, w.Local())
		}
		if err := c.element(w, g); err != nil {
			return err
		}
		g = g.Next()
	}
	if g.Ok() && !t.part {
		return fmt.Errorf("in <%s> there is also <%s>", at, g.Local())
	}
	return nil
}

// same compares the names of an element and of its attributes, and learns nothing.
func same(want, got xmltext.Node) error {
	ws, wl := want.Name()
	gs, gl := got.Name()
	if !bytes.Equal(wl, gl) {
		return fmt.Errorf("it is <%s>", path(got))
	}
	if !bytes.Equal(ws, gs) {
		return fmt.Errorf("<%s> is of %q", path(got), gs)
	}
	for a := range want.Attrs() {
		if _, ok := got.Attr(string(a.Space), string(a.Local)); !ok {
			return fmt.Errorf("<%s> has no attribute %s", path(got), a.Local)
		}
	}
	if tells(want).part {
		return nil
	}
	for a := range got.Attrs() {
		if _, ok := want.Attr(string(a.Space), string(a.Local)); !ok {
			return fmt.Errorf("<%s> has an attribute %s as well", path(got), a.Local)
		}
	}
	return nil
}

// could says whether it is worth comparing two elements: their names are equal, and what is written out in words. It
// learns nothing.
func (c comparison) could(want, got xmltext.Node) bool {
	if same(want, got) != nil {
		return false
	}
	plain := func(pattern, text string) bool { return strings.Contains(pattern, "${") || pattern == text }
	for a := range want.Attrs() {
		if v, _ := got.Attr(string(a.Space), string(a.Local)); !plain(string(a.Value), string(v)) {
			return false
		}
	}
	t := tells(want)
	if !t.part && !plain(t.text, strings.TrimSpace(string(got.Text()))) {
		return false
	}
	g := got.FirstChild()
	for w := range want.Children() {
		for ; t.part && g.Ok() && !c.could(w, g); g = g.Next() {
		}
		if !g.Ok() || !c.could(w, g) {
			return false
		}
		g = g.Next()
	}
	return t.part || !g.Ok()
}

// path is the way to an element from the outermost one.
func path(n xmltext.Node) string {
	s := string(n.Local())
	for p := n.Parent(); p.Ok() && p.Parent().Ok(); p = p.Parent() {
		s = string(p.Local()) + "/" + s
	}
	return s
}
