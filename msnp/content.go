package msnp

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// ContentKind says what a payload is about: dialects 8.
type ContentKind uint8

const (
	UnknownContent  ContentKind = iota // nothing that this service knows; passed on all the same
	TextContent                        // words: text/plain, dialects 8.1
	TypingContent                      // somebody types, dialects 8.2
	ControlContent                     // another text/x-msmsgscontrol, as a voice clip being recorded
	InviteContent                      // an invitation to files, voice and the like, dialects 8.3
	P2PContent                         // a packet of client-to-client data, dialects 8.4
	DatacastContent                    // nudge, wink, voice clip, dialects 8.5
)

// Content is a payload in a form that the rest of the service can use. Clients get the payload itself: draft 8.8
// has the switchboard pass it on untouched.
type Content struct {
	Kind    ContentKind
	Type    string // media type in lower case, without parameters: text/plain
	Charset string // in lower case, "" when none is named
	Body    []byte // a view into the payload

	Text       string // of TextContent: valid UTF-8, lines end in LF, no control characters but TAB
	Format     Format // of TextContent
	TypingUser string // of TypingContent: the handle, as sent
	Invitation Invitation
	Datacast   int    // of DatacastContent: 1 nudge, 2 wink, 3 voice clip
	Dest       string // of P2PContent: the handle it is for

	head []byte
}

// Invitation is what an InviteContent says: dialects 8.3. Fields that it lacks are empty.
type Invitation struct {
	Command     string // INVITE, ACCEPT or CANCEL
	Cookie      string // the same in all that belongs together
	Application string // its name, in INVITE only
	GUID        string // likewise
	File        string
	FileSize    int64 // bytes; 0 when not given
	CancelCode  string
}

// ErrContent: the payload does not begin with a MIME header.
var ErrContent = errors.New("msnp: the payload has no MIME header")

// ParseContent reads a payload. Field names and types are compared without case, charset is found with and without
// a blank before it, lines may end in LF alone: draft 8.8, dialects 8.
func ParseContent(payload []byte) (Content, error) {
	c := Content{}
	c.head, c.Body = split(payload)
	if !isHead(c.head) {
		return Content{}, ErrContent
	}
	c.Type, c.Charset = mediaType(field(c.head, "Content-Type"))
	switch c.Type {
	case "text/plain":
		c.Kind = TextContent
		c.Text = decodeText(c.Body, c.Charset)
		c.Format = ParseFormat(string(field(c.head, "X-MMS-IM-Format")))
	case "text/x-msmsgscontrol":
		c.Kind = ControlContent
		if who := field(c.head, "TypingUser"); len(who) > 0 {
			c.Kind, c.TypingUser = TypingContent, string(who)
		}
	case "text/x-msmsgsinvite":
		c.Kind = InviteContent
		c.Invitation = invitation(c.Body)
	case "application/x-msnmsgrp2p":
		c.Kind, c.Dest = P2PContent, string(field(c.head, "P2P-Dest"))
	case "text/x-msnmsgr-datacast":
		c.Kind = DatacastContent
		c.Datacast, _ = strconv.Atoi(string(field(c.Body, "ID")))
	}
	return c, nil
}

// Header is a field of the payload's header, "" when it is not there.
func (c *Content) Header(name string) string { return string(field(c.head, name)) }

// HasWords reports whether a payload is chat text: its type is text/plain. It allocates nothing.
func HasWords(payload []byte) bool {
	head, _ := split(payload)
	if !isHead(head) {
		return false
	}
	v := field(head, "Content-Type")
	const want = "text/plain"
	return len(v) >= len(want) && foldEqual(v[:len(want)], want) &&
		(len(v) == len(want) || v[len(want)] == ';' || v[len(want)] == ' ' || v[len(want)] == '\t')
}

// split parts a payload at the first empty line. Without one all is header.
func split(payload []byte) (head, body []byte) {
	for i := 0; i < len(payload); {
		l, next := cutLine(payload, i)
		if len(l) == 0 {
			return payload[:i], payload[next:]
		}
		i = next
	}
	return payload, nil
}

