package config

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// Key is one key of the configuration.
type Key struct {
	// Name is the dotted name, as --set takes it: "limits.line".
	Name string
	// Type is string, integer, boolean, duration, size or list.
	Type string
	// Default is the value of an empty file, as TOML writes it.
	Default string
	// Accepts says which values are good, or is empty.
	Accepts string
	// Doc is the sentence above the field.
	Doc string
}

// Keys lists every key in the order of the structs.
func Keys() []Key {
	c := Default()
	var keys []Key
	for _, f := range fields(&c) {
		keys = append(keys, Key{f.name, f.kind(), f.text(), f.accepts(), sentences[f.name]})
	}
	return keys
}

// field is a key together with the place of its value.
type field struct {
	name  string
	tag   reflect.StructTag
	value reflect.Value
}

// fields walks the structs of c, which is where names and types are written down.
func fields(c *Config) []field {
	var all []field
	var walk func(prefix string, v reflect.Value)
	walk = func(prefix string, v reflect.Value) {
		for i := range v.NumField() {
			sf := v.Type().Field(i)
			name := prefix + sf.Tag.Get("toml")
			if sf.Type.Kind() == reflect.Struct {
				walk(name+".", v.Field(i))
				continue
			}
			all = append(all, field{name, sf.Tag, v.Field(i)})
		}
	}
	walk("", reflect.ValueOf(c).Elem())
	return all
}

// isTable says whether a name is that of a table: it has keys below it.
func isTable(name string) bool {
	c := Default()
	for _, f := range fields(&c) {
		if strings.HasPrefix(f.name, name+".") {
			return true
		}
	}
	return false
}

func (f field) kind() string {
	switch f.value.Interface().(type) {
	case string:
		return "string"
	case int:
		return "integer"
	case bool:
		return "boolean"
	case Duration:
		return "duration"
	case Size:
		return "size"
	case []string:
		return "list"
	}
	panic("config: field " + f.name + " has a type that no key may have")
}

// text is the value as TOML writes it.
func (f field) text() string {
	switch v := f.value.Interface().(type) {
	case string:
		return strconv.Quote(v)
	case []string:
		return listText(v)
	case Duration:
		return strconv.Quote(v.String())
	case Size:
		if s := v.String(); strings.HasSuffix(s, "B") {
			return strconv.Quote(s)
		}
		return strconv.FormatInt(int64(v), 10)
	default:
		return fmt.Sprint(v)
	}
}

func (f field) accepts() string {
	if of := f.tag.Get("oneof"); of != "" {
		return strings.Join(strings.Fields(of), ", ")
	}
	least, most := f.tag.Get("least"), f.tag.Get("most")
	switch {
	case f.kind() == "list" && least != "":
		return "at least " + least + " of them"
	case least != "" && most != "":
		return least + " to " + most
	case least != "":
		return least + " or more"
	case most != "":
		return "up to " + most
	}
	return ""
}

func listText(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = strconv.Quote(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// parse reads a value written as text: what --set gives, or a TOML string.
func (f field) parse(s string) (any, error) {
	switch f.kind() {
	case "string":
		return s, nil
	case "integer":
		n, err := strconv.Atoi(s)
		if err != nil {
			return nil, fmt.Errorf("%q is no whole number", s)
		}
		return n, nil
	case "boolean":
		switch s {
		case "true":
			return true, nil
		case "false":
			return false, nil
		}
		return nil, fmt.Errorf("%q is neither true nor false", s)
	case "duration":
		return ParseDuration(s)
	case "size":
		return ParseSize(s)
	default:
		list := []string{}
		for part := range strings.SplitSeq(s, ",") {
			if part = strings.TrimSpace(part); part != "" {
				list = append(list, part)
			}
		}
		return list, nil
	}
}

// convert takes a value as TOML decodes it.
func (f field) convert(v any) (any, error) {
	kind := f.kind()
	switch v := v.(type) {
	case string:
		switch kind {
		case "string", "duration", "size":
			return f.parse(v)
		}
	case int64:
		switch kind {
		case "integer":
			return int(v), nil
		case "size":
			return f.parse(strconv.FormatInt(v, 10))
		case "duration":
			return nil, fmt.Errorf(`%d needs a unit: write it like "%ds"`, v, v)
		}
	case bool:
		if kind == "boolean" {
			return v, nil
		}
	case []any:
		if kind != "list" {
			break
		}
		list := make([]string, len(v))
		for i, e := range v {
			s, ok := e.(string)
			if !ok {
				return nil, errors.New("this list holds strings only: put each value in quotes")
			}
			list[i] = s
		}
		return list, nil
	}
	c := Default()
	return nil, fmt.Errorf("this key takes a value of type %s, like %s", kind, lookup(&c, f.name).text())
}

func (f field) set(v any) { f.value.Set(reflect.ValueOf(v)) }

// lookup finds the field of a key in c, or nil.
func lookup(c *Config, name string) *field {
	for _, f := range fields(c) {
		if f.name == name {
			return &f
		}
	}
	return nil
}

// Set gives one key a value, as --set KEY=VALUE does: numbers, true and false,
// lengths of time ("90s") and sizes ("64KiB") as they are, lists with commas
// between. The value is not judged before [Config.Validate].
func (c *Config) Set(key, value string) error {
	f := lookup(c, key)
	if f == nil {
		return unknownKey(key)
	}
	v, err := f.parse(value)
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	f.set(v)
	return nil
}

// unknownKey names the known key nearest to one that is not.
func unknownKey(name string) error {
	if isTable(name) {
		return fmt.Errorf("%s is a table of keys, not a key: did you mean %s?", name, nearest(name))
	}
	return fmt.Errorf("unknown key %s: did you mean %s?", name, nearest(name))
}

// nearest is the key with the least edit distance. A right last word in the
// wrong table ("line", "limit.line", "limits_line") is nearer than letters tell.
func nearest(name string) string {
	if len(name) > 100 {
		name = name[:100]
	}
	c := Default()
	best, least := "", 1<<30
	for _, f := range fields(&c) {
		d := 2 * distance(name, f.name)
		if own, theirs := lastWord(name), lastWord(f.name); name != f.name {
			d = min(d, 2*distance(own, theirs)+3)
		}
		if d < least {
			best, least = f.name, d
		}
	}
	return best
}

func lastWord(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

// distance is the number of bytes to insert, delete or replace between a and b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			corner, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, corner+cost)
		}
	}
	return row[len(b)]
}
