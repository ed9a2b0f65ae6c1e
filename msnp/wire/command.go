// Package wire turns bytes into commands and back: the framing that every server and client of the MSN Messenger
// Protocol shares (draft 5.2, dialects 1.1 to 1.3). It knows verbs and which of them carry a payload, and nothing
// of what they mean. It keeps no state; commands are views into bytes that stay the caller's.
package wire

import (
	"bytes"
	"iter"
	"math"
	"strconv"
)

// CRLF ends every line that is sent. A bare LF is taken, too.
const CRLF = "\r\n"

// Command is one command as it was read. Its parameters and its payload are views into the bytes that Parse was
// given: they are good as long as those are, and to be copied by whoever keeps them. A Command may itself be copied.
// The zero Command is ready to be filled.
type Command struct {
	// Verb is three letters, or three digits for an error of a server. It is "" when the first word of the line is
	// neither (Malformed).
	Verb string
	// Payload is what followed the line, nil when the verb carries none. Its length is the last parameter.
	Payload []byte

	line []byte // the parameters, without the line's end
	n    int
	at   [inline]span // where the first of them are; the rest is found by reading on
}

// span is a piece of a line. Lines are shorter than 64 kB.
type span struct{ from, to uint16 }

const inline = 8

// Malformed reports that the line's first word is no verb at all. It is answered with 200 (draft 7.11).
func (c *Command) Malformed() bool { return c.Verb == "" }

// Len is the number of parameters, the transaction ID included.
func (c *Command) Len() int { return c.n }

// Arg is parameter i, counted from 0; nil when there are not so many. Use Args or AppendArgs to walk over long
// lists.
func (c *Command) Arg(i int) []byte {
	if i < 0 || i >= c.n {
		return nil
	}
	if i < inline {
		return c.line[c.at[i].from:c.at[i].to:c.at[i].to]
	}
	from, to := 0, int(c.at[inline-1].to)
	for range i - inline + 1 {
		from, to = word(c.line, to)
	}
	return c.line[from:to:to]
}

// Args are all parameters in order.
func (c *Command) Args() iter.Seq2[int, []byte] {
	return func(yield func(int, []byte) bool) {
		from, to := 0, 0
		for i := range c.n {
			from, to = word(c.line, to)
			if !yield(i, c.line[from:to:to]) {
				return
			}
		}
	}
}

// AppendArgs appends all parameters to dst.
func (c *Command) AppendArgs(dst [][]byte) [][]byte {
	for _, a := range c.Args() {
		dst = append(dst, a)
	}
	return dst
}

// TrID is the transaction ID, the first parameter, if it is one (draft 5.6). OUT and PNG have none.
func (c *Command) TrID() (uint32, bool) { return ParseTrID(c.Arg(0)) }

// Code is the number of a server's error (draft 7.11), 0 for any other command.
func (c *Command) Code() int {
	if len(c.Verb) != 3 || !digit(c.Verb[0]) {
		return 0
	}
	n, err := strconv.Atoi(c.Verb)
	if err != nil {
		return 0
	}
	return n
}

// ParseTrID reads a transaction ID: a decimal number from 0 to 2^32-1 (draft 5.6).
func ParseTrID(b []byte) (uint32, bool) {
	n, ok := number(b, math.MaxUint32)
	return uint32(n), ok
}

// number reads a decimal number from 0 to limit, of any count of digits, without sign.
func number(b []byte, limit uint64) (uint64, bool) {
	if len(b) == 0 {
		return 0, false
	}
	var n uint64
	for _, d := range b {
		if !digit(d) {
			return 0, false
		}
		if n = n*10 + uint64(d-'0'); n > limit {
			return 0, false
		}
	}
	return n, true
}

// word is the next word of line at or behind i; from is len(line) when there is none.
func word(line []byte, i int) (from, to int) {
	for i < len(line) && blank(line[i]) {
		i++
	}
	from = i
	for i < len(line) && !blank(line[i]) {
		i++
	}
	return from, i
}

// blank separates words. A CR that ends no line does so as well: no parameter can carry one into another line.
func blank(b byte) bool { return b == ' ' || b == '\t' || b == '\r' }

func digit(b byte) bool { return '0' <= b && b <= '9' }

func letter(b byte) bool { return 'A' <= b&^0x20 && b&^0x20 <= 'Z' }

// set fills c from a line without its LF. It reports false for a line without words.
func (c *Command) set(line []byte, from Side) bool {
	first, end := word(line, 0)
	if first == end {
		return false
	}
	c.Verb, c.Payload = verb(line[first:end], from), nil
	c.line, c.n = bytes.TrimRight(line[end:], " \t\r"), 0
	for i := 0; i < len(c.line); c.n++ {
		var at int
		at, i = word(c.line, i)
		if c.n < inline {
			c.at[c.n] = span{uint16(at), uint16(i)}
		}
	}
	return true
}

// verb is the verb that a line's first word is, "" when it is none.
func verb(w []byte, from Side) string {
	if len(w) != 3 {
		return ""
	}
	if v, ok := known[string(w)]; ok {
		return v
	}
	if letter(w[0]) && letter(w[1]) && letter(w[2]) {
		return string(w)
	}
	if from == Server && digit(w[0]) && digit(w[1]) && digit(w[2]) {
		return string(w)
	}
	return ""
}
