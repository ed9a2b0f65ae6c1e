package ssp

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"parley/im"
	"parley/ssp/wire"
)

// Address is a Wireless Village address, in normal form: two are the same exactly when == says so. Of a user it has
// the Owner alone; of a contact list, a group or content, one user's or the domain's, the Resource as well; of a
// service the Owner is a domain, and there is no Resource. Which of the three a resource is, its element tells.
// SSP 3; ssp-syntax 4.1, 9.
type Address struct {
	Owner    im.Address // a user, or the domain alone
	Resource string     // in lower case; "" is none
}

// Private reports that the address is a resource of a user's, ssp-syntax 4.1.
func (a Address) Private() bool { return a.Resource != "" && !a.Owner.IsDomain() }

// scheme begins an address; it is read with and without.
const scheme = "wv:"

// ParseAddress reads an address in any spelling: with or without wv:, the resource behind / or %2F, in any letters. A
// domain may stand without @. The error wraps im.ErrBadAddress. SSP 3; ssp-syntax 4.1.
func ParseAddress(s string) (Address, error) {
	s = strings.Trim(s, " \t\r\n")
	if len(s) >= len(scheme) && strings.EqualFold(s[:len(scheme)], scheme) {
		s = s[len(scheme):]
	}
	head, domain := "", s
	if at := strings.LastIndexByte(s, '@'); at >= 0 {
		head, domain = s[:at], s[at+1:]
	}
	user, resource, cut := divide(head)
	user, ok := unescape(user)
	if !ok {
		return Address{}, refuse(s, "has a % with no two hexadecimal digits after it")
	}
	var a Address
	var err error
	if user == "" {
		domain, err = im.ParseDomain(domain)
		if err == nil {
			a.Owner, err = im.ParseAddress(domain)
		}
	} else if strings.ContainsRune(user, '@') {
		return Address{}, refuse(s, "has more than one @")
	} else {
		if user == head { // there is nothing in it but the user
			a.Owner, err = im.ParseAddress(strings.Clone(s))
		} else {
			a.Owner, err = im.ParseAddress(user + "@" + domain)
		}
	}
	if err != nil {
		return Address{}, err
	}
	if !cut {
		return a, nil
	}
	if resource, ok = unescape(resource); !ok {
		return Address{}, refuse(s, "has a % with no two hexadecimal digits after it")
	}
	if a.Resource = lower(strings.TrimSpace(resource)); a.Resource == "" {
		return Address{}, refuse(s, "has nothing after the slash")
	}
	for _, r := range a.Resource {
		if !unicode.IsPrint(r) {
			return Address{}, refuse(s, "has a character that cannot be printed")
		}
	}
	return a, nil
}

func refuse(s, why string) error {
	return fmt.Errorf("%w: %q %s", im.ErrBadAddress, s[:min(len(s), 64)], why)
}

// lower is s in lower case; what becomes no smaller by it is left, so that the result is its own.
func lower(s string) string {
	for range 4 {
		next := strings.ToLower(s)
		if next == s {
			break
		}
		s = next
	}
	return s
}

// divide cuts at the first slash, plain or escaped, ssp-syntax 4.1.
func divide(s string) (user, resource string, cut bool) {
	for i := range len(s) {
		if s[i] == '/' {
			return s[:i], s[i+1:], true
		}
		if s[i] == '%' && i+3 <= len(s) && strings.EqualFold(s[i:i+3], "%2f") {
			return s[:i], s[i+3:], true
		}
	}
	return s, "", false
}

// unescape resolves percent escapes once. Octets that are not UTF-8 are letters of ISO 8859-1, which the semantics
// document speaks of. ssp-syntax 4.1, 9.
func unescape(s string) (string, bool) {
	if strings.IndexByte(s, '%') >= 0 {
		b := make([]byte, 0, len(s))
		for i := 0; i < len(s); i++ {
			if s[i] != '%' {
				b = append(b, s[i])
				continue
			}
			if i+3 > len(s) {
				return "", false
			}
			n, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
			if err != nil {
				return "", false
			}
			b = append(b, byte(n))
			i += 2
		}
		s = string(b)
	}
	if !utf8.ValidString(s) {
		r := make([]rune, len(s))
		for i := range len(s) {
			r[i] = rune(s[i])
		}
		s = string(r)
	}
	return s, true
}

