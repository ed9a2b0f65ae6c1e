// Package metrics_test stands outside: what config imports may import metrics.
package metrics_test

import (
	"slices"
	"strings"
	"testing"

	"parley/config"
	"parley/metrics"
)

func TestEveryLimitOfTheConfigurationHasALabel(t *testing.T) {
	for _, k := range config.Keys() {
		if name, ok := strings.CutPrefix(k.Name, "limits."); ok && !slices.Contains(metrics.Limits, name) {
			t.Errorf("%s has no label", k.Name)
		}
	}
	for _, name := range metrics.Limits {
		if name != metrics.Other && !slices.ContainsFunc(config.Keys(), func(k config.Key) bool { return strings.HasSuffix(k.Name, "."+name) }) {
			t.Errorf("the label %s is no key", name)
		}
	}
}
