package im

import (
	"fmt"
	"io"
	"log/slog"
	"strconv"
)

// Text is what people wrote to each other. It prints as its length, "[17 bytes]",
// wherever it is printed: by fmt with any verb, in logs, as JSON. Boxing a pointer
// keeps the words back even where Text is an unexported field and fmt asks no method
// (there an address shows). The zero Text is empty. Compare what Reveal gives.
type Text struct {
	p *string
}

// NewText boxes s.
func NewText(s string) Text {
	if s == "" {
		return Text{}
	}
	return Text{&s}
}

// Reveal gives the words: for those who store or deliver them, never for a log or an
// error.
func (t Text) Reveal() string {
	if t.p == nil {
		return ""
	}
	return *t.p
}

// Len is the length in bytes of UTF-8.
func (t Text) Len() int {
	if t.p == nil {
		return 0
	}
	return len(*t.p)
}

// IsZero reports that there are no words.
func (t Text) IsZero() bool { return t.p == nil }

// String is the length in words: "[17 bytes]".
func (t Text) String() string { return "[" + strconv.Itoa(t.Len()) + " bytes]" }

// Format prints String, whatever the verb.
func (t Text) Format(f fmt.State, _ rune) { io.WriteString(f, t.String()) }

// LogValue is String.
func (t Text) LogValue() slog.Value { return slog.StringValue(t.String()) }

// MarshalText is String: there is no way back.
func (t Text) MarshalText() ([]byte, error) { return []byte(t.String()), nil }
