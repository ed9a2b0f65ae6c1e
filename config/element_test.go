package config

import (
	"strings"
	"testing"
)

// What is said of services that another domain provides is checked, and each error names its key.
func TestElements(t *testing.T) {
	of, service, by, err := ParseElement(" verona.example messages  mantua.example")
	if of != "verona.example" || service != "messages" || by != "mantua.example" || err != nil {
		t.Errorf("%q %q %q %v", of, service, by, err)
	}
	for _, bad := range []string{"", "verona.example messages", "a.example mail b.example", "a@b messages b.example", "a.example messages b/c"} {
		if _, _, _, err := ParseElement(bad); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
	c := Default()
	c.SSP.Presence, c.SSP.Messages, c.SSP.Groups = c.Domain, "a/b", "mantua.example"
	c.SSP.Elements = []string{"verona.example messages mantua.example", "what"}
	err = c.Validate()
	for _, key := range []string{"ssp.presence", "ssp.messages", "ssp.elements"} {
		if err == nil || !strings.Contains(err.Error(), key+": ") {
			t.Errorf("no word of %s: %v", key, err)
		}
	}
	if err != nil && strings.Contains(err.Error(), "ssp.groups") {
		t.Error(err)
	}
}
