package sasl

import "encoding/base64"

// MaxData is the greatest length of one message of a client, in bytes and decoded. The
// longest that makes sense is the first one of SCRAM with two addresses of 2,047 bytes.
const MaxData = 6144

// strict takes no padding bits that are not zero, RFC 6120 13.9.1.
var strict = base64.StdEncoding.Strict()

// Decode reads the text of an auth or response element: nothing is no data at all, "="
// is data of no bytes, everything else is base64 with its padding and without blanks.
// More than MaxData is malformed. RFC 6120 6.4.2, 6.5.5, 13.9.1.
func Decode(text []byte) (data []byte, has bool, fail Failure) {
	switch {
	case len(text) == 0:
		return nil, false, ""
	case len(text) == 1 && text[0] == '=':
		return []byte{}, true, ""
	case len(text) > base64.StdEncoding.EncodedLen(MaxData):
		return nil, false, MalformedRequest
	}
	for _, c := range text {
		if c == '\r' || c == '\n' { // which the decoder would skip
			return nil, false, IncorrectEncoding
		}
	}
	data = make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := strict.Decode(data, text)
	if err != nil {
		return nil, false, IncorrectEncoding
	}
	return data[:n], true, ""
}

// AppendData appends the text of an element that carries data: nothing for nil, "=" for
// no bytes, else base64. It is for challenges, for additional data with success, and for
// what a client sends. RFC 6120 6.4.2, 6.4.6.
func AppendData(b, data []byte) []byte {
	switch {
	case data == nil:
		return b
	case len(data) == 0:
		return append(b, '=')
	}
	return base64.StdEncoding.AppendEncode(b, data)
}

func encode(data []byte) string { return base64.StdEncoding.EncodeToString(data) }
