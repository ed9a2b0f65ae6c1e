package wire

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// The scalars, ssp-syntax 3. A session's time to live is never zero: ssp-syntax 9.
const (
	tString   Type = "str"
	tText     Type = "text"
	tInt      Type = "int"
	tSeconds  Type = "sec"
	tLife     Type = "sec>0"
	tBool     Type = "bool"
	tCode     Type = "code"
	tTime     Type = "dt"
	tUser     Type = "addr"
	tGroup    Type = "gaddr"
	tList     Type = "caddr"
	tService  Type = "svc"
	tInvite   Type = "enum(GR|IM|PR|SC)"
	tDelivery Type = "enum(Push|Notify/Get)"
	tProtocol Type = "enum(WV-SSP)"
	tAny      Type = "any" // elements that are kept as they came
)

// How a Boolean is written, ssp-syntax 2.5.
const (
	Yes = "Yes"
	No  = "No"
)

// YesNo writes a Boolean.
func YesNo(b bool) string {
	if b {
		return Yes
	}
	return No
}

// maxAddress is the greatest length of an address in bytes, ssp-syntax 4.1.
const maxAddress = 255

func (t Type) scalar() bool {
	switch t {
	case tString, tText, tInt, tSeconds, tLife, tBool, tCode, tTime, tUser, tGroup, tList, tService:
		return true
	}
	return strings.HasPrefix(string(t), "enum(")
}

// choices are the values of an enumeration.
func (t Type) choices() []string {
	inner, ok := strings.CutPrefix(string(t), "enum(")
	if !ok {
		return nil
	}
	return strings.Split(strings.TrimSuffix(inner, ")"), "|")
}

// otherNames are spellings that are read for a value: those of the client protocol, ssp-syntax 9.
var otherNames = map[Type]map[string]string{
	tDelivery: {"n": "Notify/Get", "p": "Push", "notifyget": "Notify/Get"},
	tBool:     {"yes": Yes, "true": Yes, "t": Yes, "1": Yes, "no": No, "false": No, "f": No, "0": No},
}

// normal is a value in the spelling that is written; one that is none of its type stays as it is.
func (t Type) normal(v string) string {
	switch t {
	case tCode: // two that the public implementation sends, ssp-syntax 2.8, 7
		switch v {
		case "427":
			return "531"
		case "901":
			return "536"
		}
	case tBool, tDelivery:
		if n, ok := otherNames[t][strings.ToLower(v)]; ok {
			return n
		}
	}
	switch t {
	case tTime:
		if _, ok := clock(v); ok {
			return v
		}
		if at, ok := ParseTime(v); ok {
			return FormatTime(at)
		}
	case tInvite, tDelivery, tProtocol:
		for _, c := range t.choices() {
			if strings.EqualFold(c, v) {
				return c
			}
		}
	}
	return v
}

// fits says whether a value, already normal, is one of the type.
func (t Type) fits(v string) bool {
	switch t {
	case tInt, tSeconds:
		_, err := strconv.ParseUint(v, 10, 31)
		return err == nil
	case tLife:
		n, err := strconv.ParseUint(v, 10, 31)
		return err == nil && n > 0
	case tBool:
		return v == Yes || v == No
	case tCode:
		_, ok := ParseCode(v)
		return ok
	case tTime:
		_, ok := clock(v)
		if !ok {
			_, ok = ParseTime(v)
		}
		return ok
	case tUser, tGroup, tList, tService:
		return v != "" && len(v) <= maxAddress
	case tInvite, tDelivery, tProtocol:
		return slices.Contains(t.choices(), v)
	}
	return true
}

// layouts are the forms of date and time that are read, the basic one of ISO 8601 first. SSP 3; ssp-syntax 2.5, 9.
var layouts = []string{"20060102T150405Z", "20060102T150405", "20060102T150405Z0700", "20060102T1504Z",
	"2006-01-02T15:04:05Z", "2006-01-02T15:04:05", time.RFC3339}

// ParseTime reads a date and time; one without a time zone is UTC. Fractions of seconds are dropped. Years are
// 1 to 9999.
func ParseTime(s string) (time.Time, bool) {
	if t, ok := basic(s); ok {
		return t, true
	}
	for _, l := range layouts {
		if t, err := time.Parse(l, s); err == nil {
			t = t.UTC().Truncate(time.Second)
			return t, t.Year() >= 1 && t.Year() <= 9999
		}
	}
	return time.Time{}, false
}

// basic reads the first of the layouts, in which nearly all times come; false also for what is no date.
func basic(s string) (time.Time, bool) {
	n, ok := clock(s)
	if !ok {
		return time.Time{}, false
	}
	return time.Date(n[0]*100+n[1], time.Month(n[2]), n[3], n[4], n[5], n[6], 0, time.UTC), true
}

// clock is what stands in that layout: the year in two parts, month, day, hour, minute, second; false also for what is
// no date.
func clock(s string) (n [7]int, ok bool) {
	if len(s) != len("20060102T150405Z") || s[8] != 'T' || s[15] != 'Z' {
		return n, false
	}
	for i := range n {
		at := 2 * i
		if i > 3 {
			at++
		}
		a, b := s[at]-'0', s[at+1]-'0'
		if a > 9 || b > 9 {
			return n, false
		}
		n[i] = int(a)*10 + int(b)
	}
	year, days := n[0]*100+n[1], 31
	switch n[2] {
	case 4, 6, 9, 11:
		days = 30
	case 2:
		days = 28
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			days = 29
		}
	}
	return n, year > 0 && 1 <= n[2] && n[2] <= 12 && 1 <= n[3] && n[3] <= days && n[4] <= 23 && n[5] <= 59 && n[6] <= 59
}

// FormatTime writes a date and time in the basic form of ISO 8601, in UTC: 20021119T063000Z. ssp-syntax 2.5.
func FormatTime(t time.Time) string {
	t = t.UTC()
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return t.Format(layouts[0])
	}
	hour, minute, second := t.Clock()
	b := []byte("yyyyMMddThhmmssZ")
	for i, n := range [...]int{year / 100, year % 100, int(month), day, hour, minute, second} {
		at := 2 * i
		if i > 3 {
			at++
		}
		b[at], b[at+1] = byte('0'+n/10), byte('0'+n%10)
	}
	return string(b)
}

// Int is a number that was checked; 0 for one that is not there.
func Int(v string) int {
	n, err := strconv.ParseUint(v, 10, 31)
	if err != nil {
		return 0
	}
	return int(n)
}
