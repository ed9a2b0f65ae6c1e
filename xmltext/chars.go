package xmltext

import (
	"unicode"
	"unicode/utf8"
)

// What a byte is. The stop bits are what cannot be passed over without a look.
const (
	stopText   uint8 = 1 << iota // in text
	stopCDATA                    // in a CDATA section
	stopDouble                   // in a value in double quotes
	stopSingle                   // in a value in single quotes
	nameStart                    // ASCII that may begin a name
	nameRest                     // ASCII that may go on with one
	space
)

var class = func() (t [256]uint8) {
	all := stopText | stopCDATA | stopDouble | stopSingle
	for c := range 256 {
		switch {
		case c < ' ' || c >= utf8.RuneSelf:
			t[c] = all
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '_':
			t[c] = nameStart | nameRest
		case '0' <= c && c <= '9', c == '-', c == '.':
			t[c] = nameRest
		}
	}
	t['<'] = stopText | stopDouble | stopSingle
	t['&'] = stopText | stopDouble | stopSingle
	t['>'] = stopText // the end of "]]>"
	t[']'] = stopCDATA
	t['"'] = stopDouble
	t['\''] = stopSingle
	t[' '] = space
	t['\t'] = space | stopDouble | stopSingle
	t['\n'] = space | stopDouble | stopSingle
	t['\r'] = space | all
	return t
}()

// isChar says whether XML has the character; XML 1.0, production 2.
func isChar(r rune) bool {
	switch {
	case r < ' ':
		return r == '\t' || r == '\n' || r == '\r'
	case r < 0xD800:
		return true
	}
	return 0xE000 <= r && r <= 0xFFFD || 0x10000 <= r && r <= 0x10FFFF
}

// startRunes and restRunes are what names may hold beyond ASCII; XML 1.0, productions 4 and 4a.
var (
	startRunes = &unicode.RangeTable{
		R16: []unicode.Range16{
			{0xC0, 0xD6, 1}, {0xD8, 0xF6, 1}, {0xF8, 0x2FF, 1}, {0x370, 0x37D, 1}, {0x37F, 0x1FFF, 1}, {0x200C, 0x200D, 1},
			{0x2070, 0x218F, 1}, {0x2C00, 0x2FEF, 1}, {0x3001, 0xD7FF, 1}, {0xF900, 0xFDCF, 1}, {0xFDF0, 0xFFFD, 1},
		},
		R32:         []unicode.Range32{{0x10000, 0xEFFFF, 1}},
		LatinOffset: 2,
	}
	restRunes = &unicode.RangeTable{
		R16:         []unicode.Range16{{0xB7, 0xB7, 1}, {0x300, 0x36F, 1}, {0x203F, 0x2040, 1}},
		LatinOffset: 1,
	}
)

// wide looks at the character beyond ASCII that b begins with. size is 0 if b ends inside it.
func wide(b []byte, at int) (size int, err error) {
	r, size := utf8.DecodeRune(b)
	switch {
	case r == utf8.RuneError && size <= 1:
		if !utf8.FullRune(b) {
			return 0, nil
		}
		return 0, fail(BadEncoding, badUTF8, at)
	case !isChar(r):
		return 0, fail(Malformed, badCharacter, at)
	}
	return size, nil
}

// longestReference is enough for any character, with some zeros before it; XML has no bound.
const longestReference = 16

// reference reads the reference that b begins with. size is 0 if b ends inside it. The shortest beginning that shows
// what is wrong is enough to refuse it.
func reference(b []byte, at int) (r rune, size int, err error) {
	for i := 1; i < len(b); i++ {
		c := b[i]
		switch {
		case i == longestReference:
			if b[1] == '#' {
				return 0, 0, fail(TooLarge, manyDigits, at)
			}
			return 0, 0, fail(Restricted, noEntity, at)
		case c == ';':
			return resolve(b[1:i], at)
		case c == '#' && i == 1, class[c]&nameRest != 0, c == ':':
		case c >= utf8.RuneSelf && b[1] != '#':
			size, err := wide(b[i:], at)
			if err != nil || size == 0 {
				return 0, 0, err
			}
			return 0, 0, fail(Restricted, noEntity, at) // none of the predefined has it
		default:
			return 0, 0, fail(Malformed, badReference, at)
		}
	}
	return 0, 0, nil
}

// resolve is what stands between "&" and ";".
func resolve(name []byte, at int) (r rune, size int, err error) {
	size = len(name) + 2
	switch string(name) {
	case "lt":
		return '<', size, nil
	case "gt":
		return '>', size, nil
	case "amp":
		return '&', size, nil
	case "quot":
		return '"', size, nil
	case "apos":
		return '\'', size, nil
	}
	if len(name) == 0 || name[0] != '#' {
		if len(name) == 0 || class[name[0]]&nameStart == 0 {
			return 0, 0, fail(Malformed, badReference, at)
		}
		return 0, 0, fail(Restricted, noEntity, at)
	}
	digits, base := name[1:], rune(10)
	if len(digits) > 0 && digits[0] == 'x' {
		digits, base = digits[1:], 16
	}
	if len(digits) == 0 {
		return 0, 0, fail(Malformed, badReference, at)
	}
	for _, c := range digits {
		switch {
		case '0' <= c && c <= '9':
			r = r*base + rune(c-'0')
		case base == 16 && 'a' <= c|0x20 && c|0x20 <= 'f':
			r = r*base + rune(c|0x20-'a') + 10
		default:
			return 0, 0, fail(Malformed, badReference, at)
		}
		r = min(r, utf8.MaxRune+1) // and no overflow
	}
	if !isChar(r) {
		return 0, 0, fail(Malformed, badCharacter, at)
	}
	return r, size, nil
}

// How a run of characters is written.
const (
	asText = iota
	asCDATA
	asValue
)

// appendDecoded appends what raw, which was accepted, stands for: references resolved, line ends made "\n", and in a
// value every blank a space; XML 1.0, sections 2.11 and 3.3.3.
func appendDecoded(dst, raw []byte, as int) []byte {
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if c == '&' && as != asCDATA {
			if r, size, err := reference(raw[i:], 0); err == nil && size > 0 {
				dst = utf8.AppendRune(dst, r)
				i += size - 1
				continue
			}
		}
		if c == '\r' {
			if i+1 < len(raw) && raw[i+1] == '\n' {
				i++
			}
			c = '\n'
		}
		if as == asValue && (c == '\n' || c == '\t') {
			c = ' '
		}
		dst = append(dst, c)
	}
	return dst
}
