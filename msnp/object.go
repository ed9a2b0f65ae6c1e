package msnp

import (
	"errors"
	"strconv"

	"parley/xmltext"
)

// MaxObject bounds an MSNObject as a client sends it, in bytes: about 600 were common. dialects 1.1, 5.5
const MaxObject = 3072

// Object describes a picture or the like that its creator gives to who asks: dialects 5.5. A server hands on what the
// client wrote, byte for byte.
type Object struct {
	Creator  string // the handle of who has it
	Size     int64  // bytes
	Type     int    // 2 emoticon, 3 display picture
	Location string
	SHA1D    string // of the data, in base64
}

// ErrObject: what ought to be an MSNObject is none, or too long.
var ErrObject = errors.New("msnp: the object cannot be read")

var objectLimits = xmltext.Limits{Bytes: MaxObject, Depth: 1, Attrs: 24, Nodes: 1, Name: 32}

// ParseObject reads an MSNObject, URL-encoded: dialects 5.5. One without attributes stands for none.
func ParseObject(encoded []byte) (Object, error) {
	if len(encoded) > MaxObject {
		return Object{}, ErrObject
	}
	doc, err := xmltext.Parse([]byte(unescape(string(encoded))), objectLimits)
	if err != nil || string(doc.Root().Local()) != "msnobj" {
		return Object{}, ErrObject
	}
	attr := func(name string) string {
		v, _ := doc.Root().Attr("", name)
		return string(v)
	}
	number := func(name string) (n int64) {
		if v := attr(name); v != "" && err == nil {
			if n, err = strconv.ParseInt(v, 10, 32); n < 0 {
				err = ErrObject
			}
		}
		return n
	}
	o := Object{Creator: attr("Creator"), Location: attr("Location"), SHA1D: attr("SHA1D")}
	o.Size, o.Type = number("Size"), int(number("Type"))
	if err != nil {
		return Object{}, ErrObject
	}
	return o, nil
}
