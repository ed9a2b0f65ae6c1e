package transcript

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Codec is how the things of one protocol travel. It keeps no state: all connections of a play may share one.
type Codec interface {
	// Bytes makes what travels of a line that is said and those that continue it. All ${} in them are resolved but
	// ${len} and ${end}, which are the codec's.
	Bytes(head string, more []string) ([]byte, error)
	// Read reads the next thing that a server says. At the end of the connection the error is io.EOF.
	Read(r *bufio.Reader) (string, error)
	// Compare says how the thing got differs from what a script expects, nil if it does not. match compares a piece
	// of it with a pattern, in which ${} are what they are, ${len} excepted.
	Compare(head string, more []string, got string, match func(pattern, text string) bool) error
}

const crlf = "\r\n"

// Lines is the codec of protocols that talk in lines that end in CRLF, some of which are followed by a payload of
// known length. Bytes are compared: what is expected is the line, CRLF, and the lines that continue it joined by
// CRLF.
type Lines struct {
	// Payload says how many bytes follow a line that a server sent; nil: never any.
	Payload func(line string) int
}

// PayloadAfter makes a Lines.Payload: lines whose first word is one of verbs end in the length.
func PayloadAfter(verbs ...string) func(line string) int {
	return func(line string) int {
		w := strings.Fields(line)
		if len(w) < 2 || !slices.Contains(verbs, w[0]) {
			return 0
		}
		n, err := strconv.Atoi(w[len(w)-1])
		if err != nil {
			return 0
		}
		return n
	}
}

// Bytes is the line, CRLF unless it ends in ${end}, and the payload, whose length is ${len}.
func (Lines) Bytes(head string, more []string) ([]byte, error) {
	body := strings.Join(more, crlf)
	end := crlf
	if h, ok := strings.CutSuffix(head, refEnd); ok {
		head, end = h, ""
	}
	head = strings.ReplaceAll(head, refLen, strconv.Itoa(len(body)))
	if strings.Contains(head, refEnd) || strings.Contains(body, refEnd) || strings.Contains(body, refLen) {
		return nil, errors.New("${end} stands at the end of the first line only, and ${len} in it")
	}
	return []byte(head + end + body), nil
}

const (
	longestLine    = 1 << 16
	longestPayload = 1 << 24
)

// Read reads a line with its payload.
func (l Lines) Read(r *bufio.Reader) (string, error) {
	var line []byte
	for {
		piece, err := r.ReadSlice('\n')
		line = append(line, piece...)
		if err == nil {
			break
		}
		if err == io.EOF && len(line) > 0 {
			return "", fmt.Errorf("the connection ends within a line: %q", line)
		}
		if err != bufio.ErrBufferFull {
			return "", err
		}
		if len(line) > longestLine {
			return "", fmt.Errorf("a line of more than %d bytes: %.40q", longestLine, line)
		}
	}
	if l.Payload == nil {
		return string(line), nil
	}
	n := l.Payload(strings.TrimRight(string(line), crlf))
	if n < 0 || n > longestPayload {
		return "", fmt.Errorf("a payload of %d bytes: %q", n, line)
	}
	body := make([]byte, n)
	if m, err := io.ReadFull(r, body); err != nil {
		return "", fmt.Errorf("the connection ends within a payload: %q%q: %w", line, body[:m], err)
	}
	return string(line) + string(body), nil
}

// Compare compares bytes. ${len} is the length of the payload that came.
func (Lines) Compare(head string, more []string, got string, match func(pattern, text string) bool) error {
	line, body := got, ""
	if i := strings.IndexByte(got, '\n'); i >= 0 {
		line, body = got[:i+1], got[i+1:]
	}
	head = strings.ReplaceAll(head, refLen, strconv.Itoa(len(body)))
	switch bare, ok := strings.CutSuffix(line, crlf); {
	case !ok:
		return errors.New("the line does not end in CRLF")
	case !match(head, bare):
		return errors.New("the line differs")
	case !match(strings.Join(more, crlf), body):
		return errors.New("the lines after the first differ")
	}
	return nil
}
