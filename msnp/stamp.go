package msnp

import "time"

// stampBase is where stamps count from.
var stampBase = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

// Stamp is the version of an account's lists as it is written from MSNP10 on: a time, which clients keep and give back
// and do not look into. It is made of the serial, so that it is another one after each change. dialects 4.2
func Stamp(serial int64) string {
	return stampBase.Add(time.Duration(serial)*time.Millisecond).Format("2006-01-02T15:04:05.0000000") + "-00:00"
}
