package wire

import "strconv"

// NoTrID stands for the transaction ID of a command that has none.
const NoTrID = -1

// AppendCommand appends a line: the verb, the transaction ID unless it is NoTrID, the parameters, CRLF. An empty
// parameter cannot be said (dialects 1.1) and is left out. A blank or a control character in a parameter is written
// as %XX: what came from elsewhere can begin no line of its own.
func AppendCommand(dst []byte, verb string, trID int64, args ...string) []byte {
	return append(appendHead(dst, verb, trID, args), CRLF...)
}

// AppendPayload is AppendCommand for a verb that carries a payload: the length becomes the last parameter.
func AppendPayload(dst []byte, verb string, trID int64, payload []byte, args ...string) []byte {
	dst = append(appendHead(dst, verb, trID, args), ' ')
	dst = strconv.AppendInt(dst, int64(len(payload)), 10)
	dst = append(dst, CRLF...)
	return append(dst, payload...)
}

// AppendMessage appends the MSG that brings somebody's payload to a receiver (draft 8.8). The name is URL-encoded.
func AppendMessage(dst []byte, handle, name string, payload []byte) []byte {
	return AppendPayload(dst, "MSG", NoTrID, payload, handle, name)
}

// AppendError appends an error (draft 7.11): three digits, and the transaction ID unless it is NoTrID.
func AppendError(dst []byte, code int, trID int64) []byte {
	dst = append(dst, byte('0'+code/100%10), byte('0'+code/10%10), byte('0'+code%10))
	return append(appendTrID(dst, trID), CRLF...)
}

func appendHead(dst []byte, verb string, trID int64, args []string) []byte {
	dst = appendTrID(append(dst, verb...), trID)
	for _, a := range args {
		if a != "" {
			dst = appendWord(append(dst, ' '), a)
		}
	}
	return dst
}

func appendTrID(dst []byte, trID int64) []byte {
	if trID < 0 {
		return dst
	}
	return strconv.AppendInt(append(dst, ' '), trID, 10)
}

const hex = "0123456789ABCDEF"

func appendWord(dst []byte, s string) []byte {
	clean := 0
	for i := range len(s) {
		if b := s[i]; b <= ' ' || b == 0x7f {
			dst = append(append(dst, s[clean:i]...), '%', hex[b>>4], hex[b&15])
			clean = i + 1
		}
	}
	return append(dst, s[clean:]...)
}
