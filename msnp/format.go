package msnp

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Format is how a text wants to look: the X-MMS-IM-Format field, dialects 8.1. The zero Format is no wish. It has
// the fields of the core's format in the same order, so that one converts into the other.
type Format struct {
	Font        string
	Bold        bool
	Italic      bool
	Underline   bool
	Strike      bool
	Color       string // RRGGBB in lower case; "" for none, and for black, which clients send always
	RightToLeft bool
}

// plainFont is what clients write who chose none.
const plainFont = "MS Shell Dlg"

// inFormat are the bytes that a font's name carries as they are.
var inFormat = bytesOf("-_.!~*'()@+$:/?")

// ParseFormat reads the value of X-MMS-IM-Format. What it cannot read it leaves out.
func ParseFormat(v string) Format {
	var f Format
	for p := range strings.SplitSeq(v, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		value = strings.TrimSpace(value)
		switch strings.ToUpper(strings.TrimSpace(name)) {
		case "FN":
			font := unescape(value)
			if !utf8.ValidString(font) || strings.IndexFunc(font, func(r rune) bool { return r < ' ' || isControl(r) }) >= 0 || font == plainFont {
				font = ""
			}
			f.Font = font
		case "EF":
			e := strings.ToUpper(value)
			f.Bold = strings.Contains(e, "B")
			f.Italic = strings.Contains(e, "I")
			f.Underline = strings.Contains(e, "U")
			f.Strike = strings.Contains(e, "S")
		case "CO":
			f.Color = swapColor(value)
		case "RL":
			f.RightToLeft = value == "1"
		}
	}
	return f
}

// String is the value of X-MMS-IM-Format.
func (f Format) String() string {
	font := f.Font
	if font == "" {
		font = plainFont
	}
	b := appendEncoded([]byte("FN="), font, &inFormat)
	b = append(b, "; EF="...)
	for _, e := range []struct {
		on     bool
		letter byte
	}{{f.Bold, 'B'}, {f.Italic, 'I'}, {f.Strike, 'S'}, {f.Underline, 'U'}} {
		if e.on {
			b = append(b, e.letter)
		}
	}
	b = append(b, "; CO="...)
	if c := swapColor(f.Color); c != "" {
		b = append(b, c...)
	} else {
		b = append(b, '0')
	}
	b = append(b, "; CS=0; PF=22"...) // any character set, a font without serifs: nobody can know better
	if f.RightToLeft {
		b = append(b, "; RL=1"...)
	}
	return string(b)
}

// swapColor turns BBGGRR, whose leading zeros may be missing, into RRGGBB and the other way round. Black and what is
// no colour is "".
func swapColor(s string) string {
	n, err := strconv.ParseUint(s, 16, 32)
	if err != nil || len(s) > 6 || n == 0 {
		return ""
	}
	n = n>>16&0xff | n&0xff00 | n&0xff<<16
	const zeros = "000000"
	out := strconv.FormatUint(n, 16)
	return zeros[len(out):] + out
}

// textHead begins every native text.
const textHead = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n"

// TextPayload makes the native payload of a text: dialects 8.1. Lines end in CRLF there.
func TextPayload(text string, f Format) []byte {
	return appendText(nil, nativeText(text), f)
}

func nativeText(text string) string {
	return strings.ReplaceAll(cleanText(strings.ToValidUTF8(text, "\uFFFD")), "\n", "\r\n")
}

func appendText(dst []byte, native string, f Format) []byte {
	dst = append(dst, textHead...)
	if f != (Format{}) {
		dst = append(append(append(dst, "X-MMS-IM-Format: "...), f.String()...), "\r\n"...)
	}
	return append(append(dst, "\r\n"...), native...)
}

// TextPayloads is TextPayload in as many payloads as are needed for none to be larger than limit bytes: for a text
// from elsewhere. It is cut after a line or a word where there is one, else between two characters. A limit too
// small for the header and some text is raised.
func TextPayloads(text string, f Format, limit int) [][]byte {
	rest := nativeText(text)
	room := max(limit-len(appendText(nil, "", f)), 16)
	var l [][]byte
	for len(rest) > room {
		at := room
		for !utf8.RuneStart(rest[at]) || rest[at] == '\n' && rest[at-1] == '\r' {
			at--
		}
		if i := strings.LastIndexAny(rest[:at], "\n "); i > at/2 {
			at = i + 1
		}
		l = append(l, appendText(nil, rest[:at], f))
		rest = rest[at:]
	}
	return append(l, appendText(nil, rest, f))
}

// TypingPayload makes the payload that says that somebody types: dialects 8.2.
func TypingPayload(handle string) []byte {
	return []byte("MIME-Version: 1.0\r\nContent-Type: text/x-msmsgscontrol\r\nTypingUser: " +
		strings.Map(oneLine, handle) + "\r\n\r\n\r\n")
}

// CancelPayload makes the payload that turns an invitation down, or takes it back; why is a Cancel-Code: dialects 8.3.
func CancelPayload(cookie, why string) []byte {
	return []byte("MIME-Version: 1.0\r\nContent-Type: text/x-msmsgsinvite; charset=UTF-8\r\n\r\n" +
		"Invitation-Command: CANCEL\r\nInvitation-Cookie: " + strings.Map(oneLine, cookie) + "\r\nCancel-Code: " + why + "\r\n\r\n")
}

// oneLine leaves out what could end a header field.
func oneLine(r rune) rune {
	if r < ' ' || r == 0x7f {
		return -1
	}
	return r
}
