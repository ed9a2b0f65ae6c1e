package config

import (
	"fmt"
	"slices"
	"strings"
)

// ParseElement reads one of ssp.elements: whose users, the service, and the domain that provides it.
func ParseElement(s string) (of, service, by string, err error) {
	f := strings.Fields(s)
	if len(f) != 3 || !slices.Contains([]string{"contacts", "presence", "messages", "groups"}, f[1]) {
		return "", "", "", fmt.Errorf(`%q is not read: write it like "verona.example messages mantua.example"; services are contacts, presence, messages and groups`, s)
	}
	for _, d := range []string{f[0], f[2]} {
		if err := checkDomain(d); err != nil {
			return "", "", "", err
		}
	}
	return f[0], f[1], f[2], nil
}

// validateElements checks what is said of services that another domain provides.
func (s SSP) validateElements(domains []string, report func(key, format string, args ...any)) {
	for _, d := range []struct{ key, v string }{{"contacts", s.Contacts}, {"presence", s.Presence}, {"messages", s.Messages}, {"groups", s.Groups}} {
		if d.v == "" {
			continue
		}
		if err := checkDomain(d.v); err != nil {
			report("ssp."+d.key, "%w", err)
		}
		if slices.Contains(domains, d.v) {
			report("ssp."+d.key, "%s is served here: leave the key out, or name the other domain that provides it", d.v)
		}
	}
	for _, e := range s.Elements {
		if _, _, _, err := ParseElement(e); err != nil {
			report("ssp.elements", "%w", err)
		}
	}
}
