package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"

	"parley/metrics"
)

func setupVersion(fs *flag.FlagSet) runner {
	asJSON := fs.Bool("json", false, "as JSON")
	return func(_ context.Context, e *env, _ []string) error {
		v, revision, goVersion := versions()
		if *asJSON {
			return json.NewEncoder(e.out).Encode(map[string]string{"version": v, "revision": revision, "go": goVersion})
		}
		_, err := fmt.Fprintf(e.out, "parley %s (revision %s, %s)\n", v, revision, goVersion)
		return err
	}
}

// versions are the version, the revision and the Go of this program.
func versions() (v, revision, goVersion string) {
	v, revision, goVersion = metrics.Version()
	if version != "" {
		v = version
	}
	return v, revision, goVersion
}
