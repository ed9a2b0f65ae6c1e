package im

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/secure/bidirule"
	"golang.org/x/text/secure/precis"
	"golang.org/x/text/width"
)

// maxPart is the greatest length of a local part and of a domain, in bytes of the
// normalised form, RFC 7622 3.2 and 3.3.
const maxPart = 1023

// maxLabel is the greatest length of one label of a domain, in bytes of the form
// that goes to the DNS.
const maxLabel = 63

// Address says who somebody is, on every protocol: local@domain, or a domain alone.
// It holds the normalised form only, so two addresses are the same principal exactly
// when == says so, and an Address can be the key of a map. The zero Address is
// nobody's. RFC 7622 3 without the resource.
type Address struct {
	s string
}

// ParseAddress normalises s: the local part by PRECIS UsernameCaseMapped, the domain by
// IDNA to its Unicode form, in lower case and without the last dot; an IP address is a
// domain too, one of version 6 in brackets. Each part has 1 to 1023 bytes. The error
// wraps ErrBadAddress and says which part is wrong, and why. A clean s is kept as it
// is, so whoever cuts addresses out of something large may want to clone them.
// RFC 7622 3.2, 3.3; RFC 8265 3.3.
func ParseAddress(s string) (Address, error) {
	if cleanAddress(s) {
		return Address{s}, nil
	}
	return parse(s)
}

// ParseAddressBytes is ParseAddress for what still stands in a read buffer, which the
// address never shares.
func ParseAddressBytes(b []byte) (Address, error) {
	if cleanAddress(b) {
		return Address{string(b)}, nil
	}
	// Beyond this one of the parts is too long anyway, and the rest not worth a copy.
	b = b[:min(len(b), 2*maxRaw+2)]
	return parse(string(b))
}

// MustAddress is ParseAddress for addresses written into the program; it panics where
// ParseAddress has an error.
func MustAddress(s string) Address {
	a, err := ParseAddress(s)
	if err != nil {
		panic(err)
	}
	return a
}

// ParseDomain normalises a domain as ParseAddress does, and gives what Address.Domain
// gives.
func ParseDomain(s string) (string, error) {
	d, err := normalDomain(s)
	if err != nil {
		return "", fmt.Errorf("%w: %s: the domain %w", ErrBadAddress, clip(s), err)
	}
	return d, nil
}

// Local is the part before the @, empty for a domain.
func (a Address) Local() string {
	if at := strings.IndexByte(a.s, '@'); at >= 0 {
		return a.s[:at]
	}
	return ""
}

// Domain is the part after the @, or all of it.
func (a Address) Domain() string {
	return a.s[strings.IndexByte(a.s, '@')+1:]
}

// String is the normalised form; ParseAddress gives the same address for it.
func (a Address) String() string { return a.s }

// IsZero reports that this is nobody's address.
func (a Address) IsZero() bool { return a.s == "" }

// IsDomain reports that the address is a domain alone.
func (a Address) IsDomain() bool {
	return a.s != "" && strings.IndexByte(a.s, '@') < 0
}

// Compare orders addresses by the bytes of their normalised form, the zero Address first.
func (a Address) Compare(b Address) int { return strings.Compare(a.s, b.s) }

// AppendText appends the normalised form.
func (a Address) AppendText(b []byte) ([]byte, error) { return append(b, a.s...), nil }

// MarshalText gives the normalised form, for logs and JSON.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.s), nil }

// UnmarshalText is ParseAddress; an empty text is the zero Address.
func (a *Address) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*a = Address{}
		return nil
	}
	parsed, err := ParseAddressBytes(b)
	if err != nil {
		return err
	}
	*a = parsed
	return nil
}

// What a byte may be in an address that needs no normalisation. Nearly all addresses
// are of this kind, and they are parsed with every command.
const (
	inLocal  = 1 << iota // stands in a local part as it is
	inDomain             // stands in a label anywhere, as it is
)

var class = func() (t [256]uint8) {
	for c := '!'; c <= '~'; c++ {
		if !strings.ContainsRune(excluded, c) && (c < 'A' || c > 'Z') {
			t[c] |= inLocal
		}
	}
	for _, c := range "abcdefghijklmnopqrstuvwxyz0123456789" {
		t[c] |= inDomain
	}
	return t
}()

// excluded may not stand in a local part although PRECIS allows it, RFC 7622 3.3.1.
const excluded = "\"&'/:<>@"

// cleanAddress reports that s is an address and already normalised. It says no to some
// that are (those beyond ASCII, literals).
func cleanAddress[T string | []byte](s T) bool {
	for i := range len(s) {
		if class[s[i]]&inLocal != 0 {
			continue
		}
		return s[i] == '@' && i > 0 && i <= maxPart && cleanDomain(s[i+1:])
	}
	return cleanDomain(s)
}

// cleanDomain reports that s is a domain of plain labels: letters, digits and inner
// hyphens. A label with hyphens in its third and fourth place means something to IDNA.
func cleanDomain[T string | []byte](s T) bool {
	if len(s) == 0 || len(s) > maxPart {
		return false
	}
	label := 0
	for i := range len(s) {
		switch c := s[i]; {
		case class[c]&inDomain != 0:
		case c == '-':
			if i == label || i == label+3 && s[i-1] == '-' {
				return false
			}
		case c == '.':
			if i == label || i-label > maxLabel || s[i-1] == '-' {
				return false
			}
			label = i + 1
		default:
			return false
		}
	}
	return label < len(s) && len(s)-label <= maxLabel && s[len(s)-1] != '-'
}