// escape writes the octets that may not stand in an address as they are as percent escapes. A plus may stand in front,
// where it begins a telephone number. ssp-syntax 4.1, 4.2.
func escape(b []byte, s string) []byte {
	const digits = "0123456789ABCDEF"
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~!$&'*,=", c) >= 0,
			c == '+' && i == 0:
			b = append(b, c)
		default:
			b = append(b, '%', digits[c>>4], digits[c&15])
		}
	}
	return b
}

// Format writes the address as the dialect wants its slash; the domain goes out in its ASCII form. SSP 3;
// ssp-syntax 4.1.
func (a Address) Format(d wire.Dialect) string {
	b := append(make([]byte, 0, 64), scheme...)
	b = escape(b, a.Owner.Local())
	if a.Resource != "" {
		b = append(b, d.Slash()...)
		b = escape(b, a.Resource)
	}
	b = append(b, '@')
	return string(append(b, ascii(a.Owner.Domain())...))
}

// ascii is the form of a domain that goes out. SSP 3; ssp-syntax 4.1.
func ascii(domain string) string {
	for i := range len(domain) {
		if c := domain[i]; c >= utf8.RuneSelf || c == '-' || 'A' <= c && c <= 'Z' { // with hyphens there are rules
			if a, err := idna.Lookup.ToASCII(domain); err == nil {
				return a
			}
			break
		}
	}
	return domain
}

// String is the address in the form of WV10, for logs.
func (a Address) String() string { return a.Format(wire.WV10) }

// FormatUser writes a user's address, SSP 3; ssp-syntax 4.2. It is the same in both dialects.
func FormatUser(u im.Address) string { return Address{Owner: u}.Format(wire.WV10) }

// FormatService writes the address of a domain's service: wv:@example.com. ssp-syntax 4.1, 9.
func FormatService(domain string) string {
	return scheme + "@" + ascii(domain)
}

// ParseUser reads the address of a user. The error wraps im.ErrBadAddress.
func ParseUser(s string) (im.Address, error) {
	a, err := ParseAddress(s)
	switch {
	case err != nil:
		return im.Address{}, err
	case a.Resource != "" || a.Owner.IsDomain():
		return im.Address{}, refuse(s, "is not a user's address")
	}
	return a.Owner, nil
}

// ParseResource reads the address of a contact list, a group or content. The error wraps im.ErrBadAddress.
func ParseResource(s string) (Address, error) {
	a, err := ParseAddress(s)
	if err == nil && a.Resource == "" {
		return Address{}, refuse(s, "has no name of a list, group or content")
	}
	return a, err
}

// ParseService reads the address of a domain's service, as wv:@d, wv:d, @d or d, and gives the domain. The error wraps
// im.ErrBadAddress. ssp-syntax 4.1, 9.
func ParseService(s string) (string, error) {
	a, err := ParseAddress(s)
	switch {
	case err != nil:
		return "", err
	case a.Resource != "" || !a.Owner.IsDomain():
		return "", refuse(s, "is not a service's address")
	}
	return a.Owner.Domain(), nil
}

// IsNumber reports that a user is one of telephone: a plus and digits, or digits alone. ssp-syntax 4.1.
func IsNumber(u im.Address) bool {
	n := strings.TrimPrefix(u.Local(), "+")
	return n != "" && strings.Trim(n, "0123456789") == ""
}

// FormatMessageID writes the ID that a domain gives a message: ssp-syntax 4.1.
func FormatMessageID(id im.MessageID, domain string) string {
	b := strconv.AppendInt(make([]byte, 0, 64), int64(id), 10)
	b = append(b, '@')
	return string(append(b, ascii(domain)...))
}

// ParseMessageID reads an ID that FormatMessageID wrote for this domain; false for one of another's. IDs of others are
// opaque, and compared byte for byte: ssp-syntax 4.1.
func ParseMessageID(s, domain string) (im.MessageID, bool) {
	local, _, _ := strings.Cut(s, "@")
	n, err := strconv.ParseInt(local, 10, 64)
	id := im.MessageID(n)
	return id, err == nil && n > 0 && FormatMessageID(id, domain) == s
}
