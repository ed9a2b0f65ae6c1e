package xmltext

import "unicode/utf8"

// AppendText appends s as text inside an element. What XML cannot have, bytes that are not UTF-8 and control
// characters for the most part, becomes U+FFFD, here and in all that is written.
func AppendText[S ~string | ~[]byte](dst []byte, s S) []byte { return appendEscaped(dst, s, stopText) }

// AppendAttr appends a space and the attribute. The name is one that the program knows, and is not checked.
func AppendAttr[S ~string | ~[]byte](dst []byte, name string, value S) []byte {
	dst = append(dst, ' ')
	dst = append(dst, name...)
	dst = append(dst, "='"...)
	dst = appendEscaped(dst, value, stopSingle)
	return append(dst, '\'')
}

// appendEscaped appends s, changing what stop stops at.
func appendEscaped[S ~string | ~[]byte](dst []byte, s S, stop uint8) []byte {
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if class[c]&stop == 0 {
			i++
			continue
		}
		size, as := 1, ""
		switch {
		case c >= utf8.RuneSelf:
			var r rune
			r, size = utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
			if isChar(r) && (r != utf8.RuneError || size > 1) {
				i += size
				continue
			}
			as = "\uFFFD"
		case c == '<':
			as = "&lt;"
		case c == '>':
			as = "&gt;"
		case c == '&':
			as = "&amp;"
		case c == '\'':
			as = "&apos;"
		case c == '\t':
			as = "&#9;"
		case c == '\n':
			as = "&#10;"
		case c == '\r':
			as = "&#13;"
		default:
			as = "\uFFFD"
		}
		dst = append(dst, s[from:i]...)
		dst = append(dst, as...)
		i += size
		from = i
	}
	return append(dst, s[from:]...)
}