// maxRaw bounds what is normalised at all, in bytes of a part. Letters become shorter
// by it, but hardly to less than a quarter.
const maxRaw = 4 * maxPart

func parse(s string) (Address, error) {
	local, domain, both := strings.Cut(s, "@")
	if !both {
		d, err := ParseDomain(s)
		return Address{d}, err
	}
	l, err := normalLocal(local)
	if err != nil {
		return Address{}, fmt.Errorf("%w: %s: the part before the @ %w", ErrBadAddress, clip(s), err)
	}
	d, err := normalDomain(domain)
	if err != nil {
		return Address{}, fmt.Errorf("%w: %s: the domain %w", ErrBadAddress, clip(s), err)
	}
	return Address{l + "@" + d}, nil
}

// Why a part is refused; the words go on after "the domain" or "the part before the @".
var (
	errEmpty    = errors.New("is missing")
	errLong     = fmt.Errorf("is longer than %d bytes", maxPart)
	errUTF8     = errors.New("is not valid UTF-8")
	errMixed    = errors.New("has letters written from right to left beside others")
	errOther    = errors.New("has letters or signs in an order that is not allowed")
	errUnstable = errors.New("has no one normal form")
	errLabel    = errors.New("has two dots together, or one at its begin")
	errLabelLen = fmt.Errorf("has a label longer than %d bytes", maxLabel)
	errLiteral  = errors.New("is not an IP address; one of version 6 is written as [2001:db8::1]")
)

// whole says what can be said of a part before it is normalised.
func whole(s string) error {
	switch {
	case s == "":
		return errEmpty
	case len(s) > maxRaw:
		return errLong
	case !utf8.ValidString(s):
		return errUTF8
	}
	return nil
}

func normalLocal(s string) (string, error) {
	if err := whole(s); err != nil {
		return "", err
	}
	if ascii(s) {
		s = strings.ToLower(s) // all that PRECIS does to ASCII, but for what it refuses
	} else {
		var err error
		if s, err = settle(s, precis.UsernameCaseMapped.String); err != nil {
			return "", localError(s, err)
		}
	}
	for i := range len(s) {
		if s[i] < utf8.RuneSelf && class[s[i]]&inLocal == 0 {
			return "", errRune(rune(s[i]))
		}
	}
	switch {
	case s == "":
		return "", errEmpty
	case len(s) > maxPart:
		return "", errLong
	}
	return s, nil
}

// localError finds what PRECIS does not like about s, which it does not say itself.
func localError(s string, err error) error {
	if errors.Is(err, errUnstable) {
		return err
	}
	allowed := precis.UsernameCaseMapped.Allowed()
	for _, r := range width.Fold.String(s) {
		if !allowed.Contains(r) {
			return errRune(r)
		}
	}
	if errors.Is(err, bidirule.ErrInvalid) {
		return errMixed
	}
	return errOther
}

func errRune(r rune) error {
	if strconv.IsPrint(r) {
		return fmt.Errorf("must not contain %q", r)
	}
	return fmt.Errorf("must not contain %U", r)
}

func normalDomain(s string) (string, error) {
	if cleanDomain(s) {
		return s, nil
	}
	if err := whole(s); err != nil {
		return "", err
	}
	if s[0] == '[' {
		return literal(s)
	}
	if ascii(s) {
		if lower := strings.TrimSuffix(strings.ToLower(s), "."); cleanDomain(lower) {
			return lower, nil
		}
	}
	d, err := settle(s, idna.Lookup.ToUnicode)
	if err != nil {
		return "", domainError(s, err)
	}
	// Not before: IDNA knows more than one character for a dot.
	d = strings.TrimSuffix(d, ".")
	if d == "" {
		return "", errEmpty
	}
	for label := range strings.SplitSeq(d, ".") {
		switch wire, err := idna.Lookup.ToASCII(label); {
		case label == "":
			return "", errLabel
		case err != nil:
			return "", domainError(s, err)
		case len(wire) > maxLabel:
			return "", errLabelLen
		}
	}
	if len(d) > maxPart {
		return "", errLong
	}
	return d, nil
}

func domainError(s string, err error) error {
	if errors.Is(err, errUnstable) {
		return err
	}
	for _, r := range s {
		if r < utf8.RuneSelf && class[r]&inDomain == 0 && !strings.ContainsRune("-.", r) && (r < 'A' || r > 'Z') {
			return errRune(r)
		}
	}
	why := strings.TrimPrefix(err.Error(), "idna: ")
	if len(why) > 100 { // it repeats the label
		why = "a label that IDNA does not take"
	}
	return fmt.Errorf("is not one: %s", why)
}

// literal normalises an IP address in brackets, RFC 7622 3.2 and RFC 3986 3.2.2.
func literal(s string) (string, error) {
	inner, ok := strings.CutSuffix(s[1:], "]")
	if !ok {
		return "", errLiteral
	}
	ip, err := netip.ParseAddr(inner)
	if err != nil || !ip.Is6() || ip.Zone() != "" {
		return "", errLiteral
	}
	return "[" + ip.String() + "]", nil
}

// settle applies norm until nothing changes, as a normal form must be its own: a rule
// applied once does not always give that, RFC 8264 7.
func settle(s string, norm func(string) (string, error)) (string, error) {
	for range 4 {
		next, err := norm(s)
		if err != nil {
			return s, err
		}
		if next == s {
			return s, nil
		}
		s = next
	}
	return s, errUnstable
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// clip quotes the begin of what somebody sent, for an error.
func clip(s string) string {
	const most = 64
	if len(s) <= most {
		return strconv.Quote(s)
	}
	end := most
	for end > most-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return strconv.Quote(s[:end]) + "..."
}
