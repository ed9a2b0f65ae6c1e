package im

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestTextPrintsItsLength(t *testing.T) {
	const words = "Wherefore art \"ü\"?"
	text := NewText(words)
	if text.Reveal() != words || text.Len() != len(words) || text.IsZero() {
		t.Fatalf("NewText(%q) reveals %q, %d bytes", words, text.Reveal(), text.Len())
	}
	length := fmt.Sprintf("[%d bytes]", len(words))
	type message struct {
		Text  Text
		inner Text
		box   *Text
		any   any
		list  []Text
		names map[Text]Text
	}
	m := message{text, text, &text, text, []Text{text}, map[Text]Text{text: text}}

	var out []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p", "%20s", "%-5v", "%!"} {
		for _, v := range []any{text, &text, m, &m, []any{text}, []message{m}} {
			out = append(out, fmt.Sprintf(verb, v))
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if got := fmt.Sprintf(verb, text); got != length {
			t.Errorf("%s prints %s", verb, got)
		}
	}
	for _, v := range []any{text, m, &m} {
		j, err := json.Marshal(v)
		if err != nil || !strings.Contains(string(j), length) {
			t.Errorf("JSON is %s, %v", j, err)
		}
		out = append(out, string(j))
	}
	var log strings.Builder
	for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(h).Info("x", "text", text, "message", m, "box", &m, "group", slog.GroupValue(slog.Any("text", text)))
	}
	if !strings.Contains(log.String(), length) {
		t.Errorf("logged %s", log.String())
	}
	out = append(out, log.String(), fmt.Sprintln(fmt.Errorf("at %v: %w", text, ErrGone)))
	for _, s := range out {
		for _, part := range []string{"Wherefore", "art", fmt.Sprintf("%x", words)[:12], strings.ToUpper(fmt.Sprintf("%x", words)[:12]), "[87 104"} {
			if strings.Contains(s, part) {
				t.Errorf("%q in %s", part, s)
			}
		}
	}
}

func TestNoText(t *testing.T) {
	for _, text := range []Text{{}, NewText("")} {
		if !text.IsZero() || text.Len() != 0 || text.Reveal() != "" || fmt.Sprint(text) != "[0 bytes]" || text != (Text{}) {
			t.Errorf("an empty text is %v of %d bytes", text, text.Len())
		}
	}
}
