package msnp

import (
	"strconv"
	"time"
)

// SystemSender is who server messages come from, as handle and as name: dialects 3.6.
const SystemSender = "Hotmail"

// ProfilePayload makes the message that follows a login, in the form of MSNP2, which tells nothing but when that was:
// dialects 3.6.
func ProfilePayload(login time.Time) []byte {
	b := []byte("MIME-Version: 1.0\r\nContent-Type: text/x-msmsgsprofile; charset=UTF-8\r\nLoginTime: ")
	b = strconv.AppendInt(b, login.Unix(), 10)
	return append(b, "\r\n\r\n"...)
}

// ShutdownPayload makes the system message that announces that the service goes down in so many minutes, rounded up:
// dialects 3.7.
func ShutdownPayload(in time.Duration) []byte {
	b := []byte("MIME-Version: 1.0\r\nContent-Type: application/x-msmsgssystemmessage\r\n\r\nType: 1\r\nArg1: ")
	b = strconv.AppendInt(b, int64((max(in, 0)+time.Minute-1)/time.Minute), 10)
	return append(b, "\r\n"...)
}
