package plays

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"

	"parley/ssp/wire"
	"parley/xmltext"
)

// desk is a connection at which requests are made as an operator of the service does.
func (p *play) desk(words []string) (net.Conn, error) {
	if len(words) < 1 || len(words) > 2 {
		return nil, fmt.Errorf("a desk is one for a domain, and a user")
	}
	as := ""
	if len(words) == 2 {
		as = words[1] + "@" + Domain
	}
	ours, theirs := net.Pipe()
	d := &desk{Conn: ours, theirs: theirs}
	d.work.Go(func() { d.serve(p.service, words[0]+under, as) }) // ends with the connection
	return d, nil
}

type desk struct {
	net.Conn
	theirs net.Conn
	work   sync.WaitGroup
	once   sync.Once
}

// Close waits for what is asked: it ends at the latest when a transaction is not valid any more.
func (d *desk) Close() (err error) {
	d.once.Do(func() {
		err = d.Conn.Close()
		d.theirs.Close()
	})
	return err
}

func (d *desk) serve(s Service, domain, as string) {
	r := bufio.NewReader(d.theirs)
	for {
		doc, err := Codec.Read(r)
		if err != nil {
			return
		}
		d.work.Go(func() { // ends with the answer
			answer, err := desked(s, domain, as, doc)
			if err != nil {
				answer = "<refused>" + xmlEscaper.Replace(err.Error()) + "</refused>"
			}
			d.theirs.Write([]byte(answer + "\n")) // who asked may be gone
		})
	}
}

var xmlEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "'", "&apos;")

// desked does what is said at a desk, and gives the answer as XML.
func desked(s Service, domain, as, doc string) (string, error) {
	if doc == "<test/>" {
		steps, refusal, err := s.Test(domain)
		if err != nil {
			return "", err
		}
		var b strings.Builder
		b.WriteString("<test>")
		for _, st := range steps {
			if st.Failed == "" {
				b.WriteString(fmt.Sprintf("<step n='%d'/>", st.N))
			} else {
				b.WriteString(fmt.Sprintf("<step n='%d'>%s</step>", st.N, xmlEscaper.Replace(st.Failed)))
			}
		}
		if refusal != "" {
			b.WriteString("<refused>" + xmlEscaper.Replace(refusal) + "</refused>")
		}
		return b.String() + "</test>", nil
	}
	m, err := wire.Decode([]byte("<WV-SSP-Message xmlns='"+wire.WV10.Space()+"'><Session sessionID='1'><Transaction mode='Request' transactionID='1'>"+
		doc+"</Transaction></Session></WV-SSP-Message>"), xmltext.Limits{})
	if err != nil {
		return "", err
	}
	e := m.Units[0].Primitive
	if e == nil {
		return "", fmt.Errorf("there is no primitive %s", m.Units[0].Unknown)
	}
	answer, refusal, err := s.Ask(domain, as, e)
	switch {
	case err != nil:
		return "", err
	case answer == nil && refusal != "":
		return "", fmt.Errorf("%s", refusal)
	case answer == nil:
		return "<done/>", nil
	}
	var b strings.Builder
	written(&b, answer)
	return b.String(), nil
}

// written is an element as XML, all in one namespace.
func written(b *strings.Builder, e *wire.Element) {
	b.WriteString("<" + e.Name)
	for _, a := range e.Attrs {
		b.WriteString(" " + a.Name + "='" + xmlEscaper.Replace(a.Value) + "'")
	}
	if e.Text == "" && len(e.Kids) == 0 {
		b.WriteString("/>")
		return
	}
	b.WriteString(">" + xmlEscaper.Replace(e.Text))
	for _, k := range e.Kids {
		written(b, k)
	}
	b.WriteString("</" + e.Name + ">")
}
