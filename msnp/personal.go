package msnp

import (
	"errors"
	"strings"
	"unicode/utf8"

	"parley/xmltext"
)

// Personal is the personal message of somebody, from MSNP11 on: dialects 5.6.
type Personal struct {
	Text  string // what others read beside the name
	Media string // what they listen to, its fields separated as the client wrote them; opaque
}

// Bounds of a personal message, in bytes.
const (
	maxPersonal     = 4096 // the document
	MaxPersonalText = 1024
	maxMedia        = 1024
)

// ErrPersonal: what ought to be a personal message is none, or too long.
var ErrPersonal = errors.New("msnp: the personal message cannot be read")

var personalLimits = xmltext.Limits{Bytes: maxPersonal, Depth: 4, Attrs: 4, Nodes: 32, Name: 32}

// ParsePersonal reads the payload of UUX: dialects 5.6. None at all, and parts that are missing, are empty.
func ParsePersonal(payload []byte) (Personal, error) {
	if len(payload) == 0 {
		return Personal{}, nil
	}
	doc, err := xmltext.Parse(payload, personalLimits)
	if err != nil || string(doc.Root().Local()) != "Data" {
		return Personal{}, ErrPersonal
	}
	var p Personal
	for n := range doc.Root().Children() {
		switch text := string(n.Text()); string(n.Local()) {
		case "PSM":
			p.Text = cleanText(text)
		case "CurrentMedia":
			p.Media = text
		}
	}
	if len(p.Text) > MaxPersonalText || len(p.Media) > maxMedia || strings.ContainsFunc(p.Media, func(r rune) bool { return r < ' ' || isControl(r) }) {
		return Personal{}, ErrPersonal
	}
	return p, nil
}

// AppendPersonal appends the payload of UBX: dialects 5.6. A text that came from elsewhere is cut.
func AppendPersonal(b []byte, p Personal) []byte {
	text := p.Text
	for len(text) > MaxPersonalText {
		_, n := utf8.DecodeLastRuneInString(text[:MaxPersonalText])
		text = text[:MaxPersonalText-n]
	}
	b = xmltext.AppendText(append(b, "<Data><PSM>"...), strings.ReplaceAll(text, "\n", " "))
	b = xmltext.AppendText(append(b, "</PSM><CurrentMedia>"...), p.Media)
	return append(b, "</CurrentMedia></Data>"...)
}