// cutLine is the line at i without its end, and where the next begins.
func cutLine(b []byte, i int) (line []byte, next int) {
	lf := bytes.IndexByte(b[i:], '\n')
	if lf < 0 {
		return bytes.TrimSuffix(b[i:], []byte("\r")), len(b)
	}
	return bytes.TrimSuffix(b[i:i+lf], []byte("\r")), i + lf + 1
}

// isHead reports whether the first line of a header is a field.
func isHead(head []byte) bool {
	line, _ := cutLine(head, 0)
	colon := bytes.IndexByte(line, ':')
	return colon > 0 && bytes.IndexByte(line[:colon], ' ') < 0
}

// field is the value of the first field of that name, nil when there is none. A value is one line: no client folds.
func field(head []byte, name string) []byte {
	for i := 0; i < len(head); {
		line, next := cutLine(head, i)
		if len(line) > len(name) && line[len(name)] == ':' && foldEqual(line[:len(name)], name) {
			return bytes.Trim(line[len(name)+1:], " \t\r")
		}
		i = next
	}
	return nil
}

// foldEqual compares ASCII without case.
func foldEqual(b []byte, s string) bool {
	if len(b) != len(s) {
		return false
	}
	for i := range b {
		if lower(b[i]) != lower(s[i]) {
			return false
		}
	}
	return true
}

func lower(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b | 0x20
	}
	return b
}

// mediaType reads a Content-Type leniently: mime.ParseMediaType would refuse what clients send.
func mediaType(v []byte) (media, charset string) {
	media, rest, _ := strings.Cut(string(v), ";")
	for p := range strings.SplitSeq(rest, ";") {
		if name, value, ok := strings.Cut(p, "="); ok && strings.EqualFold(strings.TrimSpace(name), "charset") && charset == "" {
			charset = strings.ToLower(strings.Trim(strings.TrimSpace(value), `"`))
		}
	}
	if i := strings.IndexAny(media, " \t"); i >= 0 {
		media = media[:i]
	}
	return strings.ToLower(media), charset
}

// decodeText makes text of a body. Clients of 2002 send their code page and name none: what is no UTF-8 then is
// taken for windows-1252, dialects 14.1.
func decodeText(body []byte, charset string) string {
	var s string
	switch {
	case charset == "utf-8" || charset == "utf8":
		s = strings.ToValidUTF8(string(body), "\uFFFD")
	case (charset == "" || charset == "us-ascii") && utf8.Valid(body):
		s = string(body)
	default:
		b, err := charmap.Windows1252.NewDecoder().Bytes(body)
		if err != nil {
			b = body
		}
		s = strings.ToValidUTF8(string(b), "\uFFFD")
	}
	return cleanText(s)
}

// cleanText makes all line ends LF and leaves out the other control characters, which no other door can carry.
func cleanText(s string) string {
	if strings.IndexFunc(s, isControl) < 0 {
		return s
	}
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return '\n'
		case r == '\n' || !isControl(r):
			return r
		}
		return -1
	}, s)
}

func isControl(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' || 0x7f <= r && r < 0xa0 || r == '\uFFFE' || r == '\uFFFF'
}

func invitation(body []byte) Invitation {
	value := func(name string) string {
		return cleanText(strings.ToValidUTF8(string(field(body, name)), "\uFFFD"))
	}
	i := Invitation{
		Command:     strings.ToUpper(value("Invitation-Command")),
		Cookie:      value("Invitation-Cookie"),
		Application: value("Application-Name"),
		GUID:        value("Application-GUID"),
		File:        value("Application-File"),
		CancelCode:  value("Cancel-Code"),
	}
	if n, err := strconv.ParseInt(value("Application-FileSize"), 10, 64); err == nil && n > 0 {
		i.FileSize = n
	}
	return i
}
