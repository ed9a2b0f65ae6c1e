package config

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// Load reads a configuration file over the defaults and judges it with
// [Config.Validate]. An empty path gives the defaults. Errors name the file,
// the line where it can be found, and for an unknown key the nearest known one;
// all bad keys are reported together.
func Load(path string) (Config, error) {
	c := Default()
	if path == "" {
		return c, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return c, fmt.Errorf("read configuration: %w", err)
	}
	if err := c.read(path, string(text)); err != nil {
		return Default(), err
	}
	if err := c.Validate(); err != nil {
		return Default(), fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// read puts the values of a file into c. Fields are set one by one instead of
// by the TOML library, so that an error can say key, line and cure.
func (c *Config) read(path, text string) error {
	var tables map[string]any
	if _, err := toml.Decode(text, &tables); err != nil {
		var parse toml.ParseError
		if errors.As(err, &parse) {
			return fmt.Errorf("%s:%d: %s", path, parse.Position.Line, parse.Message)
		}
		return fmt.Errorf("%s: %w", path, err)
	}
	lines := keyLines(text)
	var bad []error
	report := func(name string, err error) {
		if n := lines[name]; n > 0 {
			bad = append(bad, fmt.Errorf("%s:%d: %w", path, n, err))
		} else {
			bad = append(bad, fmt.Errorf("%s: %w", path, err))
		}
	}
	var walk func(prefix string, table map[string]any)
	walk = func(prefix string, table map[string]any) {
		for _, word := range slices.Sorted(maps.Keys(table)) {
			name, v := prefix+word, table[word]
			sub, nested := v.(map[string]any)
			f := lookup(c, name)
			switch {
			case f != nil:
				v, err := f.convert(v)
				if err != nil {
					report(name, fmt.Errorf("%s: %w", name, err))
					continue
				}
				f.set(v)
			case nested && (isTable(name) || len(sub) > 0):
				walk(name+".", sub)
			default:
				report(name, unknownKey(name))
			}
		}
	}
	walk("", tables)
	return errors.Join(bad...)
}

// keyLines finds the line of each key, which the TOML library does not tell.
// It knows the usual ways to write a file; a key it misses is reported without
// its line.
func keyLines(text string) map[string]int {
	lines := map[string]int{}
	table, n := "", 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if head, ok := strings.CutPrefix(line, "["); ok {
			head, _, _ = strings.Cut(strings.TrimPrefix(head, "["), "]")
			table = bareKey(head)
			lines[table] = n
			table += "."
			continue
		}
		if key, _, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
			name := strings.TrimPrefix(table, ".") + bareKey(key)
			if lines[name] == 0 {
				lines[name] = n
			}
		}
	}
	return lines
}

// bareKey takes blanks and quotes from a dotted key.
func bareKey(key string) string {
	words := strings.Split(key, ".")
	for i, w := range words {
		words[i] = strings.Trim(w, " \t\"'")
	}
	return strings.Join(words, ".")
}
